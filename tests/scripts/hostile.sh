#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: hostile.sh BUILDDIR     A hostile band through the sensor's whole chain, at the pace of a
# radio: sixteen thousand bursts a second on one worker, then a jammer over all of the band, in turns.
# What there is no time for is left out and counted, health tells of it, every sample is heard or
# told as lost, and the drone that identifies itself in the midst of it is told all the same.
#
#     |== 16 000 bursts a second, DroneID ==|== jammer over all ==|== as before, and so on
#     0                                     0.45                   0.65 s
. "$(dirname "$0")/../lib.sh"
case $build in */san-*) skip 'instrumented programs keep pace with no radio' ;; esac
[ -f "$build/soapy/libtytoSupport.so" ] || skip 'the device module is not built'
cd "$tmp"
{
    cat <<X
name: hostile
rate_hz: 15.36e6
centre_hz: 2437e6
duration_s: 0.65
seed: 7
receiver: { noise_dbfs: -50 }
emitters:
  - { name: drone, model: droneid, freq_hz: 2437e6, snr_db: 20 }
  - { name: jammer, model: lte, mode: "15", variant: fdd, freq_hz: 2437e6, snr_db: 25, start_s: 0.45, duty: 1 }
X
    # Slots of a millisecond, the pilot's packet and the drone's answer: 2000 bursts a second each.
    for f in 2430.2 2431.4 2433.2 2439.9 2441.6 2442.7 2443.7 2444.3; do
        echo "  - { name: f$f, model: elrs, mode: F1000, variant: parked, freq_hz: ${f}e6, snr_db: 20, stop_s: 0.45 }"
    done
} >scene.yaml
"$build/bin/tyto-sim" -o s.sigmf-meta scene.yaml 2>err || fault "$(cat err)"
[ $wrong -eq 0 ] || finish
printf 'name: Gate\ndroneid: recognise\nthreads: 1\nplugin_path: %s/soapy\nradios:\n' "$build" >s.yaml
echo "  - { name: r, args: 'driver=tyto,loop=1,file=$tmp/s.sigmf-meta', rate_hz: 15.36e6, centre_hz: 2437e6 }" >>s.yaml
"$build/bin/tyto-sensord" --json s.yaml >out 2>err </dev/null & pid=$!
trap 'kill -9 $pid 2>/dev/null || :; rm -rf "$tmp"' EXIT
health() {      # KEY: its number in the last one, 0 where there is none yet
    v=$(grep '"type":"health"' out | tail -n 1 | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p")
    echo "${v:-0}"
}
at_least() { [ $(($(health "$2") + $(health "${3:-none}"))) -ge "$1" ]; }
wait_for() {    # WHAT CONDITION
    i=0
    until eval "$2"; do
        i=$((i + 1))
        [ $i -lt 1200 ] && kill -0 $pid 2>/dev/null ||
            { fault "$1: $(grep '"type":"health"' out | tail -n 1 | tail -c 600); $(tail -n 3 err)"; return; }
        sleep 0.1
    done
}
wait_for 'bursts left out are counted and told' 'at_least 100 shed_bursts'
wait_for 'the drone that identifies itself is told' \
    "grep '\"type\":\"track\"' out | grep -q '\"family\":\"dji-droneid\"'"
wait_for 'ten seconds heard or told as lost' 'at_least 153600000 samples lost'
# A machine that cannot keep up at all loses samples: never for long without a word.
said() { grep -q 'samples are lost\|does not work through them\|MS/s come\|time-outs' err; }
if at_least 15360000 lost; then
    i=0
    until said; do
        before=$(health lost) i=$((i + 1))
        sleep 11                        # a health message comes every five seconds
        [ "$(health lost)" -gt "$before" ] || break         # the beginning's only
        [ $i -lt 5 ] || { fault "samples are lost, and nothing says so: $(tail -n 3 err)"; break; }
    done
fi
# What was counted once stays counted.
grep '"type":"health"' out | sed -n 's/.*"samples":\([0-9]*\).*/\1/p' >counted
sort -nc counted || fault "the count of samples goes back: $(tr '\n' ' ' <counted)"
kill -TERM $pid
wait $pid || fault "exit $?: $(tail -n 3 err)"
finish 5
