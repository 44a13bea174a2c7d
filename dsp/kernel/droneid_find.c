// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the search for a DroneID burst's root 147: see dsp/droneid/sync.c.  Sums run in 16
// lanes in every build, so that all of them agree to the last bit.
#include "dsp/droneid/hot.h"

#include <stdint.h>
#include <string.h>

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

#define LANES 16
#define SIDE  3                         // a carrier's power is that of seven

void CAT(droneid_turn, ISA)(const float complex *restrict x, const float complex *restrict t,
                            size_t n, float complex *restrict w)
{
    const float *xf = (const float *)x, *tf = (const float *)t;
    float *wf = (float *)w;
    for (size_t i = 0; i < n; i++) {
        float re = xf[2 * i] * tf[2 * i] - xf[2 * i + 1] * tf[2 * i + 1];
        float im = xf[2 * i] * tf[2 * i + 1] + xf[2 * i + 1] * tf[2 * i];
        wf[2 * i] = re;
        wf[2 * i + 1] = im;
    }
}

// Geometric mean from the bits of floats: exponent plus mantissa is the logarithm but for a ripple
// whose mean, 0.057, is put back (as in droneid_corr.c).
static float geometric(const float *restrict s)
{
    uint64_t sum = 0;
    float g;
    for (size_t i = 0; i < WHITEN_LEN; i++) {
        uint32_t bits;
        memcpy(&bits, s + i, sizeof(bits));
        sum += bits;
    }
    uint32_t mean = (uint32_t)(sum / WHITEN_LEN) + (uint32_t)(0.057f * 8388608);
    memcpy(&g, &mean, sizeof(g));
    return g;
}

void CAT(droneid_whiten, ISA)(float complex *restrict y, float over)
{
    float p[WHITEN_LEN + 2 * SIDE] = { 0 }, s[WHITEN_LEN], *yf = (float *)y;
    for (size_t i = 0; i < WHITEN_LEN; i++)
        p[SIDE + i] = yf[2 * i] * yf[2 * i] + yf[2 * i + 1] * yf[2 * i + 1] + 1e-30f;
    for (size_t i = 0; i < WHITEN_LEN; i++)
        s[i] = (p[i] + p[i + 1] + p[i + 2] + p[i + 3] + p[i + 4] + p[i + 5] + p[i + 6]) *
               (1.f / (2 * SIDE + 1));
    float limit = over * geometric(s);
    for (size_t i = 0; i < WHITEN_LEN; i++)
        s[i] = s[i] > limit ? limit / s[i] : 1.f;
    for (size_t i = 0; i < WHITEN_LEN; i++) {
        yf[2 * i] *= s[i];
        yf[2 * i + 1] *= s[i];
    }
}

float CAT(droneid_against, ISA)(const float complex *restrict y, const float complex *restrict z,
                                size_t n, float complex *restrict w)
{
    float e[LANES] = { 0 };
    float *wf = (float *)w;
    CAT(droneid_turn, ISA)(y, z, n, w);
    size_t i = 0;
    for (; i + LANES <= 2 * n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            e[k] += wf[i + k] * wf[i + k];
    for (; i < 2 * n; i++)
        e[0] += wf[i] * wf[i];
    for (size_t k = 1; k < LANES; k++)
        e[0] += e[k];
    return e[0];
}
