// SPDX-License-Identifier: GPL-3.0-or-later
// A step of the gain, 3 dB down for a moment, tells what the receiver made itself.  See step.c.
#pragma once

#include "sdr/sdr.h"

#define STEP_BINS   128
#define STEP_RANGES 8
#define STEP_DB     3.0

// What a step showed: offsets from the centre, lowest first; valid up to a sample.
struct step_shown {
    unsigned n, n_behind;
    struct step_range { double lo_hz, hi_hz, level_dbfs; } product[STEP_RANGES],
                      behind[STEP_RANGES];  // what did not fall at all: it comes in behind the gain
    bool     deaf;                      // the floor itself is made of products
    uint64_t until;
    uint64_t steps, given_up;           // done so far; that the radio did not follow
};

struct step;
// lo_db: below it the gain cannot be set, NAN not known.  NULL: no memory.
struct step *step_new(double lo_db);
void step_free(struct step *s);         // NULL is fine

// Looks at a block; power: of STEP_BINS bins of it, in any scale, bin 0 at the centre, upper half
// the negative ones.  True where the gain is to be set: *ret_gain_db.
bool step_block(struct step *s, const struct iq_block *b, const float *power, double *ret_gain_db);
bool step_busy(const struct step *s);   // the gain is, or soon will be, not what it was
const struct step_shown *step_shown(const struct step *s);
