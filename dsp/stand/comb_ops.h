// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the short training field's detector (dsp/kernel/stand_comb.c).
#pragma once

#include <complex.h>
#include <stddef.h>

struct comb_ops {
    void (*power)(const float complex *restrict x, size_t n, float *restrict p);    // |x[i]|^2
    // ret[i] = sum over rows r < count and samples k < window of p[r * stride + i + k], i < n.
    void (*sums)(const float *restrict p, size_t stride, size_t count, size_t window, size_t n,
                 float *restrict ret);
};

const struct comb_ops *comb_ops(void);
