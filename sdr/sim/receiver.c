// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's own marks.  A direct-conversion receiver whose quadrature arm has gain g and is
// off by the angle p gives  I' = I,  Q' = g (Q cos p + I sin p):  each signal gets an image at the
// mirrored frequency, |1 - g e^(-jp)|^2 / |1 + g e^(jp)|^2 of its power.  Then DC, then the
// converter.
#include <math.h>

#include "sdr/sim/noise.h"

static void imbalance(const struct scene_receiver *rx, float complex *x, size_t n)
{
    double g = pow(10, rx->iq_gain_db / 20), p = rx->iq_phase_deg * M_PI / 180;
    float gc = (float)(g * cos(p)), gs = (float)(g * sin(p));
    if (rx->iq_gain_db == 0 && rx->iq_phase_deg == 0)
        return;
    for (size_t i = 0; i < n; i++)
        x[i] = CMPLXF(crealf(x[i]), gc * cimagf(x[i]) + gs * crealf(x[i]));
}

static void offset(const struct scene_receiver *rx, float complex *x, size_t n)
{
    if (!(rx->dc_dbfs > -300))
        return;
    double a = pow(10, rx->dc_dbfs / 20), p = rx->dc_deg * M_PI / 180;
    float complex dc = CMPLXF((float)(a * cos(p)), (float)(a * sin(p)));
    for (size_t i = 0; i < n; i++)
        x[i] += dc;
}

static inline float clip(float v) { return v > 1 ? 1 : v < -1 ? -1 : v; }

// Round to nearest, to even from the middle: the sum pushes the fraction out of a float's mantissa.
static inline float round_even(float v) { return (v + 0x1.8p23f) - 0x1.8p23f; }

void receiver_apply(const struct scene_receiver *rx, float complex *x, size_t n)
{
    imbalance(rx, x, n);
    offset(rx, x, n);
    float *v = (float *)x;
    for (size_t i = 0; i < 2 * n; i++)
        v[i] = clip(v[i]);
    if (!rx->adc_bits)
        return;
    float full = (float)((1 << (rx->adc_bits - 1)) - 1), step = 1 / full;
    for (size_t i = 0; i < 2 * n; i++)
        v[i] = round_even(v[i] * full) * step;
}

void receiver_ci16(const float complex *x, short *restrict dst, size_t n)
{
    const float *v = (const float *)x;
    for (size_t i = 0; i < 2 * n; i++)
        dst[i] = (short)round_even(v[i] * 32767);
}
