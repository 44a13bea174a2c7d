#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: sh hw/profiles/table.sh     the table of docs/RADIOS.md, from the profiles beside this file
# d: data sheet, s: driver source, m: measured by us; empty: nobody says, so neither do we.
set -eu
cd "$(dirname "$0")"
cat *.yaml | awk '
function figure(key, unit,    v, e) {
    if (!(key in text)) return ""
    v = text[key]; sub(/.*v: */, "", v); sub(/,.*/, "", v)
    e = text[key]; sub(/.*from: */, "", e); sub(/}.*/, "", e)
    return sprintf("%.9g ", v / unit) (e == "data sheet" ? "d" : e == "measured" ? "m" : "s")
}
function plain(key,    v) { v = text[key]; sub(/ +#.*/, "", v); return v }
function row() {
    if (!("name" in text)) return
    printf "| `%s` | %s | `%s` | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", plain("name"),
        plain("title"), plain("driver"), plain("package"), plain("format"),
        figure("freq_lo_hz", 1e6), figure("freq_hi_hz", 1e6), figure("rate_lo_hz", 1e6),
        figure("rate_hi_hz", 1e6), figure("rate_sustained_hz", 1e6), figure("settle_s", 1e-3),
        plain("hardware_time") == "true" ? "yes" : "no"
    delete text
}
BEGIN {
    print "| profile | radio | driver | package | format | from MHz | to MHz | least MS/s | most MS/s | sustained MS/s | settles in ms | sample clock |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
}
/^name:/ { row() }
/^[a-z_]+:/ { key = $0; sub(/:.*/, "", key); v = $0; sub(/^[a-z_]+: */, "", v); text[key] = v }
END { row() }'
