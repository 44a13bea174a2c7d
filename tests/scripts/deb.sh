#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: deb.sh BUILDDIR     The Debian packages: what is in which, what they need, and that what
# is in them runs from there.
. "$(dirname "$0")/../lib.sh"
case $build in */san-*) skip 'packages are made of the release build only' ;; esac
command -v dpkg-shlibdeps >/dev/null || skip 'no dpkg-shlibdeps (apt-get install dpkg-dev)'
cd "$top"
make -s deb >"$tmp/made" 2>&1 || { cat "$tmp/made"; fault 'make deb failed'; finish; }
all=$(ls "$build"/deb/tyto_*.deb) module=$(ls "$build"/deb/tyto-soapy-module_*.deb)
version=$(sed -n 's/^#define TYTO_VERSION "\(.*\)"/\1/p' base/version.h)
n=0

field() { dpkg-deb -f "$1" "$2"; }
# The lists are written out first: dpkg-deb complains of a reader that leaves early.
holds() { grep -q " \./$2\$" "$tmp/${1##*/}.list"; }
dpkg-deb -c "$all" >"$tmp/${all##*/}.list"
dpkg-deb -c "$module" >"$tmp/${module##*/}.list"
for deb in "$all" "$module"; do
    n=$((n + 1))
    [ "$(field "$deb" Version)" = "$version" ] || fault "$deb: version"
    [ "$(field "$deb" Architecture)" = "$(dpkg --print-architecture)" ] || fault "$deb: architecture"
    field "$deb" Depends | grep -q 'libc6 (>= ' || fault "$deb: does not need libc6"
    field "$deb" Depends | grep -q 'libsoapysdr0' || fault "$deb: does not need libsoapysdr"
    list=$tmp/${deb##*/}.list
    awk '$2 != "root/root" { exit 1 }' "$list" || fault "$deb: files that are not root's"
    grep -vE ' \./(usr/.*)?$' "$list" && fault "$deb: files outside /usr"
    dpkg-deb -x "$deb" "$tmp/tree"
    grep -rlF "$top" "$tmp/tree" && fault "$deb: names this source tree"
done
for program in "$build"/bin/*; do
    n=$((n + 1))
    holds "$all" "usr/bin/${program##*/}" || fault "$program is in no package"
done
for page in docs/man/*.1; do
    holds "$all" "usr/share/man/man1/${page##*/}.gz" || fault "$page is not packed"
done
for data in sig/wifi.yaml profiles/rtlsdr.yaml; do
    holds "$all" "usr/share/tyto/$data" || fault "$data is missing"
done
holds "$all" usr/lib/udev/rules.d/60-tyto.rules || fault 'udev rules are missing'
! grep -q libtytoSupport "$tmp/${all##*/}.list" || fault 'the device module is in the main package'
grep -q '/SoapySDR/modules0.8/libtytoSupport.so$' "$tmp/${module##*/}.list" || fault 'no module'
[ "$(grep -c '\.so$\|/bin/' "$tmp/${module##*/}.list")" -eq 1 ] || fault 'more than the module'

"$tmp/tree/usr/bin/tyto" --version | grep -qF "$version" || fault 'the packed program does not run'
"$tmp/tree/usr/bin/tyto-analyze" --help >/dev/null || fault 'the packed analyze does not run'
if command -v SoapySDRUtil >/dev/null; then
    SOAPY_SDR_PLUGIN_PATH=$(dirname "$(find "$tmp/tree" -name libtytoSupport.so)") \
        SoapySDRUtil --find=driver=tyto | grep -q 'origin = simulation' ||
        fault 'the packed module is not found by SoapySDR'
fi
finish $n
