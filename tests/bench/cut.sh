#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: [CUT_S=600] sh tests/bench/cut.sh BUILDDIR     The link between a running sensor and its post
# is cut for so long and comes back from another address: every event is there once, and what
# happens then comes before what waited.  A line for docs/PERFORMANCE.md; exit 1 where that fails.
. "$(dirname "$0")/../lib.sh"
cut_s=${CUT_S:-600}
cd "$tmp"
post= sensor= proxy=
trap 'kill -9 $post $sensor $proxy 2>/dev/null || :; rm -rf "$tmp"' EXIT
"$build/bin/tyto-keys" make --dir pk >/dev/null
"$build/bin/tyto-keys" make --dir sk >/dev/null
public() { "$build/bin/tyto-keys" show --dir "$1" --json | sed 's/.*"public_key":"\([^"]*\)".*/\1/'; }
"$build/bin/tyto-keys" enrol --dir pk gate "$(public sk)" >/dev/null
port=$((20000 + $$ % 20000))
printf 'site: cut\nkeys_dir: pk\ndata_dir: pd\nbind: tcp://127.0.0.1:*\nexercise: yes\n' >post.yaml
cat >scene.yaml <<X
rate_hz: 11e6
centre_hz: 2444e6
duration_s: 0
seed: 5
receiver: { noise_dbfs: -50 }
emitters:
  - { name: uav, model: droneid, freq_hz: 2444.5e6, snr_db: 20 }
X
cat >sensor.yaml <<X
name: Gate
keys_dir: sk
post: { endpoint: 'tcp://127.0.0.1:$port', key: '$(public pk)' }
spool: { dir: spool }
droneid: decode
legal_basis: simulated signals
plugin_path: $build/soapy
radios:
  - { name: a, args: 'driver=tyto,scene=$tmp/scene.yaml', rate_hz: 11e6, centre_hz: 2444e6 }
X
wait_for() {
    what=$1; shift
    i=0
    until "$@"; do
        i=$((i + 1))
        [ $i -lt 1200 ] || { fault "$what: not within 120 s"; tail -n 5 post.log sensor.log; finish 0; }
        sleep 0.1
    done
}
rows() { "$tool/events" pd/alertd.db 2>/dev/null | awk '{ s += $2 } END { print s + 0 }'; }
at_least() { [ "$(rows)" -ge "$1" ]; }
lines() { grep -c . lines; }
now() { date +%s.%N; }

"$build/bin/tyto-alertd" --no-page post.yaml >post.out 2>post.log & post=$!
wait_for 'the post' grep -q '^sensors' post.out
target=$(sed -n 's/^sensors .*:\([0-9]*\)$/\1/p' post.out)
"$tool/proxy" $port "$target" 127.0.0.1 & proxy=$!
"$build/bin/tyto-sensord" --json sensor.yaml >lines 2>sensor.log & sensor=$!
wait_for 'events before' at_least 30

kill -9 $proxy
cut=$(now); had=$(rows); said=$(lines)
sleep "$cut_s"
[ "$(rows)" -le $((had + 3)) ] || fault 'events came over a link that is cut'
waited=$(($(lines) - said))
back=$(now)
"$tool/proxy" $port "$target" 127.0.0.77 & proxy=$!
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
