// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loop over phase steps of known signs: see dsp/stand/dsss_ops.h.
#include "dsp/stand/dsss_ops.h"

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

#define AT_ONCE 16

static void sums(const float *restrict x, const short *restrict plus, size_t n_plus,
                 const short *restrict minus, size_t n_minus, size_t n, float *restrict ret)
{
    for (size_t i = 0; i < n; i += AT_ONCE) {
        vec s[AT_ONCE / VEC];
        for (size_t v = 0; v < AT_ONCE / VEC; v++)
            s[v] = (vec){ 0 };
        for (size_t k = 0; k < n_plus; k++)
            for (size_t v = 0; v < AT_ONCE / VEC; v++)
                s[v] += vec_load(x + i + (size_t)plus[k] + v * VEC);
        for (size_t k = 0; k < n_minus; k++)
            for (size_t v = 0; v < AT_ONCE / VEC; v++)
                s[v] -= vec_load(x + i + (size_t)minus[k] + v * VEC);
        for (size_t v = 0; v < AT_ONCE / VEC; v++)
            vec_store(ret + i + v * VEC, s[v]);
    }
}

static void pairs(const float *restrict are, const float *restrict aim, const float *restrict bre,
                  const float *restrict bim, float limit, size_t n, uint16_t *restrict over)
{
    for (size_t i = 0; i < n; i += AT_ONCE) {
        unsigned mask = 0;
        for (size_t v = 0; v < AT_ONCE; v += VEC) {
            vec re = vec_load(are + i + v) + vec_load(bre + i + v);
            vec im = vec_load(aim + i + v) + vec_load(bim + i + v);
            mask |= vec_over(re * re + im * im, vec_splat(limit)) << v;
        }
        over[i / AT_ONCE] = (uint16_t)mask;
    }
}

extern const struct dsss_ops CAT(dsss_ops, ISA);
const struct dsss_ops CAT(dsss_ops, ISA) = { sums, pairs };
