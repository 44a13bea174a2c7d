#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: fuzz.sh TARGET SECONDS
# Builds one libFuzzer target with all rooms below it under clang's sanitizers and runs it on its
# corpus.  New inputs that reach new code are kept under build/; a crash is left there too: mend
# the bug, then put the input into tests/fuzz/corpus/TARGET, where every `make check` replays it.
set -eu
cd "$(dirname "$0")/.."
target=${1:-} seconds=${2:-60}
if [ -z "$target" ] || [ ! -f "tests/fuzz/$target.c" ]; then
    echo "make fuzz T=NAME [S=SECONDS], where NAME is one of:" >&2
    for f in tests/fuzz/*_*.c; do [ ! -f "$f" ] || basename "$f" .c; done >&2
    exit 2
fi
command -v clang >/dev/null || { echo 'libFuzzer comes with clang: apt-get install clang' >&2; exit 2; }
b=build/fuzz
make --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined B=$b "$b/fuzz/$target"
mkdir -p "$b/new/$target" "$b/crash" "tests/fuzz/corpus/$target"
exec "$b/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$b/crash/$target-" "$b/new/$target" "tests/fuzz/corpus/$target"
