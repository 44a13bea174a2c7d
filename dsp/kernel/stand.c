// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing detectors: see dsp/stand/ops.h.
#include "dsp/stand/ops.h"

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

// a and b of each pair of places, for __builtin_shufflevector.
#define PAIR2(a, b)  a, b, 2 + (a), 2 + (b)
#define PAIR4(a, b)  PAIR2(a, b), PAIR2(4 + (a), 4 + (b))
#define PAIR8(a, b)  PAIR4(a, b), PAIR4(8 + (a), 8 + (b))
#if VEC == 16
#define PAIRS PAIR8
#elif VEC == 8
#define PAIRS PAIR4
#else
#define PAIRS PAIR2
#endif

INLINE vec swap_pairs(vec v) { return __builtin_shufflevector(v, v, PAIRS(1, 0)); }
INLINE vec even_twice(vec v) { return __builtin_shufflevector(v, v, PAIRS(0, 0)); }
INLINE vec odd_twice(vec v)  { return __builtin_shufflevector(v, v, PAIRS(1, 1)); }

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
