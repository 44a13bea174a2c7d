// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of a transmission's way to the receiver (sdr/sim/voice.c): values between samples,
// and turns.
#pragma once

#include <stddef.h>
#include <stdint.h>

// 2^bits rows a sample, each of taps values, then taps differences to the next row.
struct interp_rows { const float *c; int taps, bits; };

struct interp_ops {
    // ret[i] = input at pos + i * step, in 2^-64ths of a sample; taps: a multiple of 16.
    void (*run)(const struct interp_rows *f, const float *re, const float *im, __int128 pos,
                __int128 step, size_t n, float *restrict ret_re, float *restrict ret_im);
    // (re + j im) of each of n values times (c + j s) and the table's; in place.
    void (*turn)(const float *restrict table_re, const float *restrict table_im, float c, float s,
                 float *restrict re, float *restrict im, size_t n);
    // The same, added to x.
    void (*turn_add)(const float *restrict table_re, const float *restrict table_im, float c,
                     float s, const float *restrict re, const float *restrict im,
                     float *restrict x, size_t n);
    // I and Q apart.
    void (*split)(const float *restrict x, float *restrict re, float *restrict im, size_t n);
};

const struct interp_ops *interp_ops(void);
