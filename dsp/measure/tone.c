// SPDX-License-Identifier: GPL-3.0-or-later
// Carriers: continuous wave, amplitude modulation (on-off keying included), plain FM.
//
// Blocks are transformed and the strongest line taken; its share of the signal's power says how
// much carrier there is.  With the carrier's turning removed, AM lies along one axis:
//
//     Q |      .                 Q |    . .
//       |   ----=====---->         |  .     .         S2 = |sum y^2| / sum |y|^2:
//       |            I             |  .     .  I           1 for AM and CW, 0 for FM
//            AM                       FM
#include <string.h>

#include "dsp/measure/measure.h"

#define TONE_LOG 10                 // blocks of 1024 at the most: a few per burst, fine lines
#define TURN     32                 // samples per step of an oscillator; blocks are multiples of it

static double logistic(double x) { return 1 / (1 + exp(-x)); }

// |sum x^2 exp(-2 pi i 2 f k)|, f cycles per sample, n a multiple of TURN.
static double axis_of(const struct measurer *m, const float complex *x, size_t n, double f)
{
    float complex turn[TURN];
    double complex step = cexp(-4 * M_PI * I * f), w = 1, sum = 0;
    for (size_t k = 0; k < TURN; k++, w *= step)
        turn[k] = (float complex)w;
    step = w;
    w = 1;
    for (size_t k = 0; k < n; k += TURN, w *= step) {
        float s[2];
        m->op->squares((const float *)(x + k), (const float *)turn, TURN, s);
        sum += (s[0] + I * s[1]) * w;
    }
    return cabs(sum);
}

// Per block: strongest line's share of the power and S2 about it; means over the blocks.
static bool lines(struct measurer *m, const struct look *l, double *ret_share, double *ret_s2,
                  double *ret_hz)
{
    size_t span = l->i1 - l->i0;
    unsigned log_n = log2_floor(span / 4 + 1);
    log_n = log_n > TONE_LOG ? TONE_LOG : log_n;
    if (log_n < 5)
        return false;
    size_t nf = (size_t)1 << log_n, blocks = span / nf, skip = blocks > 16 ? blocks / 16 : 1;
    double share = 0, s2 = 0, hz = 0, weight = 0;
    for (size_t b = 0; b < blocks; b += skip) {
        const float complex *x = l->x + l->i0 + b * nf;
        size_t at = 0;
        double total = m->op->sum(m->p + l->i0 + b * nf, nf);
        memcpy(m->y, x, nf * sizeof *x);
        dft_run(m->fft[log_n], m->y, m->z);
        m->op->power((const float *)m->z, nf, m->q);
        for (size_t k = 1; k < nf; k++)
            at = m->q[k] > m->q[at] ? k : at;
        float complex a = m->z[(at + nf - 1) % nf], c = m->z[(at + 1) % nf], v = m->z[at];
        double line = sq(a) + sq(v) + sq(c);        // an unwindowed tone leaves 90 % in three bins
        // Exact frequency of a lone tone from three bins (Jacobsen).
        double off = crealf((a - c) / (2 * v - a - c + 1e-30f));
        off = fmin(0.5, fmax(-0.5, off));
        double f = ((double)at - (at > nf / 2 ? (double)nf : 0) + off) / (double)nf;
        share += line / (double)nf;
        s2 += axis_of(m, x, nf, f);
        hz += f * total;
        weight += total;
    }
    *ret_share = weight > 0 ? share / weight : 0;
    *ret_s2 = weight > 0 ? s2 / weight : 0;
    *ret_hz = weight > 0 ? hz / weight * l->fs : 0;
    return weight > 0;
}

void tone_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    double share, s2, hz, clean = l->power / (l->power + l->noise + 1e-30);
    (void)fp;
    if (!(l->power > 0) || clean < 0.3 || !lines(m, l, &share, &s2, &hz))
        return;
    // How evenly a short, noisy burst's envelope runs is only known so well.
    double blur = e->const_env_err;
    double carrier = share / clean, axis = s2 / clean;
    e->line_share = carrier;
    e->p[KIND_CW] = 0.95 * logistic((carrier - 0.82) * 60) *
                    logistic((0.08 + blur - e->const_env) * 60);
    e->p[KIND_AM] = 0.9 * logistic((carrier - 0.3) * 25) * logistic((axis - 0.75) * 25) *
                    logistic((e->const_env - 0.1 - blur) * 60) * logistic((clean - 0.7) * 30);
    for (int k = KIND_AM; k <= KIND_CW; k++) {
        e->freq_ok[k] = true;
        e->freq[k] = hz;
        e->freq_err[k] = l->fs / (double)(l->i1 - l->i0);
    }
    // Plain FM: an even envelope at good SNR, no carrier left, no symbols: a residual judgement,
    // so only of what lasts (voice, music, a sweep) and stands 18 dB clear.
    bool clear = l->power > 60 * l->n0_psd * fmax(l->hi99 - l->lo99, 1) &&
                 (double)(l->i1 - l->i0) / l->fs > 8e-3;
    double digital = fmax(e->p[KIND_FSK], fmax(e->p[KIND_MSK], e->p[KIND_LORA]));
    if (clear && digital < 0.3)
        e->p[KIND_FM] = fmax(e->p[KIND_FM], 0.7 * logistic((0.06 - e->const_env) * 80) *
                                                logistic((0.7 - carrier) * 30));
}
