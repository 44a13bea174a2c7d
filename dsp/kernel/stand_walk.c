// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops over phase steps: see dsp/stand/walk.h.
#include "dsp/stand/walk.h"

#include <math.h>

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

static void steps(const float complex *restrict x, size_t delay, size_t n, float *restrict re,
                  float *restrict im)
{
    const float *a = (const float *)x, *b = (const float *)(x + delay);
    for (size_t i = 0; i < n; i++) {
        float r = b[2 * i] * a[2 * i] + b[2 * i + 1] * a[2 * i + 1];
        float j = b[2 * i + 1] * a[2 * i] - b[2 * i] * a[2 * i + 1];
        float p = r * r + j * j, by = p > 1e-36f ? 1 / sqrtf(p) : 0;
        re[i] = r * by;
        im[i] = j * by;
    }
}

#define AT_ONCE 16

static void match(const float *restrict re, const float *restrict im,
                  const float complex *restrict w, size_t count, size_t delay, size_t n,
                  float *restrict p)
{
    const float *by = (const float *)w;
    for (size_t i = 0; i < n; i += AT_ONCE) {
        vec r[AT_ONCE / VEC], j[AT_ONCE / VEC];
        for (size_t v = 0; v < AT_ONCE / VEC; v++)
            r[v] = j[v] = (vec){ 0 };
        for (size_t k = 0; k < count; k++)
            for (size_t v = 0; v < AT_ONCE / VEC; v++) {
                vec a = vec_load(re + i + k * delay + v * VEC);
                vec b = vec_load(im + i + k * delay + v * VEC);
                r[v] += a * by[2 * k] - b * by[2 * k + 1];
                j[v] += a * by[2 * k + 1] + b * by[2 * k];
            }
        for (size_t v = 0; v < AT_ONCE / VEC; v++)
            vec_store(p + i + v * VEC, r[v] * r[v] + j[v] * j[v]);
    }
}

extern const struct walk_ops CAT(walk_ops, ISA);
const struct walk_ops CAT(walk_ops, ISA) = { steps, match };
