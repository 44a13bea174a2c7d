# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced behind lib.sh by the tests that look at the page: the real tyto-alertd, a sensor that says
# what it is told (tests/tool/sensor.c), and Debian's Chromium, headless.  On this machine only.
#
#     hear JSON          the sensor says it
#     wd COMMAND ...     the browser does it (tests/tool/wd.c)
#     soon WHAT SCRIPT   it becomes true; is WHAT SCRIPT: it is; both in the page
for program in chromium chromedriver; do
    command -v $program >/dev/null || skip "$program is not installed (apt-get install chromium-driver)"
done
n=0 slow=1
case $build in */san-*) slow=10 ;; esac     # instrumented daemons take their time
# Its tool to drive the browser ends after one question and frees nothing: that is no leak to tell.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
cd "$tmp"

# ---- Processes: all end with this script, however it ends ------------------------------------
post='' sensor='' driver='' session=''
# Chromium's own children are in the group of the driver, which setsid made.
stop_all() {
    [ -z "$session" ] || timeout 10 "$tool/wd" $port $session close 2>/dev/null || :
    exec 9>&- || :
    for p in $sensor $post; do kill -9 $p 2>/dev/null && wait $p 2>/dev/null || :; done
    [ -z "$driver" ] || kill -s KILL -- -$driver 2>/dev/null || :
    wait 2>/dev/null || :
    for again in 1 2 3 4 5; do rm -rf "$tmp" 2>/dev/null && break; sleep 0.2; done
}
trap stop_all EXIT
trap 'exit 1' INT TERM HUP

tyto() { "$build/bin/tyto" "$@"; }
until_ok() { i=0; until eval "$1"; do i=$((i + 1)); [ $i -lt $((150 * slow)) ] || return 1; sleep 0.1; done; }

for who in post north tower; do tyto keys make --dir $who >/dev/null; done
for who in north tower; do tyto keys enrol --dir post $who "$(cat $who/public.key)" >/dev/null; done
mkdir -m 700 data
cat >alertd.yaml <<X
site: Test post
keys_dir: post
data_dir: data
bind: tcp://127.0.0.1:*
exercise: yes
web: { host: 127.0.0.1, port: 18543, tls: yes, name: localhost, page_dir: $top/alertd/page }
place: { lat_deg: 50, lon_deg: 14 }
zones:
  - { id: pitch, name: Pitch, lat_deg: 50.002, lon_deg: 14.003, radius_m: 250 }
own_serials: [ OURS1 ]
X
start_post() {
    : >say
    "$build/bin/tyto-alertd" ${1:-} alertd.yaml >say 2>err &
    post=$!
    until_ok 'grep -q "^page " say || ! kill -0 $post 2>/dev/null'
    grep -q '^page ' say || { fault "tyto-alertd does not start: $(cat err)"; finish; }
}
start_post --next-port
url=$(sed -n 's/^page //p' say) endpoint=$(sed -n 's/^sensors //p' say)
# From now on where it is: it must come back there.
sed -i "s,^bind:.*,bind: $endpoint,; s/port: 18543/port: $(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/')/" \
    alertd.yaml

mkfifo ear
"$tool/sensor" north "$endpoint" "$(cat post/public.key)" simulation <ear 2>sensor.err &
sensor=$!
exec 9>ear
hear() { printf "%s\n" "$1" >&9; }

# It picks a free port for one family of addresses and may find it taken in the other.
for again in 1 2 3 4 5; do
    setsid chromedriver --port=0 >driver.say 2>&1 9>&- &
    driver=$!
    until_ok 'grep -q "started successfully on port\|Exiting" driver.say 2>/dev/null' || :
    grep -q 'started successfully' driver.say && break
    kill -9 $driver 2>/dev/null || :
done
grep -q 'started successfully' driver.say || skip "chromedriver does not start: $(tail -n 1 driver.say)"
port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' driver.say)
session=$("$tool/wd" $port open "$tmp/profile" 2>open.err) || skip "no browser: $(head -c 300 open.err)"
wd() { "$tool/wd" $port $session "$@"; }
soon() { n=$((n + 1)); wd wait $((10000 * slow)) "$2" || fault "$1: not so after 10 s: $2"; }
is() { n=$((n + 1)); [ "$(wd js "return !!($2)")" = true ] || fault "$1: not so: $2"; }
rows='document.querySelectorAll("#list-drone li").length'
text() { echo "document.querySelector('$1').textContent"; }
shown() { echo "(e => e.checkVisibility() && e.getBoundingClientRect().height > 10)(document.querySelector('$1'))"; }

