#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: privacy.sh BUILDDIR     --no-droneid-decode recognises and reads nothing: no frame, no
# serial number, no position, neither in words nor in JSON, and the drone is found all the same.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-analyze" ] || skip 'tyto-analyze is not built'
n=0

# secrets FILE: what a decoding run reads, one a line: serials, positions, raw bytes.
secrets() {
    analyze --bursts "$1"; accepted "$1"
    grep '"type":"decode"' "$tmp/out" >"$tmp/decodes" || return 0
    tr ',{}' '\n\n\n' <"$tmp/decodes" | sed -n \
        's/^"\(raw\|serial\|uas_id\|[a-z_]*lat_deg\|[a-z_]*lon_deg\)":"*\([^"]*\)"*$/\2/p' |
        awk 'length($0) > 4 && $0 != "null"' | sort -u
}

held_back() {
    secrets "$1" >"$tmp/secrets"
    [ -s "$tmp/secrets" ] || { fault "$1: nothing was decoded, so nothing is shown"; return; }
    n=$((n + 1))
    analyze --bursts --no-droneid-decode "$1"; accepted "$1, not decoding"
    hasnot '{"type":"decode"}' "$1"
    has '{"type":"summary","decodes":0}' "$1"
    has '{"type":"track","family":"dji-droneid"}' "$1"
    "$build/bin/tyto-analyze" --bursts --no-droneid-decode "$1" >"$tmp/words" 2>&1 || :
    for f in out words; do
        if grep -qFf "$tmp/secrets" "$tmp/$f"; then fault "$1: $f tells what it should not have read"; fi
        if grep -Eq 'serial|lat_deg|lon_deg|"raw"' "$tmp/$f"; then fault "$1: $f names a field"; fi
    done
}

# A policy forbids what the command would do, and a broken one forbids all.
"$build/bin/tyto-sim" -o "$tmp/p.sigmf-meta" "$(ls "$top"/tests/iq/droneid*/scene.yaml | head -n 1)"
printf 'droneid: recognise\n' >"$tmp/policy"
n=$((n + 1))
analyze --policy "$tmp/policy" "$tmp/p.sigmf-meta"; [ $code -eq 0 ] || fault "a policy: exit $code"
hasnot '{"type":"decode"}' 'a policy'
grep -q 'policy:1 allows of DroneID: recognise' "$tmp/err" || fault "a policy: $(cat "$tmp/err")"
printf 'droneid: perhaps\n' >"$tmp/policy"
analyze --policy "$tmp/policy" "$tmp/p.sigmf-meta"; refused 'policy:1:' 'a broken policy'

for meta in "$captures"/dji_mavic_air_2*.sigmf-meta; do
    [ ! -r "$meta" ] || held_back "$meta"
done
# Instrumented code gets one of them only: the other is 20 million samples, three times.
scenes='droneid*'
case $build in */san-*) scenes=droneid_encrypted ;; esac
for scene in "$top"/tests/iq/$scenes/scene.yaml; do
    [ -f "$scene" ] && [ -x "$build/bin/tyto-sim" ] || continue
    "$build/bin/tyto-sim" -o "$tmp/s.sigmf-meta" "$scene"
    held_back "$tmp/s.sigmf-meta"
done
[ $n -gt 0 ] || [ $wrong -gt 0 ] || skip 'neither a scene nor a recording with DroneID is on this machine'
finish $n
