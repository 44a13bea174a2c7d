// SPDX-License-Identifier: GPL-3.0-or-later
// Extent in frequency and level of one piece (see place.h).
#include <math.h>
#include <string.h>

#include "dsp/front/place.h"

#define TAIL          0.005     // power left out on each side of the extent: 99 % inside
#define SLOW_ROWS     7         // from so many rows on the slow cells give the level

static double to_db(double x) { return 10 * log10(x); }

// Rows of the slow bank that lie well inside a piece, at least one.
static void inner_rows(const struct cells *c, const struct piece *e, uint64_t *ret0, uint64_t *ret1)
{
    double a = e->h0 / ROW_HOPS, b = e->h1 / ROW_HOPS;
    double inset = b - a >= 4 ? 1.0 : b - a >= 2 ? 0.5 : 0;
    double r0 = floor(a + inset), r1 = ceil(b - inset);

    if (r1 <= r0)
        r1 = r0 + 1;
    if (r0 < 0)
        r0 = 0;
    *ret0 = (uint64_t)r0;
    *ret1 = (uint64_t)r1;
    if (*ret1 > c->rows)
        *ret1 = c->rows;
    if (*ret0 >= *ret1)
        *ret0 = *ret1 ? *ret1 - 1 : 0;
}

// Mean power less noise per narrow channel over rows, into p->spec; over how many.
static unsigned spectrum(struct placer *p, const struct place_in *in, const struct stretch *s,
                         uint64_t r0, uint64_t r1, int lo, int hi)
{
    unsigned n = 0, bare = 0;

    memset(p->spec + lo, 0, (size_t)(hi - lo) * sizeof *p->spec);
    for (uint64_t r = r0; r < r1; r++)
        bare += !stretch_hidden(s, r);
    for (uint64_t r = r0; r < r1; r++) {
        if (bare && stretch_hidden(s, r))
            continue;
        n++;
        p->ops->add(p->spec + lo, cells_slow(in->cells, r) + lo, 1, (size_t)(hi - lo));
    }
    for (int k = lo; k < hi; k++)
        p->spec[k] = p->spec[k] / (float)n - in->floor_slow[k];
    return n;
}

// Position (fractional cell, edge based) below which `share` of the power of [lo, hi) lies.
static double share_at(const float *x, int lo, int hi, double total, double share)
{
    double sum = 0;

    for (int k = lo; k < hi; k++) {
        if (x[k] <= 0)
            continue;
        if (sum + x[k] >= share * total)
            return k + (share * total - sum) / x[k];
        sum += x[k];
    }
    return hi;
}

// How far the skirts of a box go on without a break beyond its outermost cell: as long as they are
// over the noise, and weaker than the box itself (else they are somebody else's).
static int skirt_end(const struct placer *p, const struct place_in *in, int from, int to, int step,
                     double sigma, double mean)
{
    int k = from;

    while (k != to && p->spec[k + step] > sigma * in->floor_slow[k + step] &&
           p->spec[k + step] < mean)
        k += step;
    return k;
}

static void extent(struct placer *p, const struct place_in *in, const struct stretch *s,
                   uint64_t r0, uint64_t r1, struct cand *ret)
{
    int n = (int)p->g.slow_n, guard = 2 + (s->hi - s->lo) / 8;
    int lo = s->lo - guard < 0 ? 0 : s->lo - guard, hi = s->hi + guard > n ? n : s->hi + guard;
    unsigned rows = spectrum(p, in, s, r0, r1, lo, hi);
    double sigma = 2 / sqrt(0.5 * rows + 0.5), total = 0, inside = 0;

    for (int k = s->lo; k < s->hi; k++)
        inside += p->spec[k] > 0 ? p->spec[k] : 0;
    lo = skirt_end(p, in, s->lo, lo, -1, sigma, inside / (s->hi - s->lo));
    hi = skirt_end(p, in, s->hi - 1, hi - 1, 1, sigma, inside / (s->hi - s->lo)) + 1;
    for (int k = lo; k < hi; k++)
        total += p->spec[k] > 0 ? p->spec[k] : 0;
    double a = share_at(p->spec, lo, hi, total, TAIL);
    double b = share_at(p->spec, lo, hi, total, 1 - TAIL);
    if (b < a + 0.5)
        b = a + 0.5;
    // Narrow channel k is centred on (k - n/2) spacings.
    ret->f_lo_hz = (a - 0.5 - n / 2) * p->g.slow_hz;
    ret->f_hi_hz = (b - 0.5 - n / 2) * p->g.slow_hz;
    if (a < p->g.edge + 2 || b > n - p->g.edge - 2)
        ret->flags |= BURST_EDGE;
}

static double noise_in(const struct place_in *in, const struct grid *g, double a_hz, double b_hz)
{
    double a = a_hz / g->slow_hz + 0.5 + g->slow_n / 2, b = b_hz / g->slow_hz + 0.5 + g->slow_n / 2;
    int k0 = (int)fmax(0, floor(a)), k1 = (int)fmin(g->slow_n, ceil(b));
    double sum = 0;

    for (int k = k0; k < k1; k++)
        sum += in->bare.slow[k];        // a line in it is no noise
    return k1 > k0 ? sum / (k1 - k0) * (b - a) : 1e-30;
}

void place_measure(struct placer *p, const struct place_in *in, const struct stretch *s,
                   const struct piece *e, struct cand *ret)
{
    const struct cells *c = in->cells;
    uint64_t r0, r1;
    double h0 = fmax(e->h0, 0), h1 = fmin(e->h1, (double)c->samples / p->g.hop);

    inner_rows(c, e, &r0, &r1);
    extent(p, in, s, r0, r1, ret);
    ret->n0 = c->origin + (uint64_t)(h0 * p->g.hop);
    ret->n1 = c->origin + (uint64_t)(h1 * p->g.hop);
    if (ret->n1 <= ret->n0)
        ret->n1 = ret->n0 + 1;
    double level = e->level;
    if (r1 - r0 >= SLOW_ROWS) {
        level = 0;
        for (int k = s->lo; k < s->hi; k++)
            level += p->spec[k];
    }
    double noise = fmax(noise_in(in, &p->g, ret->f_lo_hz, ret->f_hi_hz), 1e-30);
    level = fmax(level, 1e-3 * noise);
    ret->level_dbfs = (float)to_db(level);
    ret->snr_db = (float)to_db(level / noise);
}
