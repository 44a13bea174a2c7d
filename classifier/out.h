// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what tyto-analyze writes on standard output, as JSON Lines or in
// words.  Both tell the same facts.
#pragma once

#include "base/json.h"
#include "classifier/claims.h"

enum out_section { OUT_NOTHING, OUT_SIGNALS, OUT_TRACKS, OUT_AIRCRAFT, OUT_SUMMARY };

struct out {
    FILE            *f;
    bool             as_json, bursts;
    struct json      j;
    struct claims    claims;    // of the report in words
    uint64_t         drones;    // links told with the verdict drone
    enum out_section section;   // of the report in words: which heading was written last
};

struct out_summary {
    const struct iq_counts *counts;
    double                  seconds, wall_s, cpu_s;
    uint64_t                bursts, decodes, tracks, unclassified, untold;
    struct dsp_self         self;
    struct meas             crystal;    // the receiver's frequency error, ppm; err 0: not known
    uint64_t                products[PRODUCT_COUNT];
};

void out_init(struct out *o, FILE *f, bool as_json, bool bursts);
void out_burst(struct out *o, const struct finding *f);     // nothing unless asked for
void out_decode(struct out *o, const struct decode *d, enum iq_origin origin);
void out_track(struct out *o, const struct track *t);
// All tracks: as JSON in order of time, in words the drones first.
void out_tracks(struct out *o, const struct cls *c, uint64_t *ret_n);
void out_summary(struct out *o, const struct out_summary *s);
int  out_end(struct out *o);                                // 0, or the first -errno of a write
