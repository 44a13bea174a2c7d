#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: sh hw/udev/rules.sh >hw/udev/60-tyto.rules      from the USB ids in hw/profiles/*.yaml
# `make check` fails when the two have drifted apart.
set -eu
cd "$(dirname "$0")/../profiles"
cat <<'X'
# SPDX-License-Identifier: GPL-3.0-or-later
# Made by hw/udev/rules.sh from hw/profiles: who may open the radios.  The sensor's own group may,
# and nobody else because of us; Debian's driver packages have rules of their own beside these.
X
for f in *.yaml; do
    ids=$(sed -n 's/^usb: *\[\([^]]*\)\].*/\1/p' "$f" | tr -d '", ' | sed 's/\(....:....\)/\1 /g')
    [ -n "$ids" ] || continue
    sed -n 's/^title: */# /p' "$f"
    for id in $ids; do
        printf 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="%s", ' "${id%:*}"
        printf 'ATTR{idProduct}=="%s", MODE="0660", GROUP="tyto-radio"\n' "${id#*:}"
    done
done
