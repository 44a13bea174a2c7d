// SPDX-License-Identifier: GPL-3.0-or-later
// The wideband stream's forward transform, once per block, for every standing detector.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

// A block in sixteenths: 1.5 of it are spoilt for whoever filters at either end, 13 advance.
#define WIDE_PARTS 16
#define WIDE_HOP   13

// Multiple of WIDE_PARTS from `from` to `to`, at least `least`, whose transforms are fast; 0: none.
unsigned wide_fast(double least, unsigned from, unsigned to);
// By what a block's number turns the phase of a band: turn[number * k0 % WIDE_PARTS].
void wide_turns(float complex turn[WIDE_PARTS]);

struct wide_spec {
    const float complex *bin;       // n of them, 0 Hz first; valid during the call
    unsigned             n;
    uint64_t             number;    // of the block since the stream (re)started
    int64_t              at;        // capture index of the block's first sample; may be negative
    double               centre_hz;
};
typedef void wide_told(void *arg, const struct wide_spec *s);

struct wide;
struct wide *wide_new(double rate_hz);              // NULL: no memory
void wide_free(struct wide *w);                     // NULL is fine
unsigned wide_points(const struct wide *w);         // n, a multiple of 512
// True if b does not follow what came before, in time or in frequency: the caller drains what it
// has (wide_silence), then restarts.
bool wide_breaks(const struct wide *w, const struct iq_block *b);
void wide_restart(struct wide *w, const struct iq_block *b);
void wide_block(struct wide *w, const struct iq_block *b, wide_told *told, void *arg);
// So many blocks more, the rest of them silence; then nothing runs.
void wide_silence(struct wide *w, unsigned blocks, wide_told *told, void *arg);
