#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: soapy_util.sh BUILDDIR     The device module under a program that is not ours: SoapySDR's
# own.  Its rate test is not judged by how fast it was.
. "$(dirname "$0")/../lib.sh"
case $build in */san-*) skip 'SoapySDRUtil is not built with the sanitizer' ;; esac
command -v SoapySDRUtil >/dev/null || skip 'no SoapySDRUtil (apt-get install soapysdr-tools)'
SOAPY_SDR_PLUGIN_PATH=$build/soapy; export SOAPY_SDR_PLUGIN_PATH

SoapySDRUtil --find=driver=tyto >"$tmp/find" || fault '--find by name finds nothing'
grep -q 'origin = simulation' "$tmp/find" || fault "--find: $(cat "$tmp/find")"
! SoapySDRUtil --find >"$tmp/find" || ! grep -q 'driver = tyto' "$tmp/find" ||
    fault 'a simulation is listed to those who look for radios'
SoapySDRUtil --probe=driver=tyto,scene=quiet >"$tmp/probe" 2>&1 || fault '--probe fails'
for line in 'origin=simulation' 'Native format: CS16 \[full-scale=32768\]' '1 Rx, 0 Tx' \
    'Timestamps: YES' 'Sample rates: 2.4 MSps' 'freq range: \[50, 6000\] MHz'; do
    grep -q "$line" "$tmp/probe" || fault "--probe does not say: $line"
done
timeout -s INT 2 SoapySDRUtil --args=driver=tyto,scene=quiet --rate=2.4e6 --direction=RX \
    >"$tmp/rate" 2>&1 || :
grep -q 'Begin RX rate test at 2.4 Msps' "$tmp/rate" || fault "--rate: $(cat "$tmp/rate")"
grep -q 'Starting stream loop' "$tmp/rate" || fault '--rate did not stream'
! grep -aiq 'error\|unexpected' "$tmp/rate" || fault "--rate: $(cat "$tmp/rate")"
finish 4
