// SPDX-License-Identifier: GPL-3.0-or-later
// One channel out of the wideband transform at the rate its bins have: a whole number of them
// around its centre, their edges rolled off.
#pragma once

#include "dsp/fft.h"
#include "dsp/stand/ops.h"
#include "dsp/stand/wide.h"

struct chan {
    const struct stand_ops *op;
    int           k0;                       // bin of its centre
    double        f_hz;                     // that, as an offset
    unsigned      points, hop, guard;
    double        per;                      // capture samples per sample
    const struct dft *inv;                  // borrowed
    const float  *window;                   // borrowed: over the small transform's bins, each twice
    float complex turn[WIDE_PARTS];
    float complex *bins, *out;
    double        zero;                     // capture index of out[guard] of the block at hand
};

// Points of the small transform for at least rate_hz: a multiple of 16 that is fast; 0: too many.
unsigned chan_points(double wide_hz, unsigned n, double rate_hz);
int  chan_init(struct chan *c, double wide_hz, unsigned n, unsigned points, double f_hz,
               const struct dft *inv, const float *window);     // 0 or -ENOMEM
void chan_done(struct chan *c);             // zeroed is fine
// The block's hop samples.
const float complex *chan_block(struct chan *c, const struct wide_spec *b);
