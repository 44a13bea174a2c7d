// SPDX-License-Identifier: GPL-3.0-or-later
// What runs on every sample, front and standing correlators, on one thread over the same blocks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct standrate {
    double   front_s, corr_s;       // processor time of a second of samples, once all is at work
    double   start_s;               // to make both, and what their beginning takes more than that
    double   front_mb, corr_mb;     // memory that became resident
    unsigned found;                 // by the front
};

// x: n samples, a multiple of 16384, over and over; seconds of samples to time, after 0.3 s of
// beginning.  In a process of its own.  False: that could not be had.
bool standrate_run(double rate_hz, double seconds, const int16_t *x, size_t n,
                   struct standrate *ret);
