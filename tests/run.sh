#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: run.sh BUILDDIR
# Runs every test there is against one build and ends with "N passed, N failed, N skipped".
#
#   unit/X      BUILDDIR/t/X, a cmocka program; each of its cases is counted
#   fuzz/X      BUILDDIR/replay/X over tests/fuzz/corpus/X
#   script/X    tests/scripts/X.sh BUILDDIR
#   iq/X        tests/iq/X: a recording or a scene through `tyto analyze`, held against `expect`
#
# Exit 0 passes, 77 skips (its last line says why), everything else fails.  As many at a time as
# there are processors, the longest first; nothing depends on how long anything takes except that a
# test that hangs is ended and fails.  What a sanitizer says of any process of a test fails it.
# TYTO_ONLY=unit/base picks those whose name begins so.  TYTO_GOLD=1 drafts the `expect` of a
# recorded case that has none.  COUNT=FILE gets the three numbers.
set -u
LC_ALL=C; export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)

# cmocka names a failed or skipped case twice, on both streams: count names, not lines.
cases_count() {
    awk '/^\[       OK \] /      { ok[$0]; next }
         /^\[  FAILED  \] [^ ]+$/ { bad[$0]; next }
         /^\[  SKIPPED \] [^ ]+$/ { skip[$0]; next }
         END { print length(ok), length(bad), length(skip) }' "$1"
}

# Runs one test, prints one line, leaves its counts in LOG.n.
one() {
    build=$1 name=$2 what=${2#*/}
    log=$build/log/$(echo "$name" | tr / -)
    case $name in
    unit/*)   set -- "$build/t/$what" ;;
    fuzz/*)   set -- "$build/replay/$what" "$here/fuzz/corpus/$what" ;;
    script/*) set -- sh "$here/scripts/$what.sh" "$build" ;;
    iq/*)     set -- sh "$here/iq.sh" "$build" "$here/iq/$what" ;;
    esac
    to=:log_path=$(cd "$build/log" && pwd)/${log##*/}.san      # whatever folder a daemon runs in
    rm -f "$log".san.*
    export ASAN_OPTIONS="$ASAN_OPTIONS$to" UBSAN_OPTIONS="$UBSAN_OPTIONS$to" TSAN_OPTIONS="$TSAN_OPTIONS$to"
    start=$(date +%s%N)
    $wrap timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
    r=$?
    for san in "$log".san.*; do         # a daemon's, say, whose end nobody looks at
        [ ! -s "$san" ] || { head -n 20 "$san" >>"$log"; r=66; }
    done
    ms=$((($(date +%s%N) - start) / 1000000))
    took=$((ms / 1000)).$((ms % 1000 / 100))
    p=0 f=0 s=0
    case $name in unit/*) read -r p f s <<X
$(cases_count "$log")
X
    esac
    case $r in
    0)   [ $((p + f + s)) -gt 0 ] || p=1
         more=; [ $s -eq 0 ] || more=", $s skipped:$(sed -n 's/^\[  SKIPPED \]\( [^ ]*\)$/\1/p' "$log" | sort -u | tr -d '\n')"
         text="ok    $name ($took s, $p passed$more)" ;;
    77)  s=1 text="skip  $name: $(tail -n 1 "$log")" ;;
    *)   [ $f -gt 0 ] || f=1
         why="exit $r"; [ $r -ne 124 ] || why="no end after $limit s"
         text="FAIL  $name ($took s, $why), the end of $log:
$(tail -n 25 "$log" | sed 's/^/      | /')" ;;
    esac
    echo "$p $f $s" >"$log.n"
    printf '%s\n' "$text"
}

build=${1:?usage: run.sh BUILDDIR}
limit=${TYTO_TEST_LIMIT_S:-300} wrap=        # only a test that hangs comes near it
case $build in
*/san-*) limit=$((limit * 2))           # instrumented code is 3 to 15 times slower
         # The thread sanitizer wants an address space that is not shuffled too widely.
         case $build in *thread*) setarch -R true 2>/dev/null && wrap='setarch -R' ;; esac ;;
esac
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:suppressions=$here/tsan.supp}
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

if [ "${2:-}" = --one ]; then
    one "$build" "$3"
    exit 0
fi

all() {
    for t in "$here"/scripts/*.sh; do [ -f "$t" ] && t=${t##*/} && echo "script/${t%.sh}"; done
    for t in "$here"/iq/*/; do [ -d "$t" ] && t=${t%/} && echo "iq/${t##*/}"; done
    # Of the sources, not of what an older build left behind.
    for t in "$here"/unit/*.c; do [ -f "$t" ] && t=${t##*/} && echo "unit/${t%.c}"; done
    for t in "$here"/fuzz/*.c; do
        [ -f "$t" ] && t=${t##*/} && [ "$t" != replay.c ] && echo "fuzz/${t%.c}"
    done
}

# The longest first, so that no processor stands idle at the end: what took over 10 s under the
# thread sanitizer.  The doctor last: he judges whether this machine keeps up.
first='script/link script/demo script/same_bytes script/browser script/sensord script/bad_input
    unit/alertd_link unit/classifier_sensord_say iq/droneid_two iq/crowd iq/elrs_250 iq/noise
    script/docs script/privacy unit/sdr_sim_live unit/dsp_chain unit/dsp_front unit/dsp_measure
    script/record script/isa script/web unit/classifier_pub unit/dsp_droneid_false
    unit/sdr_sim_engine unit/alertd_web_hard unit/dsp_measure_hard'
list() {
    all | awk -v first="$first" '
        { have[$0]; name[NR] = $0 }
        END { n = split(first, f)
              for (i = 1; i <= n; i++) if (f[i] in have) { print f[i]; delete have[f[i]] }
              for (i = 1; i <= NR; i++)
                  if (name[i] in have && name[i] != "script/doctor") print name[i]
              if ("script/doctor" in have) print "script/doctor" }'
}

rm -rf "$build/log" "$build/tmp"
mkdir -p "$build/log" "$build/tmp"
TMPDIR=$(cd "$build/tmp" && pwd); export TMPDIR     # simulated recordings may be large
list | grep "^${TYTO_ONLY:-}" | xargs -P "$(nproc)" -I NAME sh "$0" "$build" --one NAME
set -- $(cat "$build"/log/*.n 2>/dev/null | awk '{p += $1; f += $2; s += $3} END {print p+0, f+0, s+0}')
[ -z "${COUNT:-}" ] || echo "$@" >"$COUNT"
[ "$(($1 + $2 + $3))" -gt 0 ] || echo 'no test was run'
echo "$1 passed, $2 failed, $3 skipped"
[ "$2" -eq 0 ] && [ "$1" -gt 0 ]
