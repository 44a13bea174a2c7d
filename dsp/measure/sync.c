// SPDX-License-Identifier: GPL-3.0-or-later
// Known sequences on the carriers of LTE-like OFDM.
//
// Zadoff-Chu symbols over all carriers, Z[n] = exp(-i pi u n (n+1) / N): neighbours multiplied,
// Z[n+1] conj Z[n] = exp(-2 pi i u (n+1) / N), a tone whose frequency is the root, whatever the
// timing, the phase and the channel's slow ripple.  One transform shows it.
//
// LTE's PSS: 62 carriers around the centre, roots 25, 29, 34 (26, 37 in sidelink).  Neighbour
// products prune symbols, roots and centres; the best few are correlated outright at several
// delays.
#include <stdlib.h>
#include <string.h>

#include "dsp/measure/grid.h"

#define PSS_SIDE     31
#define PSS_SHIFT    10             // carriers the centre may be off
#define PSS_KEEP     8

#define ROOTS 5
static const int pss_roots[ROOTS] = { 25, 29, 34, 26, 37 };


// Number of carriers a ZC symbol would fill, of those in use by LTE-like systems; 0: none fits.
static int zc_carriers(const struct grid *g)
{
    static const int sizes[] = { 72, 180, 300, 600, 1200 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && g->dc_hole; i++)
        if (abs(g->hi - g->lo - sizes[i]) <= 5)
            return sizes[i];
    return 0;
}

// Root of one symbol, 0 when it is no ZC.
static int zc_root(struct measurer *m, const struct grid *g, const float complex *y, int carriers)
{
    int n = carriers + 1, c = (int)g->lag / 2 + g->mid;
    unsigned log_n = log2_floor((size_t)n) + 2;
    size_t nf = (size_t)1 << log_n;
    double e = 0, used = 0;
    if (c - carriers / 2 < 0 || c + carriers / 2 >= (int)g->lag)
        return 0;
    memset(m->z, 0, nf * sizeof *m->z);
    for (int k = 0; k + 1 < n; k++) {
        int a = c - carriers / 2 + k;
        if (a == c || a + 1 == c)                   // the empty carrier
            continue;
        m->z[k] = y[a + 1] * conjf(y[a]);
        e += sq(m->z[k]);
        used++;
    }
    dft_run(m->fft[log_n], m->z, m->z);
    size_t at = 0;
    for (size_t k = 1; k < nf; k++)
        at = sq(m->z[k]) > sq(m->z[at]) ? k : at;
    double t = e > 0 ? sq(m->z[at]) / e : 0;
    // Chance: ln of the number of roots; a part-filled ZC or a strong echo is not wanted.
    if (t < log((double)n) + 12 || sq(m->z[at]) < 0.3 * used * e)
        return 0;
    int u = (int)lround((double)(nf - at) * n / (double)nf);
    return u % n;
}

void zc_measure(struct measurer *m, const struct grid *g, struct fingerprint *fp)
{
    int carriers = zc_carriers(g), found = 0;
    if (!carriers)
        return;
    for (size_t s = 0; s < g->symbols && s < 32 && found < 4; s++) {
        int u = zc_root(m, g, g->carriers + s * g->lag, carriers);
        if (u)
            fp->zc_root[found++] = u;
    }
    fp->zc_len = found ? carriers + 1 : 0;
}

struct pss_try { double diff; size_t symbol; int root, shift; };

static float complex pss_value(int u, int k)        // k: -31..31 without 0
{
    int n = k + PSS_SIDE, q = (int)((long)u * n * (n + 1) % 126);
    double ph = -M_PI * q / 63;
    return (float)cos(ph) + I * (float)sin(ph);
}

#define PSS_N (2 * PSS_SIDE)

// Neighbour products of the roots, exp(-2 pi i u (n+1) / 63), conjugated, without those beside the
// centre.
struct pss_refs { float re[ROOTS][PSS_N], im[ROOTS][PSS_N]; };

static void pss_products(struct pss_refs *ref)
{
    for (int r = 0; r < ROOTS; r++)
        for (int k = 0; k < PSS_N; k++) {
            double ph = -2 * M_PI * (pss_roots[r] * (k + 1) % 63) / 63;
            bool beside = k == PSS_SIDE || k == PSS_SIDE - 1;
            ref->re[r][k] = beside ? 0 : (float)cos(ph);
            ref->im[r][k] = beside ? 0 : -(float)sin(ph);
        }
}

// The best few, the least of them first.
static void pss_keep(struct pss_try *keep, struct pss_try now)
{
    if (now.diff <= keep[0].diff)
        return;
    int at = 0;
    for (; at + 1 < PSS_KEEP && keep[at + 1].diff < now.diff; at++)
        keep[at] = keep[at + 1];
    keep[at] = now;
}

// Neighbour products of one symbol against those of each root, at each shift.
static void pss_prune(const struct look_ops *op, const struct grid *g, size_t s,
                      const struct pss_refs *ref, struct pss_try *keep)
{
    float re[PSS_N + LOOK_SHIFTS] = { 0 }, im[PSS_N + LOOK_SHIFTS] = { 0 };
    float v[ROOTS][LOOK_SHIFTS], e[PSS_N + LOOK_SHIFTS] = { 0 };
    const float complex *y = g->carriers + s * g->lag + g->lag / 2 + g->mid - PSS_SIDE - PSS_SHIFT;
    double sum = 0;
    for (int k = 0; k < 2 * (PSS_SIDE + PSS_SHIFT); k++) {
        float complex d = y[k + 1] * conjf(y[k]);
        re[k] = crealf(d);
        im[k] = cimagf(d);
        e[k] = sq(d);
        sum += k < PSS_N ? e[k] : 0;
    }
    op->match(re, im, ref->re[0], ref->im[0], PSS_N, ROOTS, v[0]);
    for (int shift = 0; shift <= 2 * PSS_SHIFT; shift++) {
        double used = sum - e[shift + PSS_SIDE - 1] - e[shift + PSS_SIDE];
        for (int r = 0; r < ROOTS; r++)
            pss_keep(keep, (struct pss_try){ v[r][shift] / fmax(used, 1e-30), s, pss_roots[r],
                                             shift - PSS_SHIFT });
        sum += (double)e[shift + PSS_N] - e[shift];
    }
}

// Normalised correlation at the best of several delays, 0..1 in power.
static double pss_full(const struct grid *g, const float complex *y, const struct pss_try *t)
{
    float complex v[2 * PSS_SIDE + 1], ramp[4 * PSS_SIDE];
    int c = (int)g->lag / 2 + g->mid + t->shift, turn = 4 * PSS_SIDE;
    double best = 0, e = 1e-30;
    for (int k = -PSS_SIDE; k <= PSS_SIDE; k++) {
        v[k + PSS_SIDE] = k ? y[c + k] * conjf(pss_value(t->root, k)) : 0;
        e += k ? sq(y[c + k]) : 0;
    }
    for (int k = 0; k < turn; k++)
        ramp[k] = (float)cos(2 * M_PI * k / turn) + I * (float)sin(2 * M_PI * k / turn);
    for (int d = -12; d <= 12; d++) {           // half a cycle over the band per two steps
        float complex sum = 0;
        int at = ((-PSS_SIDE * d) % turn + turn) % turn, step = (d + turn) % turn;
        for (int k = 0; k <= 2 * PSS_SIDE; k++, at += step) {
            at -= at >= turn ? turn : 0;
            sum += v[k] * ramp[at];
        }
        best = fmax(best, sq(sum) / (62 * e));
    }
    return best;
}

void pss_measure(const struct measurer *m, const struct grid *g, struct fingerprint *fp)
{
    struct pss_try keep[PSS_KEEP] = { 0 };
    struct pss_refs ref;
    int c = (int)g->lag / 2 + g->mid;
    if (c - PSS_SIDE - PSS_SHIFT < 0 || c + PSS_SIDE + PSS_SHIFT + 1 >= (int)g->lag ||
        g->hi - g->lo < 50)
        return;
    pss_products(&ref);
    for (size_t s = 0; s < g->symbols; s++)
        pss_prune(m->op, g, s, &ref, keep);
    double best = 0, clean = g->l->power / (g->l->power + g->l->noise);
    for (int i = 0; i < PSS_KEEP; i++)
        if (keep[i].diff > 0)
            best = fmax(best, pss_full(g, g->carriers + keep[i].symbol * g->lag, &keep[i]));
    // Noise in 62 carriers: exponential with mean 1/62.
    fp->lte_pss = (struct meas){ fmin(1, best / fmax(0.1, clean)), 1 / 62.0 / fmax(0.1, clean) };
}
