#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: radios.sh BUILDDIR     What is made from the profiles has not drifted from them: the udev
# rules and the table of docs/RADIOS.md; and each figure says where it stands.
. "$(dirname "$0")/../lib.sh"
cd "$top"
sh hw/udev/rules.sh >"$tmp/rules"
cmp -s "$tmp/rules" hw/udev/60-tyto.rules ||
    fault "hw/udev/60-tyto.rules: run sh hw/udev/rules.sh; $(diff "$tmp/rules" hw/udev/60-tyto.rules)"
[ "$(grep -c 'GROUP="tyto-radio"' "$tmp/rules")" -ge 10 ] || fault 'few rules'
! grep -v '^#' "$tmp/rules" | grep -vqE '^SUBSYSTEM=="usb", ENV\{DEVTYPE\}=="usb_device", ATTR\{idVendor\}=="[0-9a-f]{4}", ATTR\{idProduct\}=="[0-9a-f]{4}", MODE="0660", GROUP="tyto-radio"$' ||
    fault 'a rule of another form'

sh hw/profiles/table.sh >"$tmp/table"
sed -n '/^| profile |/,/^$/p' docs/RADIOS.md | sed '/^$/d' >"$tmp/told"
cmp -s "$tmp/table" "$tmp/told" ||
    fault "docs/RADIOS.md: its table is not sh hw/profiles/table.sh: $(diff "$tmp/table" "$tmp/told" | head -n 4)"
[ "$(wc -l <"$tmp/table")" -eq "$(($(ls hw/profiles/*.yaml | wc -l) + 2))" ] || fault 'rows'

# A figure without a source beside it is a guess.
for f in hw/profiles/*.yaml; do
    case $f in */tyto.yaml) continue ;; esac
    awk -v f="$f" '/from: / && !/#/ { print f ":" FNR ": no source: " $0 }' "$f"
done >"$tmp/bare"
[ ! -s "$tmp/bare" ] || fault "$(cat "$tmp/bare")"
finish 6
