// SPDX-License-Identifier: GPL-3.0-or-later
// Inside OFDM symbols, once cp.c knows where they are (carrier spacings of 15, 30, 60 kHz):
// which carriers are used, hence the exact centre.
//
//     P |    ########## ##########        mean power per carrier over the symbols;
//       |____##########.##########____    the hole in the middle is the carrier at zero
//           lo        DC         hi
//
#include <string.h>

#include "dsp/measure/grid.h"

#define OFDM_SYMBOLS 74             // 5.3 ms at 15 kHz: one PSS period and a bit
#define GRID_MAX     8192           // carriers of the widest look
#define WIFI_GRID    72             // 802.11 at 20 MHz: carriers -28..28 and some air
#define WIFI_TRAINING_S 16e-6       // short and long training fields

// First sample of the transform of symbol s.
static size_t symbol_start(const struct grid *g, size_t s)
{
    const struct cp_place *cp = g->cp;
    size_t in_slot = cp->per_slot ? s % cp->per_slot : 0;
    size_t slot = cp->per_slot ? s / cp->per_slot : s;
    double at = cp->at + (double)slot * cp->period + (double)in_slot * cp->symbol +
                (in_slot ? cp->extra : 0);
    // From three quarters into the prefix: late enough for echoes, early enough for a wrong
    // estimate.
    return g->l->i0 + (size_t)(at + 0.75 * cp->prefix + 0.5);
}

static float complex phasor(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

// Carriers by definition, where the symbol is no power of two long (802.11): row k of `turns` holds
// what the carriers' oscillators stand at k samples on.  Phases count from the symbol's start.
static void turns_make(struct measurer *m, const struct grid *g)
{
    float complex step[WIFI_GRID];
    for (size_t c = 0; c < g->lag; c++) {
        double f = g->cp->cfo_hz + ((double)c - (double)g->lag / 2) * g->cp->spacing;
        step[c] = phasor(-f / g->l->fs);
        m->z[c] = 1;
    }
    for (size_t k = 1; k < g->samples; k++) {
        float complex *row = m->z + k * g->lag;
        memcpy(row, row - g->lag, g->lag * sizeof *row);
        m->op->times((float *)row, (const float *)step, g->lag);
    }
}

static void symbol_by_turns(struct measurer *m, const struct grid *g, size_t i, float complex *y)
{
    memset(y, 0, g->lag * sizeof *y);
    for (size_t k = 0; k < g->samples; k++) {
        float complex x = g->l->x[i + k];
        m->op->add_times((float *)y, (const float *)(m->z + k * g->lag), crealf(x), cimagf(x),
                         g->lag);
    }
}

// All carriers by one transform, the fraction of the carrier offset turned away first.
static void symbol_transform(struct measurer *m, const struct grid *g, size_t i, float complex *y)
{
    double step = -g->cp->cfo_hz / g->l->fs;
    memcpy(m->z, g->l->x + i, g->lag * sizeof *m->z);
    for (size_t k = 0; k < g->lag; k += FIR_TURN) {     // z has room beyond
        float complex w = phasor(step * (double)(i + k));
        g->fir->mix((float *)(m->z + k), g->turn, crealf(w), cimagf(w));
    }
    dft_run(m->fft[log2_floor(g->lag)], m->z, m->y);
    memcpy(y + g->lag / 2, m->y, g->lag / 2 * sizeof *y);
    memcpy(y, m->y + g->lag / 2, g->lag / 2 * sizeof *y);
}

static bool symbol_take(struct measurer *m, const struct grid *g, size_t s, float complex *y)
{
    size_t i = symbol_start(g, s), n = g->samples;
    const struct look *l = g->l;
    if (i + n > l->i1)
        return false;
    if (n != g->lag || (n & (n - 1))) {
        symbol_by_turns(m, g, i, y);
        return true;
    }
    symbol_transform(m, g, i, y);
    return true;
}

// Outermost carriers by the mean over five, so that single carriers' noise does not decide.
static bool grid_edges(struct grid *g, const float *p)
{
    double gate = g->noise * (1 + 4 / sqrt(5.0 * (double)g->symbols));
    gate = fmax(gate, g->noise + 0.3 * g->level);
    int lo = -1, hi = -1, half = (int)g->lag / 2;
    for (int k = 2; k + 2 < (int)g->lag; k++)
        if ((p[k - 2] + p[k - 1] + p[k] + p[k + 1] + p[k + 2]) / 5 > gate) {
            lo = lo < 0 ? k : lo;
            hi = k;
        }
    g->lo = lo - half;
    g->hi = hi - half;
    g->mid = (lo + hi) / 2 - half;
    return lo >= 0;
}

// The empty carrier in the middle: the weakest of those near it, when clearly weaker than the rest.
static void grid_hole(struct grid *g, const float *p)
{
    int half = (int)g->lag / 2, at = g->mid, reach = 5;
    double side = 0, side2 = 0;
    if (g->hi - g->lo < 4 * reach || g->mid + half < 2 * reach ||
        g->mid + half + 2 * reach >= (int)g->lag)
        return;
    for (int k = g->mid - reach; k <= g->mid + reach; k++)
        at = p[half + k] < p[half + at] ? k : at;
    for (int k = g->mid - 2 * reach; k <= g->mid + 2 * reach; k++) {
        side += k == at ? 0 : p[half + k] / (4 * reach);
        side2 += k == at ? 0 : (double)p[half + k] * p[half + k] / (4 * reach);
    }
    // The weakest of 2 reach + 1 like the others lies 3.2 of their deviations down once in a
    // hundred.
    double sigma = sqrt(fmax(0, side2 - side * side));
    double depth = (side - p[half + at]) / fmax(1e-30, side - g->noise);
    if (side - p[half + at] > 3.2 * sigma && depth > 0.6) {
        g->dc_hole = true;
        g->mid = at;
    }
}

// Beyond the capture's edge, where its own samples show the other edge.
static bool is_outside(const struct grid *g, size_t k)
{
    double f = g->cp->cfo_hz + ((double)k - (double)g->lag / 2) * g->cp->spacing;
    return look_own(g->l) && fabs(f) > g->l->fs / 2;
}

static bool grid_take(struct measurer *m, struct grid *g)
{
    float *p = m->q;
    memset(p, 0, g->lag * sizeof *p);
    // Symbols do not overlap: all of them fit where their samples did.
    size_t most = LOOK_MAX / g->lag < g->most ? LOOK_MAX / g->lag : g->most;
    fir_turns(-g->cp->cfo_hz / g->l->fs, FIR_TURN, g->turn);
    g->carriers = m->g;
    if (g->samples != g->lag)
        turns_make(m, g);
    for (g->symbols = 0; g->symbols < most; g->symbols++) {
        float complex *y = m->g + g->symbols * g->lag;
        if (!symbol_take(m, g, g->symbols, y))
            break;
        m->op->power_add((const float *)y, g->lag, p);
    }
    if (g->symbols < 2)
        return false;
    double s1 = 0, s2 = 0;
    g->noise = g->l->n0_psd * g->l->fs * (double)g->samples;
    for (size_t k = 0; k < g->lag; k++) {
        p[k] /= (float)g->symbols;
        if (is_outside(g, k))
            p[k] = 0;
        double v = fmax(0, p[k] - g->noise);
        s1 += v;
        s2 += v * v;
    }
    g->level = s2 / fmax(s1, 1e-30);
    return grid_edges(g, p) && (grid_hole(g, p), true);
}

// 786 samples at most.  A capture's own samples hold all carriers in it.
static size_t wifi_grid(const struct look *l, double spacing)
{
    if (spacing * WIFI_GRID < l->fs)
        return WIFI_GRID;
    return look_own(l) ? (size_t)(l->fs / spacing + 0.01) / 2 * 2 : 0;
}

void ofdm_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    struct cp_place *cp = &e->cp;
    struct grid g = { .lag = cp->lag, .cp = cp, .l = l, .fir = fir_ops() };
    bool wifi = fp->numerology == OFDM_WIFI, lte_like = fp->numerology == OFDM_15K ||
                                                         fp->numerology == OFDM_30K;
    if (e->p[KIND_OFDM] < 0.5 || !cp->lag || !(lte_like || wifi))
        return;
    g.samples = cp->lag;
    // 802.11 begins with training that uses every fourth carrier, and all of them at other levels.
    if (wifi && cp->at < WIFI_TRAINING_S * l->fs)
        cp->at += ceil((WIFI_TRAINING_S * l->fs - cp->at) / cp->symbol) * cp->symbol;
    g.most = wifi ? 12 : OFDM_SYMBOLS;
    if (wifi)
        g.lag = wifi_grid(l, cp->spacing);
    else if ((cp->lag & (cp->lag - 1)) || cp->lag > GRID_MAX)
        g.lag = 0;
    if (!g.lag || !grid_take(m, &g))
        return;
    double spacing = cp->spacing;
    double mid = g.dc_hole ? g.mid : 0.5 * (g.lo + g.hi);
    e->freq[KIND_OFDM] = cp->cfo_hz + mid * spacing;
    // The fraction is a phase over one useful symbol; the whole number is sure with a hole, else to
    // one carrier.
    // Phase of a correlation rho over N samples: variance (1 - rho^2) / (2 rho^2 N).
    double neff = fmax(1, cp->neff), r = fmin(0.97, fmax(0.1, cp->rho));
    double fine = spacing / (2 * M_PI) * sqrt((1 - r * r) / (2 * r * r * neff));
    e->freq_err[KIND_OFDM] = g.dc_hole ? fine : hypot(fine, spacing);
    // The used carriers say the width better than the spectrum does at low SNR.
    l->lo99 = cp->cfo_hz + (g.lo - 0.5) * spacing;
    l->hi99 = cp->cfo_hz + (g.hi + 0.5) * spacing;
    l->err99 = 2 * spacing;
    if (wifi)
        return;
    zc_measure(m, &g, fp);
    if (fp->numerology == OFDM_15K)
        pss_measure(m, &g, fp);
}
