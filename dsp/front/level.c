// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/front/gamma.h"

#define OLD_S     0.1           // a generation of windows; the last one and this one count
#define PER_TWO   16            // bins from one power to its double, 0.3 dB; even in the power
#define LOWEST_2  -64           // log2 of the first bin: below any quantisation noise
#define BINS      (72 * PER_TWO)
#define SHIFT     19            // bits of a float's mantissa that a bin does not look at
#define START     0.02          // quantile that is noise in any case
#define CUT       1.0           // standard deviations of noise above its mean
#define ROUNDS    8             // each halves what the start was off
#define CURVE     256           // points of the truncated mean
#define CURVE_TO  4.0

struct levels {
    unsigned  groups;
    double    dof, cut;
    uint16_t *count[2];         // [groups][BINS], this generation's and the last one's
    uint16_t *first[2];         // [groups]: first bin that is not empty
    unsigned  n[2], old;        // windows in them; so many make a generation
    double    curve[CURVE + 1]; // mean of noise of mean 1 below x = i * CURVE_TO / CURVE
    double    begin[BINS + 1];  // power at which a bin begins
};

// Of a gamma variable of mean 1: what lies below x on average.
static void make_curve(struct levels *l)
{
    double sum = 0, mass = 0, step = CURVE_TO / CURVE / 8, top = (l->dof - 1) / l->dof;

    l->curve[0] = 0;
    for (unsigned i = 0; i < 8 * CURVE; i++) {
        double x = (i + 0.5) * step;
        // Over its highest, lest it overflow.
        double p = exp((l->dof - 1) * log(x / top) - l->dof * (x - top));
        sum += x * p;
        mass += p;
        if (i % 8 == 7)
            l->curve[i / 8 + 1] = mass > 0 ? sum / mass : x;
    }
}

static double mean_below(const struct levels *l, double x)
{
    double at = x * (CURVE / CURVE_TO);
    unsigned i = (unsigned)at;

    if (i >= CURVE)
        return 1;
    return l->curve[i] + (at - i) * (l->curve[i + 1] - l->curve[i]);
}

struct levels *levels_new(unsigned groups, double per_s, double dof)
{
    struct levels *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->groups = groups;
    l->dof = dof > 2 ? dof : 2;
    l->cut = 1 + CUT / sqrt(l->dof);
    l->old = (unsigned)fmin(fmax(OLD_S * per_s, 16), UINT16_MAX);
    for (unsigned g = 0; g < 2; g++) {
        l->count[g] = calloc((size_t)groups * BINS, sizeof **l->count);
        l->first[g] = calloc(groups, sizeof **l->first);
        if (!l->count[g] || !l->first[g]) {
            levels_free(l);
            return NULL;
        }
    }
    make_curve(l);
    for (int bin = 0; bin <= BINS; bin++)
        l->begin[bin] = ldexp(1 + (double)(bin % PER_TWO) / PER_TWO, LOWEST_2 + bin / PER_TWO);
    levels_forget(l);
    return l;
}

void levels_free(struct levels *l)
{
    if (!l)
        return;
    for (unsigned g = 0; g < 2; g++) {
        free(l->count[g]);
        free(l->first[g]);
    }
    free(l);
}

static void clear(struct levels *l, unsigned g)
{
    memset(l->count[g], 0, (size_t)l->groups * BINS * sizeof **l->count);
    for (unsigned i = 0; i < l->groups; i++)
        l->first[g][i] = BINS - 1;
    l->n[g] = 0;
}

void levels_forget(struct levels *l)
{
    clear(l, 0);
    clear(l, 1);
}

static unsigned bin_of(float power)
{
    union { float f; int32_t u; } bits = { power };
    int bin = (bits.u >> SHIFT) - (127 + LOWEST_2) * PER_TWO;   // negative: below all

    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : (unsigned)bin;
}

void levels_add(struct levels *l, const float *power)
{
    if (l->n[0] == l->old) {
        uint16_t *count = l->count[1], *first = l->first[1];
        l->count[1] = l->count[0];
        l->first[1] = l->first[0];
        l->n[1] = l->n[0];
        l->count[0] = count;
        l->first[0] = first;
        clear(l, 0);
    }
    for (unsigned i = 0; i < l->groups; i++) {
        unsigned bin = bin_of(power[i]);
        l->count[0][(size_t)i * BINS + bin]++;
        if (bin < l->first[0][i])
            l->first[0][i] = (uint16_t)bin;
    }
    l->n[0]++;
}

bool levels_known(const struct levels *l) { return l->n[0] + l->n[1] > 0; }

double levels_of(const struct levels *l, unsigned group)
{
    const uint16_t *a = l->count[0] + (size_t)group * BINS, *b = l->count[1] + (size_t)group * BINS;
    unsigned first = l->first[0][group] < l->first[1][group] ? l->first[0][group]
                                                             : l->first[1][group];
    unsigned n = l->n[0] + l->n[1], k = (unsigned)(START * n), bin = first, seen = a[bin] + b[bin];

    while (seen <= k && bin + 1 < BINS) {
        bin++;
        seen += (unsigned)a[bin] + b[bin];
    }
    double in = 1 - (seen - k - 0.5) / (a[bin] + b[bin]);       // how far into its bin
    double x = l->begin[bin] + in * (l->begin[bin + 1] - l->begin[bin]);
    double level = x / gamma_quantile((k + 0.6) / (n + 0.2), l->dof);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned end = bin_of((float)(l->cut * level)) + 1;
        double sum = 0, count = 0;
        for (bin = first; bin < end; bin++) {
            double m = a[bin] + b[bin];
            sum += m * 0.5 * (l->begin[bin] + l->begin[bin + 1]);
            count += m;
        }
        if (count <= 0)
            break;
        level = sum / count / mean_below(l, l->begin[end] / level);
    }
    return level;
}
