// SPDX-License-Identifier: GPL-3.0-or-later
// OFDM by its cyclic prefixes: the end of each symbol is sent again before it.
//
//     |cp|====== useful symbol ======|cp|====== useful =======|
//      ^------------ lag ---------^                                c[n] = x[n+lag] conj x[n]
//     ___                             ___
//     | |_____________________________| |____________________      c folded over the symbol period
//
// For each numerology c is folded over the period (LTE-like ones also over their half-millisecond
// slot with one longer prefix), summed over windows of one prefix and divided by the energy there:
// rho.  Without prefixes rho^2 times the number of independent samples is exponential with mean 1,
// which gives the false-alarm probability.  A signal that repeats at that lag everywhere (a
// carrier, a preamble) has a high rho at every offset and is refused by contrast.
#include <string.h>

#include "dsp/measure/measure.h"

#define FOLD_MAX 65000                  // bins of a fold: 0.5 ms at 122.88 MS/s is 61440
// A prefix is a copy: 1 when clean, less by multipath and a few samples of wrong timing; 0.3 and
// under is chance structure.
#define CP_RHO_MIN 0.45
// ln of odds against chance, beyond the number of tries: 3e-4 for a burst of anything else
#define CP_LN_ODDS 8.0

#define WIFI_PIECE_S 150e-6             // some 35 symbols
#define WIFI_PIECES  5

struct cp_kind {
    enum ofdm_numerology num;
    double useful_s, cp_s;
    double width_hz;                    // narrower than this it would not show
    double slot_s;                      // 0: every symbol alike
    unsigned per_slot;                  // symbols per slot, the first with extra_s more prefix
    double extra_s;
};

#define TS (1 / 30.72e6)                // LTE's time unit
static const struct cp_kind kinds[] = {
    { OFDM_15K, 2048 * TS, 144 * TS, 150e3, 0, 0, 0 },
    { OFDM_15K, 2048 * TS, 144 * TS, 150e3, 15360 * TS, 7, 16 * TS },
    { OFDM_30K, 1024 * TS, 72 * TS, 300e3, 0, 0, 0 },
    { OFDM_30K, 1024 * TS, 72 * TS, 300e3, 15360 * TS, 14, 16 * TS },
    { OFDM_WIFI, 3.2e-6, 0.8e-6, 4e6, 0, 0, 0 },
    { OFDM_WIFI, 3.2e-6, 0.4e-6, 8e6, 0, 0, 0 },
    { OFDM_WIFI_AX, 12.8e-6, 0.8e-6, 4e6, 0, 0, 0 },
    { OFDM_WIFI_AX, 12.8e-6, 1.6e-6, 2e6, 0, 0, 0 },
    { OFDM_WIFI_AX, 12.8e-6, 3.2e-6, 2e6, 0, 0, 0 },
    { OFDM_OTHER, 6.4e-6, 1.6e-6, 4e6, 0, 0, 0 },            // 802.11p, half-clocked 802.11
    { OFDM_OTHER, 1 / 60e3, 1.171875e-6, 600e3, 0, 0, 0 },     // 60 kHz, prefix as in LTE
};
#define KINDS (sizeof kinds / sizeof *kinds)

// Best window of one fold.
struct cp_fit {
    const struct cp_kind *k;
    size_t lag;
    double at;                          // start of the prefix, samples from i0
    double rho, contrast, neff, t;      // t = rho^2 neff, ln of odds against chance
    float complex sum;
    double period;                      // samples
};

// c[n] and its energy folded over `period`; as running sums that go twice around, so that any
// window costs the same: entry j holds the sum of bins under j, entry bins + j a whole turn more.
struct fold { double period; size_t bins; float complex *c; float *e; float *visits; };

static struct fold fold_room(struct measurer *m, double period)
{
    return (struct fold){ .period = period, .bins = (size_t)(period + 0.5), .c = m->y, .e = m->q,
                          .visits = m->r };
}

static void fold_sum(struct fold *f)
{
    for (size_t j = 1; j <= f->bins; j++) {
        f->c[j] += f->c[j - 1];
        f->e[j] += f->e[j - 1];
        f->visits[j] += f->visits[j - 1];
    }
    for (size_t j = 1, n = f->bins; j <= n; j++) {
        f->c[n + j] = f->c[n] + f->c[j];
        f->e[n + j] = f->e[n] + f->e[j];
        f->visits[n + j] = f->visits[n] + f->visits[j];
    }
}

static void fold_take(const struct measurer *m, const float complex *x, size_t lag, size_t from,
                      size_t to, struct fold *f)
{
    memset(f->c, 0, (f->bins + 1) * sizeof *f->c);
    memset(f->e, 0, (f->bins + 1) * sizeof *f->e);
    memset(f->visits, 0, (f->bins + 1) * sizeof *f->visits);
    size_t whole = 0, n = from;             // rows that reach the last bin
    for (double start = 0; n < to; start += f->period) {
        size_t a = from + (size_t)(start + 0.5), b = from + (size_t)(start + f->period + 0.5);
        size_t row = (b > to ? to : b) - a;
        row = row > f->bins ? f->bins : row;
        m->op->fold((const float *)(x + a), (const float *)(x + a + lag), row,
                    (float *)(f->c + 1), f->e + 1);
        whole += row == f->bins;
        for (size_t j = 1; row < f->bins && j <= row; j++)
            f->visits[j] += 1;
        n = b > n ? b : n + 1;
    }
    for (size_t j = 1; j <= f->bins; j++)
        f->visits[j] += (float)whole;
    fold_sum(f);
}

struct sums { float complex c; float e, v; };

#define SLOT_MOST 14

// Where a period's prefixes lie, in bins from the first.
struct comb { size_t w, n, at[SLOT_MOST]; };

static struct comb comb_of(const struct cp_kind *k, double fs, size_t bins, size_t w)
{
    double sym = (k->useful_s + k->cp_s) * fs;
    struct comb r = { .w = w, .n = k->slot_s > 0 ? k->per_slot : 1 };
    for (size_t s = 0; s < r.n; s++)
        r.at[s] = (size_t)((double)s * sym + (s ? k->extra_s * fs : 0) + 0.5) % bins;
    return r;
}

// Over the comb's windows, the first beginning at o, around the end of the fold.
static struct sums window_sums(const struct fold *f, const struct comb *k, size_t o)
{
    struct sums r = { 0 };
    o = o >= f->bins ? o % f->bins : o;
    for (size_t s = 0; s < k->n; s++) {
        size_t a = o + k->at[s];
        a = a >= f->bins ? a - f->bins : a;
        r.c += f->c[a + k->w] - f->c[a];
        r.e += f->e[a + k->w] - f->e[a];
        r.v += f->visits[a + k->w] - f->visits[a];
    }
    return r;
}

// Samples held to 8 dB over the mean amplitude, into z: one loud click or neighbour must not
// outweigh milliseconds of symbols.  OFDM's own peaks hardly notice.
static void limit(struct measurer *m, const struct look *l)
{
    size_t n = l->i1 - l->i0;
    double mean = m->op->sum_root(m->p + l->i0, n) / (double)n;
    m->op->limit((const float *)(l->x + l->i0), m->p + l->i0, (float)(6.3 * mean * mean), n,
                 (float *)(m->z + l->i0));
}

// Looks for the best offset of one numerology.  Steps of a quarter prefix, then one by one.
static bool fit_kind(struct measurer *m, const struct look *l, const struct cp_kind *k, size_t i0,
                     size_t i1, struct cp_fit *fit)
{
    double period = (k->slot_s > 0 ? k->slot_s : k->useful_s + k->cp_s) * l->fs;
    size_t w = (size_t)(k->cp_s * l->fs + 0.5), span = i1 - i0;
    fit->k = k;
    fit->lag = (size_t)(k->useful_s * l->fs + 0.5);
    fit->period = period;
    if (w < 3 || (double)w > period || fit->lag + 2 * w > span || period < 4 || period > FOLD_MAX ||
        (k->slot_s > 0 && (double)span < 1.2 * period))
        return false;
    struct fold f = fold_room(m, period);
    fold_take(m, m->z, fit->lag, i0, i1 - fit->lag, &f);
    struct comb comb = comb_of(k, l->fs, f.bins, w);

    size_t step = w / 8 + 1, best_o = 0, n = 0;
    double best = -1, all = 0, share = fmin(1, (l->occ_hi - l->occ_lo) / l->fs);
    for (size_t o = 0; o < f.bins; o += step, n++) {
        struct sums r = window_sums(&f, &comb, o);
        double t = r.e > 0 ? sq(r.c) / ((double)r.e * r.e) * r.v : 0;
        all += t;
        if (t > best)
            best = t, best_o = o;
    }
    size_t from = best_o + f.bins - step;
    best = -1;
    for (size_t o = from; o <= from + 2 * step; o++) {
        struct sums r = window_sums(&f, &comb, o);
        double t = r.e > 0 ? sq(r.c) / ((double)r.e * r.e) * r.v : 0;
        if (t > best) {
            best = t;
            fit->at = (double)(o % f.bins) + (double)(i0 - l->i0);
            fit->rho = r.e > 0 ? cabsf(r.c) / r.e : 0;
            fit->neff = r.v * share;
            fit->sum = r.c;
        }
    }
    fit->t = best * share;
    // Mean over all offsets without the peak's own triangle, two prefixes wide at half height.
    double width = 1.4 * (double)w / (double)step * (k->slot_s > 0 ? k->per_slot : 1);
    double rest = n > width ? (all - best * 0.5 * width) / ((double)n - width) : all;
    fit->contrast = best / fmax(rest, 1 / fmax(share, 1e-3) * 0.2);
    return true;
}

// 802.11 frames stand microseconds apart, each on its own grid of symbols; where several came as
// one burst, the best piece speaks.
static bool fit_pieces(struct measurer *m, const struct look *l, const struct cp_kind *k,
                       struct cp_fit *fit)
{
    size_t piece = (size_t)(WIFI_PIECE_S * l->fs), span = l->i1 - l->i0;
    if (k->useful_s > 10e-6 || span < 2 * piece)
        return fit_kind(m, l, k, l->i0, l->i1, fit);
    size_t step = (span - piece) / (WIFI_PIECES - 1);
    bool any = false;
    for (size_t i = 0; i < WIFI_PIECES; i++) {
        struct cp_fit f;
        if (fit_kind(m, l, k, l->i0 + i * step, l->i0 + i * step + piece, &f) &&
            (!any || f.t > fit->t)) {
            *fit = f;
            any = true;
        }
    }
    return any;
}

// Length of the window that explains most of a fold: it begins within a prefix of `at`.
static size_t plateau_length(struct measurer *m, const struct fold *f, size_t w, size_t at,
                             float complex turn)
{
    size_t from = (at + f->bins - w) % f->bins, n = 4 * w < f->bins ? 4 * w : f->bins - 1;
    size_t best_w = w;
    float *inv = m->q, *sum = m->r, best = -1;      // the fold's energies have done their work
    for (size_t j = 0; j <= n; j++) {
        sum[j] = crealf((f->c[from + j] - f->c[from]) * turn);
        inv[j] = 1 / (float)(j ? j : 1);
    }
    for (size_t a = 0; a < 2 * w && a < n; a++) {
        float v = m->op->rise(sum + a, inv, n - a + 1);
        if (v <= best)
            continue;
        best = v;
        for (size_t j = 1; j <= n - a; j++) {
            float d = sum[a + j] - sum[a];
            if (d > 0 && d * d * inv[j] >= v) {
                best_w = j;
                break;
            }
        }
    }
    return best_w;
}

// Width of the plateau of the folded correlation.
static double plateau(struct measurer *m, const struct look *l, const struct cp_fit *fit,
                      double *ret_err)
{
    size_t w = (size_t)(fit->k->cp_s * l->fs + 0.5), at = 0;
    struct fold f = fold_room(m, (fit->k->useful_s + fit->k->cp_s) * l->fs);
    struct comb one = { .w = w, .n = 1 };
    double best = -1;
    // The slot's longer prefixes drift by half a microsecond in 7 symbols: 14 at most.
    size_t to = l->i1 - fit->lag, max = l->i0 + (size_t)(14 * f.period);
    fold_take(m, m->z, fit->lag, l->i0, to < max ? to : max, &f);
    for (size_t o = 0; o < f.bins; o++) {
        double v = sq(window_sums(&f, &one, o).c);
        if (v > best)
            best = v, at = o;
    }
    float complex c = window_sums(&f, &one, at).c;
    float complex turn = conjf(c) / (cabsf(c) + 1e-30f);
    *ret_err = 1.5 / fmin(l->fs, l->occ_hi - l->occ_lo) +
               (double)w / l->fs * 1.5 / sqrt(fmax(1, fit->neff) * fmax(0.05, fit->rho));
    return (double)plateau_length(m, &f, w, at, turn) / l->fs;
}

// Lag to a fraction of a sample: parabola through |C| at lag - 1, lag, lag + 1 over the same
// windows.
static double lag_refine(const struct measurer *m, const struct look *l, const struct cp_fit *fit)
{
    size_t w = (size_t)(fit->k->cp_s * l->fs + 0.5);
    double sym = (fit->k->useful_s + fit->k->cp_s) * l->fs, c[3];
    for (int d = 0; d < 3; d++) {
        float complex s = 0;
        for (double at = (double)l->i0 + fmod(fit->at, sym);; at += sym) {
            size_t i = (size_t)(at + 0.5);
            if (i + w + fit->lag + 1 > l->i1)
                break;
            float r[2];
            m->op->likeness((const float *)(l->x + i + fit->lag + (size_t)d - 1),
                            (const float *)(l->x + i), w, r);
            s += r[0] + I * r[1];
        }
        c[d] = cabsf(s);
    }
    double den = c[0] - 2 * c[1] + c[2], off = den < 0 ? 0.5 * (c[0] - c[2]) / den : 0;
    return ((double)fit->lag + fmin(1, fmax(-1, off))) / l->fs;
}

static void tell(struct measurer *m, struct look *l, const struct cp_fit *fit, double gain,
                 struct fingerprint *fp,
                 struct evidence *e)
{
    const struct cp_kind *k = fit->k;
    double clean = l->power / (l->power + l->noise), err;
    double sym = k->slot_s > 0 ? k->slot_s / k->per_slot : k->useful_s + k->cp_s;
    double symbols = (double)(l->i1 - l->i0) / l->fs / sym;
    fp->numerology = k->num;
    fp->cp_corr = (struct meas){ fmin(1, fit->rho / fmax(clean, 0.01)),
                                 1 / sqrt(2 * fmax(1, fit->neff)) / fmax(clean, 0.01) };
    double edge = 1 / fmin(l->fs, l->occ_hi - l->occ_lo);      // one independent sample
    double lag_err = edge / sqrt(fmax(1, fit->t)) + 0.05 / l->fs;
    fp->useful_symbol_s = (struct meas){ lag_refine(m, l, fit), lag_err };
    fp->symbol_period_s = (struct meas){ sym, 0.5 * k->cp_s / fmax(1, symbols) };
    if (k->slot_s > 0)
        fp->long_cp_every = (struct meas){ k->per_slot, 0 };
    double cp = plateau(m, l, fit, &err);
    fp->cp_s = (struct meas){ cp, err };
    e->p[KIND_OFDM] = 1 / (1 + exp(-(gain - CP_LN_ODDS + 1) / 1.5));
    e->wifi = k->num == OFDM_WIFI;
    // Carriers stand at centre + k / useful, evenly on both sides: the phase over one lag (a whole
    // number of samples) tells the centre modulo fs / lag.
    double mod = l->fs / (double)fit->lag, mid = 0.5 * (l->occ_lo + l->occ_hi);
    double frac = cargf(fit->sum) / (2 * M_PI) * mod;
    double f = frac + round((mid - frac) / mod) * mod;
    e->cp = (struct cp_place){
        .lag = fit->lag, .at = fit->at, .prefix = k->cp_s * l->fs,
        .symbol = (k->useful_s + k->cp_s) * l->fs, .period = fit->period,
        .extra = k->extra_s * l->fs, .per_slot = k->slot_s > 0 ? k->per_slot : 0, .cfo_hz = f,
        .neff = fit->neff, .rho = fit->rho, .spacing = 1 / k->useful_s,
    };
    e->freq_ok[KIND_OFDM] = true;
    e->freq[KIND_OFDM] = f;
    e->freq_err[KIND_OFDM] = hypot(l->occ_err * 0.5, mod / 4);
}

void cp_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    struct cp_fit best = { 0 };
    double best_gain = 0, clean = l->power / (l->power + l->noise + 1e-30);
    // An even envelope is no OFDM, however it repeats; unless the converter clipped it flat.
    bool even = e->const_env < 0.12 && !(l->b->flags & BURST_CLIPPED);
    if (l->i1 - l->i0 < 64 || !(l->power > 0) || (even && clean > 0.8))
        return;
    limit(m, l);
    for (size_t i = 0; i < KINDS; i++) {
        struct cp_fit fit;
        if (l->occ_hi - l->occ_lo < kinds[i].width_hz || !fit_pieces(m, l, &kinds[i], &fit))
            continue;
        // Offsets tried: one per independent sample of the period.
        double share = fmin(1, (l->occ_hi - l->occ_lo) / l->fs);
        double gain = fit.t - log((fit.period * share + 1) * (double)KINDS);
        if (fit.contrast > 4 && fit.rho > CP_RHO_MIN * clean && gain > best_gain)
            best_gain = gain, best = fit;
    }
    if (best_gain > CP_LN_ODDS)
        tell(m, l, &best, best_gain, fp, e);
}
