#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: bench.sh BUILDDIR
# Runs the measurements behind docs/PERFORMANCE.md, one after the other, and says on what machine.
# BENCH=NAME runs bench_NAME only; QUICK=1 asks each for a short run with wider intervals.
set -eu
LC_ALL=C QUICK=${QUICK:-}; export LC_ALL QUICK
build=${1:?usage: bench.sh BUILDDIR}
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
printf 'Measured on %s with %s: %s, %s cores%s.\n' "$(date -u +%Y-%m-%d)" \
    "$("$build/bin/tyto" --version)" "${cpu:-unknown processor}" "$(nproc)" "${QUICK:+, quick}"
ran=
for b in "$build"/bench/bench_"${BENCH:-*}"; do
    [ -x "$b" ] || continue
    printf '\n## %s\n\n' "${b##*/bench_}"
    "$b"
    ran=1
done
[ -n "$ran" ] || { echo "no measurement called \"${BENCH:-*}\" in $build/bench" >&2; exit 2; }
