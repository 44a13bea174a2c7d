// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's inner loops, one build per instruction set (dsp/kernel/droneid_siso.c,
// droneid_smooth.c, droneid_find.c); did_hot() chooses.
#pragma once

#include <complex.h>
#include <stddef.h>

#define SISO_STEPS 1411                 // 1408 information bits and three tail bits
#define SMOOTH_MAX 64                   // widest half window: margin around what is smoothed
#define SMOOTH_LEN 601                  // carriers, the middle one included

// sys: LLRs of the inputs, a-priori knowledge included; par: of the parity bits (SISO_STEPS each).
// ext: what the code adds to sys; post_par (may be NULL): full LLRs of the parity bits.
// work: 8 * SISO_STEPS floats, 32-byte aligned.
typedef void droneid_siso_fn(const float *restrict sys, const float *restrict par,
                             float *restrict ext, float *restrict post_par, float *restrict work);

// out[r][g] = sum over |j| < width of hann(j / width) * in[r][SMOOTH_MAX + g + j], three rows.
struct smooth_in  { float row[3][SMOOTH_LEN + 2 * SMOOTH_MAX]; };
struct smooth_out { float row[3][SMOOTH_LEN]; };
typedef void droneid_smooth_fn(const struct smooth_in *restrict in, int width,
                               struct smooth_out *restrict out);

// w[i] = x[i] * t[i] for n samples.
typedef void droneid_turn_fn(const float complex *restrict x, const float complex *restrict t,
                             size_t n, float complex *restrict w);
// Takes down carriers that stand more than `over` over the geometric mean of all WHITEN_LEN
// (somebody's narrow signal): each to the inverse of its power, as a matched filter in coloured
// noise would.
#define WHITEN_LEN 819                  // 600 and 109 to either side (dsp/droneid/rx.h)
typedef void droneid_whiten_fn(float complex *restrict y, float over);
// w[i] = y[i] * z[i] for n carriers; returns their energy.
typedef float droneid_against_fn(const float complex *restrict y, const float complex *restrict z,
                                 size_t n, float complex *restrict w);

droneid_siso_fn   droneid_siso_plain, droneid_siso_v2, droneid_siso_v3, droneid_siso_v4;
droneid_smooth_fn droneid_smooth_plain, droneid_smooth_v2, droneid_smooth_v3, droneid_smooth_v4;
droneid_turn_fn   droneid_turn_plain, droneid_turn_v2, droneid_turn_v3, droneid_turn_v4;
droneid_whiten_fn droneid_whiten_plain, droneid_whiten_v2, droneid_whiten_v3, droneid_whiten_v4;
droneid_against_fn droneid_against_plain, droneid_against_v2, droneid_against_v3,
                   droneid_against_v4;

struct did_hot {
    droneid_siso_fn    *siso;
    droneid_smooth_fn  *smooth;
    droneid_turn_fn    *turn;
    droneid_whiten_fn  *whiten;
    droneid_against_fn *against;
};
const struct did_hot *did_hot(void);
