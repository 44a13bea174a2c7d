// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loop of the long preamble's detector (dsp/kernel/stand_dsss.c).
#pragma once

#include <stddef.h>
#include <stdint.h>

struct dsss_ops {
    // ret[i] = sum of x[i + plus[k]] less that of x[i + minus[k]], i < n (a multiple of 16).
    void (*sums)(const float *restrict x, const short *restrict plus, size_t n_plus,
                 const short *restrict minus, size_t n_minus, size_t n, float *restrict ret);
    // over[i] bit k: |a + b|^2 of sample 16 i + k is more than limit, i < n / 16.
    void (*pairs)(const float *restrict are, const float *restrict aim, const float *restrict bre,
                  const float *restrict bim, float limit, size_t n, uint16_t *restrict over);
};

const struct dsss_ops *dsss_ops(void);
