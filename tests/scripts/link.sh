#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: link.sh BUILDDIR     The real sensor and the real post over a link that is cut and comes
# back from another address, with clocks that jump, and both killed and started again: every event
# arrives exactly once.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-alertd" ] || skip 'tyto-alertd is not built'
case $build in */san-*) jump= ;; *) jump=$tmp/jump.so
    ${CC:-cc} -shared -fPIC -O1 -o "$jump" "$top/tests/scripts/jump.c" ;;
esac
cd "$tmp"
echo 0 >offset
post= sensor= proxy=
trap 'kill -9 $post $sensor $proxy 2>/dev/null || :; rm -rf "$tmp"' EXIT

"$build/bin/tyto-keys" make --dir pk >/dev/null
"$build/bin/tyto-keys" make --dir sk >/dev/null
public() { "$build/bin/tyto-keys" show --dir "$1" --json | sed 's/.*"public_key":"\([^"]*\)".*/\1/'; }
"$build/bin/tyto-keys" enrol --dir pk gate "$(public sk)" >/dev/null
port=$((20000 + $$ % 20000))

write_post() {  # PORT
    cat >post.yaml <<X
site: test
keys_dir: pk
data_dir: pd
bind: tcp://127.0.0.1:$1
exercise: yes
X
}
start_post() {
    : >post.out
    LD_PRELOAD=$jump JUMP=$tmp/offset "$build/bin/tyto-alertd" --no-page post.yaml \
        >post.out 2>>post.log & post=$!
    wait_for 'the post' grep -q '^sensors' post.out
    target=$(sed -n 's/^sensors .*:\([0-9]*\)$/\1/p' post.out)
}
start_proxy() { "$tool/proxy" $port "$target" "$1" & proxy=$!; }
start_sensor() {
    LD_PRELOAD=$jump JUMP=$tmp/offset "$build/bin/tyto-sensord" --json sensor.yaml \
        >"lines.$1" 2>>sensor.log & sensor=$!
}
died() {        # kills; a busy machine takes its time over it, and their locks go with them
    kill -9 "$@"
    wait "$@" 2>/dev/null || :
}
wait_for() {    # WHAT COMMAND: no time is promised, only that it ends
    what=$1; shift
    i=0
    until "$@"; do
        i=$((i + 1))
        [ $i -lt 900 ] || { fault "$what: not within 90 s"; cat post.log sensor.log; finish 0; }
        sleep 0.1
    done
}
rows() { "$tool/events" pd/alertd.db 2>/dev/null | awk '{ s += $2 } END { print s + 0 }'; }
more_than() { [ "$(rows)" -gt "$1" ]; }
lines_more_than() { [ "$(cat lines.* | grep -c .)" -gt "$1" ]; }

cat >scene.yaml <<X
name: always something new
rate_hz: 10e6
centre_hz: 2440e6
duration_s: 0
seed: 5
receiver: { noise_dbfs: -50 }
emitters:
  - { name: uav, model: droneid, freq_hz: 2440.5e6, snr_db: 20 }
X
cat >sensor.yaml <<X
name: Gate
keys_dir: sk
post: { endpoint: 'tcp://127.0.0.1:$port', key: '$(public pk)' }
spool: { dir: spool }
droneid: decode
legal_basis: simulated signals
radios:
  - { name: a, scene: scene.yaml }
X
write_post '*'
start_post
write_post "$target"            # later starts take the same port
start_proxy 127.0.0.1
start_sensor 1
wait_for 'first events' more_than 5

# Cut; meanwhile both clocks jump by ten minutes; back from another address.
kill -9 $proxy; had=$(rows); said=$(cat lines.* | wc -l)
[ -z "$jump" ] || echo 600 >offset
wait_for 'events while it is cut' lines_more_than $((said + 8))
[ "$(rows)" -le $((had + 3)) ] || fault 'events came over a link that is cut'
start_proxy 127.0.0.77
wait_for 'events from another address' more_than $((had + 8))

# The clock falls back by twenty minutes; the post dies and comes back.
[ -z "$jump" ] || echo -600 >offset
died $post; had=$(rows); said=$(cat lines.* | wc -l)
wait_for 'events without a post' lines_more_than $((said + 8))
start_post
wait_for 'events after the post' more_than $((had + 8))

# The sensor dies and comes back; then both.
died $sensor; had=$(rows)
start_sensor 2
wait_for 'events of the second start' more_than $((had + 8))
died $post $sensor; had=$(rows)
start_sensor 3
start_post
wait_for 'events of both' more_than $((had + 8))

# A rest, so that all arrives; what was sent is what is there.
kill -TERM $sensor; wait $sensor || fault "sensord: exit $?"
said=$(($(cat lines.* | wc -l) - 2))        # two kills: a line may be out before its event is safe
start_sensor 4
enough() { [ "$(rows)" -ge "$said" ]; }
wait_for 'what was left' enough
kill -TERM $sensor; wait $sensor || :
kill -TERM $post; wait $post || fault "alertd: exit $?"
"$tool/events" pd/alertd.db >boots
[ "$(wc -l <boots)" -ge 3 ] || fault "boots: $(cat boots), expected three at least"
awk '$2 != $4 || $2 != $3 + 1 { print "WRONG: a hole or twice: " $0; bad = 1 } END { exit bad }' boots ||
    wrong=$((wrong + 1))
finish "$(rows)"
