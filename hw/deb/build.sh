#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: sh hw/deb/build.sh BUILDDIR     Debian packages into BUILDDIR/deb, from what `make install`
# and `make install-module` put into two empty trees:
#
#     tyto               all but the device module
#     tyto-soapy-module  the device module alone: simulations and recordings as radios
#
# The same sources and tools give the same bytes.  What the binaries need is read from them
# (dpkg-shlibdeps).  Nothing is installed here.
set -eu
LC_ALL=C; export LC_ALL
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
out=$build/deb
command -v dpkg-shlibdeps >/dev/null ||
    { echo 'make deb needs dpkg-shlibdeps: apt-get install dpkg-dev' >&2; exit 2; }
version=$(sed -n 's/^#define TYTO_VERSION "\(.*\)"/\1/p' base/version.h)
arch=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y base/version.h)}
export SOURCE_DATE_EPOCH

# Names the Debian packages that the programs and libraries of a tree need, with versions.
needs() {
    mkdir -p "$out/needs/debian"
    echo 'Source: tyto' >"$out/needs/debian/control"
    (cd "$out/needs" && dpkg-shlibdeps --ignore-missing-info -O "$@" 2>/dev/null) |
        sed 's/^shlibs:Depends=//'
}

# doc TREE PACKAGE
doc() {
    install -d "$1/usr/share/doc/$2"
    sed 's/^    //' >"$1/usr/share/doc/$2/copyright" <<X
    Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
    Files: *
    Copyright: the authors of Tyto
    License: GPL-3+
     On Debian systems the text is in /usr/share/common-licenses/GPL-3.
X
}

# pack TREE: md5sums, then the package; its control file is in TREE/DEBIAN.
pack() {
    (cd "$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) \
        >"$1/DEBIAN/md5sums"
    chmod 644 "$1"/DEBIAN/control "$1"/DEBIAN/md5sums
    dpkg-deb --root-owner-group -Zxz --build "$1" "$out" >/dev/null
}

# control PACKAGE SECTION DEPENDS, the rest from standard input
control() {
    cat <<X
Package: $1
Version: $version
Architecture: $arch
Maintainer: Tyto project <packages@tyto.invalid>
Section: $2
Priority: optional
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: $3
X
    cat
}

umask 022
rm -rf "$out"
mkdir -p "$out"
tree=$out/tyto
make -s install DESTDIR="$tree" PREFIX=/usr
strip --strip-unneeded "$tree"/usr/bin/*
gzip -9n "$tree"/usr/share/man/man*/*
doc "$tree" tyto
mkdir "$tree/DEBIAN"
control tyto hamradio "$(needs "$tree"/usr/bin/*)" >"$tree/DEBIAN/control" <<'X'
Recommends: soapysdr-module-all, gpsd, systemd
Suggests: tyto-soapy-module, chrony
Description: passive radio detection of drones
 Tyto listens for the radio links of drones with software defined radios, names
 them, and shows alerts to those who have to decide.  It receives only.
X
cat >"$tree/DEBIAN/postinst" <<'X'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers
    elif ! getent group tyto-radio >/dev/null; then
        groupadd --system tyto-radio
    fi
    if [ -d /run/udev ] && command -v udevadm >/dev/null; then
        udevadm control --reload || :
        udevadm trigger --subsystem-match=usb --action=change || :
    fi
    if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
fi
X
chmod 755 "$tree/DEBIAN/postinst"
pack "$tree"

tree=$out/tyto-soapy-module
make -s install-module DESTDIR="$tree" PREFIX=/usr
module=$(find "$tree" -name '*.so')
strip --strip-unneeded "$module"
doc "$tree" tyto-soapy-module
mkdir "$tree/DEBIAN"
control tyto-soapy-module hamradio "$(needs "$module")" >"$tree/DEBIAN/control" <<'X'
Description: simulated radios and recordings for SoapySDR
 A device module for SoapySDR (driver=tyto) that serves a scene or a recording
 as a receiver at the pace of real time, with faults on request.  For tests and
 demonstrations; not for operational sensors.
X
pack "$tree"
rm -rf "$out/needs" "$out/tyto" "$out/tyto-soapy-module"
ls "$out"
