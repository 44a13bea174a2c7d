#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: watch.sh BUILDDIR     `tyto watch` in terminals wide, narrow and changing, and in none; of a
# command post and of a sensor's own socket; names that want to steer, lines that break, Ctrl-C.
. "$(dirname "$0")/../lib.sh"
watch=$build/bin/tyto-watch
[ -x "$watch" ] && [ -x "$tool/tty" ] || skip 'tyto-watch is not built'
n=0 slow=1
case $build in */san-*) slow=6 ;; esac
cd "$tmp"
post='' sensor='' other='' term=''
stop_all() {
    exec 9>&- || :
    exec 8>&- || :
    for p in $sensor $post $other $term; do kill -9 $p 2>/dev/null && wait $p 2>/dev/null || :; done
    rm -rf "$tmp"
}
trap stop_all EXIT
trap 'exit 1' INT TERM HUP
until_ok() { i=0; until eval "$1"; do i=$((i + 1)); [ $i -lt $((200 * slow)) ] || { fault "not so after 20 s: $1"; return 0; }; sleep 0.1; done; n=$((n + 1)); }
soon=$((15000 * slow))
# terminal NAME COLS ROWS ARGS...: `tyto watch ARGS` in one; what to do there on standard input.
terminal() {
    name=$1; shift
    n=$((n + 1))
    timeout $((120 * slow)) "$tool/tty" "$1" "$2" "$watch" $3 ${4:-} ${5:-} ${6:-} ${7:-} 2>tty.err || fault "$name: $(head -n 40 tty.err)"
}

tyto() { "$build/bin/tyto" "$@"; }
for who in post north; do tyto keys make --dir $who >/dev/null; done
tyto keys enrol --dir post north "$(cat north/public.key)" >/dev/null
mkdir -m 700 data
cat >alertd.yaml <<X
site: Stadium, north gate
keys_dir: post
data_dir: data
bind: tcp://127.0.0.1:*
exercise: yes
web: { host: 127.0.0.1, port: 18743, tls: yes, name: localhost, page_dir: $top/alertd/page }
place: { lat_deg: 50, lon_deg: 14 }
X
start_post() {
    : >say
    "$build/bin/tyto-alertd" ${1:-} alertd.yaml >say 2>err 8>&- 9>&- &
    post=$!
    until_ok 'grep -q "^page " say'
    grep -q '^page ' say || { fault "tyto-alertd does not start: $(cat err)"; finish; }
}
start_post --next-port
endpoint=$(sed -n 's/^sensors //p' say) url=$(sed -n 's/^page //p' say)
sed -i "s,^bind:.*,bind: $endpoint,; s/port: 18743/port: $(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/')/" alertd.yaml
mkfifo ear
"$tool/sensor" north "$endpoint" "$(cat post/public.key)" simulation <ear 2>sensor.err & sensor=$!
exec 9>ear
hear() { printf "%s\n" "$1" >&9; }
hear '{"radio":"north-2g4"}'
tyto user add --data data wendy >link
mkdir home
export HOME="$tmp/home"

# ---- Signing in --------------------------------------------------------------------------------
one() {     # CODE WORDS ARGS...: that exit code, one sentence with the words
    code=$1 words=$2 r=0; shift 2
    n=$((n + 1))
    timeout $((60 * slow)) "$watch" "$@" >out 2>err </dev/null || r=$?
    [ $r -eq $code ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "$words" err || fault "watch $*: exit $r, $(head -c 300 err)"
}
one 2 'no address of a page' 'https://' --data data
one 1 'tyto user link' --data data --once
one 1 'certificate' "$(tail -n 1 link)" --fingerprint "$(printf '%064d' 0)" --once
tail -n 1 link | timeout $((60 * slow)) "$watch" - --data data --once >out 2>err || fault "a link: $(cat err)"
grep -q 'Stadium, north gate' out || fault "--once: $(cat out)"
[ "$(stat -c %a home/.local/state/tyto/*)" = 600 ] || fault 'others can read the session'

# ---- Lines, where there is no terminal -------------------------------------------------------------
clean() {   # FILE: no control character, nothing that hides or turns
    n=$((n + 1))
    ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$1" || fault "$1: a control character"
    for c in '\302\233' '\302\255' '\342\200\213' '\342\200\217' '\342\200\256' '\342\201\246'; do
        ! LC_ALL=C grep -q "$(printf "$c")" "$1" || fault "$1: a character that hides or turns: $c"
    done
}
: >lines
"$watch" --data data >lines 2>err & other=$!
until_ok 'grep -q "^connected" lines && grep -q "north: hears" lines'
hear '{"track":"a","family":"dji-droneid","role":"identification","serial":"SERIAL-A","model":"DJI Mini 2","lat":50.002,"lon":14.003}'
until_ok 'grep -q "ALARM  ..:..:..  Drone: DJI Mini 2, 2.4 GHz, SERIAL-A; says it is at 50.00200, 14.00300; very likely" lines'
# Names that would clear the screen, turn the writing round, or make a line of their own.
hear '{"track":"h","family":"remote-id","role":"identification","protocol":"rid-ble","serial":"\u001b[2J\u009b2J\r\nALARM  all is well","model":"\u202eknil\u2066\u200f\u200b\u00ad evil\u0007","lat":50.003,"lon":14.001}'
until_ok 'grep -q "knil.* evil" lines'
hear '{"track":"e","family":"expresslrs","link":"ELRS 2.4/250Hz LoRa","role":"control"}'
until_ok 'grep -q "Drone control radio: ELRS 2.4/250Hz LoRa; heard by north" lines'
kill -9 $post; wait $post 2>/dev/null || :
until_ok 'grep -q "^CONNECTION LOST at" lines'
start_post
until_ok '[ "$(grep -c "^connected" lines)" -ge 2 ]'
kill -INT $other; r=0; wait $other || r=$?; other=
[ $r -eq 0 ] || fault "Ctrl-C: exit $r"
clean lines
! grep -q '^ALARM' lines || fault 'a name made a line of its own'
timeout $((60 * slow)) "$watch" --data data --json --once >json 2>err || fault "--json --once: $(cat err)"

# ---- A terminal ------------------------------------------------------------------------------------
terminal 'a wide one' 120 40 --data data <<X
wait $soon SIMULATION: nothing on this screen is real
wait $soon Stadium, north gate
wait $soon Drone: DJI Mini 2, 2.4 GHz, SERIAL-A; says it is at 50.00200, 14.00300; very likely
wait $soon knil
wait $soon north: hears
tidy
keys q
end 0
X
terminal 'a narrow one: whole lines over more rows' 34 24 --data data <<X
wait $soon SIMULATION: nothing on this
wait $soon Drone: DJI Mini 2, 2.4 GHz, SERIAL-A; says it is at 50.00200, 14.00300; very likely
tidy
keys \\c
end 0
X
terminal 'a tiny one, and larger' 12 5 --data data <<X
wait $soon SIMULATION:
tidy
size 1 1
size 7 2
wait $soon SIM
size 250 100
wait $soon north: hears
size 80 24
wait $soon Drone: DJI Mini 2, 2.4 GHz, SERIAL-A; says it is at 50.00200, 14.00300; very likely
wait $soon north: hears
keys q
end 0
X
# orders FIFO COLS ROWS ARGS...: a terminal that takes its orders one after the other, from then on.
orders() {
    mkfifo "$1"
    timeout $((200 * slow)) "$tool/tty" $2 $3 "$watch" $4 $5 <"$1" 2>tty.err 9>&- & term=$!
    exec 8>"$1"
}
done_orders() {     # WHAT
    exec 8>&-
    n=$((n + 1))
    wait $term || fault "$1: $(head -n 40 tty.err)"
    term=
}
# The connection breaks while somebody looks: said on top, whatever the size.
orders orders1 80 24 --data data
echo "wait $soon Drone: DJI Mini 2" >&8
echo 'show before' >&8
until_ok '[ -s before ]'
kill -9 $post; wait $post 2>/dev/null || :
cat >&8 <<X
wait $soon CONNECTION LOST at
wait $soon What you see is older than that. Trying again.
gone $soon Watched
size 30 20
wait $soon CONNECTION LOST at
show lost
X
until_ok '[ -s lost ]'
start_post
cat >&8 <<X
gone $((3 * soon)) CONNECTION LOST
wait $soon Drone: DJI Mini 2
tidy
keys q
end 0
X
done_orders 'a broken line'
exec 9>&-
wait $sensor 2>/dev/null || :
sensor=

# ---- A sensor's own socket, without a post ---------------------------------------------------------
one 2 'No such file' --local nosuch.sock
: >plain; one 2 'no socket of a sensor' --local plain
own_sensor() {
    rm -f ear; mkfifo ear
    "$tool/sensor" --local "$tmp/own.sock" simulation <ear 2>sensor.err 8>&- 9>&- & sensor=$!
    exec 9>ear
    hear '{"radio":"north-2g4"}'
}
own_sensor
hear '{"track":"a","family":"expresslrs","link":"ELRS 2.4/250Hz LoRa","role":"control"}'
hear '{"track":"w","family":"wifi","role":"unknown","verdict":"not-drone"}'
hear '{"track":"h","family":"dji-droneid","role":"identification","link":"\u001b[2J\u202eevil\u009b","serial":"\u200fS\r\n1"}'
until_ok '[ -S own.sock ]'
: >lines
"$watch" --local own.sock --lines >lines 2>err 9>&- & other=$!
until_ok 'grep -q "Drone control radio: ELRS 2.4/250Hz LoRa; very likely" lines && grep -q "evil" lines && grep -q "test: hears" lines'
! grep -q -i wifi lines || fault 'what is no drone is told'
hear '{"radio":"north-2g4","state":"silent"}'
until_ok 'grep -q "test: deaf.*radio north-2g4 gives no samples" lines'
hear '{"radio":"north-2g4"}'
orders orders2 60 20 --local own.sock
cat >&8 <<X
wait $soon SIMULATION: nothing on this screen is real
wait $soon Drone control radio: ELRS 2.4/250Hz LoRa; very likely
wait $soon evil
wait $soon test: hears
show before2
X
until_ok '[ -s before2 ]'
kill -9 $sensor; wait $sensor 2>/dev/null || :
echo "wait $soon CONNECTION LOST at" >&8
until_ok 'grep -q "^CONNECTION LOST at" lines'
# It starts again: what its last start heard is not what is heard now.
exec 9>&-
own_sensor
cat >&8 <<X
gone $((3 * soon)) CONNECTION LOST
gone $soon ELRS
wait $soon Nothing heard; watched
wait $soon test: hears
tidy
keys \\c
end 0
X
done_orders 'a sensor that dies'
kill -TERM $other; r=0; wait $other || r=$?; other=
[ $r -eq 0 ] || fault "SIGTERM: exit $r"
clean lines
exec 9>&-
wait $sensor 2>/dev/null || :
sensor=

# ---- The same with the real sensor -----------------------------------------------------------------
cat >scene.yaml <<'X'
name: a frame now and then
rate_hz: 15.36e6
centre_hz: 2440e6
duration_s: 0
seed: 5
receiver: {noise_dbfs: -50}
emitters:
  - {name: uav, model: droneid, freq_hz: 2440.5e6, snr_db: 20, period_s: 0.2}
X
cat >s.yaml <<'X'
name: Gate
local: real.sock
droneid: decode
legal_basis: simulated signals
radios:
  - { name: a, scene: scene.yaml }
X
"$build/bin/tyto-sensord" s.yaml >out 2>err & sensor=$!
until_ok '[ -S real.sock ]'
: >lines
"$watch" --local real.sock --lines >lines 2>err2 & other=$!
until_ok 'grep -q "ALARM.*Drone: " lines && grep -q "Gate: hears" lines'
kill -TERM $sensor; wait $sensor 2>/dev/null || :
sensor=
until_ok 'grep -q "^CONNECTION LOST at" lines'
kill -INT $other; r=0; wait $other || r=$?; other=
[ $r -eq 0 ] || fault "exit $r"
finish $n
