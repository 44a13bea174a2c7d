// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops over the lines of a comb: see dsp/stand/comb_ops.h.
#include "dsp/stand/comb_ops.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

#define MOST 128                // samples of a row

static void power(const float complex *restrict x, size_t n, float *restrict p)
{
    const float *a = (const float *)x;
    for (size_t i = 0; i < n; i++)
        p[i] = a[2 * i] * a[2 * i] + a[2 * i + 1] * a[2 * i + 1];
}

static void sums(const float *restrict p, size_t stride, size_t count, size_t window, size_t n,
                 float *restrict ret)
{
    float all[MOST] = { 0 };
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < n + window - 1; i++)
            all[i] += p[r * stride + i];
    for (size_t i = 0; i < n; i++)
        ret[i] = all[i];
    for (size_t k = 1; k < window; k++)
        for (size_t i = 0; i < n; i++)
            ret[i] += all[i + k];
}

extern const struct comb_ops CAT(comb_ops, ISA);
const struct comb_ops CAT(comb_ops, ISA) = { power, sums };
