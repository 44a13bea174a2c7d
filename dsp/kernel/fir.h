// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the resampler, one set per instruction set; fir_ops() chooses.
// Sums run over sixteen fixed lanes and nothing is contracted: sets differ in last digits at most.
#pragma once

#include <stddef.h>

// floats; taps come in multiples of half of it (complex samples)
#define FIR_LANES 16
#define FIR_TURN  256               // samples per step of the oscillator

// A row of a windowed sinc: taps at times t0 + k, k < n.
struct fir_row {
    float t0, over_half2;           // first time, samples; 1 / (half the window's length)^2
    float s0, c0;                   // sine and cosine of 2 pi fc t0
    float peak;                     // tap at time zero: 2 fc
    const float *wave;              // exp(2 pi i fc k), interleaved
    float beta2;                    // Kaiser's beta^2 / 4
    float over_i0;                  // 1 / I0(beta)
};

struct fir_ops {
    // ret[0..1] = sum over i < n of x[i] * (a[i] + mu * (b[i] - a[i])), even floats to ret[0], odd
    // to ret[1].  x is interleaved I, Q; a and b hold each tap twice.  n is a multiple of
    // FIR_LANES.
    void (*lerp)(const float *x, const float *a, const float *b, float mu, size_t n, float *ret);
    void (*dot)(const float *x, const float *a, size_t n, float *ret);
    // count of those, each step floats further in x, ret_step in ret.
    void (*dots)(const float *x, size_t step, const float *a, size_t n, size_t count, float *ret,
                 size_t ret_step);
    // Kaiser-windowed sinc, each tap twice; beta up to 7.
    void (*row)(const struct fir_row *r, size_t n, float *ret);
    // x[k] *= turn[k] * (re + j im) for k < FIR_TURN, all interleaved.
    void (*mix)(float *restrict x, const float *restrict turn, float re, float im);
};

const struct fir_ops *fir_ops(void);

// exp(2 pi i turns k) for k < n into w, interleaved; n up to some hundred.
void fir_turns(double turns, size_t n, float *w);
