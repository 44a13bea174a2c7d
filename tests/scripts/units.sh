#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: units.sh BUILDDIR     The systemd units as `make install` puts them: no fault that systemd
# itself finds, and an exposure (its own measure, 0 best, 10 worst) that stays low.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$tmp/u"
for u in sensord alertd; do
    sed "s|@bin@|$build/bin|" "$top/hw/systemd/tyto-$u.service" >"$tmp/u/tyto-$u.service"
    grep -q '^CapabilityBoundingSet=$' "$tmp/u/tyto-$u.service" || fault "$u: capabilities"
    grep -q '^LimitCORE=0$' "$tmp/u/tyto-$u.service" || fault "$u: cores may hold keys"
    ! grep -q '@' "$tmp/u/tyto-$u.service" || grep -q '@system-service' "$tmp/u/tyto-$u.service" ||
        fault "$u: a place holder is left"
    for key in $(sed -n 's/^User=//p; s/^Group=//p' "$tmp/u/tyto-$u.service"); do
        grep -q "^[ug] $key " "$top/hw/systemd/tyto.conf" || fault "$u: nobody makes the user $key"
    done
done
command -v systemd-analyze >/dev/null 2>&1 || { [ $wrong -eq 0 ] && skip 'systemd-analyze is not here'; }
for u in sensord alertd; do
    (cd "$tmp/u" && systemd-analyze verify --man=no "./tyto-$u.service") >"$tmp/out" 2>&1 || :
    # Of other units of this machine it says what it likes.
    ! grep "tyto-$u" "$tmp/out" || fault "$u: systemd finds fault with it"
    worst=2.5
    got=$(cd "$tmp/u" && systemd-analyze security --offline=true "./tyto-$u.service" 2>/dev/null |
        sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    [ -n "$got" ] && awk "BEGIN { exit !($got <= $worst) }" || fault "$u: exposure '$got', at most $worst"
done
finish 2
