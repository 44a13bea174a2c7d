#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: layers.sh ROOM...   (rooms in include order, lowest first)
# A file may include its own room, base, and the door (<room>/<room>.h) of any
# room to its left.
left= bad=0
for room in "$@"; do
    left="$left $room"
    for f in $(find "$room" -name '*.[ch]'); do
        for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f"); do
            to=${inc%%/*}
            case " $left " in
            *" $to "*) ;;
            *) echo "$f: includes $inc, which is above $room"; bad=1; continue ;;
            esac
            case $to in
            "$room"|base) ;;
            *) [ "$inc" = "$to/$to.h" ] ||
               { echo "$f: includes $inc, which is private to $to"; bad=1; } ;;
            esac
        done
    done
done
exit $bad
