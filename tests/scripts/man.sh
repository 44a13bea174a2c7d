#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: man.sh BUILDDIR     Each program has a man page without faults, which names every option
# that its --help names and no other.
. "$(dirname "$0")/../lib.sh"
n=0

options() { grep -oE -- '--[a-z][a-z-]+' | sort -u; }
for program in "$build"/bin/tyto*; do
    name=${program##*/} page=$top/docs/man/${program##*/}.1
    n=$((n + 1))
    [ -f "$page" ] || { fault "$name has no man page"; continue; }
    [ "$name" != tyto ] || continue
    "$program" --help | options >"$tmp/help"
    # mdoc writes --json as "Fl -json"; "\-" and font marks do not occur.
    sed -n 's/\.Fl -/.Fl --/g; s/ Fl -/ --/g; /^\.\(It\|Op\|Nm\|Fl\)/p' "$page" | options >"$tmp/page"
    grep -vx -e --help -e --version "$tmp/help" >"$tmp/help2" || :
    grep -vx -e --help -e --version "$tmp/page" >"$tmp/page2" || :
    cmp -s "$tmp/help2" "$tmp/page2" ||
        fault "$name: --help and man page differ: $(diff "$tmp/help2" "$tmp/page2" | grep '^[<>]')"
done
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$top"/docs/man/*.1 >"$tmp/lint" || fault "$(cat "$tmp/lint")"
fi
finish $n
