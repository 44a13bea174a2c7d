// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's own image, measured on whatever it hears and taken away.  See image.c.
#pragma once

#include "sdr/sdr.h"

struct image_view {
    float complex k;            // x = y + k conj(y); 0: none known, nothing is taken away
    double        err;          // standard error of |k|
    uint64_t      changes;      // of what is taken away
};

struct image;
struct image *image_new(void);              // NULL: no memory
void image_free(struct image *m);           // NULL is fine

// Looks at a block and writes into it what iq_to_cf32 takes away.  All blocks in order, each before
// anybody else has it.
void image_block(struct image *m, struct iq_block *b);

// Power of the block last looked at in IMAGE_POINTS bins (bin 0 at the centre), full scale 1; NULL:
// none was looked at, since it clipped.
#define IMAGE_POINTS 128
const float *image_power(const struct image *m);

// Of the centre and gain of the block last looked at.
struct image_view image_view(const struct image *m);
