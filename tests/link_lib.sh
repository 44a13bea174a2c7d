# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced behind lib.sh by what tests and measures the link: a real post, a real sensor, and a proxy
# between them that is the link.  The caller writes scene.yaml and says which radio there is.
#
#     sensor --> 127.0.0.1:$port [proxy] --> $target [post] --> pd/alertd.db
#
# patience: tenths of a second that anything may take; no time is promised, only that it ends.
cd "$tmp"
post= sensor= proxy= jump=${jump:-}
trap 'kill -9 $post $sensor $proxy 2>/dev/null || :; rm -rf "$tmp"' EXIT
"$build/bin/tyto-keys" make --dir pk >/dev/null
"$build/bin/tyto-keys" make --dir sk >/dev/null
public() { "$build/bin/tyto-keys" show --dir "$1" --json | sed 's/.*"public_key":"\([^"]*\)".*/\1/'; }
"$build/bin/tyto-keys" enrol --dir pk gate "$(public sk)" >/dev/null
port=$((20000 + $$ % 20000))

write_post() {  # PORT
    printf 'site: test\nkeys_dir: pk\ndata_dir: pd\nbind: tcp://127.0.0.1:%s\nexercise: yes\n' "$1" >post.yaml
}
write_sensor() {  # a line of YAML: the radio
    cat >sensor.yaml <<Y
name: Gate
keys_dir: sk
post: { endpoint: 'tcp://127.0.0.1:$port', key: '$(public pk)' }
spool: { dir: spool }
droneid: decode
legal_basis: simulated signals
plugin_path: $build/soapy
radios:
  - $1
Y
}
start_post() {
    : >post.out
    LD_PRELOAD=$jump JUMP=$tmp/offset "$build/bin/tyto-alertd" --no-page post.yaml \
        >post.out 2>>post.log & post=$!
    wait_for 'the post' grep -q '^sensors' post.out
    target=$(sed -n 's/^sensors .*:\([0-9]*\)$/\1/p' post.out)
}
start_proxy() { "$tool/proxy" $port "$target" "$1" & proxy=$!; }    # seen from that address
start_sensor() {  # N: of this start, its lines in lines.N
    LD_PRELOAD=$jump JUMP=$tmp/offset "$build/bin/tyto-sensord" --json sensor.yaml \
        >"lines.$1" 2>>sensor.log & sensor=$!
}
wait_for() {    # WHAT COMMAND
    what=$1; shift
    i=0
    until "$@"; do
        i=$((i + 1))
        [ $i -lt $patience ] || { fault "$what: not in time"; tail -n 20 post.log sensor.log; finish 0; }
        sleep 0.1
    done
}
rows() { "$tool/events" pd/alertd.db 2>/dev/null | awk '{ s += $2 } END { print s + 0 }'; }
at_least() { [ "$(rows)" -ge "$1" ]; }
lines() { cat lines.* | grep -c .; }
lines_more_than() { [ "$(lines)" -gt "$1" ]; }
