#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: keep.sh BUILDDIR     What a sensor keeps of an alarm: nothing unless the policy allows it; then
# sealed files that only the key opens, in which `tyto analyze` finds byte for byte what stands in
# them, and in which nobody else's Wi-Fi is left.
. "$(dirname "$0")/../lib.sh"
bin=$build/bin
[ -x "$bin/tyto-sensord" ] || skip 'tyto-sensord is not built'
n=0
cat >"$tmp/scene.yaml" <<'X'
name: a drone beside a busy access point
rate_hz: 20e6
centre_hz: 2440e6
duration_s: 3
seed: 5
receiver: {noise_dbfs: -50}
emitters:
  - {name: uav, model: droneid, freq_hz: 2444.5e6, snr_db: 20, period_s: 0.3, uid: 3, start_s: 0.4}
  - {name: ap, model: wifi, freq_hz: 2437e6, duty: 0.05, uid: 6, snr_db: 25}
X
"$bin/tyto-keys" make --dir "$tmp/keys" >"$tmp/mine"
"$bin/tyto-keys" make --dir "$tmp/others" >/dev/null
key=$(sed -n 's/^public key *//p' "$tmp/mine")
mkdir "$tmp/kept"
cat >"$tmp/s.yaml" <<X
name: Gate
policy: policy.yaml
keep: { dir: kept, key: '$key', seconds: 2 }
radios:
  - { name: a, scene: scene.yaml }
X
refuses() {     # NAME WORD
    n=$((n + 1)) code=0
    "$bin/tyto-sensord" --check "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    [ $code -eq 2 ] || fault "$1: exit $code, expected 2"
    grep -qF -- "$2" "$tmp/err" || fault "$1: no \"$2\": $(head -c 300 "$tmp/err")"
}
refuses 'no policy' 'does not allow'
echo 'droneid: recognise' >"$tmp/policy.yaml"
refuses 'a policy that says nothing of it' 'does not allow'
printf 'keep: evidence\nrecord: never\n' >"$tmp/policy.yaml"
refuses 'a policy that forbids recording' 'policy.yaml:2 does not allow'
echo 'keep: everything' >"$tmp/policy.yaml"
refuses 'a policy that is not understood' 'policy.yaml:1:'
[ -z "$(ls "$tmp/kept")" ] || fault 'something was kept without leave'

n=$((n + 1)) code=0
echo 'keep: evidence' >"$tmp/policy.yaml"
timeout 250 "$bin/tyto-sensord" --json "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
[ $code -eq 0 ] || fault "exit $code: $(head -c 300 "$tmp/err")"
ls "$tmp"/kept/*-00.tyto >"$tmp/wide" 2>/dev/null || fault 'no wide snippet'
ls "$tmp"/kept/*.tyto >"$tmp/all" 2>/dev/null || :
[ "$(wc -l <"$tmp/all")" -ge 2 ] || fault "kept: $(cat "$tmp/all")"
[ "$(wc -l <"$tmp/all")" -le 63 ] || fault 'more than twenty and one of each track'
open() { "$bin/tyto-record" --open "$1" --keys "$2" -o "$tmp/o.sigmf-meta" 2>"$tmp/err"; }
found=0
for f in $(cat "$tmp/all"); do
    n=$((n + 1)) code=0
    rm -f "$tmp"/o.sigmf-*
    ! grep -qa droneid "$f" || fault "${f##*/}: can be read as it lies there"
    open "$f" "$tmp/others" || code=$?
    [ $code -eq 1 ] || fault "${f##*/}: another key: exit $code, expected 1"
    open "$f" "$tmp/keys" || { fault "${f##*/}: $(cat "$tmp/err")"; continue; }
    "$bin/tyto-record" --verify "$tmp/o.sigmf-meta" 2>/dev/null || fault "${f##*/}: its checksum"
    "$bin/tyto-analyze" --bursts --json --no-droneid-decode "$tmp/o.sigmf-meta" >"$tmp/lines"
    # The strings of the annotations, unescaped.
    sed 's/"tyto:finding":"/\n&/g' "$tmp/o.sigmf-meta" | sed -n 's/^"tyto:finding":"\(.*}\)"}.*/\1/p' |
        sed 's/\\"/"/g' >"$tmp/told"
    grep '"type":"burst"' "$tmp/lines" >"$tmp/now" || :
    cmp -s "$tmp/told" "$tmp/now" || fault "${f##*/}: $(diff "$tmp/told" "$tmp/now" | head -c 400)"
    ! grep -q '"family":"wifi"' "$tmp/lines" || fault "${f##*/}: somebody's Wi-Fi is in it"
    ! grep '"type":"burst"' "$tmp/lines" | grep -q '"kind":"dsss"' || fault "${f##*/}: a beacon"
    grep -q '"zc_len":601' "$tmp/now" && found=$((found + 1))
done
[ $found -ge 1 ] || fault 'the drone is in none of them'
finish $n
