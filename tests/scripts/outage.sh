#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: outage.sh BUILDDIR     A stream that stood still for ten minutes, or for days, costs the
# chain no more than one that did not: nothing walks through what is missing.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-sim" ] || skip 'tyto-sim is not built'
cd "$tmp"
cat >scene.yaml <<X
rate_hz: 8e6
centre_hz: 2440e6
duration_s: 0.2
receiver: {noise_dbfs: -50}
emitters:
    - {name: point, model: wifi, freq_hz: 2440e6, uid: 6, snr_db: 20}
X
"$build/bin/tyto-sim" -o s.sigmf-meta scene.yaml 2>err || fault "$(cat err)"
for gap_s in 600 500000; do
    lost=$((gap_s * 8000000))
    cat >g.sigmf-meta <<X
{"global":{"core:datatype":"$(grep -o 'c[if][0-9]*_le' s.sigmf-meta | head -n 1)","core:sample_rate":8000000,
"core:version":"1.2.0","core:dataset":"s.sigmf-data"},"captures":[
{"core:sample_start":0,"core:global_index":0,"core:frequency":2440000000},
{"core:sample_start":800000,"core:global_index":$((800000 + lost)),"core:frequency":2440000000}]}
X
    # At 8 MS/s and a microsecond a lost sample this would take hours.
    code=0
    timeout 100 "$build/bin/tyto-analyze" --json --bursts g.sigmf-meta >out 2>err || code=$?
    accepted "$gap_s s"
    has "{\"type\":\"summary\",\"samples\":1600000,\"lost\":$lost}" "$gap_s s"
    has "{\"type\":\"burst\",\"t_s\":{\"max\":0.1}}" "$gap_s s, before"
    has "{\"type\":\"burst\",\"t_s\":{\"min\":$gap_s}}" "$gap_s s, after"
done
finish 2
