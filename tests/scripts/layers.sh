#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The include check must catch what it is there for: faults are planted in a small tree of our own.
set -eu
check=$(cd "$(dirname "$0")/.." && pwd)/layers.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

tree() {
    rm -rf base mid top
    mkdir -p base mid/in top
    echo '#include <stdio.h>' >base/low.h
    echo '#include "base/low.h"' >mid/mid.h
    echo '#include "mid/mid.h"' >mid/in/deep.c
    echo '#include "mid/mid.h"' >top/top.c
}
must_fail() {
    if sh "$check" base mid top; then echo "not caught: $1"; exit 1; fi
}

tree; sh "$check" base mid top absent || { echo 'a clean tree was refused'; exit 1; }
tree; echo '#include "mid/mid.h"' >>base/low.h;      must_fail 'upward include'
tree; echo '#include "mid/in/deep.h"' >>top/top.c;   must_fail 'include past a door'
tree; echo ' # include "top/top.h"' >>mid/in/deep.c; must_fail 'upward include, spaced'
tree; echo '#include "mid.h"' >>mid/in/deep.c;       must_fail 'path that is not from the top'
