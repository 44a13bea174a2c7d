// SPDX-License-Identifier: GPL-3.0-or-later
// How much power a tile must hold: the gamma tail of its degrees of freedom.
#include <math.h>

#include "dsp/front/tiles.h"

// log of the upper tail of a gamma variable of shape a (continued fraction, x > a + 1).
static double log_tail(double a, double x)
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;

    for (int i = 1; i < 200; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-9)
            break;
    }
    return a * log(x) - x - lgamma(a) + log(h);
}

double tiles_threshold(double dof, double pfa)
{
    double lo = dof + 1, hi = dof + 40 + 12 * sqrt(dof);

    for (int i = 0; i < 50; i++) {
        double mid = (lo + hi) / 2;
        if (log_tail(dof, mid) > log(pfa))
            lo = mid;
        else
            hi = mid;
    }
    double x = hi / dof;
    return x > TILE_LEAST ? x : TILE_LEAST;
}

// Exact at a few points, straight between them: the curve is smooth.
void tiles_thresholds(float *ret, int n, double pfa)
{
    int from = 1;
    double a = tiles_threshold(1, pfa);

    ret[0] = HUGE_VALF;
    ret[1] = (float)a;
    while (from < n) {
        int to = from + from / 32 + 1 < n ? from + from / 32 + 1 : n;
        double b = tiles_threshold(to, pfa) * to;
        for (int i = from + 1; i <= to; i++)
            ret[i] = (float)(a + (b - a) * (i - from) / (to - from));
        a = b;
        from = to;
    }
}
