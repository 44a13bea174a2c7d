#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: [CUT_S=600] sh tests/bench/cut.sh BUILDDIR     The link between a running sensor and its post
# is cut for so long and comes back from another address: every event is there once, and what
# happens then comes before what waited.  A line for docs/PERFORMANCE.md; exit 1 where that fails.
. "$(dirname "$0")/../lib.sh"
cut_s=${CUT_S:-600}
patience=1200
. "$top/tests/link_lib.sh"
cat >scene.yaml <<X
rate_hz: 11e6
centre_hz: 2444e6
duration_s: 0
seed: 5
receiver: { noise_dbfs: -50 }
emitters:
  - { name: uav, model: droneid, freq_hz: 2444.5e6, snr_db: 20 }
X
write_sensor "{ name: a, args: 'driver=tyto,scene=$tmp/scene.yaml', rate_hz: 11e6, centre_hz: 2444e6 }"
now() { date +%s.%N; }

write_post '*'
start_post
start_proxy 127.0.0.1
start_sensor 1
wait_for 'events before' at_least 30

kill -9 $proxy
cut=$(now); had=$(rows); said=$(lines)
sleep "$cut_s"
[ "$(rows)" -le $((had + 3)) ] || fault 'events came over a link that is cut'
waited=$(($(lines) - said))
back=$(now)
start_proxy 127.0.0.77
wait_for 'all that waited' at_least $((had + waited))
sleep 5
kill -TERM $sensor
wait $sensor || fault "sensord: exit $?"
kill -TERM $post
wait $post || fault "alertd: exit $?"
"$tool/events" pd/alertd.db >starts
[ "$(wc -l <starts)" -eq 1 ] || fault "starts: $(cat starts)"
awk -v n="$(lines)" '$2 != $4 || $2 != $3 + 1 || $2 < n - 5 { exit 1 }' starts ||
    fault "not each once: $(cat starts), $(lines) said"
"$tool/events" pd/alertd.db "$cut" "$back" >delay
read -r n first last live median most <delay
[ "$n" -ge $((waited - 3)) ] || fault "$n events of the cut, $waited were said"
[ "$live" -gt 0 ] || [ "$n" -lt 1000 ] || fault 'nothing new came before the last that had waited'
echo "cut for $cut_s s: $n events waited, each stored once; the first $first s, the last $last s after"\
    "the link was back, from another address; $live newer ones came in between, $median s old"\
    "(median, most $most s)"
finish 1
