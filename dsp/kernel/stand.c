// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing detectors: see dsp/stand/ops.h.
#include "dsp/stand/ops.h"

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

INLINE vec swap_pairs(vec v)
{
#if VEC == 16
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif VEC == 8
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
#endif
}

INLINE vec even_twice(vec v)
{
#if VEC == 16
    return __builtin_shufflevector(v, v, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
#elif VEC == 8
    return __builtin_shufflevector(v, v, 0, 0, 2, 2, 4, 4, 6, 6);
#else
    return __builtin_shufflevector(v, v, 0, 0, 2, 2);
#endif
}

INLINE vec odd_twice(vec v)
{
#if VEC == 16
    return __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15);
#elif VEC == 8
    return __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7);
#else
    return __builtin_shufflevector(v, v, 1, 1, 3, 3);
#endif
}

// -1, 1, -1, 1, ...
INLINE vec signs(void)
{
    static const float x[16] = { -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1 };
    return vec_load(x);
}

typedef uint64_t __attribute__((may_alias)) sample;     // moved in one piece

static void split(const float complex *restrict x, size_t n, float complex *const part[4])
{
    sample *restrict a = (sample *)part[0], *restrict b = (sample *)part[1];
    sample *restrict c = (sample *)part[2], *restrict d = (sample *)part[3];
    const sample *restrict in = (const sample *)x;
    for (size_t i = 0; i < n; i++) {
        a[i] = in[4 * i];
        b[i] = in[4 * i + 1];
        c[i] = in[4 * i + 2];
        d[i] = in[4 * i + 3];
    }
}

// Pairs of real and imaginary part, times pairs.
INLINE vec pairs_times(vec v, vec w)
{
    return v * even_twice(w) + swap_pairs(v) * (odd_twice(w) * signs());
}

static void join(const float complex *const part[4], const float complex *restrict turns, size_t n,
                 float complex *restrict out)
{
    const float *a = (const float *)part[0], *b = (const float *)part[1];
    const float *c = (const float *)part[2], *d = (const float *)part[3];
    const float *t = (const float *)turns;
    float *to = (float *)out;
    for (size_t i = 0; i < 2 * n; i += VEC) {       // n is a multiple of 128
        vec u = vec_load(a + i), v = pairs_times(vec_load(b + i), vec_load(t + i));
        vec w = pairs_times(vec_load(c + i), vec_load(t + 2 * n + i));
        vec x = pairs_times(vec_load(d + i), vec_load(t + 4 * n + i));
        vec s = u + w, m = u - w, p = v + x, q = -(swap_pairs(v - x) * signs());
        vec_store(to + i, s + p);
        vec_store(to + 2 * n + i, m + q);
        vec_store(to + 4 * n + i, s - p);
        vec_store(to + 6 * n + i, m - q);
    }
}

static void weigh(const float complex *restrict x, const float *restrict w, float complex turn_by,
                  size_t n, float complex *restrict out)
{
    const float *in = (const float *)x, *by = (const float *)&turn_by;
    float *to = (float *)out;
    vec c = vec_splat(by[0]), d = vec_splat(by[1]) * signs();
    size_t i = 0;
    for (; i + VEC <= 2 * n; i += VEC) {
        vec v = vec_load(in + i);
        vec_store(to + i, (v * c + swap_pairs(v) * d) * vec_load(w + i));
    }
    for (; i < 2 * n; i += 2) {
        float a = in[i], b = in[i + 1];
        to[i] = (a * by[0] - b * by[1]) * w[i];
        to[i + 1] = (b * by[0] + a * by[1]) * w[i];
    }
}

extern const struct stand_ops CAT(stand_ops, ISA);
const struct stand_ops CAT(stand_ops, ISA) = { split, join, weigh };
