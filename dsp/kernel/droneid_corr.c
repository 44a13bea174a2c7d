// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the DroneID correlator: see dsp/droneid/corr.c.
#include "dsp/droneid/corr.h"

#include <stdint.h>
#include <string.h>

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

#define BINS_MAX 4096

// Geometric mean of n powers from the bits of floats: exponent plus mantissa is the logarithm but
// for a ripple of 0.086 whose mean, 0.057, is put back.
static float geometric(const float complex *restrict x, size_t n)
{
    union { float f[BINS_MAX]; uint32_t bits[BINS_MAX]; } p;
    const float *xf = (const float *)x;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        p.f[i] = xf[2 * i] * xf[2 * i] + xf[2 * i + 1] * xf[2 * i + 1];
    for (size_t i = 0; i < n; i++)
        sum += p.bits[i];
    uint32_t mean = (uint32_t)(sum / n) + (uint32_t)(0.057f * 8388608);
    float g;
    memcpy(&g, &mean, sizeof(g));
    return g;
}

static void apply(const float *restrict x, const float *restrict f, float limit, size_t n,
                  float *restrict dst)
{
    for (size_t i = 0; i < n; i++) {
        float keep = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1] > limit ? 0.f : 1.f;
        float re = x[2 * i] * keep, im = x[2 * i + 1] * keep;
        dst[2 * i] = re * f[2 * i] - im * f[2 * i + 1];
        dst[2 * i + 1] = re * f[2 * i + 1] + im * f[2 * i];
    }
}

static void filter(const float complex *restrict x, const float complex *restrict f, float limit,
                   size_t n, float complex *restrict ring, size_t len, size_t at)
{
    const float *xf = (const float *)x, *ff = (const float *)f;
    float *rf = (float *)ring;
    size_t head = len - at < n ? len - at : n;
    apply(xf, ff, limit, head, rf + 2 * at);
    apply(xf + 2 * head, ff + 2 * head, limit, n - head, rf);
    // what is left of the ring stays empty
    size_t tail = n - head;
    memset(rf + 2 * tail, 0, 2 * (at - tail) * sizeof(*rf));
    memset(rf + 2 * (at + head), 0, 2 * (len - at - head) * sizeof(*rf));
}

static void power(const float complex *restrict x, size_t n, float *restrict p)
{
    const float *xf = (const float *)x;
    for (size_t i = 0; i < n; i++)
        p[i] = xf[2 * i] * xf[2 * i] + xf[2 * i + 1] * xf[2 * i + 1];
}

static void read_off(const float complex *restrict s, const float *restrict re,
                     const float *restrict im, float *restrict a_re, float *restrict a_im)
{
    for (size_t i = 0; i < CORR_TAPS; i++) {
        float x = ((const float *)(s + i))[0], y = ((const float *)(s + i))[1];
        for (size_t m = 0; m < CORR_READS; m++) {
            a_re[m] += x * re[i * CORR_READS + m] - y * im[i * CORR_READS + m];
            a_im[m] += x * im[i * CORR_READS + m] + y * re[i * CORR_READS + m];
        }
    }
}

// Sums of VEC vectors' elements, or the largest, as one vector: halves of pairs, again and again.
INLINE vec sums_of(vec *x)
{
    for (size_t n = VEC / 2; n; n /= 2)
        for (size_t i = 0; i < n; i++)
            x[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], VEC_EVEN) +
                   __builtin_shufflevector(x[2 * i], x[2 * i + 1], VEC_ODD);
    return x[0];
}

INLINE vec tops_of(vec *x)
{
    for (size_t n = VEC / 2; n; n /= 2)
        for (size_t i = 0; i < n; i++)
            x[i] = vec_max(__builtin_shufflevector(x[2 * i], x[2 * i + 1], VEC_EVEN),
                           __builtin_shufflevector(x[2 * i], x[2 * i + 1], VEC_ODD));
    return x[0];
}

INLINE void pieces(const float *const p[], size_t m, struct corr_level *l)
{
    for (size_t from = 0; from < ROOM; from += VEC) {
        vec sum[VEC], most[VEC];
        for (size_t b = 0; b < VEC; b++) {
            size_t at = (from + b) * CORR_LEVEL;
            sum[b] = most[b] = (vec){ 0 };
            for (size_t i = 0; i < CORR_LEVEL && from + b < FRESH; i += VEC) {
                vec x = vec_load(p[0] + at + i) + vec_load(p[1] + at + i) +
                        vec_load(p[2] + at + i) + vec_load(p[3] + at + i);
                if (m == 5)
                    x += vec_load(p[4] + at + i);
                sum[b] += x;
                most[b] = vec_max(x, most[b]);
            }
        }
        vec_store(l->sum + LEVELS + from, sums_of(sum));
        vec_store(l->top + LEVELS + from, tops_of(most));
    }
}

static bool combine(const float *const p[], size_t m, float factor, struct corr_level *l,
                    float *restrict limit)
{
    bool over = false;
    memmove(l->sum, l->sum + FRESH, LEVELS * sizeof *l->sum);
    memmove(l->top, l->top + FRESH, LEVELS * sizeof *l->top);
    if (m == 5)
        pieces(p, 5, l);
    else
        pieces(p, 4, l);
    for (size_t b = 0; b < ROOM; b += VEC) {
        vec sum = { 0 };
        for (size_t i = 0; i <= LEVELS; i++)
            sum += vec_load(l->sum + b + i);
        vec_store(limit + b, sum * factor);
    }
    for (size_t b = 0; b < FRESH; b++)
        over |= l->top[LEVELS / 2 + b] > limit[b];
    return over;
}

extern const struct corr_ops CAT(corr_ops, ISA);
const struct corr_ops CAT(corr_ops, ISA) = { geometric, filter, power, combine, read_off };
