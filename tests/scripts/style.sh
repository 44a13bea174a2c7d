#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every rule of tests/style.sh must catch a fault planted for it.
set -eu
check=$(cd "$(dirname "$0")/.." && pwd)/style.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/mid"
spdx='// SPDX-License-Identifier: GPL-3.0-or-later'
n=0

# fault TEXT [FILE]: the check must fail on a file that holds it.
fault() {
    rm -rf "$tmp"/mid/*
    printf '%s\n%b\n' "$spdx" "$1" >"$tmp/mid/${2:-x.c}"
    n=$((n + 1))
    if sh "$check" "$tmp" >/dev/null; then echo "not caught: $1"; exit 1; fi
}
long=$(printf '%0101d' 7)
wide=$(printf '%099d' 7)é           # 100 columns in 101 bytes

printf '%s\n// %s\nint f(void);\n' "$spdx" 'what' >"$tmp/mid/x.c"
printf '%s\n//%s\n' "$spdx" "$(echo "$wide" | cut -c3-)" >"$tmp/mid/y.c"
sh "$check" "$tmp" || { echo 'a clean tree was refused'; exit 1; }

fault "// $long"
fault 'int\ta;'
fault 'int a; '
fault 'f = strcpy(a, b);'
fault 'f = sprintf(a, b);'
fault '    n = atoi(s);'
fault ' x = rand();'
fault 'static pthread_mutex_t m;'
fault ' fprintf(stderr, "x");'
fault "// TO""DO: later"
fault "// see /ho""me/x/y"
fault "$(yes '//' | head -400)"
fault "$(yes '//' | head -250)" mid.h
rm -rf "$tmp"/mid/*
echo 'int x;' >"$tmp/mid/x.c"
if sh "$check" "$tmp" >/dev/null; then echo 'not caught: no SPDX line'; exit 1; fi
echo "$n faults caught"
