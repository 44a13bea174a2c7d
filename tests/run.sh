#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: run.sh BUILDDIR   Runs every unit test; a test passes when it exits 0.
n=0 bad=0
mkdir -p "$1/log"
for t in "$1"/t/*; do
    log=$1/log/${t##*/}
    n=$((n + 1))
    "$t" >"$log" 2>&1 || { bad=$((bad + 1)); echo "FAIL ${t##*/}"; tail -5 "$log"; }
done
echo "$n tests, $bad failed"
[ $bad -eq 0 ]
