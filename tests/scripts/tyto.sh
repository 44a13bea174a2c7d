#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: tyto.sh BUILDDIR     The command `tyto`: finds what stands beside it and nothing else.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/a dir"
cp "$1/bin/tyto" "$tmp/a dir/"
t="$tmp/a dir/tyto"
fail() { echo "$1"; exit 1; }

cat >"$tmp/a dir/tyto-echo" <<'X'
#!/bin/sh
echo "$0:$#:$*"
exit 7
X
chmod +x "$tmp/a dir/tyto-echo"

# Arguments and exit code pass through untouched.
r=0; got=$("$t" echo 'one two' --three) || r=$?
[ $r -eq 7 ] || fail "exit code $r, not the command's own 7"
case $got in *'/tyto-echo:2:one two --three') ;; *) fail "passed on: $got" ;; esac

# Found from another directory, through a link and through PATH.
ln -s "$t" "$tmp/link"
(cd / && PATH="$tmp/a dir:$PATH" tyto echo >/dev/null) || [ $? -eq 7 ] || fail 'not found in PATH'
"$tmp/link" echo >/dev/null || [ $? -eq 7 ] || fail 'not found through a link'

# Lists what there is.
for ask in help --help ''; do
    "$t" $ask >"$tmp/help" || fail "tyto $ask: exit $?"
    grep -q '^  echo' "$tmp/help" || fail "tyto $ask does not list the command beside it"
    if grep -q '^  nothere' "$tmp/help"; then fail 'lists what is not there'; fi
done
"$t" --version | grep -Eqx 'tyto [0-9]+\.[0-9]+\.[0-9]+, [a-z0-9]+ kernels' || fail 'version'

# Unknown commands, and names that try to leave the directory: one sentence, exit 2, no output.
for bad in nothere ../echo 'echo/../echo' '' '-x' "$(printf '%0300d' 7)"; do
    r=0; "$t" "$bad" >"$tmp/out" 2>"$tmp/err" || r=$?
    [ $r -eq 2 ] || fail "tyto '$bad': exit $r, expected 2"
    [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] || fail "tyto '$bad' said: $(cat "$tmp/err")"
done
# One that stands there but cannot be started.
echo x >"$tmp/a dir/tyto-broken"
r=0; "$t" broken 2>"$tmp/err" || r=$?
[ $r -eq 2 ] && grep -q 'cannot start' "$tmp/err" || fail "a broken command: exit $r, $(cat "$tmp/err")"
