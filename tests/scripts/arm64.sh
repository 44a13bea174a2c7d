#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: arm64.sh BUILDDIR    Nothing of the product needs an x86 processor: every source file, the
# kernels in plain C, goes through Debian's cross compiler for arm64 without a word.  It reads this
# machine's headers of the libraries, which are the same for both; nothing is linked.
. "$(dirname "$0")/../lib.sh"
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || skip "no $cc here (Debian: gcc-aarch64-linux-gnu)"
case $build in */san-*) skip 'the compiler looks the same way under a sanitizer' ;; esac
cd "$top" || exit 1
n=0
for file in */*.c */*/*.c; do
    case $file in
    tests/* | build/*) continue ;;
    */kernel/*) isa=-DISA=plain ;;
    *) isa= ;;
    esac
    # shellcheck disable=SC2086
    $cc -std=c17 -D_GNU_SOURCE -I. -include base/clang.h -Wall -Wextra -Wno-psabi -fsyntax-only \
        $isa -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu "$file" \
        >"$tmp/log" 2>&1 && [ ! -s "$tmp/log" ] || fault "$file: $(head -n 1 "$tmp/log")"
    n=$((n + 1))
done
finish $n
