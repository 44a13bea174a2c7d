// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the DroneID correlator: see dsp/droneid/corr.c.
#include "dsp/droneid/corr.h"

#include <stdint.h>
#include <string.h>

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

#define BINS_MAX 4096

// A bin this far above the band's geometric mean is no part of noise or of a wide signal, both of
// which are exponential: exp(-0.5772) of the mean is the geometric one, so the chance is
// exp(-21.4 * 0.56) = 6e-6.  It is somebody's narrow signal.
#define STANDS_OUT 21.4f

// Geometric mean of n positive floats from their bits: exponent plus mantissa is the logarithm but
// for a ripple of 0.086 whose mean, 0.057, is put back.
static float geometric(const uint32_t *bits, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bits[i];
    uint32_t mean = (uint32_t)(sum / n) + (uint32_t)(0.057f * 8388608);
    float g;
    memcpy(&g, &mean, sizeof(g));
    return g;
}

static void filter(const float complex *restrict x, const float complex *restrict f, size_t n,
                   float complex *restrict dst)
{
    union { float f[BINS_MAX]; uint32_t bits[BINS_MAX]; } p;
    const float *xf = (const float *)x, *ff = (const float *)f;
    float *df = (float *)dst;
    for (size_t i = 0; i < n; i++)
        p.f[i] = xf[2 * i] * xf[2 * i] + xf[2 * i + 1] * xf[2 * i + 1];
    float limit = STANDS_OUT * geometric(p.bits, n);
    for (size_t i = 0; i < n; i++) {
        float keep = p.f[i] > limit ? 0.f : 1.f;
        float re = xf[2 * i] * keep, im = xf[2 * i + 1] * keep;
        df[2 * i] = re * ff[2 * i] - im * ff[2 * i + 1];
        df[2 * i + 1] = re * ff[2 * i + 1] + im * ff[2 * i];
    }
}

static void power(const float complex *restrict s, size_t n, float *restrict p)
{
    const float *sf = (const float *)s;
    for (size_t i = 0; i < n; i++)
        p[i] = sf[2 * i] * sf[2 * i] + sf[2 * i + 1] * sf[2 * i + 1];
}

static void combine(const float *const p[], size_t m, size_t n, float *restrict e,
                    float *restrict level)
{
    for (size_t b = 0; b < n / CORR_LEVEL; b++) {
        float sum = 0, *restrict o = e + b * CORR_LEVEL;
        memcpy(o, p[0] + b * CORR_LEVEL, CORR_LEVEL * sizeof(*o));
        for (size_t k = 1; k < m; k++) {
            const float *restrict q = p[k] + b * CORR_LEVEL;
            for (size_t i = 0; i < CORR_LEVEL; i++)
                o[i] += q[i];
        }
        for (size_t i = 0; i < CORR_LEVEL; i++)
            sum += o[i];
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
const struct corr_ops CAT(corr_ops, ISA) = { filter, power, combine, top };
