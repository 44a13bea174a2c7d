// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/shape.h"

#include <math.h>
#include <stdbool.h>

// Rises of the profile from one group to the next, in dB per 1 % of the band.
#define GENTLE_DB   0.4         // over SPAN_GROUPS: the device's shape, whatever else it does
#define SPAN_GROUPS 6
#define RISE_MAX_DB 3.0         // in all, where the profile is not as steady as noise
#define SHARP_DB    2.2         // steeper than any anti-alias filter: a signal's edge
#define FALL_BACK_DB 0.7        // within so much of the held floor again: the signal has ended
#define STEADY      1.8         // spread over time, over what noise alone would show

struct profile { const double *low, *spread; unsigned n; double noise; };

static double smooth3(const double *x, unsigned n, unsigned i)
{
    double a = x[i ? i - 1 : 0], b = x[i], c = x[i + 1 < n ? i + 1 : n - 1];
    return fmax(fmin(a, b), fmin(fmax(a, b), c));      // median
}

// From the quietest group outwards: step is +1 or -1.
static void walk(const struct profile *p, unsigned from, int step, double *ret)
{
    double per_group = 100.0 / p->n;                    // % of the band
    double gentle = GENTLE_DB * per_group * SPAN_GROUPS + p->noise;
    double sharp = SHARP_DB * per_group + p->noise, s = ret[from], start = s;
    bool held = false;

    for (int i = (int)from + step; i >= 0 && i < (int)p->n; i += step) {
        int back = i - step * SPAN_GROUPS;
        if ((back - (int)from) * step < 0)
            back = (int)from;
        double q = smooth3(p->low, p->n, (unsigned)i);
        double last = smooth3(p->low, p->n, (unsigned)(i - step));
        bool steady = p->spread[i] >= 0 && p->spread[i] < STEADY;
        bool rises = q - ret[back] > gentle || q - start > RISE_MAX_DB + p->noise;
        if (held)
            held = q > s + FALL_BACK_DB + p->noise;
        else
            held = q - last > sharp || q - s > sharp || (rises && !steady);
        if (!held)
            s += (q < s ? 0.7 : 0.5) * (q - s);
        ret[i] = s;
    }
}

void shape_of(const double *low, const double *spread, unsigned n, double noise, double *ret)
{
    const struct profile p = { low, spread, n, noise };
    // The outermost 4 % lie in anti-alias filters and must not set the level.
    unsigned skip = n / 25 + 1, best = n / 2;
    double least = HUGE_VAL;

    for (unsigned i = skip; i < n - skip; i++) {
        double q = smooth3(low, n, i);
        if (q < least) {
            least = q;
            best = i;
        }
    }
    // The lowest of many is low by luck too: its neighbours, if they are alike, are the mean.
    double sum = 0, m = 0;
    for (unsigned i = 0; i < n; i++)
        if (fabs((double)i - best) <= 4 && low[i] < least + 1.0) {
            sum += low[i];
            m++;
        }
    ret[best] = m > 0 ? sum / m : least;
    walk(&p, best, +1, ret);
    walk(&p, best, -1, ret);
}

