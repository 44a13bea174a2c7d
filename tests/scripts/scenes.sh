#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: scenes.sh BUILDDIR   the example of docs/SCENES.md gives the same bytes again; wrong use
# gives exit 2 and one sentence.
. "$(dirname "$0")/../lib.sh"
n=0
sim=$build/bin/tyto-sim
doc=$top/docs/SCENES.md

sed -n '/^```yaml/,/^```/{/^```/!p;}' "$doc" >"$tmp/scene.yaml"
for k in 1 2; do
    "$sim" -o "$tmp/$k.sigmf-meta" "$tmp/scene.yaml" || fault "the example does not run"
done
n=$((n + 1))
cmp -s "$tmp/1.sigmf-data" "$tmp/2.sigmf-data" || fault "two runs differ"
cmp -s "$tmp/1.sigmf-meta" "$tmp/2.sigmf-meta" || fault "two runs differ in truth"
"$sim" --seed 8 -o "$tmp/2.sigmf-meta" "$tmp/scene.yaml" || fault "--seed does not run"
cmp -s "$tmp/1.sigmf-data" "$tmp/2.sigmf-data" && fault "another seed gives the same"
for label in dji-droneid wifi ble; do
    grep -q "\"core:label\":\"$label\"" "$tmp/1.sigmf-meta" || fault "no $label in truth"
done

# use WORD ARGS...: exit 2, one sentence with WORD, nothing on standard output.
use() {
    word=$1
    shift
    n=$((n + 1))
    code=0
    "$sim" "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
    refused "$word" "tyto-sim $*"
}
use '-o is missing' "$tmp/scene.yaml"
use 'no scene' -o "$tmp/3.sigmf-meta"
use 'more than one' -o "$tmp/3.sigmf-meta" a b
use 'whole number' --seed -1 -o "$tmp/3.sigmf-meta" "$tmp/scene.yaml"
use 'ends in .sigmf-meta' -o "$tmp/3.iq" "$tmp/scene.yaml"
use 'nowhere.yaml' -o "$tmp/3.sigmf-meta" nowhere.yaml
sed 's/duty:/dutty:/' "$tmp/scene.yaml" >"$tmp/wrong.yaml"
use 'line 26, column 7: Unexpected key: dutty' -o "$tmp/3.sigmf-meta" "$tmp/wrong.yaml"
[ ! -e "$tmp/3.sigmf-meta" ] && [ ! -e "$tmp/3.sigmf-data" ] || fault "a refused scene left files"
if [ -w /dev/full ]; then
    code=0
    ln -s /dev/full "$tmp/4.sigmf-data.part"
    "$sim" -o "$tmp/4.sigmf-meta" "$tmp/scene.yaml" >"$tmp/out" 2>"$tmp/err" || code=$?
    refused 'No space left' "full disk"
fi
finish $n
