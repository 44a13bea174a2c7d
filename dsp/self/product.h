// SPDX-License-Identifier: GPL-3.0-or-later
// What a receiver makes of strong signals and takes for others: images, harmonics, products of the
// third order, its own clock.  Two steps: product_near and product_suspects say, from places, times
// and levels, what a candidate could be (arbiter); product_test asks the samples (workers).
#pragma once

#include "dsp/burst.h"

// Stronger ones on the air while x was; the boxes of one band are one.
#define PRODUCT_NEAR 8
struct product_near {
    unsigned n;
    struct product_other {
        double lo_hz, hi_hz, covered;   // samples of x's time
        float  level_dbfs;
        bool   same_time;               // starts and ends with x
    } y[PRODUCT_NEAR];
};
void product_near(struct product_near *p, const struct cand *x, const struct cand *y,
                  double rate_hz);
// The same for what x could be made of those; fills b's suspects.
void product_suspects(const struct product_near *p, const struct cand *x, double rate_hz,
                      struct burst *b);

struct product_tool;
// clock_hz: the receiver's reference, 0 not known.
struct product_tool *product_tool_new(double clock_hz);     // NULL: no memory
void product_tool_free(struct product_tool *t);     // NULL is fine

// Which of the suspects explains most of the burst, or PRODUCT_NONE.
enum product product_test(struct product_tool *t, const struct burst *b);
