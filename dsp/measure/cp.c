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
#include "dsp/measure/cp.h"

#define FOLD_MAX 65000                  // bins of a fold: 0.5 ms at 122.88 MS/s is 61440
// A prefix is a copy: 1 when clean, less by multipath and a few samples of wrong timing; 0.3 and
// under is chance structure.
#define CP_RHO_MIN 0.45
// ln of odds against chance, beyond the number of tries: 3e-4 for a burst of anything else
#define CP_LN_ODDS 8.0

#define CP_WIDTH_MIN_HZ 150e3           // ten carriers of 15 kHz

#define WIFI_PIECE_S 150e-6             // some 35 symbols
#define WIFI_PIECES  5

// Beyond doubt: kinds whose lag shows nothing need not be tried.  Lags are ranked by |sum c|^2 over
// up to RANK_SAMPLES, in prefixes or not: exponential with mean 1 when nothing repeats, 40 for
// LTE's at 15 MS/s.
#define CP_SURE      60.0
#define RANK_SAMPLES 16384
#define RANK_PIECE   2048
#define RANK_SHOWS   8.0
// Folded at most, but of a faint signal: 70 symbols of 66.7 us, or 30 of the widest, enough to see
// how they drift.
#define FOLD_MOST_S  5e-3
#define FOLD_SAMPLES 65536.0

#define TS (1 / 30.72e6)                // LTE's time unit
// Those of one useful length stand together.
static const struct cp_kind kinds[] = {
    { OFDM_15K, 2048 * TS, 144 * TS, CP_WIDTH_MIN_HZ, 0, 0, 0 },
    { OFDM_15K, 2048 * TS, 144 * TS, CP_WIDTH_MIN_HZ, 15360 * TS, 7, 16 * TS },
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

size_t cp_end(const struct look *l)
{
    double n = fmin(FOLD_MOST_S * l->fs, FOLD_SAMPLES);
    return l->power > l->noise && (double)(l->i1 - l->i0) > n ? l->i0 + (size_t)n : l->i1;
}

// Samples held to 8 dB over the mean amplitude, into m->z, up to `end`: one loud click or neighbour
// must not outweigh milliseconds of symbols.  OFDM's own peaks hardly notice.
static void limit(struct measurer *m, struct look *l, size_t end)
{
    size_t n = cp_end(l) - l->i0, from = l->held_end;
    float *re = (float *)m->z;
    if (!from) {
        double mean = m->op->sum_root(m->p + l->i0, n) / (double)n;
        l->held = (float)(6.3 * mean * mean);
        from = l->i0;
    }
    if (from >= end)
        return;
    m->op->limit((const float *)(l->x + from), m->p + from, l->held, end - from, re + from,
                 re + LOOK_MAX + from);
    l->held_end = end;
}

// How unlikely so much correlation is by chance, per independent sample of a share of them.
static double oddness(const struct combed *r, size_t o)
{
    double re = r->re[o], im = r->im[o], e = r->e[o];
    return e > 0 ? (re * re + im * im) / (e * e) * r->v[o] : 0;
}

// Looks for the best offset of one numerology.  Steps of a quarter prefix, then one by one.
static bool fit_kind(struct measurer *m, struct look *l, const struct cp_kind *k, size_t i0,
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
    struct fold f = fold_room(m, period, w);
    limit(m, l, i1);
    fold_take(m, fit->lag, i0, i1 - fit->lag, &f);
    struct comb comb = fold_comb(w, k->slot_s > 0 ? k->per_slot : 1,
                                 (k->useful_s + k->cp_s) * l->fs, k->extra_s * l->fs, f.bins);

    struct combed all_sums = fold_sums_all(m, &f, &comb);
    size_t step = w / 8 + 1, best_o = 0, n = 0;
    double best = -1, all = 0, share = fmin(1, (l->occ_hi - l->occ_lo) / l->fs);
    for (size_t o = 0; o < f.bins; o += step, n++) {
        double t = oddness(&all_sums, o);
        all += t;
        if (t > best)
            best = t, best_o = o;
    }
    size_t from = best_o + f.bins - step;
    best = -1;
    for (size_t o = from; o <= from + 2 * step; o++) {
        double t = oddness(&all_sums, o % f.bins);
        if (t > best) {
            struct sums r = fold_sums(&f, &comb, o);
            best = t;
            fit->at = (double)(o % f.bins) + (double)(i0 - l->i0);
            fit->rho = r.e > 0 ? hypotf(r.re, r.im) / r.e : 0;
            fit->neff = r.v * share;
            fit->sum = r.re + I * r.im;
        }
    }
    fit->t = best * share;
    // Mean over all offsets without the peak's own triangle, two prefixes wide at half height.
    double width = 1.4 * (double)w / (double)step * (k->slot_s > 0 ? k->per_slot : 1);
    double rest = n > width ? (all - best * 0.5 * width) / ((double)n - width) : all;
    fit->contrast = best / fmax(rest, 1 / fmax(share, 1e-3) * 0.2);
    return true;
}

// ln of odds against chance beyond the number of offsets and kinds tried, one offset for each
// independent sample of the period; 0 for what are no prefixes.
static double fit_gain(const struct look *l, const struct cp_fit *fit)
{
    double clean = l->power / (l->power + l->noise + 1e-30);
    double share = fmin(1, (l->occ_hi - l->occ_lo) / l->fs);
    if (!(fit->contrast > 4 && fit->rho > CP_RHO_MIN * clean))
        return 0;
    return fit->t - log((fit->period * share + 1) * (double)KINDS);
}

// 802.11 frames stand microseconds apart, each on its own grid of symbols; where several came as
// one burst, the best piece speaks.
static bool fit_pieces(struct measurer *m, struct look *l, const struct cp_kind *k,
                       struct cp_fit *fit)
{
    size_t piece = (size_t)(WIFI_PIECE_S * l->fs), span = l->i1 - l->i0;
    if (k->useful_s > 10e-6 || span < 2 * piece)
        return fit_kind(m, l, k, l->i0, cp_end(l), fit);
    size_t step = (span - piece) / (WIFI_PIECES - 1);
    bool any = false;
    for (size_t i = 0; i < WIFI_PIECES && !(any && fit_gain(l, fit) > CP_SURE); i++) {
        struct cp_fit f;
        if (fit_kind(m, l, k, l->i0 + i * step, l->i0 + i * step + piece, &f) &&
            (!any || f.t > fit->t)) {
            *fit = f;
            any = true;
        }
    }
    return any;
}

static void tell(struct measurer *m, struct look *l, const struct cp_fit *fit, double gain,
                 struct fingerprint *fp,
                 struct evidence *e)
{
    const struct cp_kind *k = fit->k;
    double clean = l->power / (l->power + l->noise), err;
    double sym = k->slot_s > 0 ? k->slot_s / k->per_slot : k->useful_s + k->cp_s;
    double symbols = (double)(cp_end(l) - l->i0) / l->fs / sym;
    fp->numerology = k->num;
    fp->cp_corr = (struct meas){ fmin(1, fit->rho / fmax(clean, 0.01)),
                                 1 / sqrt(2 * fmax(1, fit->neff)) / fmax(clean, 0.01) };
    double edge = 1 / fmin(l->fs, l->occ_hi - l->occ_lo);      // one independent sample
    double lag_err = edge / sqrt(fmax(1, fit->t)) + 0.05 / l->fs;
    fp->useful_symbol_s = (struct meas){ cp_lag(m, l, fit), lag_err };
    fp->symbol_period_s = (struct meas){ sym, 0.5 * k->cp_s / fmax(1, symbols) };
    if (k->slot_s > 0)
        fp->long_cp_every = (struct meas){ k->per_slot, 0 };
    double cp = cp_plateau(m, l, fit, &err);
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

struct rank { size_t first, end; double t; };       // kinds of one lag

// How much a lag shows at all, over pieces of the whole of what is folded.
static double lag_shows(const struct measurer *m, const struct look *l, size_t lag)
{
    size_t span = cp_end(l) - l->i0, room = span > lag ? span - lag : 0, used = 0;
    size_t step = room > RANK_SAMPLES ? (room - RANK_PIECE) / (RANK_SAMPLES / RANK_PIECE - 1)
                                      : RANK_PIECE;
    const float *z = (const float *)m->z + l->i0;
    double re = 0, im = 0, e = l->power + l->noise;
    for (size_t a = 0; a < room && used < RANK_SAMPLES; a += step) {
        size_t len = room - a < RANK_PIECE ? room - a : RANK_PIECE;
        float c[2];
        m->op->lagged(z + a, z + LOOK_MAX + a, lag, len, c);
        re += c[0];
        im += c[1];
        used += len;
    }
    return used ? (re * re + im * im) / (e * e * (double)used) : 0;
}

// The capture's own samples need not hold a lag.
static bool lag_is_whole(const struct look *l, double useful_s)
{
    double n = useful_s * l->fs;
    return !look_own(l) || fabs(n - round(n)) < 0.05;
}

// Kinds by lag, what shows most first.
static size_t rank_lags(const struct measurer *m, struct look *l, struct rank *r)
{
    double occ = l->occ_hi - l->occ_lo, share = fmin(1, occ / l->fs);
    size_t n = 0;
    for (size_t i = 0, j; i < KINDS; i = j) {
        struct rank now = { .first = i };
        bool wide = false;
        for (j = i; j < KINDS && kinds[j].useful_s == kinds[i].useful_s; j++)
            wide = wide || occ >= kinds[j].width_hz;
        now.end = j;
        if (!wide)
            continue;
        now.t = share * lag_shows(m, l, (size_t)(kinds[i].useful_s * l->fs + 0.5));
        if (!lag_is_whole(l, kinds[i].useful_s)) {
            l->between |= now.t >= RANK_SHOWS;
            continue;
        }
        size_t at = n++;
        for (; at > 0 && r[at - 1].t < now.t; at--)
            r[at] = r[at - 1];
        r[at] = now;
    }
    return n;
}

void cp_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    struct cp_fit best = { 0 };
    struct rank rank[KINDS];
    double best_gain = 0, clean = l->power / (l->power + l->noise + 1e-30);
    // An even envelope is no OFDM, however it repeats; unless the converter clipped it flat.
    bool even = e->const_env < 0.12 && !(l->b->flags & BURST_CLIPPED);
    double occ = l->occ_hi - l->occ_lo;
    if (l->i1 - l->i0 < 64 || !(l->power > 0) || (even && clean > 0.8) || occ < CP_WIDTH_MIN_HZ)
        return;
    limit(m, l, cp_end(l));
    size_t ranks = rank_lags(m, l, rank);
    for (size_t i = 0; i < ranks && !(best_gain > CP_SURE && rank[i].t < RANK_SHOWS); i++)
        for (size_t k = rank[i].first; k < rank[i].end; k++) {
            struct cp_fit fit;
            if (occ < kinds[k].width_hz || !fit_pieces(m, l, &kinds[k], &fit))
                continue;
            double gain = fit_gain(l, &fit);
            if (gain > best_gain)
                best_gain = gain, best = fit;
        }
    if (best_gain > CP_LN_ODDS)
        tell(m, l, &best, best_gain, fp, e);
}
