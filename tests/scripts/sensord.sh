#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: sensord.sh BUILDDIR     The sensor's daemon: bad configurations, production, what it tells of
# a scene, its local socket, its end on a signal, and that a second one leaves the first's spool.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-sensord" ] || skip 'tyto-sensord is not built'
sensord=$build/bin/tyto-sensord
n=0

says() {    # NAME WORD [ARGS]: $tmp/s.yaml is refused with exit 2 and a sentence that holds WORD
    name=$1 word=$2; shift 2
    n=$((n + 1)) code=0
    timeout 60 "$sensord" "$@" "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    [ $code -eq 2 ] || fault "$name: exit $code, expected 2: $(head -c 300 "$tmp/err")"
    grep -qF -- "$word" "$tmp/err" || fault "$name: no \"$word\": $(head -c 300 "$tmp/err")"
}

cat >"$tmp/scene.yaml" <<'X'
name: a carrier and a frame
rate_hz: 10e6
centre_hz: 2440e6
duration_s: 2
seed: 5
receiver: {noise_dbfs: -50}
emitters:
  - {name: uav, model: droneid, freq_hz: 2440.5e6, snr_db: 20, period_s: 0.2}
X
printf 'name: x\nradios:\n  - { nme: a }\n' >"$tmp/s.yaml"
says 'unknown key' 's.yaml:3:'
printf 'radios:\n  - { name: a, scene: nosuch.yaml }\n' >"$tmp/s.yaml"
says 'no scene' nosuch.yaml
printf 'production: yes\nradios:\n  - { name: a, scene: scene.yaml }\n' >"$tmp/s.yaml"
says 'a simulation in production' simulation
printf 'name: x\ndroneid: decode\nlegal_basis: a law\npolicy: p.yaml\nradios:\n  - { name: a, scene: scene.yaml }\n' >"$tmp/s.yaml"
printf '# ours\ndroneid: recognise\n' >"$tmp/p.yaml"
says 'more than the policy allows' 'p.yaml:2 allows recognise' --check
printf 'droneid: all\n' >"$tmp/p.yaml"
says 'a policy that is not understood' 'p.yaml:1:' --check
says 'two files' 'one configuration' "$tmp/s.yaml"

# What it tells of a scene from start to end, recognising only.
n=$((n + 1)) code=0
printf 'name: Gate\nradios:\n  - { name: a, scene: scene.yaml }\n' >"$tmp/s.yaml"
timeout 300 "$sensord" --json "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
[ $code -eq 0 ] || fault "a scene: exit $code: $(head -c 300 "$tmp/err")"
for want in '"type":"health".*"state":"running"' \
    '"type":"track".*"family":"dji-droneid".*"verdict":"drone"'; do
    grep -q "$want" "$tmp/out" || fault "a scene: no line like $want"
done
sed -n 's/.*"watched_s":\([0-9.]*\).*/\1/p' "$tmp/out" | awk '{s += $1} END {exit !(s > 1.4 && s < 2.1)}' ||
    fault 'the ledger does not add up to what was watched'
! grep -v '"origin":"simulation"' "$tmp/out" || fault 'a line without its origin'
! grep -q '"type":"decode"' "$tmp/out" || fault 'it read what it was not to read'

# The same, decoding, with a link to nobody: the events wait, sealed; a signal ends it; the next
# start finds them.
"$build/bin/tyto-keys" make --dir "$tmp/keys" >"$tmp/mine"
"$build/bin/tyto-keys" make --dir "$tmp/post" >"$tmp/theirs"
key=$(sed -n 's/^public key *//p' "$tmp/theirs")
sed 's/duration_s: 2/duration_s: 0/' "$tmp/scene.yaml" >"$tmp/endless.yaml"
cat >"$tmp/s.yaml" <<X
name: Gate
keys_dir: keys
post: { endpoint: 'tcp://127.0.0.1:9', key: '$key' }
spool: { dir: spool }
local: local.sock
droneid: decode
legal_basis: simulated signals
radios:
  - { name: a, scene: endless.yaml }
X
n=$((n + 1))
"$sensord" --json "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
trap 'kill -9 $pid 2>/dev/null || :; rm -rf "$tmp"' EXIT
i=0
until grep -q '"type":"decode"' "$tmp/out" || [ $i -gt 600 ]; do sleep 0.1; i=$((i + 1)); done
[ -S "$tmp/local.sock" ] || fault 'no local socket'
[ "$(stat -c %a "$tmp/local.sock")" = 660 ] || fault "local socket: mode $(stat -c %a "$tmp/local.sock")"
code=0
timeout 60 "$sensord" "$tmp/s.yaml" >"$tmp/out2" 2>"$tmp/err2" </dev/null || code=$?
[ $code -eq 2 ] && grep -q 'another sensor' "$tmp/err2" || fault "a second one on the same spool: $code"
[ "$(grep -c 'waiting up to' "$tmp/err2")" -eq 1 ] || fault "a second one: $(cat "$tmp/err2")"
kill -HUP $pid
kill -TERM $pid
code=0; wait $pid || code=$?
[ $code -eq 0 ] || fault "SIGTERM: exit $code: $(head -c 300 "$tmp/err")"
grep -q 'SIGHUP is ignored' "$tmp/err" || fault 'no word on SIGHUP'
serial=$(sed -n 's/.*"type":"decode".*"serial":"\([^"]*\)".*/\1/p' "$tmp/out" | head -n 1)
[ -n "$serial" ] || fault 'nothing was decoded'
ls "$tmp"/spool/*.seg >"$tmp/segs" 2>/dev/null || fault 'nothing waits in the spool'
! grep -rqF "$serial" "$tmp/spool" || fault 'what waits in the spool can be read'

# One that was killed may hold its spool a while longer: the next start waits for it.
n=$((n + 1))
flock "$tmp/spool/lock" sh -c 'echo held >"$1/held"; sleep 2' - "$tmp" & holder=$!
until [ -s "$tmp/held" ]; do sleep 0.05; done
: >"$tmp/out"                       # what is waited for must not be the last one's
"$sensord" --json "$tmp/s.yaml" >"$tmp/out" 2>"$tmp/err" </dev/null & pid=$!
i=0
until grep -q '"type":"health"' "$tmp/out" || [ $i -gt 600 ] || ! kill -0 $pid 2>/dev/null; do
    sleep 0.1; i=$((i + 1))
done
grep -q '"type":"health"' "$tmp/out" || fault "a spool that is just let go: $(head -c 300 "$tmp/err")"
kill -TERM $pid 2>/dev/null || :
wait $holder || :
code=0; wait $pid || code=$?
[ $code -eq 0 ] || fault "after it waited: exit $code: $(head -c 300 "$tmp/err")"
finish $n
