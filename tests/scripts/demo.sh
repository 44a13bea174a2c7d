#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: demo.sh BUILDDIR     The demo finds its drones, says that it is a simulation, is the same
# every time, and leaves no terminal controls in a log.
. "$(dirname "$0")/../lib.sh"
cd "$tmp"
# Seconds plain are many minutes there, and shorter scenes show the same threads at work.
case $build in */san-thread) skip 'too long under the thread sanitizer; same_bytes runs the chain' ;; esac
"$build/bin/tyto" demo >one 2>err || fault "exit $?: $(tail -n 2 one)"
[ ! -s err ] || fault "standard error: $(head -c 200 err)"
head -n 1 one | grep -q SIMULATION || fault 'does not begin by saying that it is a simulation'
grep -q '^  aircraft .* drone ' one || fault 'the aircraft is not found'
# Once is enough where it takes minutes.
case $build in */san-*) cp one two ;; *) "$build/bin/tyto" demo >two || : ;; esac
cmp -s one two || fault 'two runs differ'
if "$build/bin/tyto" demo --seed x >bad 2>err; then fault 'a bad seed is taken'; fi
[ "$(wc -l <err)" -eq 1 ] && [ ! -s bad ] || fault "a bad seed: $(head -c 200 err)"
finish 3
