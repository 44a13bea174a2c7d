#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: states.sh BUILDDIR     What a sensor's health says of each radio fits the state it is in: a
# radio that jumps in time, one that dies and comes back, and a machine whose clock is set.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-sensord" ] || skip 'tyto-sensord is not built'
case $build in */san-*) jump= ;; *) jump=$tmp/jump.so
    ${CC:-cc} -shared -fPIC -O1 -o "$jump" "$top/tests/scripts/jump.c" ;;
esac
cd "$tmp"
echo 0 >offset
quiet=driver=tyto,scene=quiet
radio() { echo "  - { name: $1, args: '$quiet,serial=$1$2', rate_hz: 2.4e6, centre_hz: 868e6 }"; }
{
    printf 'name: Gate\ndroneid: off\nplugin_path: %s/soapy\nradios:\n' "$build"
    radio good ''
    radio jumps ',time=jump,time_jump=1.5,time_jump_every=1000'
    radio dies ',crash_after=4'
} >s.yaml
LD_PRELOAD=$jump JUMP=$tmp/offset "$build/bin/tyto-sensord" --json s.yaml >out 2>err </dev/null & pid=$!
trap 'kill -9 $pid 2>/dev/null || :; rm -rf "$tmp"' EXIT
# Of each radio in each health: its name, state and sentence.
told() {
    grep '"type":"health"' out | sed 's/{"name":/\n{"name":/g' |
        sed -n 's/^{"name":"\([^"]*\)".*"state":"\([^"]*\)"\(,"what":"\([^"]*\)"\)\{0,1\}.*/\1 \2 \4/p'
}
wait_for() {    # WHAT PATTERN
    i=0
    until told | grep -q "$2"; do
        i=$((i + 1))
        [ $i -lt 600 ] && kill -0 $pid 2>/dev/null || { fault "$1: $(told | tail -n 6; tail -n 3 err)"; return; }
        sleep 0.1
    done
}
wait_for 'a good radio' '^good running $'
wait_for 'time stamps that jump, and by how much' "^jumps running the driver's time stamps jumped ahead by 1.5"
wait_for 'a radio that died says why it is down' '^dies restarting .*died'
wait_for 'and that it is back' '^dies running back after [0-9.]* s without samples: .*died'
if [ -n "$jump" ]; then
    echo 600 >offset
    wait_for 'a clock that is set' "^good running this machine's clock was set ahead by 600"
fi
kill -TERM $pid
wait $pid || fault "exit $?: $(tail -n 3 err)"
told >all
# No sentence of one state beside another.
! grep '^[a-z]* running ' all | grep -v 'running $\|running back after\|jumped\|was set\|started again\|samples are lost\|MS/s come\|jail' |
    grep . || fault 'a sentence that does not fit a radio that runs'
! grep '^[a-z]* \(restarting\|silent\) $' all || fault 'a radio that is down, and nothing says why'
finish 5
