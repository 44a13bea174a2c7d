#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: web.sh BUILDDIR     The real tyto-alertd and `tyto user`, asked by curl over TLS: a sign-in
# by link, sessions over a restart, what is refused, streams.  And docs/API.md against the code.
. "$(dirname "$0")/../lib.sh"
n=0

# ---- The document ---------------------------------------------------------------------------
api=$top/docs/API.md
for path in $(sed -n 's/.*{ "[A-Z]*", *"\(\/[^"]*\)".*/\1/p' "$top/alertd/web_route.c" | sort -u); do
    case $path in
    */alerts|*/incidents|*/tracks|*/sensors|*/zones|*/health) path=${path##*/} ;;
    esac
    grep -q "$path" "$api" || fault "API.md does not name $path"
    n=$((n + 1))
done
for word in seen assign close note known unknown handover reopen reveal \
            viewer operator supervisor technician auditor metrics; do
    grep -q "\`$word\`" "$api" || fault "API.md does not name $word"
done
for code in $(grep -ohE 'reply_error\(r, [0-9]{3}|req_wake\(r, [0-9]{3}' "$top"/alertd/web*.c |
              grep -oE '[0-9]{3}$' | sort -u); do
    [ "$code" = 200 ] || grep -q "$code" "$api" || fault "API.md does not name status $code"
done

# ---- The daemon -----------------------------------------------------------------------------
alertd=$build/bin/tyto-alertd
[ -x "$alertd" ] || { finish $n; exit 0; }
command -v curl >/dev/null || skip 'curl is not installed'
cd "$tmp"
"$build/bin/tyto" keys make --dir keys >/dev/null
mkdir -m 700 data
cat >alertd.yaml <<X
site: Test post
keys_dir: keys
data_dir: data
bind: tcp://127.0.0.1:*
exercise: yes
web: { host: 127.0.0.1, port: 18443, tls: yes, name: post.test, page_dir: $top/alertd/page }
place: { lat_deg: 50, lon_deg: 14 }
zones:
  - { id: gate, name: Gate, lat_deg: 50, lon_deg: 14, radius_m: 100 }
X
pid=
stop() { [ -z "$pid" ] || { kill "$pid" && wait "$pid" || :; }; pid=; }
trap 'stop; umount full 2>/dev/null || :; rm -rf "$tmp"' EXIT
start() {
    : >say
    "$alertd" --next-port alertd.yaml >say 2>err &
    pid=$!
    i=0
    until grep -q '^page ' say; do
        i=$((i + 1))
        { [ $i -lt 300 ] && kill -0 $pid 2>/dev/null; } || {
            fault "tyto-alertd does not start: $(cat err)"; finish; }
        sleep 0.1
    done
    url=$(sed -n 's/^page //p' say)
    url=${url%/}
}
# ask ARGS...: the status; body in `body`, head in `head`.
ask() {
    curl -sS --cacert data/web-cert.pem -m 20 -D head -o body -w '%{http_code}' -b jar -c jar "$@"
}
want() {
    code=$1; shift
    got=$(ask "$@") || got=$got,curl
    # On a machine that is busy with something else a password may take longer to try than is waited for.
    for again in 1 2 3; do
        [ "$got" = 503 ] && [ "$code" != 503 ] || break
        got=$(ask "$@") || got=$got,curl
    done
    [ "$got" = "$code" ] || fault "expected $code, got $got: $* -> $(head -c 300 body)"
    n=$((n + 1))
}
json='Content-Type: application/json'
user() { "$build/bin/tyto" user "$1" --data data ${2:-} ${3:-} ${4:-}; }

# ---- Accounts where there is no post, and beside one ---------------------------------------------
# one CODE WORDS ARGS...: that exit code, and one sentence with the words on standard error.
one() {
    code=$1 words=$2 r=0; shift 2
    "$build/bin/tyto" user "$@" >out 2>err </dev/null || r=$?
    [ $r -eq $code ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "$words" err ||
        fault "tyto user $*: exit $r, $(head -c 300 err)"
    n=$((n + 1))
}
one 2 'no such folder.*start tyto-alertd' add --data nowhere anna
[ ! -e nowhere ] || fault 'a folder was made'
: >file; one 2 'no folder' add --data file anna
mkdir empty
one 2 'no accounts here yet.*tyto user add' list --data empty
one 2 'no accounts here yet' passwd --data empty anna
[ -z "$(ls empty)" ] || fault 'who only asks made a database'
# An account may be made before the post runs; its link then says that nobody answers.
one 0 'the post is not running; start tyto-alertd' add --data empty --url https://localhost:1/ anna
grep -q '#token=' out || fault 'no link'
one 2 'already' add --data empty anna
one 2 'a-z 0-9' add --data empty 'Anna B'
one 2 'no account' link --data empty bela
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$tmp"
    r=0; setpriv --reuid 65534 --clear-groups "$build/bin/tyto-user" list --data "$tmp/empty" >out 2>err || r=$?
    [ $r -eq 2 ] && grep -q 'only root .*may do this: try it with sudo' err || fault "somebody else's accounts: $r, $(cat err)"
    n=$((n + 1))
fi
# A full disk, where one can be made.
mkdir full; trap 'umount full 2>/dev/null || :; rm -rf "$tmp"' EXIT
if mount -t tmpfs -o size=1m tyto-test full 2>/dev/null; then
    head -c 1028096 /dev/zero >full/fill
    one 2 'the disk is full; make room' add --data full anna
    rm -f full/*
    TMPDIR=$tmp/full one 0 'not running' add --data full --url https://localhost:1/ anna
    r=0; TMPDIR=$tmp/full timeout 60 "$build/bin/tyto" demo --seconds 1 >out 2>err || r=$?
    [ $r -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q 'make room, or name another folder' err ||
        fault "a demo without room: exit $r, $(head -c 300 err)"
    umount full
fi

start
want 200 "$url/"
grep -qi '^content-type: text/html' head || fault 'the page is not HTML'
for h in content-security-policy x-content-type-options referrer-policy; do
    grep -qi "^$h:" head || fault "the page has no $h"
done
want 401 "$url/api/v1/me"
user add anna --role operator >link 2>err
[ ! -s err ] || fault "beside a running post: $(cat err)"
grep -q "^$url/#token=" link || fault "the link is not to $url: $(cat link)"
token=$(sed -n 's/.*#token=//p' link)
want 200 -H "$json" -d "{\"token\":\"$token\"}" "$url/api/v1/session"
grep -q '"password_rules":{"needs_old":false,"min_characters":10,' body || fault "rules: $(cat body)"
grep -q '"user":"anna"' body || fault "signed in as: $(cat body)"
grep -qi '^set-cookie: __Host-tyto-.*HttpOnly.*SameSite=Strict.*Secure' head ||
    fault "cookie: $(grep -i set-cookie head)"
want 401 -H "$json" -d "{\"token\":\"$token\"}" "$url/api/v1/session"
grep -q '__Host' jar || fault 'a refused sign-in took the session away'
want 200 "$url/api/v1/zones"
grep -q '"id":"gate"' body || fault "zones: $(cat body)"
for list in alerts incidents tracks sensors health; do want 200 "$url/api/v1/$list"; done
grep -q '"id":"post"' body || fault "health: $(cat body)"
# Each key that is really there is one of the document's.
for key in $(grep -oE '"[a-z_]+":' body | tr -d '":' | sort -u); do
    grep -q "\`$key\`" "$api" || fault "API.md does not name the key $key of health"
done
want 403 "$url/metrics"
want 403 -H "$json" -H 'Origin: https://evil.test' -d '{}' "$url/api/v1/password"
want 421 -H 'Host: evil.test' "$url/healthz"
want 415 -d 'a=b' "$url/api/v1/session"
want 404 --path-as-is "$url/../data/accounts.db"
want 404 --path-as-is "$url/%2e%2e/data/web-key.pem"
want 405 -X PUT "$url/api/v1/session"
want 404 -H "$json" -H 'Idempotency-Key: k1' -d '{"rev":1}' "$url/api/v1/alerts/none/seen"
want 200 -H "$json" -d '{"password":"a long enough one"}' "$url/api/v1/password"
# A stream says everything, then that this was all.
curl -sSN --cacert data/web-cert.pem -b jar -m 3 "$url/api/v1/events" >events 2>/dev/null || :
grep -q '^event: reset' events && grep -q '^event: zone' events && grep -q '^event: ready' events ||
    fault "events: $(head -c 500 events)"
# Over a restart the session and the certificate stay, even when it was killed just after.
user add bela >/dev/null
user link anna >link
want 200 -H "$json" -d "{\"token\":\"$(sed -n 's/.*#token=//p' link)\"}" "$url/api/v1/session"
cp data/web-cert.pem was.pem
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
pid=
start
cmp -s was.pem data/web-cert.pem || fault 'another certificate after a restart'
want 200 "$url/api/v1/me"
user disable anna
want 401 "$url/api/v1/me"
want 401 -H "$json" -d '{"user":"anna","password":"a long enough one"}' "$url/api/v1/session"
[ "$(stat -c %a data/accounts.db data/web-key.pem | sort -u)" = 600 ] || fault 'files others can read'
stop
# A database of a newer release is named and left alone.
if command -v sqlite3 >/dev/null; then
    sqlite3 data/accounts.db 'PRAGMA user_version = 9'
    r=0; "$alertd" alertd.yaml >say 2>err || r=$?
    { [ $r -ne 0 ] && grep -q 'newer release' err; } || fault "newer database: exit $r, $(cat err)"
    n=$((n + 1))
fi
finish $n
