#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: isa.sh BUILDDIR     Every instruction set the kernels are built for finds the same: recorded
# cases again under each.  (Last digits may differ; what is expected allows for that.)
. "$(dirname "$0")/../lib.sh"
n=0
isas='plain v2 v3 v4'
cases='droneid_two elrs_250 fpv_pal'
case $build in */san-*) isas=plain ;; esac      # the others differ in flags only
case $build in *thread*) cases=fpv_pal ;; esac  # and these not in their threads
for isa in $isas; do
    TYTO_ISA=$isa "$build/bin/tyto" --version | grep -q " $isa kernels" || {
        echo "this processor has no $isa"
        continue
    }
    for case in $cases; do
        TYTO_ISA=$isa sh "$top/tests/iq.sh" "$build" "$top/tests/iq/$case" >"$tmp/log" 2>&1 ||
            fault "$case under $isa: $(head -n 2 "$tmp/log")"
        n=$((n + 1))
    done
done
finish $n
