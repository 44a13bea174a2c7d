// SPDX-License-Identifier: GPL-3.0-or-later
// The law of walks.  A uniform step's part along one direction has the moment generating function
// I0(t); I(rho) = rho t - ln I0(t) where I1(t) / I0(t) = rho.
#include "dsp/stand/walk.h"

#include <math.h>

#include "hw/hw.h"

HW_PICK(walk_ops, walk_ops)

// I0 and I1 by their series.
static void bessel(double t, double *ret_i0, double *ret_i1)
{
    double term = 1, i0 = 1, i1 = t / 2;
    for (int k = 1; k < 200 && term > 1e-18 * i0; k++) {
        term *= t * t / 4 / (k * (double)k);
        i0 += term;
        i1 += term * t / 2 / (k + 1);
    }
    *ret_i0 = i0;
    *ret_i1 = i1;
}

double walk_tail(unsigned k, double rho)
{
    double lo = 0, hi = 60, i0, i1;
    if (!(rho > 0))
        return 1;
    for (int i = 0; i < 60; i++) {
        double t = (lo + hi) / 2;
        bessel(t, &i0, &i1);
        if (i1 < rho * i0)
            lo = t;
        else
            hi = t;
    }
    bessel(lo, &i0, &i1);
    return exp(-(double)k * (rho * lo - log(i0)));
}
