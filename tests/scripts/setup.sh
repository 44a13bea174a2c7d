#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: setup.sh BUILDDIR     hw/setup with dpkg-query, apt-get, sudo, id and make played by scripts
# that write down what they were asked: it must ask for the right things and only when it must.
. "$(dirname "$0")/../lib.sh"
n=0
mkdir -p "$tmp/tree/hw" "$tmp/bin"
cp "$top/hw/setup" "$tmp/tree/hw/"
: >"$tmp/tree/Makefile"
cd "$tmp/tree"

play() { printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"; chmod +x "$tmp/bin/$1"; }
play dpkg-query 'case $1 in -L) exit 0 ;; esac
cat "$WORLD/have" | sed "s,$,/installed,"'
play id 'cat "$WORLD/uid"'
play make 'echo "make $*" >>"$WORLD/asked"
for a; do case $a in COUNT=*) echo "3 1 2" >"${a#COUNT=}" ;; esac; done; [ ! -f "$WORLD/broken" ]'
play apt-get 'echo "apt-get $*" >>"$WORLD/asked"
case "$*" in
*update*) touch "$WORLD/fresh" ;;
*--print-uris*)
    [ -f "$WORLD/fresh" ] || { echo "E: Unable to locate package" >&2; exit 100; }
    echo "Need to get 59.7 MB of archives."
    echo "After this operation, 241 MB of additional disk space will be used."
    for p; do case $p in gcc|make|lib*|pkg*) echo "'"'http://m/\$p.deb' \${p}_1_amd64.deb 7 x"'" ;; esac; done ;;
*install*)
    for p; do case $p in -*|install|DPkg*|Dpkg*) ;; *) echo $p >>"$WORLD/have" ;; esac; done ;;
esac'
play sudo 'echo "sudo $1" >>"$WORLD/asked"; [ -f "$WORLD/sudoer" ] || exit 1
[ "$1" != -n ] || shift; [ "$1" = true ] || exec "$@"'

# setup UID GOAL: a world with the packages of $have, its answer in $code, out, err and asked.
setup() {
    export WORLD="$tmp/world"
    echo "$1" >"$WORLD/uid"
    shift
    : >"$WORLD/asked"
    code=0
    env PATH="$tmp/bin:$PATH" LANG= CI="${ci:-}" TYTO_SAN= sh hw/setup "$@" \
        >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    n=$((n + 1))
}
world() {
    rm -rf "$tmp/world" build
    mkdir "$tmp/world"
    printf '%s\n' "$@" >"$tmp/world/have"
}
all='make gcc libc6-dev pkgconf libfftw3-dev libliquid-dev libjansson-dev libcyaml-dev libyaml-dev'
all="$all g++ libsoapysdr-dev libzmq3-dev libmsgpack-dev libsodium-dev libsqlite3-dev"
all="$all libmicrohttpd-dev libgnutls28-dev"
asked() { grep -q -- "$1" "$tmp/world/asked" || fault "$2: was not asked: $1"; }
not_asked() { if grep -q -- "$1" "$tmp/world/asked"; then fault "$2: was asked: $1"; fi; }
ends() { [ $code -eq "$1" ] || fault "$2: exit $code, expected $1: $(cat "$tmp/err")"; }

world $all libcmocka-dev curl
setup 1000 demo; ends 0 'nothing missing'
not_asked apt-get 'nothing missing'; not_asked sudo 'nothing missing'
asked 'make .*demo' 'nothing missing'

setup 1000 check; ends 0 check
last=$(tail -n 1 "$tmp/out")
[ "$last" = '3 passed, 1 failed, 2 skipped' ] || fault "closing line: $last"
not_asked 'SAN=' check
ci=true; setup 1000 check; ci=
asked 'SAN=address,undefined check' 'CI'; asked 'SAN=thread check' 'CI'
last=$(tail -n 1 "$tmp/out")
[ "$last" = '9 passed, 3 failed, 6 skipped' ] || fault "sum: $last"
touch "$tmp/world/broken"
setup 1000 check; ends 1 'a failing check'
setup 1000 demo;  [ $code -ne 0 ] || fault 'a failing build passes'

world $all
setup 1000 demo; not_asked apt-get 'cmocka is for check only'

# Root on a bare system without package lists: update, then install what is missing and nothing else.
world gcc make
setup 0 check; ends 0 'root'
asked 'apt-get .*update' root
asked 'apt-get .*DPkg::Lock::Timeout=300 .*--no-install-recommends .*install libc6-dev pkgconf' root
not_asked 'install.* gcc' root; not_asked sudo root
grep -q 'downloads 59.7 MB, takes 241 MB on disk' "$tmp/out" || fault 'does not say how much'
grep -q 'installs these Debian packages: libc6-dev' "$tmp/out" || fault 'does not say what'

# With lists there is no update.
world gcc make; touch "$tmp/world/fresh"
setup 0 build; ends 0 'fresh lists'; not_asked 'apt-get .*update' 'fresh lists'

# A user with sudo; then one who may not, and nobody to type a password.
world gcc make; touch "$tmp/world/sudoer"
setup 1000 build; ends 0 'sudo'; asked 'sudo -n' sudo; asked 'install libc6-dev' sudo
world gcc make
setup 1000 build; ends 2 'no sudo'
not_asked 'apt-get .*update' 'no sudo'; not_asked 'make ' 'no sudo'
[ "$(grep -c "^su -c '.*'$" "$tmp/err")" -eq 1 ] || fault "no line for su: $(cat "$tmp/err")"
# The line does what it says: handed to a shell it installs, and setup is content.
line=$(sed -n "s/^su -c '\(.*\)'$/\1/p" "$tmp/err")
env PATH="$tmp/bin:$PATH" WORLD="$tmp/world" sh -c "$(echo "$line" | sed 's/export PATH=[^;]*;//')"
setup 1000 build; ends 0 'after the line for su'

for wrong_use in '' nonsense 'demo check'; do
    setup 1000 $wrong_use; ends 2 "use '$wrong_use'"; not_asked make 'wrong use'
done
setup 1000 --help; ends 0 help
rm Makefile
setup 1000 build; ends 2 'half a tree'
finish $n
