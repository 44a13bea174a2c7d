// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/sim/osc.h"

#include <math.h>

uint64_t osc_of(double x)
{
    x -= floor(x);
    return x < 1 ? (uint64_t)ldexp(x, 64) : 0;
}

// cos and sin of a phase to 1e-10: an eighth of a turn either side of the nearest quarter, by
// Chebyshev's polynomials.  Not libm's, whose last bits differ between machines.
static void turn_of(uint64_t phase, double *ret_c, double *ret_s)
{
    uint64_t quarter = (phase + ((uint64_t)1 << 61)) >> 62;
    double y = (double)(int64_t)(phase - (quarter << 62)) * 0x1p-61, z = y * y;     // -1 .. 1
    double s = y * ((((3.089744016e-07 * z - 3.657234793e-05) * z + 2.490393182e-03) * z -
                     8.074551201e-02) * z + 7.853981634e-01);
    double c = (((3.528754532e-06 * z - 3.259364859e-04) * z + 1.585432390e-02) * z -
                3.084251349e-01) * z + 9.999999999e-01;
    *ret_c = quarter & 1 ? s : c;
    *ret_s = quarter & 1 ? c : s;
    if (quarter == 1 || quarter == 2)
        *ret_c = -*ret_c;
    if (quarter >= 2)
        *ret_s = -*ret_s;
}

void osc_init(struct osc *o, uint64_t phase, uint64_t inc, double amp)
{
    o->phase = phase;
    o->inc = inc;
    for (unsigned k = 0; k < OSC; k++) {
        double c, s;
        turn_of(k * inc, &c, &s);
        o->re[k] = (float)(amp * c);
        o->im[k] = (float)(amp * s);
    }
}

struct osc_turns osc_at(const struct osc *o, uint64_t at)
{
    unsigned k0 = at % OSC;
    double c, s;
    turn_of(o->phase + (at - k0) * o->inc, &c, &s);
    return (struct osc_turns){ o->re + k0, o->im + k0, (float)c, (float)s };
}

size_t osc_run(uint64_t at, uint64_t end)
{
    uint64_t stop = (at / OSC + 1) * OSC;
    return (size_t)((stop < end ? stop : end) - at);
}
