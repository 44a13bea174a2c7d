// SPDX-License-Identifier: GPL-3.0-or-later
// FSK, GFSK, MSK: symbol rate, deviation, index and the first bits.
//
//     x -> rate 4.5 W or so, low-pass W -> discriminator s[n] -> crossings of the mid level t_k
//
//     s  __/~~\__/~~~~~~\___/~~\_          crossings fall on a lattice of the symbol time:
//          |  |  |      |   |  |           A(f) = sum exp(-2 pi i f t_k) has a line at f = rate
//
// With K crossings jittering by sigma around the lattice |A|/K = exp(-(2 pi R sigma)^2 / 2), which
// gives sigma, and a straight line through K crossings over n symbols gives the period to
// sigma sqrt(12) / (n sqrt(K)): the uncertainty stated.  Without a lattice |A|^2/K is exponential.
#include <string.h>

#include "dsp/kernel/fir.h"
#include "dsp/measure/measure.h"

#define FSK_WIDTH_MAX_HZ 6e6
#define FSK_SAMPLES 16384           // 3 ms of Bluetooth, thousands of symbols
#define FSK_OVER    4.5             // samples per width, about: 4 to 5 per symbol at h = 0.5
#define FSK_PASS    2.4             // widths that the low-pass at its widest and its skirts look at
#define FSK_TAPS    32
#define FSK_LN_ODDS 10.0
#define LINE_PARTS  64

struct fsk {
    double fs, w;                   // of the discriminator; width of the signal
    size_t n;
    float *s;                       // Hz, n of them
    double mid, upper, lower;
    size_t read;                    // samples before the discriminator
    double *t;                      // crossings, in samples; as many as FSK_SAMPLES
    size_t crossings;
    double near, part;              // line_parts: at this frequency, stretches so long
    double complex parts[LINE_PARTS];
    double rate, line, coherence, phase;
    double dev, centre, eye, isolated;
    size_t symbols;
    uint64_t head;
};

// Windowed sinc (Hann) of half width `cut` cycles per sample; each tap twice for fir_ops.dot.
static void lowpass_taps(double cut, float *h)
{
    double sum = 0, v[FSK_TAPS];
    for (int k = 0; k < FSK_TAPS; k++) {
        double t = k - (FSK_TAPS - 1) / 2.0, a = 2 * M_PI * cut * t;
        v[k] = sin(a) / a * (0.5 + 0.5 * cos(2 * M_PI * t / (FSK_TAPS + 1)));
        sum += v[k];
    }
    for (int k = 0; k < FSK_TAPS; k++)
        h[2 * k] = h[2 * k + 1] = (float)(v[k] / sum);
}

// The signal at 4.5 times its width into m->g; f->n + FSK_TAPS of it.
static void fsk_read(struct measurer *m, const struct look *l, struct fsk *f)
{
    double from = l->t0 + (double)l->i0 * l->in_fs / l->fs;
    double len = (double)(l->i1 - l->i0) / l->fs, mid = 0.5 * (l->lo99 + l->hi99);
    f->read = (size_t)fmin(FSK_SAMPLES, len * f->fs);
    ddc_run_kept(m->ddc, &l->b->cut, l->in_fs, l->f_hz + mid,
                 from - ((double)(FSK_TAPS / 2) - 0.5) * l->in_fs / f->fs, f->fs,
                 fmin(fmin(FSK_PASS * f->w, 0.8 * f->fs), 0.9 * l->in_fs), m->g,
                 f->read + FSK_TAPS);
}

static void discriminate(struct measurer *m, double cut, struct fsk *f)
{
    float h[2 * FSK_TAPS];
    lowpass_taps(cut * f->w / f->fs, h);
    fir_ops()->dots((const float *)m->g, 2, h, 2 * FSK_TAPS, f->read, (float *)m->z,
                    2);
    // Samples of s stand half a sample after those of z; click noise is held to the band.
    f->n = f->read - (f->read > 0);
    m->op->turns((const float *)m->z, f->n, (float)(f->fs / (2 * M_PI)), (float)(0.8 * f->w), f->s);
}

// Mid level: between the means of what is above and what is below, four rounds.
static void levels(const struct measurer *m, struct fsk *f)
{
    double mid = 0;
    for (int turn = 0; turn < 5; turn++) {
        double r[3], down = (double)f->n;
        m->op->split(f->s, f->n, (float)mid, r);
        down -= r[1];
        f->upper = r[1] > 0 ? r[0] / r[1] : mid;
        f->lower = down > 0 ? (r[2] - r[0]) / down : mid;
        mid = 0.5 * (f->upper + f->lower);
    }
    f->mid = mid;
}

// A(f) = sum exp(-2 pi i f t) over the crossings, near one f: the sums of LINE_PARTS stretches in
// time, each turned as its middle.  Within half a bin of the burst's length a stretch turns by
// 1/64 of a cycle at most from end to end, which costs 1e-4 of its sum.
static void line_parts(struct fsk *f, double freq, double length)
{
    f->near = freq;
    f->part = length / LINE_PARTS;
    memset(f->parts, 0, sizeof f->parts);
    for (size_t i = 0; i < f->crossings; i++) {
        double ph = freq * f->t[i], k = f->t[i] / f->part;
        float a = (float)(-2 * M_PI * (ph - floor(ph)));
        f->parts[k < LINE_PARTS ? (size_t)k : LINE_PARTS - 1] += cosf(a) + I * sinf(a);
    }
}

static double complex line_at(const struct fsk *f, double freq)
{
    double complex s = 0, step = cexp(-2 * M_PI * I * (freq - f->near) * f->part);
    double complex turn = csqrt(step);
    for (size_t k = 0; k < LINE_PARTS; k++, turn *= step)
        s += f->parts[k] * turn;
    return s;
}

// Climbs to the top of the line in halving steps.
static void line_refine(struct fsk *f, double freq, double step)
{
    line_parts(f, freq, (double)f->n);
    double top = cabs(line_at(f, freq));
    for (int i = 0; i < 9; i++, step /= 2)
        for (int dir = -1; dir <= 1; dir += 2) {
            double v = cabs(line_at(f, freq + dir * step));
            if (v > top) {
                top = v;
                freq += dir * step;
                break;
            }
        }
    f->rate = freq * f->fs;
    f->coherence = top / (double)f->crossings;
    f->phase = carg(line_at(f, freq));
}

// Crossings as impulses, each shared by two samples, transformed.
static void lattice(struct measurer *m, struct fsk *f)
{
    unsigned log_n = log2_floor(f->n) + 1;
    size_t nf = (size_t)1 << log_n, lo, hi;
    memset(m->y, 0, nf * sizeof *m->y);
    f->crossings = 0;
    for (size_t i = 0; i + 1 < f->n; i++) {
        double a = f->s[i] - f->mid, b = f->s[i + 1] - f->mid;
        if ((a < 0) == (b < 0) || a == b)
            continue;
        float t = (float)(a / (a - b));
        m->y[i] += 1 - t;
        m->y[i + 1] += t;
        f->t[f->crossings++] = (double)i + a / (a - b);
    }
    if (f->crossings < 12)
        return;
    dft_run(m->fft[log_n], m->y, m->y);
    lo = (size_t)(f->w / 40 / f->fs * (double)nf) + 8;
    hi = (size_t)(1.5 * f->w / f->fs * (double)nf);
    hi = hi > nf / 2 - 2 ? nf / 2 - 2 : hi;
    float top = 0;
    for (size_t k = lo; k < hi; k++)
        top = fmaxf(top, sq(m->y[k]));
    // Lines stand at the rate and its multiples, weaker by jitter: the first strong one.
    size_t at = 0;
    for (size_t k = lo; k < hi && !at; k++)
        if (sq(m->y[k]) > 0.6f * top && sq(m->y[k]) >= sq(m->y[k + 1]))
            at = k;
    if (!at)
        return;
    line_refine(f, (double)at / (double)nf, 0.5 / (double)nf);
    double b = f->coherence * (double)f->crossings;
    f->line = b * b / (double)f->crossings - log((double)(hi - lo));
}

// Mean of s over the middle of symbol k; false past the end.
static bool symbol_value(const struct fsk *f, double k, double t0, double *ret)
{
    double period = f->fs / f->rate, mid = t0 + (k + 0.5) * period, half = 0.2 * period;
    double a = mid - half, b = mid + half, s = 0;
    size_t i = (size_t)ceil(fmax(a, 0)), n = 0;
    if (a < 0 || b >= (double)f->n - 1)
        return false;
    for (; (double)i <= b; i++, n++)
        s += f->s[i];
    if (!n) {
        size_t j = (size_t)mid;
        double t = mid - (double)j;
        s = f->s[j] * (1 - t) + f->s[j + 1] * t;
        n = 1;
    }
    *ret = s / (double)n;
    return true;
}

// Time of the first lattice point, from the line's phase: A = K exp(-2 pi i R t0).
static double lattice_start(const struct fsk *f)
{
    double period = f->fs / f->rate, t = -f->phase / (2 * M_PI) * period;
    t -= floor(t / period) * period;
    return t > 0.6 * period ? t - period : t;
}

// Deviation from symbols inside runs (a shaped symbol beside an unequal one falls short of it), the
// eye from all, the height of isolated ones against it.
static void eye(struct fsk *f)
{
    double t0 = lattice_start(f), prev = 0, cur = 0, next = 0, v;
    double su = 0, sd = 0, q = 0, si = 0, u2 = 0, d2 = 0, au = 0, ad = 0;
    size_t nu = 0, nd = 0, ni = 0, n = 0, mu = 0, md = 0;
    uint64_t head = 0;
    for (; symbol_value(f, (double)n, t0, &v) || n == 0; n++) {
        if (n == 0 && !symbol_value(f, 0, t0, &v))
            v = f->mid;
        prev = cur, cur = next, next = v - f->mid;
        if (n < 64)
            head |= (uint64_t)(next > 0) << (63 - n);
        if (next > 0)
            au += next, u2 += next * next, mu++;
        else
            ad += next, d2 += next * next, md++;
        if (n < 2)
            continue;
        if ((prev > 0) == (cur > 0) && (next > 0) == (cur > 0)) {
            if (cur > 0)
                su += cur, nu++;
            else
                sd += cur, nd++;
        } else if ((prev > 0) != (cur > 0) && (next > 0) != (cur > 0)) {
            si += fabs(cur), ni++;
        }
    }
    f->symbols = n;
    f->head = head;
    if (!mu || !md)
        return;
    double hi = au / (double)mu, lo = ad / (double)md;
    q = sqrt((u2 / (double)mu - hi * hi + d2 / (double)md - lo * lo) / 2);
    f->eye = (hi - lo) / 2 / fmax(q, 1);
    if (nu >= 3 && nd >= 3)
        hi = su / (double)nu, lo = sd / (double)nd;
    f->dev = (hi - lo) / 2;
    f->centre = f->mid + (hi + lo) / 2;
    f->isolated = ni ? si / (double)ni / f->dev : 1;
}

static double logistic(double x) { return 1 / (1 + exp(-x)); }

static void tell(const struct look *l, const struct fsk *f, struct fingerprint *fp,
                 struct evidence *e)
{
    double n = (double)f->n / f->fs * f->rate, k = (double)f->crossings;
    double sigma = sqrt(fmax(1e-6, -2 * log(fmin(0.999, f->coherence)))) / (2 * M_PI);   // symbols
    double h = 2 * f->dev / f->rate;
    double err_rate = f->rate * sigma * sqrt(12 / k) / fmax(1, n);
    double err_dev = f->dev / f->eye / sqrt(fmax(1, (double)f->symbols)) + 0.01 * f->dev;
    // MSK proper: index a half, and no shaping, so that isolated symbols reach nearly full height.
    bool msk = fabs(h - 0.5) < 0.06 && f->isolated > 0.95;
    // Two levels stand apart, and crossings keep to the lattice; a long burst may show its line
    // beyond doubt while noise blurs both (a small index at 10 dB).
    // With a large index the levels stand far apart, or it is no FSK but FM with a rhythm.
    bool sure = f->line > 40;
    double apart = h > 2 ? 3 : sure ? 1.5 : 2;
    double p = logistic((f->line - FSK_LN_ODDS) / 2) * logistic((f->eye - apart) * 6) *
               logistic((0.45 - e->const_env) * 20) *
               logistic((f->coherence - (sure ? 0.28 : 0.35)) * 20);
    if (p < 0.3)
        return;
    fp->symbol_rate_bd = (struct meas){ f->rate, err_rate };
    fp->deviation_hz = (struct meas){ f->dev, err_dev };
    fp->mod_index = (struct meas){ h, 2 * err_dev / f->rate };
    fp->fsk_head = f->head;
    fp->fsk_head_bits = f->symbols < 64 ? (unsigned)f->symbols : 64;
    e->p[msk ? KIND_MSK : KIND_FSK] = p;
    for (int kind = KIND_FSK; kind <= KIND_MSK; kind++) {
        e->freq_ok[kind] = true;
        e->freq[kind] = 0.5 * (l->lo99 + l->hi99) + f->centre;
        e->freq_err[kind] = err_dev + 20;
    }
}

// A whole part of the capture's rate where there is one, which costs the resampler the least.
static double fsk_rate(double width_hz, double in_hz)
{
    double part = floor(in_hz / (FSK_OVER * width_hz));
    return part >= 2 ? in_hz / part : FSK_OVER * width_hz;
}

void fsk_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    double occ = l->occ_hi - l->occ_lo;
    struct fsk f = { .s = m->q, .t = (double *)(void *)m->z };
    if (occ > FSK_WIDTH_MAX_HZ || e->const_env > 0.6 || !(l->power > 0))
        return;
    f.w = fmax(l->hi99 - l->lo99, 1.15 * occ);
    f.fs = fsk_rate(f.w, l->in_fs);
    if (!(f.fs > 0) || l->in_fs < 0.4 * f.w)
        return;
    // Half a width keeps the most noise out; where there is little noise, more keeps the shape.  A
    // small index (Bluetooth's 0.3) has most of its power well inside: less, when that fails.
    double clear = db_of(l->power / (l->n0_psd * f.w + 1e-30));
    double cut = clear > 25 ? 0.9 : clear > 12 ? 0.55 + 0.35 * (clear - 12) / 13 : 0.55;
    fsk_read(m, l, &f);
    for (int turn = 0; turn < 2; turn++, cut = 0.38) {
        discriminate(m, cut, &f);
        if (f.n < 64)
            return;
        levels(m, &f);
        lattice(m, &f);
        if (f.rate > 0 && f.line > FSK_LN_ODDS)
            break;
    }
    if (!(f.rate > 0) || f.line < FSK_LN_ODDS)
        return;
    eye(&f);
    if (f.dev > 0)
        tell(l, &f, fp, e);
}
