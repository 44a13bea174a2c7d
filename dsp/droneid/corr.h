// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing correlator, one set per instruction set (dsp/kernel/droneid_corr.c).
#pragma once

#include <complex.h>
#include <stddef.h>

#define CORR_LEVEL 32                   // samples per step of the level

struct corr_ops {
    // dst[i] = x[i] * f[i] for n bins (n < 4096); bins that stand out of the band are left out.
    void (*filter)(const float complex *restrict x, const float complex *restrict f, size_t n,
                   float complex *restrict dst);
    void (*power)(const float complex *restrict s, size_t n, float *restrict p);
    // e[i] = sum over k < m of p[k][i]; level[i / CORR_LEVEL] = sums of e.  n: multiple of CORR_LEVEL.
    void (*combine)(const float *const p[], size_t m, size_t n, float *restrict e,
                    float *restrict level);
    // The largest of n values (a multiple of CORR_LEVEL).
    float (*top)(const float *restrict e, size_t n);
};
