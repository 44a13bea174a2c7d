#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: docs.sh BUILDDIR     Runs the code that stands in the documents: ```sh check blocks, one
# document at a time, in an empty folder with the programs in the PATH; ```yaml check NAME blocks
# become files there.  Then follows every link to a file, and finds every program and folder named.
. "$(dirname "$0")/../lib.sh"
n=0
PATH=$build/bin:$PATH
for doc in "$top"/README.md "$top"/docs/*.md; do
    name=${doc##*/}
    mkdir "$tmp/$name"
    awk -v dir="$tmp/$name/" '
        /^```/ && out != "" { close(out); out = ""; next }
        /^```sh check$/     { out = dir "commands"; n++; next }
        /^```[a-z]+ check / { out = dir $3; next }
        out != ""           { print > out }' "$doc"
    if [ -f "$tmp/$name/commands" ]; then
        (cd "$tmp/$name" && sh -eu commands >log 2>&1) ||
            fault "$name: the code in it does not run: $(tail -n 3 "$tmp/$name/log")"
        n=$((n + 1))
    fi
    grep -o '](\([^)]*\))' "$doc" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^http' >"$tmp/links" || :
    while read -r link; do
        [ -e "$(dirname "$doc")/$link" ] || fault "$name: links to $link, which is not there"
    done <"$tmp/links"
done

# docs/SCENES.md has every key of a scene and every model, and no model that is gone.
scenes=$top/docs/SCENES.md
grep -v '#define' "$top/sdr/sim/scene_yaml.c" | grep -oE '(TEXT|NUM|COUNT)\([a-z_]+' |
    sed 's/.*(//' | sort -u >"$tmp/keys"
[ -s "$tmp/keys" ] || fault 'found no key in the schema of scenes'
while read -r key; do
    grep -q "\`$key\`" "$scenes" || fault "SCENES.md does not name the key $key"
done <"$tmp/keys"
tyto sim --models | awk '{print $1}' | sort >"$tmp/models"
sed -n '/^## Models/,/^## Truth/s/^| `\([a-z0-9]*\)` .*/\1/p' "$scenes" | sort >"$tmp/told"
cmp -s "$tmp/models" "$tmp/told" ||
    fault "SCENES.md and tyto sim --models differ: $(diff "$tmp/models" "$tmp/told" | grep '^[<>]')"

[ $n -gt 0 ] || fault 'no document has code that is run'
finish $n
