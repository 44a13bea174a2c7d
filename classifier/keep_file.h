// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: a cut as a sealed file.
#pragma once

#include "classifier/keep.h"

struct keep_cut {
    float complex *x;
    size_t   n;
    uint64_t n0;                    // index of the first sample in the source
    double   rate_hz, centre_hz, gain_db, t0_s;
    enum iq_origin origin;
    unsigned masked;                // bursts taken out
};

// Analyses what is left as `tyto analyze` would, and seals it with what it found.  Calls pump now
// and then.  0, or -errno.
int keep_file_write(const struct keep_cfg *cfg, const struct keep_want *w, struct keep_cut *c,
                    void (*pump)(void *arg), void *arg);
// Deletes what is too old, the oldest beyond the quota, and parts of files that a power cut left;
// how many whole files.
uint64_t keep_make_room(const struct keep_cfg *cfg);
