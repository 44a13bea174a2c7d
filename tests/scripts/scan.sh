#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: scan.sh BUILDDIR     A radio that walks over a band plan: both of two drones in bands far
# apart are heard, the ledger tells of each band how it was watched, also of the one that the radio
# does not follow into; and plans that are wrong are refused with file and line.
. "$(dirname "$0")/../lib.sh"
sensord=$build/bin/tyto-sensord
[ -x "$sensord" ] && [ -e "$build/soapy/libtytoSupport.so" ] || skip 'tyto-sensord or the device module is not built'
n=0

refuses() {     # NAME WORD: s.yaml is refused with exit 2 and a sentence that holds WORD
    n=$((n + 1)) code=0
    timeout 60 "$sensord" --check "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    [ $code -eq 2 ] || fault "$1: exit $code, expected 2: $(head -c 300 "$tmp/err")"
    grep -qF -- "$2" "$tmp/err" || fault "$1: no \"$2\": $(head -c 300 "$tmp/err")"
}

cat >"$tmp/world.yaml" <<'X'
name: two drones, far apart
rate_hz: 12e6
centre_hz: 2440e6
duration_s: 0
tune_lo_hz: 2300e6
tune_hi_hz: 6000e6
seed: 5
receiver: {noise_dbfs: -50}
emitters:
  - {name: low, model: droneid, freq_hz: 2440.5e6, snr_db: 20, period_s: 0.2, uid: 11}
  - {name: high, model: droneid, freq_hz: 5756.5e6, snr_db: 20, period_s: 0.2, uid: 12}
X
config() {
    cat >"$tmp/s.yaml" <<X
name: Gate
plugin_path: $build/soapy
bands: ${1:-./bands.yaml}
droneid: decode
legal_basis: simulated signals
radios:
  - { name: a, args: 'driver=tyto,scene=$tmp/world.yaml', rate_hz: 12e6, scan: ${2:-yes} }
X
}
config
refuses 'no plan' 'bands.yaml'
printf 'bands:\n  - name: a\n    lo_hz: 1e9\n    hi_hz: much\n' >"$tmp/bands.yaml"
refuses 'a plan that is wrong' 'bands.yaml:4: hi_hz'
printf 'bands:\n  - name: a\n    lo_hz: 1e9\n    hi_hz: 1.01e9\n    radio: b\n' >"$tmp/bands.yaml"
refuses 'a radio that is not there' 'line 2: band a'
config ism no
refuses 'nobody scans' 'scan: yes'
sed -i '/^bands:/d; s/scan: no/scan: yes/' "$tmp/s.yaml"
refuses 'no plan named' 'bands:'
for plan in "$top"/hw/bands/*.yaml; do
    n=$((n + 1))
    name=${plan##*/}
    config "${name%.yaml}"
    "$sensord" --check "$tmp/s.yaml" 2>"$tmp/err" || fault "$name: $(cat "$tmp/err")"
done

cat >"$tmp/bands.yaml" <<'X'
bands:
  - { name: 868, lo_hz: 863e6, hi_hz: 870e6 }          # this scene does not reach so far
  - { name: 2400, lo_hz: 2432e6, hi_hz: 2450e6, dwell_s: 0.3, link_hz: 9e6, link_s: 0.6e-3 }
  - { name: 5800, lo_hz: 5752e6, hi_hz: 5762e6, dwell_s: 0.3 }
X
config
n=$((n + 1))
: >"$tmp/out"
"$sensord" --json "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
trap 'kill -9 $pid 2>/dev/null || :; rm -rf "$tmp"' EXIT
heard() {   # FREQ: a frame of DroneID there
    grep '"type":"decode"' "$tmp/out" | grep -q "\"freq_hz\":$1"
}
# A band as the newest ledger tells it in which it was watched and its waits are known: where this
# runs at a tenth of its speed, 10 s may pass without a visit.  Else as the newest ledger has it.
band() {
    grep '"type":"ledger"' "$tmp/out" | sed 's/.*"bands":\[//; s/},{/}\n{/g' | grep "\"name\":\"$1\"" >"$tmp/band" || echo none
    grep '"state":"watched"' "$tmp/band" | grep '"revisit_p95_s":[0-9]' | tail -n 1 | grep . || tail -n 1 "$tmp/band"
}
both() {
    band 2400 | grep -q '"state":"watched".*"revisit_p95_s":[0-9]' &&
        band 5800 | grep -q '"state":"watched".*"revisit_p95_s":[0-9]'
}
i=0
until { heard 244 && heard 575 && both; } || [ $i -gt 1800 ]; do
    sleep 0.1; i=$((i + 1))
    kill -0 $pid 2>/dev/null || { fault "it ended: $(head -c 300 "$tmp/err")"; break; }
done
heard 244 || fault 'no frame at 2.4 GHz'
heard 575 || fault 'no frame at 5.8 GHz'
band 868 | grep -q '"state":"not-watched"' || fault "868: $(band 868)"
band 868 | grep -q '"watched_s":0,' || fault "868: $(band 868)"
! band 868 | grep -q smallest || fault '868: what would have been seen where nobody looked?'
for b in 2400 5800; do
    band $b | grep -q '"state":"watched"' || fault "$b: $(band $b)"
    band $b | grep -q '"revisit_p95_s":[0-9]' || fault "$b has no revisit: $(band $b)"
    # The noise is -50 dBFS in 12 MHz.
    band $b | sed 's/.*"floor_dbfs":\(-[0-9.]*\).*/\1/' | awk '{exit !($1 > -121.8 && $1 < -119.8)}' ||
        fault "$b: floor: $(band $b)"
    band $b | grep -q '"smallest_dbfs":-' || fault "$b: $(band $b)"
done
band 2400 | grep -q '"windows":2' || fault "2400: $(band 2400)"
kill -TERM $pid
code=0; wait $pid || code=$?
[ $code -eq 0 ] || fault "SIGTERM: exit $code: $(head -c 300 "$tmp/err")"
finish $n
