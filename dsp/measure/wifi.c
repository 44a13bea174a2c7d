// SPDX-License-Identifier: GPL-3.0-or-later
// Two marks of 802.11: the short training field of OFDM and the Barker code of DSSS.
//
// Short training: the first 8 us repeat every 0.8 us, what follows does not.
//
//     |t|t|t|t|t|t|t|t|t|t| long training | symbols ...         corr(0.8 us): 1 1 1 1 1 .. 0 0 0
//
// Barker: 11 chips at 11 Mchip/s spell every 1 us symbol of the preamble (and of 1 and 2 Mb/s).
// Matched filter at two samples a chip; its power folded over one symbol has a peak one chip wide
// that holds nearly all the energy, against 1/11 for anything else.
#include "dsp/measure/measure.h"

static double logistic(double x) { return 1 / (1 + exp(-x)); }

// |sum x[n+lag] conj x[n]| over energy, n from a, len samples; the lag may lie between two samples:
// the top of a parabola through three, or the best of them.
static double lag_corr(const struct measurer *m, const struct look *l, size_t a, size_t len,
                       double lag)
{
    size_t mid = (size_t)(lag + 0.5);
    double c[3], e[3], x = lag - (double)mid;
    if (a + len + mid + 1 > l->i1 || !len || mid < 2)
        return 0;
    for (size_t k = 0; k < 3; k++) {
        size_t b = a + mid - 1 + k;
        float r[2];
        m->op->likeness((const float *)(l->x + b), (const float *)(l->x + a), len, r);
        e[k] = 0.5 * (m->op->sum(m->p + a, len) + m->op->sum(m->p + b, len));
        c[k] = e[k] > 0 ? hypot(r[0], r[1]) / e[k] : 0;
    }
    double at = c[1] + 0.5 * x * (c[2] - c[0]) + 0.5 * x * x * (c[2] - 2 * c[1] + c[0]);
    return fmin(1, fmax(at, fmax(c[1], x < 0 ? c[0] : c[2])));
}

#define STF_WIDTH_MIN_HZ 12e6       // 802.11 at 20 MHz and up; a narrower look would not tell
void stf_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    bool start = (l->b->part == BURST_WHOLE || l->b->part == BURST_RUN_FIRST) &&
                 !(l->b->flags & BURST_AT_START);
    if (!start || l->occ_hi - l->occ_lo < STF_WIDTH_MIN_HZ || !(l->power > 0))
        return;
    // The start is known to a fraction of a microsecond.
    double us = l->fs * 1e-6, clean = l->power / (l->power + l->noise);
    size_t len = (size_t)(6.6 * us);
    double best = lag_corr(m, l, l->i0 + (size_t)(0.3 * us), len, 0.8 * us);
    double rest = lag_corr(m, l, l->i0 + (size_t)(9 * us), len, 0.8 * us);
    double err = 1 / sqrt(2 * 6.6e-6 * (l->occ_hi - l->occ_lo)) / clean;
    fp->wifi_stf = (struct meas){ fmin(1, best / clean), err };
    // What goes on repeating is something else.
    if (rest > 0.6 * best)
        fp->wifi_stf.v = fmax(0, (best - rest) / clean);
    double p = logistic((fp->wifi_stf.v - 0.6) * 20) * logistic((best / clean / err - 6) * 2);
    e->p[KIND_OFDM] = fmax(e->p[KIND_OFDM], 0.98 * p);
    e->wifi = e->wifi || p > 0.5;
}

#define CHIP_HZ   11e6
#define OVER      2                 // samples per chip
#define SYMBOL    (11 * OVER)
#define SYMBOLS   160               // preamble and header: 96 or 192 us

static const int8_t barker[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };

// Folded matched-filter power, share of the energy in its best phase; *ret_at that phase.
static double barker_fold(const float complex *x, size_t symbols, double *ret_at)
{
    double fold[SYMBOL] = { 0 }, total = 0;
    for (size_t i = 0; i < symbols * SYMBOL; i++) {
        float complex c = 0;
        for (int k = 0; k < 11; k++)
            c += barker[k] * (x[i + OVER * (size_t)k] + x[i + OVER * (size_t)k + 1]);
        fold[i % SYMBOL] += sq(c);
    }
    for (size_t i = 0; i < (symbols + 1) * SYMBOL; i++)
        total += sq(x[i]);
    size_t at = 0;
    for (size_t k = 1; k < SYMBOL; k++)
        at = fold[k] > fold[at] ? k : at;
    double a = fold[(at + SYMBOL - 1) % SYMBOL], b = fold[at], c = fold[(at + 1) % SYMBOL];
    double den = a - 2 * b + c;
    *ret_at = (double)at + (den < 0 ? 0.5 * (a - c) / den : 0);
    // A symbol of unit samples gives |c|^2 = SYMBOL^2 from an energy of SYMBOL.
    return total > 0 ? b / (total * SYMBOL) * (double)(symbols + 1) / (double)symbols : 0;
}

// Turns n samples of x by -hz into y.
static void turn_by(const float complex *x, double hz, double fs, size_t n, float complex *y)
{
    for (size_t i = 0; i < n; i += 64) {
        double ph = -hz / fs * (double)i, st = -2 * M_PI * hz / fs;
        ph = 2 * M_PI * (ph - floor(ph));
        float complex w = (float)cos(ph) + I * (float)sin(ph);
        float complex turn = (float)cos(st) + I * (float)sin(st);
        for (size_t k = i; k < i + 64 && k < n; k++, w *= turn)
            y[k] = x[k] * w;
    }
}

// Carrier left over: neighbouring symbols differ by the data's sign (or quarter turns) and by the
// carrier's turning in 1 us; the fourth power leaves the latter, modulo 250 kHz.
static double carrier_left(const float complex *x, size_t symbols, size_t at)
{
    double complex s = 0, last = 0;
    for (size_t k = 0; k < symbols; k++) {
        float complex c = 0;
        for (size_t j = 0; j < 11; j++)
            c += barker[j] * (x[k * SYMBOL + at + OVER * j] + x[k * SYMBOL + at + OVER * j + 1]);
        double complex d = c * conj(last);
        s += k ? d * d * d * d / (cabs(d * d * d) + 1e-30) : 0;
        last = c;
    }
    return carg(s) / (4 * 2 * M_PI * 1e-6);
}

// The spectrum's middle is known to a megahertz or so; the matched filter, 1 us long, reaches a few
// hundred kilohertz.
#define OFFSETS   9
#define OFFSET_HZ 300e3

void barker_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    double w = l->occ_hi - l->occ_lo, len = (double)(l->i1 - l->i0) / l->fs;
    if (w < 6e6 || w > 26e6 || l->in_fs < CHIP_HZ || len < 30e-6 || !(l->power > 0))
        return;
    size_t symbols = (size_t)fmin(SYMBOLS, len * 1e6 - 3), n = (symbols + 2) * SYMBOL;
    double from = l->t0 + ((double)l->i0 + 1e-6 * l->fs) * l->in_fs / l->fs, fs = CHIP_HZ * OVER;
    double mid = 0.5 * (l->occ_lo + l->occ_hi), at = 0, at0, at1, raw = 0, off = 0;
    ddc_run_kept(m->ddc, &l->b->cut, l->in_fs, l->f_hz + mid, from, fs,
                 fmin(0.8 * fs, 0.9 * l->in_fs), m->y, n);
    for (int i = 0; i < OFFSETS; i++) {
        double hz = (i - OFFSETS / 2) * OFFSET_HZ, place;
        turn_by(m->y, hz, fs, n, m->z);
        double v = barker_fold(m->z, symbols, &place);
        if (v > raw)
            raw = v, off = hz, at = place;
    }
    turn_by(m->y, off, fs, n, m->z);
    double noise = l->n0_psd * 0.96 * fmin(fs, l->in_fs), clean = l->power / (l->power + noise);
    // Noise, and whatever is not Barker, puts a chip's share into every phase: 1/11 of its power.
    double chance = 1.0 / 11, corr = (raw - chance * (1 - clean)) / clean;
    double err = chance * sqrt(2 / (double)symbols) / clean;
    fp->barker_corr = (struct meas){ fmin(1, fmax(0, corr)), err };
    e->p[KIND_DSSS] = logistic((corr - 0.45) * 25) * logistic(((corr - chance) / err - 7) * 2);
    size_t half = symbols / 2;
    if (e->p[KIND_DSSS] < 0.5 || half < 12)
        return;
    e->freq_ok[KIND_DSSS] = true;
    double left = carrier_left(m->z, symbols, (size_t)(at + 0.5) % SYMBOL), best = 0;
    for (int i = -1; i <= 1; i++) {
        double hz = off + left + i * 250e3, place;
        turn_by(m->y, hz, fs, n, m->z);
        double v = barker_fold(m->z, symbols, &place);
        if (v > best) {
            best = v;
            e->freq[KIND_DSSS] = mid + hz;
        }
    }
    turn_by(m->y, e->freq[KIND_DSSS] - mid, fs, n, m->z);
    e->freq_err[KIND_DSSS] = 0.5e6 / (2 * M_PI) / sqrt((double)symbols * 11 * clean);
    // Chip clock: drift of the peak from one half to the other.
    barker_fold(m->z, half, &at0);
    barker_fold(m->z + half * SYMBOL, symbols - half - 1, &at1);
    double drift = at1 - at0;
    drift -= SYMBOL * round(drift / SYMBOL);
    double span = (double)half * SYMBOL;
    fp->chip_rate_hz = (struct meas){ CHIP_HZ * (1 - drift / span),
                                      CHIP_HZ * 0.5 / sqrt((double)half * clean) / span + 100 };
}
