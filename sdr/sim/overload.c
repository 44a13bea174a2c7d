// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/sim/overload.h"

#include <math.h>

static void amplify(const struct scene_receiver *rx, const struct overload_now *now,
                    float complex *x, size_t n)
{
    float g = (float)pow(10, now->gain_db / 20), third = 0;
    if (rx->intercept_dbfs < SCENE_NO_IP3)
        third = (float)pow(10, -rx->intercept_dbfs / 10);
    if (!(fabs(now->gain_db) > 0) && !(third > 0))
        return;
    for (size_t i = 0; i < n; i++) {
        float re = g * crealf(x[i]), im = g * cimagf(x[i]);
        // beyond its greatest output an amplifier stays there
        float v = 1 - fminf(third * (re * re + im * im), 1 / 3.0f);
        x[i] = CMPLXF(v * re, v * im);
    }
}

// The multiples of its reference that fall into the capture, at their own level whatever the gain.
static void clock_spurs(const struct scene_receiver *rx, const struct overload_now *now,
                        float complex *x, size_t n)
{
    if (!(rx->clock_hz > 0) || !(rx->clock_dbfs > -300))
        return;
    double lo = now->centre_hz - now->rate_hz / 2, hi = now->centre_hz + now->rate_hz / 2;
    double a = pow(10, rx->clock_dbfs / 20);
    for (double k = fmax(ceil(lo / rx->clock_hz), 1); k * rx->clock_hz < hi; k++) {
        double turns = (k * rx->clock_hz - now->centre_hz) / now->rate_hz;
        double at = fmod(turns * (double)(now->n0 % 1048576), 1) +
                    fmod(turns * 1048576, 1) * (double)(now->n0 / 1048576);
        double complex v = a * cexp(2 * M_PI * I * (at - floor(at)));
        double complex step = cexp(2 * M_PI * I * turns);
        for (size_t i = 0; i < n; i++, v *= step)
            x[i] += (float complex)v;
    }
}

double overload_noise(const struct scene_receiver *rx, const float complex *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)(crealf(x[i]) * crealf(x[i]) + cimagf(x[i]) * cimagf(x[i]));
    return 1 + sum / (double)n / pow(10, rx->blocking_dbfs / 10);
}

void overload_apply(const struct scene_receiver *rx, const struct overload_now *now,
                    float complex *x, size_t n)
{
    amplify(rx, now, x, n);
    clock_spurs(rx, now, x, n);
}
