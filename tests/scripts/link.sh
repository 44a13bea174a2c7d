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
patience=900
. "$top/tests/link_lib.sh"
echo 0 >offset

died() {        # kills; a busy machine takes its time over it, and their locks go with them
    kill -9 "$@"
    wait "$@" 2>/dev/null || :
}
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
# A post that would let in whoever comes proves at its start that it does, and does not start.
if [ -n "$jump" ]; then
    ${CC:-cc} -shared -fPIC -O1 -o "$tmp/open.so" "$top/tests/scripts/open_door.c"
    write_post '*'
    code=0
    LD_PRELOAD=$tmp/open.so timeout 60 "$build/bin/tyto-alertd" --no-page post.yaml >open.out 2>open.err || code=$?
    [ $code -eq 1 ] && [ ! -s open.out ] && grep -q 'let in a key that nobody enrolled' open.err ||
        fault "a door that stands open: exit $code, $(cat open.out open.err)"
fi

write_sensor '{ name: a, scene: scene.yaml }'
write_post '*'
start_post
write_post "$target"            # later starts take the same port
start_proxy 127.0.0.1
start_sensor 1
wait_for 'first events' at_least 6

# Cut; meanwhile both clocks jump by ten minutes; back from another address.
kill -9 $proxy; had=$(rows); said=$(lines)
[ -z "$jump" ] || echo 600 >offset
wait_for 'events while it is cut' lines_more_than $((said + 8))
[ "$(rows)" -le $((had + 3)) ] || fault 'events came over a link that is cut'
start_proxy 127.0.0.77
wait_for 'events from another address' at_least $((had + 9))

# The clock falls back by twenty minutes; the post dies and comes back.
[ -z "$jump" ] || echo -600 >offset
died $post; had=$(rows); said=$(lines)
wait_for 'events without a post' lines_more_than $((said + 8))
start_post
wait_for 'events after the post' at_least $((had + 9))

# The sensor dies and comes back; then both.
died $sensor; had=$(rows)
start_sensor 2
wait_for 'events of the second start' at_least $((had + 9))
died $post $sensor; had=$(rows)
start_sensor 3
start_post
wait_for 'events of both' at_least $((had + 9))

# A rest, so that all arrives; what was sent is what is there.
kill -TERM $sensor; wait $sensor || fault "sensord: exit $?"
said=$(($(lines) - 2))        # two kills: a line may be out before its event is safe
start_sensor 4
wait_for 'what was left' at_least $said
kill -TERM $sensor; wait $sensor || :
kill -TERM $post; wait $post || fault "alertd: exit $?"
"$tool/events" pd/alertd.db >boots
[ "$(wc -l <boots)" -ge 3 ] || fault "boots: $(cat boots), expected three at least"
awk '$2 != $4 || $2 != $3 + 1 { print "WRONG: a hole or twice: " $0; bad = 1 } END { exit bad }' boots ||
    wrong=$((wrong + 1))
finish "$(rows)"
