// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's own frequency error, from whom it hears.  See crystal.c.
#pragma once

#include "classifier/classifier.h"

#define CRYSTAL_SENDERS 256

struct crystal_sender { int kind; double raster_hz, ppm, w, last_s; };   // w: 1 / ppm^2
struct crystal {                        // zero is the start
    struct crystal_sender sender[CRYSTAL_SENDERS];
    unsigned    n;
    double      clock_ppm, clock_w;     // of the sample clock against UTC
    struct meas now;                    // ppm; err 0: nothing is known yet
};

void crystal_hear(struct crystal *c, const struct finding *f);
// UTC of the sample at t_s, of a radio: the more time lies between, the better.
void crystal_clock(struct crystal *c, double ppm, double err_ppm);

// How far a received frequency is off: add shift_hz to it; err_hz: what remains, < 0 not known.
struct crystal_fix { double shift_hz, err_hz; };
struct crystal_fix crystal_at(const struct crystal *c, double freq_hz);
// Into what is told of a track, a burst, a frame.
void crystal_track(const struct crystal *c, struct track *t);
void crystal_burst(const struct crystal *c, struct finding *f);
void crystal_decode(const struct crystal *c, struct decode *d);
