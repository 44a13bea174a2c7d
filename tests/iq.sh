#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: iq.sh BUILDDIR CASEDIR     One recorded case (run by run.sh).
#
#   recipe     scene.yaml   for `tyto sim` (its seed is in it), or
#              capture      one line, a recording below ../shared/captures; skipped where absent
#   args       further arguments of `tyto analyze`, one line; may be absent
#   expect     what must and must not come out; see tests/tool/match.c
set -eu
build=$1 case=$2
captures=$(cd "$(dirname "$0")/.." && pwd)/../shared/captures
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

[ -x "$build/bin/tyto-analyze" ] || { echo 'tyto-analyze is not built'; exit 77; }
if [ -f "$case/capture" ]; then
    in=$captures/$(cat "$case/capture")
    [ -r "$in" ] || { echo "the recording $(cat "$case/capture") is not on this machine"; exit 77; }
else
    in=$tmp/scene.sigmf-meta
    "$build/bin/tyto-sim" -o "$in" "$case/scene.yaml"
fi
args=
[ ! -f "$case/args" ] || args=$(cat "$case/args")
"$build/bin/tyto-analyze" --bursts --json $args "$in" >"$tmp/out"
if [ ! -f "$case/expect" ]; then
    [ -n "${TYTO_GOLD:-}" ] || { echo "no $case/expect; make gold drafts one"; exit 1; }
    "$build/tool/match" --draft "$tmp/out" >"$case/expect"
    echo "drafted $case/expect: hold it against the truth"
fi
"$build/tool/match" "$tmp/out" "$case/expect" && exit 0
# What a recording says of real aircraft does not belong into a log.
echo 'what came out:'
sed 's/"raw":"[^"]*"/"raw":".."/; s/"fields":{[^}]*}/"fields":{}/; s/"claimed[^,}]*//g' "$tmp/out" |
    cut -c 1-300
exit 1
