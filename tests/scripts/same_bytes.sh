#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: same_bytes.sh BUILDDIR     The output does not depend on the machine's ways: 1, 2 or 8
# threads, a file or a pipe, pipes that end anywhere.  All but the two times of the summary, byte
# for byte.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-analyze" ] || skip 'tyto-analyze is not built'
n=0
# Instrumented code is 10 to 50 times slower: there the shortest scene and the short recordings go
# through the same threads and pipes as all of them do in the plain build.
most_bytes=100000000 scenes='*'
case $build in */san-*) most_bytes=2000000 scenes=droneid_encrypted ;; esac

# What may differ is how long it took, and nothing else.
timeless() { sed 's/"wall_s":[^,]*,"cpu_s":[^,]*,//' "$1"; }
same() {
    n=$((n + 1))
    accepted "$1"
    timeless "$tmp/out" >"$tmp/this"
    cmp -s "$tmp/first" "$tmp/this" ||
        fault "$1: differs from one thread: $(diff "$tmp/first" "$tmp/this" | head -n 4 | cut -c 1-300)"
}

# case NAME FORMAT RATE FREQ DATA FILE: FILE as a whole, DATA as bytes on a pipe.
one_case() {
    analyze --bursts --threads 1 "$6"; accepted "$1"
    timeless "$tmp/out" >"$tmp/first"
    for threads in 2 8; do
        analyze --bursts --threads $threads "$6"; same "$1, $threads threads"
    done
    code=0
    "$tool/feed" "$5" $n | "$build/bin/tyto-analyze" --json --bursts --format "$2" --rate "$3" \
        --freq "$4" - >"$tmp/out" 2>"$tmp/err" || code=$?
    same "$1, in pieces"
}

# Something of ours first, so that this says something where there are no recordings.
if [ -x "$build/bin/tyto-sim" ]; then
    for scene in "$top"/tests/iq/$scenes/scene.yaml; do
        [ -f "$scene" ] || continue
        name=$(basename "$(dirname "$scene")")
        "$build/bin/tyto-sim" -o "$tmp/s.sigmf-meta" "$scene"
        for threads in 1 2 8; do
            analyze --bursts --threads $threads "$tmp/s.sigmf-meta"
            [ $threads -gt 1 ] || timeless "$tmp/out" >"$tmp/first"
            same "$name, $threads threads"
        done
    done
fi

value() { sed -n "s/.*\"$1\": *\"*\([^\",]*\).*/\1/p" "$2" | head -n 1; }
for meta in "$captures"/*.sigmf-meta; do
    [ -r "$meta" ] || continue
    data=$captures/$(value core:dataset "$meta")
    [ "$(wc -c <"$data")" -le $most_bytes ] || continue
    format=$(value core:datatype "$meta"); format=${format%_le}
    one_case "$(basename "$meta")" "$format" "$(value core:sample_rate "$meta")" \
        "$(value core:frequency "$meta")" "$data" "$meta"
done
[ $n -gt 0 ] || skip 'neither a scene nor a recording is on this machine'
finish $n
