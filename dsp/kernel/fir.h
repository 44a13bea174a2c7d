// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the resampler, one set per instruction set; fir_ops() chooses.
// Every set gives the same bits: sums run over sixteen fixed lanes and nothing is contracted.
#pragma once

#include <stddef.h>

// floats; taps come in multiples of half of it (complex samples)
#define FIR_LANES 16
#define FIR_TURN  64                // samples per step of the oscillator

struct fir_ops {
    // ret[0..1] = sum over i < n of x[i] * (a[i] + mu * (b[i] - a[i])), even floats to ret[0], odd
    // to ret[1].  x is interleaved I, Q; a and b hold each tap twice.  n is a multiple of
    // FIR_LANES.
    void (*lerp)(const float *x, const float *a, const float *b, float mu, size_t n, float *ret);
    void (*dot)(const float *x, const float *a, size_t n, float *ret);
    // x[k] *= turn[k] * (re + j im) for k < FIR_TURN, all interleaved.
    void (*mix)(float *restrict x, const float *restrict turn, float re, float im);
};

const struct fir_ops *fir_ops(void);
