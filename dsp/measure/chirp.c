// SPDX-License-Identifier: GPL-3.0-or-later
// Chirps: slope, sweep and LoRa's spreading factor.
//
//     f ^   /|  /| /          x[n+d] conj x[n] is, within a symbol, a tone of slope * d,
//       |  / | / |/           whatever the symbol says and wherever it wraps.
//       | /  |/               So: delay, multiply, transform in blocks of a symbol, average power.
//       +------------> t
//
// One lag per spreading factor (a quarter of its symbol: the tone then stands at a quarter of the
// bandwidth); the window of an octave around it covers slopes between.  Then the (sf, bandwidth)
// pairs of the chips in use near that slope are dechirped symbol by symbol: all power of a symbol
// falls into one tone, or into two a bandwidth apart.  Slope alone cannot tell (sf, b) from
// (sf + 2, 2 b); the occupied width can.
#include <string.h>

#include "dsp/measure/measure.h"

#define CHIRP_WIDTH_MAX_HZ 2.3e6    // SX128x has 1625 kHz
#define CHIRP_SAMPLES 16384         // enough: 10 dB more than the shortest packets give
#define CHIRP_LN_ODDS 12.0          // ln of odds against chance, beyond the number of tries

// Where the slope is lost in noise (under 4 dB) pairs are tried blindly; 7 sigma over some 100
// tries.
#define BLIND_SNR 2.5
#define BLIND_Z   7.0

// Bandwidths of SX127x/SX126x, LR11xx and SX128x, Hz (data sheets).
static const double bandwidths[] = {
    7.81e3, 10.42e3, 15.63e3, 20.83e3, 31.25e3, 41.67e3, 62.5e3, 125e3, 250e3, 500e3,
    203.125e3, 406.25e3, 812.5e3, 1625e3,
};

struct slope { double hz_per_s, odds, two_sided, share; int sf; };

// Averaged power spectrum of the delay product, blocks of 2^log_n half overlapping; into m->q.
static size_t delay_spectrum(struct measurer *m, const struct look *l, size_t lag, unsigned log_n)
{
    size_t nf = (size_t)1 << log_n, blocks = 0, end = l->i1;
    if (end > l->i0 + CHIRP_SAMPLES)
        end = l->i0 + CHIRP_SAMPLES;
    memset(m->q, 0, nf * sizeof *m->q);
    for (size_t i = l->i0; i + nf + lag <= end; i += nf / 2, blocks++) {
        m->op->conj_times((const float *)(l->x + i + lag), (const float *)(l->x + i), nf,
                          (float *)m->y);
        dft_run(m->fft[log_n], m->y, m->z);
        m->op->power_add((const float *)m->z, nf, m->q);
    }
    return blocks;
}

// Strongest tone of one sf's octave, either sign.
static struct slope slope_find(struct measurer *m, const struct look *l, double w, int sf)
{
    struct slope r = { .sf = sf };
    double symbol = (double)(1u << sf) / w * l->fs;                // samples
    size_t lag = (size_t)(symbol / 4 + 0.5);
    unsigned log_n = log2_floor((size_t)symbol);
    size_t nf = (size_t)1 << log_n;
    if (log_n < FFT_LOG_MIN || log_n > 13 || l->i1 < l->i0 + (size_t)(3 * symbol))
        return r;
    size_t blocks = delay_spectrum(m, l, lag, log_n);
    if (blocks < 4)
        return r;
    double mean = 0, bin = l->fs / (double)nf;
    for (size_t k = 0; k < nf; k++)
        mean += m->q[k] / (double)nf;
    size_t lo = (size_t)(w / 4 / 2 / bin), hi = (size_t)(w / 4 * 1.8 / bin), at = 0;
    hi = hi >= nf / 2 - 1 ? nf / 2 - 2 : hi;
    lo = lo < 2 ? 2 : lo;
    for (size_t k = lo; k <= hi; k++) {
        at = !at || m->q[k] > m->q[at] ? k : at;
        at = m->q[nf - k] > m->q[at] ? nf - k : at;
    }
    if (!at || !(mean > 0))
        return r;
    // What repeats at the lag stands at zero; a chirp does not.
    double a = m->q[at - 1], b = m->q[at], c = m->q[at + 1], den = a - 2 * b + c;
    double pos = (double)at + (den < 0 ? 0.5 * (a - c) / den : 0);
    double f = (pos > (double)nf / 2 ? pos - (double)nf : pos) * bin;
    // half overlap: 0.6 as independent
    double g = b / mean, eff = (double)blocks * 0.6;
    r.hz_per_s = f * l->fs / (double)lag;
    r.odds = eff * (g - 1 - log(g)) - log((double)nf);
    if (m->q[0] > 2 * b)
        r.odds = 0;
    r.share = (a + b + c) / (mean * (double)nf);
    r.two_sided = (double)m->q[nf - at] / b;
    return r;
}

// exp(i pi curve (k - len/2)^2), k < len, by turning the turn.
static void chirp_make(double curve, size_t len, float complex *z)
{
    double mid = (double)len / 2, ph = 0.5 * curve * mid * mid;
    double complex v = cexp(2 * M_PI * I * (ph - floor(ph)));
    double complex step = cexp(M_PI * I * curve * (1 - 2 * mid)), turn = cexp(2 * M_PI * I * curve);
    for (size_t k = 0; k < len; k++, v *= step, step *= turn)
        z[k] = (float complex)v;
}

// The most that two bins `apart` hold together, around the end.
static float pair_most(const float *q, size_t n, size_t apart)
{
    float best = 0;
    for (size_t k = 0, j = n - apart; k < n; k++, j++) {
        j = j >= n ? j - n : j;
        float v = q[k] + q[j];
        best = v > best ? v : best;
    }
    return best;
}

// Share of a symbol's power that dechirping puts into one tone (or two a bandwidth apart), mean
// over symbols from offset `from`.
static double dechirp_share(struct measurer *m, const struct look *l, double slope, double bw,
                            double symbol, double from, size_t max_symbols)
{
    size_t len = (size_t)(symbol + 0.5), count = 0;
    unsigned log_n = log2_floor(len - 1) + 1;
    size_t nf = (size_t)1 << log_n;
    double share = 0, wrap = bw / l->fs * (double)nf;
    if (log_n > 15 || log_n < FFT_LOG_MIN)
        return 0;
    chirp_make(-slope / (l->fs * l->fs), len, m->z);
    for (double at = (double)l->i0 + from; at + (double)len <= (double)l->i1 && count < max_symbols;
         at += symbol, count++) {
        size_t i = (size_t)at;
        double total = m->op->sum(m->p + i, len);
        memcpy(m->y, l->x + i, len * sizeof *m->y);
        m->op->times((float *)m->y, (const float *)m->z, len);
        memset(m->y + len, 0, (nf - len) * sizeof *m->y);
        dft_run(m->fft[log_n], m->y, m->g);
        m->op->power((const float *)m->g, nf, m->q);
        float best = pair_most(m->q, nf, (size_t)(wrap + 0.5) % nf);
        // A tone that lasts the whole of `len` has |Y|^2 = len * total.
        share += total > 0 ? best / (total * (double)len) : 0;
    }
    return count ? share / (double)count : 0;
}

struct lora { int sf; double bw, share; };

static struct lora lora_match(struct measurer *m, const struct look *l, const struct slope *s,
                              double w)
{
    struct lora best = { 0 };
    for (size_t i = 0; i < sizeof bandwidths / sizeof *bandwidths; i++)
        for (int sf = 5; sf <= 12; sf++) {
            double bw = bandwidths[i], mu = bw * bw / (double)(1u << sf);
            if (bw / w < 0.55 || bw / w > 1.35 || fabs(fabs(s->hz_per_s) / mu - 1) > 0.22)
                continue;
            double symbol = (double)(1u << sf) / bw * l->fs;
            for (int k = 0; k < 8; k++) {
                double v = dechirp_share(m, l, copysign(mu, s->hz_per_s), bw, symbol,
                                         symbol * k / 8, 24);
                // Between equal slopes the width tells, if no neighbour widened it.
                v *= 1 - 0.25 * fabs(bw / w - 1);
                if (v > best.share)
                    best = (struct lora){ sf, bw, v };
            }
        }
    return best;
}

// Every chirp spends the same time at every frequency of its band: the centre is the centroid of
// the spectrum.  A part of a symbol left over (the quarter of a down-chirp) and noise set its
// error.
static void lora_centre(const struct look *l, double bw, double symbols, struct evidence *e)
{
    double f = 0.5 * (l->occ_lo + l->occ_hi), bin = l->fs / (double)l->nf;
    double floor_bin = l->n0_psd * bin;
    for (int turn = 0; turn < 4; turn++) {
        double s0 = 0, s1 = 0;
        for (size_t k = 0; k < l->nf; k++) {
            double at = ((double)k - (double)l->nf / 2) * bin, v = l->psd[k] - floor_bin;
            // The chirp's edges are soft; bins cut by the window's edge count by their share.
            double in = fmin(1, fmax(0, (0.6 * bw - fabs(at - f)) / bin + 0.5));
            s0 += v * in;
            s1 += v * in * at;
        }
        if (s0 > 0)
            f = fmin(l->fs / 2, fmax(-l->fs / 2, s1 / s0));
    }
    double indep = bw * (double)(l->i1 - l->i0) / l->fs, n0 = l->n0_psd * bw / l->power;
    e->freq_ok[KIND_LORA] = true;
    e->freq[KIND_LORA] = f;
    double noisy = 0.35 * sqrt((n0 * n0 + n0) * 1.3 / indep);
    e->freq_err[KIND_LORA] = bw * (0.25 / (symbols + 1) + noisy);
}

// Without a slope to go by: every pair near the width, short symbols only (longer ones show their
// slope at any SNR), judged against the same dechirping with slopes that nobody uses.  The best of
// a symbol's bins scatters by 0.28 of its mean, so over n symbols the gain's spread is
// 0.28/sqrt(n).
static struct lora lora_blind(struct measurer *m, const struct look *l, double w, double *ret_sign)
{
    struct lora best = { 0 };
    double best_z = BLIND_Z;
    for (size_t i = 0; i < sizeof bandwidths / sizeof *bandwidths; i++)
        for (int sf = 5; sf <= 8; sf++) {
            double bw = bandwidths[i], mu = bw * bw / (double)(1u << sf);
            double symbol = (double)(1u << sf) / bw * l->fs;
            if (bw / w < 0.5 || bw / w > 1.2 || symbol < 16)   // too few samples to dechirp
                continue;
            size_t n = (size_t)fmin(CHIRP_SAMPLES / 2, (double)(l->i1 - l->i0)) / (size_t)symbol;
            if (n < 8)
                continue;
            double none = fmax(dechirp_share(m, l, 1.37 * mu, bw, symbol, 0, n),
                               dechirp_share(m, l, -0.73 * mu, bw, symbol, symbol / 2, n));
            for (int k = 0; k < 8; k++) {
                double slope = k & 1 ? -mu : mu;
                double v = dechirp_share(m, l, slope, bw, symbol, symbol * (k / 2) / 4, n);
                double z = none > 0 ? (v / none - 1) * sqrt((double)n) / 0.28 : 0;
                if (z > best_z) {
                    best_z = z;
                    best = (struct lora){ sf, bw, v };
                    *ret_sign = slope;
                }
            }
        }
    return best;
}

static void lora_tell(const struct look *l, const struct lora *r, double sign, double p,
                      struct fingerprint *fp, struct evidence *e)
{
    double n = (double)(1u << r->sf), mu = r->bw * r->bw / n, symbols = fp->dur_s.v * r->bw / n;
    fp->sf = r->sf;
    fp->sweep_hz = (struct meas){ r->bw, r->bw / n };
    fp->chirp_hz_per_s = (struct meas){ copysign(mu, sign), mu / n / sqrt(symbols + 1) };
    fp->lora_symbols = (struct meas){ symbols, fp->dur_s.err * r->bw / n };
    lora_centre(l, r->bw, symbols, e);
    e->p[KIND_LORA] = p;
}

// Noise alone: the best of a symbol's bins, two added, has (ln bins + 2) / samples of the power.
static bool lora_holds(const struct look *l, const struct lora *r, double clean)
{
    double len = r->sf ? (double)(1u << r->sf) / r->bw * l->fs : 1;
    double chance = (log(2 * len) + 2) / len;
    return r->sf && r->share > 1.5 * chance && (r->share - chance) / clean > 0.3;
}

void chirp_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    double w = l->occ_hi - l->occ_lo, clean = l->power / (l->power + l->noise + 1e-30), sign = 1;
    struct slope best = { 0 };
    if (w > CHIRP_WIDTH_MAX_HZ || w < 5e3 || !(l->power > 0))
        return;
    for (int sf = 5; sf <= 12; sf++) {
        // The shortest lag that shows it: at lags over half a symbol the wrap's tone is the
        // stronger, and lies.
        struct slope s = slope_find(m, l, w, sf);
        if (s.odds > CHIRP_LN_ODDS && s.odds > 2 * best.odds)
            best = s;
    }
    struct lora r = { 0 };
    if (best.odds > CHIRP_LN_ODDS)
        r = lora_match(m, l, &best, w);
    if (lora_holds(l, &r, clean) && best.two_sided < 0.6) {
        double p = 0.99 / (1 + exp(-(best.odds - CHIRP_LN_ODDS) / 2));
        lora_tell(l, &r, best.hz_per_s, p, fp, e);
        return;
    }
    if (best.odds > 100 && best.share > 0.25 && r.share < 0.2 * clean && e->const_env < 0.2 &&
        l->power > 10 * l->n0_psd * w) {
        // A sweep that is no LoRa: radar, a clock with spread spectrum.  Random data with a small
        // index has something of a line too; a sweep stands far out.
        fp->chirp_hz_per_s = (struct meas){ best.hz_per_s, fabs(best.hz_per_s) * 0.1 };
        fp->sweep_hz = (struct meas){ w, l->occ_err };
        e->p[KIND_FM] = fmax(e->p[KIND_FM], 0.6);
        return;
    }
    // Chirps run evenly, but for fading over their band; pulses and gaps are something else.
    bool even = e->const_env < 0.6 + 3 * e->const_env_err;
    if (even && l->power < BLIND_SNR * l->n0_psd * w) {
        r = lora_blind(m, l, w, &sign);
        if (r.sf)
            lora_tell(l, &r, sign, 0.9, fp, e);
    }
}
