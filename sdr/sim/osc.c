// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/sim/osc.h"

#include <math.h>

uint64_t osc_of(double x)
{
    x -= floor(x);
    return x < 1 ? (uint64_t)ldexp(x, 64) : 0;
}

static double radians(uint64_t phase) { return (double)(phase >> 11) * (2 * M_PI * 0x1p-53); }

void osc_init(struct osc *o, uint64_t phase, uint64_t inc, double amp)
{
    o->phase = phase;
    o->inc = inc;
    for (unsigned k = 0; k < OSC; k++) {
        double a = radians(k * inc);
        o->re[k] = (float)(amp * cos(a));
        o->im[k] = (float)(amp * sin(a));
    }
}

void osc_turn(const struct osc *o, uint64_t at, size_t n, float *restrict re,
              float *restrict im)
{
    unsigned k0 = at % OSC;
    double a = radians(o->phase + (at - k0) * o->inc);
    float c = (float)cos(a), s = (float)sin(a);
    for (size_t i = 0; i < n; i++) {
        float tr = o->re[k0 + i], ti = o->im[k0 + i], r = re[i];
        float pr = tr * c - ti * s, pi = tr * s + ti * c;
        re[i] = r * pr - im[i] * pi;
        im[i] = r * pi + im[i] * pr;
    }
}

size_t osc_run(uint64_t at, uint64_t end)
{
    uint64_t stop = (at / OSC + 1) * OSC;
    return (size_t)((stop < end ? stop : end) - at);
}
