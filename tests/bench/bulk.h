// SPDX-License-Identifier: GPL-3.0-or-later
// Forced DroneID candidates by the hundred thousand: only those that pass the verifier's first step
// are made whole.
#pragma once

#include "tests/bench/force.h"

enum bulk_where {
    BULK_ANY,                           // any time, any carrier
    BULK_GRID,                          // on the confuser's symbols and carriers
    BULK_PILOT,                         // ... and root 147's place on a pilot of SC-FDMA
};

#define BULK_BINS 40                    // of 80 kHz

struct bulk {
    unsigned n, made, verified;         // places; those made whole; verified
    unsigned sample, seen;              // of every 16th, made whole whatever it showed: pair found
    unsigned over;                      // root 147 alone has what structure.c asks of it
    double   most;                      // of root 147, |rho|^2
    double   behind;                    // of the 16ths that would else have been left out
    unsigned off[BULK_BINS];            // pairs found, by their carrier against the candidate's
    unsigned pairs;
};

// Adds n places to *b; 0 or -ENOMEM.
int bulk_run(enum conf_class cls, enum bulk_where where, unsigned n, uint64_t seed, struct bulk *b);
// Of the pairs found, the share in the fullest 80 kHz anywhere: bounds that on one centre.
double bulk_one_centre(const struct bulk *b);
