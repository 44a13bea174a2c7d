#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: layers.sh ROOM...   (rooms in include order, lowest first)
# A file may include its own room, base, and the door (<room>/<room>.h) of any room to its left.
# Four rooms have further doors: keys (hw/keys.h), the scan and what is kept (sdr/scan.h,
# sdr/keep.h), measured transforms (dsp/plans.h), and the wire (classifier/wire.h), which is all that rooms to the right of the
# classifier may know of the sensor.
left='' bad=0
for room in "$@"; do
    left="$left $room"
    [ -d "$room" ] || continue
    for f in $(find "$room" -name '*.[ch]' -o -name '*.cpp' | sort); do
        for inc in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$f"); do
            to=${inc%%/*}
            case " $left " in
            *" $to "*) ;;
            *) if [ -f "$inc" ]; then
                   echo "$f: includes $inc, which is above $room"
               else
                   echo "$f: includes $inc; write the path from the top, <room>/<file>"
               fi
               bad=1
               continue ;;
            esac
            case $to in
            "$room"|base) ;;
            *) case "$room $inc" in
               *" hw/keys.h"|*" classifier/wire.h"|"classifier sdr/scan.h"|"classifier sdr/keep.h"|"classifier dsp/plans.h") continue ;;
               "alertd classifier/classifier.h"|"alertd sdr/sdr.h"|"alertd dsp/dsp.h")
                   echo "$f: includes $inc; alertd knows the sensor by classifier/wire.h only"
                   bad=1
                   continue ;;
               esac
               [ "$inc" = "$to/$to.h" ] ||
               { echo "$f: includes $inc, which is private to $to"; bad=1; } ;;
            esac
        done
    done
done
exit $bad
