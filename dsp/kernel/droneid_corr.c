// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the DroneID correlator: see dsp/droneid/corr.c.
#include "dsp/droneid/corr.h"

#include <stdint.h>
#include <string.h>

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

static void power(const float complex *restrict x, size_t n, float complex *restrict s,
                  float *restrict p)
{
    const float *xf = (const float *)x;
    memcpy(s, x, n * sizeof(*s));
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

static void combine(const float *const p[], size_t m, size_t n, float *restrict e,
                    float *restrict level)
{
    const float *restrict p0 = p[0], *restrict p1 = p[1], *restrict p2 = p[2], *restrict p3 = p[3];
    const float *restrict p4 = p[m - 1];            // unused with four
    if (m == 5)
        for (size_t i = 0; i < n; i++)
            e[i] = p0[i] + p1[i] + p2[i] + p3[i] + p4[i];
    else
        for (size_t i = 0; i < n; i++)
            e[i] = p0[i] + p1[i] + p2[i] + p3[i];
    for (size_t b = 0; b < n / CORR_LEVEL; b++) {
        float sum = 0;
        for (size_t i = 0; i < CORR_LEVEL; i++)
            sum += e[b * CORR_LEVEL + i];
        level[b] = sum;
    }
}

static float top(const float *restrict e, size_t n)
{
    float t[CORR_LEVEL];
    memcpy(t, e, sizeof(t));
    for (size_t b = CORR_LEVEL; b < n; b += CORR_LEVEL)
        for (size_t i = 0; i < CORR_LEVEL; i++)
            t[i] = e[b + i] > t[i] ? e[b + i] : t[i];
    for (size_t i = 1; i < CORR_LEVEL; i++)
        t[0] = t[i] > t[0] ? t[i] : t[0];
    return t[0];
}

extern const struct corr_ops CAT(corr_ops, ISA);
const struct corr_ops CAT(corr_ops, ISA) = { geometric, filter, power, combine, top, read_off };
