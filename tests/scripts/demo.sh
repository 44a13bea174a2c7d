#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: demo.sh BUILDDIR     The demo says that it is a simulation, calls its drones and nobody
# else, and leaves nothing behind: ended by itself, by Ctrl-C at any moment, twice at once (the
# second finds its port taken), and by bad use; what a killed one left goes with the next.
. "$(dirname "$0")/../lib.sh"
cd "$tmp"
mkdir "$tmp/t"
TMPDIR=$tmp/t; export TMPDIR
demo=$build/bin/tyto-demo

# Processes of this test's demos: those that run in its folder.
left() {
    for p in /proc/[0-9]*; do
        case $(readlink "$p/cwd" 2>/dev/null) in "$tmp/t/"*) echo "${p#/proc/}" ;; esac
    done
}
clean() {
    [ -z "$(ls -A "$tmp/t")" ] || fault "$1: left behind: $(ls "$tmp/t")"
    i=0                         # the demo waits for all it started; a dying one may still be seen
    while [ -n "$(left)" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
    [ -z "$(left)" ] || fault "$1: still running: $(left)"
}

# Ctrl-C while keys are made, while the post starts, while the radios start, while it runs.  As a
# terminal does it: to the whole group, not ignored, and only once.
for s in 0.01 0.1 0.3 0.7 1.5 4; do
    code=0
    env --default-signal=INT timeout --preserve-status -k 120 -s INT $s "$demo" --step 3 \
        >out 2>err || code=$?
    # Before it has begun anything, to be ended by the signal itself (130) is right, too.
    [ $code -eq 0 ] || [ $code -eq 130 ] || fault "Ctrl-C after $s s: exit $code, $(cat err)"
    clean "Ctrl-C after $s s"
done

# Killed, it leaves its folder; the next of the same user removes it, and says so: no folder of a
# demo that runs (the other of the two below), of somebody else, or with another name.
"$demo" --step 3 >out 2>err &
killed=$!
i=0
until grep -q '#token=' out || [ $i -ge 600 ]; do sleep 0.1; i=$((i + 1)); done
kill -9 $killed
wait $killed 2>/dev/null || :
dead=$(ls -d "$tmp/t/tyto-demo-"*)
i=0
while [ -n "$(left)" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
[ -d "$dead" ] && [ -z "$(left)" ] || fault "killed: its folder $dead, still running: $(left)"
mkdir "$tmp/else" "$tmp/t/tyto-demo-abcdefg"
ln -s "$tmp/else" "$tmp/t/tyto-demo-abcdef"
[ "$(id -u)" -ne 0 ] || { mkdir "$tmp/t/tyto-demo-ghijkl"; chown 12345 "$tmp/t/tyto-demo-ghijkl"; }

# Two at once.  Sanitizers and busy machines may lose samples or come too late, and a drone with
# that; a false alarm is one everywhere.
slow=no
case $build in */san-*) slow=yes ;; esac
"$demo" --seed 2 --step 3 --seconds 25 >two 2>err2 &
second=$!
code=0
"$demo" --seed 1 --step 3 --seconds 25 >one 2>err1 || code=$?
wait $second || :
for f in one two; do
    head -n 1 $f | grep -q '^SIMULATION' ||
        fault "$f: does not begin by saying that it is a simulation"
    grep -q 'https://localhost:[0-9]*/#token=' $f || fault "$f: no link to sign in"
    grep -q 'ssh -L ' $f || fault "$f: no line for another machine"
    grep -q ' 0 false alarms' $f || fault "$f: $(tail -n 3 $f)"
    grep -q 'found, .*lost: [0-9.]* %$\|found, .*nothing heard: no radio' $f ||
        fault "$f: does not say how much was heard: $(tail -n 1 $f)"
    if [ $slow = no ] && grep -q 'lost: 0.000 %' $f && grep -q MISSED $f; then fault "$f: $(grep MISSED $f)"; fi
done
[ "$(cat one two | grep -cF "(Removed what a killed demo had left: $dead.)")" -eq 1 ] && [ ! -e "$dead" ] ||
    fault "what a killed demo left: $(grep -h Removed one two; ls "$tmp/t")"
for keep in "$tmp/t/tyto-demo-abcdefg" "$tmp/t/tyto-demo-abcdef" "$tmp/else"; do
    [ -d "$keep" ] || fault "removed what was no demo's: $keep"
done
[ "$(id -u)" -ne 0 ] || rmdir "$tmp/t/tyto-demo-ghijkl" || fault "removed somebody else's folder"
rm "$tmp/t/tyto-demo-abcdef"
rmdir "$tmp/t/tyto-demo-abcdefg"
ports=$(sed -n 's/.*localhost:\([0-9]*\)\/#token.*/\1/p' one two | sort -u | wc -l)
[ "$ports" -eq 2 ] || fault 'two demos at once have one port'
clean 'two at once'

if "$demo" --seed x >bad 2>err; then fault 'a bad seed is taken'; fi
[ "$(wc -l <err)" -eq 1 ] && [ ! -s bad ] || fault "a bad seed: $(head -c 200 err)"
mkdir "$tmp/it's, odd"      # what ends a word in its own files: another folder is taken
TMPDIR="$tmp/it's, odd" "$demo" --step 3 --seconds 3 >odd 2>err || :
grep -q 'of 4 found' odd && ! grep -q MISSED odd || fault "an odd TMPDIR: $(cat err)"
if TMPDIR=/nonexistent "$demo" --seconds 1 >bad 2>err; then fault 'no temporary folder is fine'; fi
[ "$(wc -l <err)" -eq 1 ] || fault "no temporary folder: $(head -c 200 err)"
finish 13
