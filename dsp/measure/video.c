// SPDX-License-Identifier: GPL-3.0-or-later
// Analog FM video: the line rate, from the picture's likeness to itself some lines later.
//
//     demodulated, 1 MS/s   ~~~\_/~~~~~\_/~~~~~\_/~~~      sync pulses every 64.000 us (PAL)
//                                                          or 63.556 us (NTSC)
//     score(T) = mean over k of R(k T),  R the autocorrelation, k = 1 .. 60, then further
//
// The two standards differ by 0.7 %: over 60 lines that is half a line.  The pulse is 4.7 us, so
// the peak in T is 80 ns wide, and narrower as k grows.  Noise in R at lags k T is independent, so
// the score's spread is that of R elsewhere over sqrt(60).
//
// Two signals are tried: the discriminator's, and the power, which shows the lines when the capture
// sees only a part of the band the carrier swings through.
#include <string.h>

#include "dsp/measure/measure.h"

#define VIDEO_BAND_HZ  8e6          // contract's width
#define VIDEO_RATE_HZ  10e6
#define VIDEO_SLOW_HZ  1e6          // after the mean over 1 us: a sync pulse is 4.7
#define VIDEO_MIN_S    3e-3
#define VIDEO_MAX_S    20e-3
#define VIDEO_WIDTH_MIN_HZ 1.2e6
#define VIDEO_LINES    60
#define VIDEO_CHUNK    16384
#define LINE_PAL_S     64e-6
#define LINE_NTSC_S    (1001 * 1e-6 / 15.75)    // 15734.27 Hz
#define LINE_LO_S      63.2e-6      // half a percent beyond both: clocks of toy cameras
#define LINE_BINS  64               // of the mean line: about 1 us
#define SYNC_NEAR  0.25f            // of the line's range
#define SYNC_MOST  11               // bins: the pulse's 4.7 us, its edges and some noise
#define LINE_HI_S      64.4e-6

// Demodulates in chunks and averages to VIDEO_SLOW_HZ: frequency into fm, power into am.
static size_t demodulate(struct measurer *m, const struct look *l, double fs, float *fm, float *am)
{
    double from = l->t0 + (double)l->i0 * l->in_fs / l->fs;
    double mid = l->in_fs > 1.5 * VIDEO_RATE_HZ ? l->f_hz + 0.5 * (l->lo99 + l->hi99) : 0;
    double len = fmin(VIDEO_MAX_S, fmin((double)(l->b->n1 - l->b->n0) / l->in_fs,
                                        ((double)l->b->cut.n - from) / l->in_fs));
    size_t per = (size_t)(fs / VIDEO_SLOW_HZ + 0.5), slow = 0;
    size_t total = len > 0 ? (size_t)(len * fs) : 0;
    if (mid == 0)
        fs = l->in_fs;
    for (size_t done = 0; done + per < total && slow + VIDEO_CHUNK / per < LOOK_MAX / 4;) {
        size_t n = (VIDEO_CHUNK / per) * per;
        n = n < total - done ? n : (total - done - 1) / per * per;
        if (!n)
            break;
        double at = from + (double)done * l->in_fs / fs;
        if (mid == 0)
            cut_read(&l->b->cut, (int64_t)at, n + 1, m->y);
        else
            ddc_run_kept(m->ddc, &l->b->cut, l->in_fs, mid, at, fs, VIDEO_BAND_HZ, m->y, n + 1);
        for (size_t i = 0; i < n; i += per, slow++) {
            float complex turn = 0;
            float p = 0;
            for (size_t k = i; k < i + per; k++) {
                float complex d = m->y[k + 1] * conjf(m->y[k]);
                float a = sq(m->y[k]);
                turn += d;
                p += a;
            }
            // The angle of the summed turns is the mean frequency weighted by power: a click, which
            // comes at low power, hardly counts.
            fm[slow] = cargf(turn);
            am[slow] = p;
        }
        done += n;
    }
    return slow;
}

// Autocorrelation by transform, zero-padded; R[k] for k < n into r, the mean removed.
static void autocorr(struct measurer *m, const float *s, size_t n, float *r)
{
    unsigned log_n = log2_floor(2 * n - 1) + 1;
    size_t nf = (size_t)1 << log_n;
    double mean = 0;
    for (size_t i = 0; i < n; i++)
        mean += s[i] / (double)n;
    for (size_t i = 0; i < nf; i++)
        m->y[i] = i < n ? s[i] - (float)mean : 0;
    dft_run(m->fft[log_n], m->y, m->y);
    // Pictures are bright or dark for many lines: what is slower than half the line rate goes.
    size_t low = (size_t)(8e3 / VIDEO_SLOW_HZ * (double)nf);
    for (size_t i = 0; i < nf; i++)
        m->y[i] = i < low || i > nf - low ? 0 : sq(m->y[i]);
    dft_run(m->fft[log_n], m->y, m->y);             // real and even: forward is as good as backward
    for (size_t i = 0; i < n; i++)
        r[i] = crealf(m->y[i]) / (float)(n - i + n / 64);
}

struct score { double mean, t, sigma, half; };

// Mean of R at lines first..last of period T (in slow samples), interpolated.
static double comb(const float *r, double period, double offset, int first, int last)
{
    double s = 0;
    for (int k = first; k <= last; k++) {
        double at = (k + offset) * period;
        size_t i = (size_t)at;
        double f = at - (double)i;
        s += r[i] * (1 - f) + r[i + 1] * f;
    }
    return s / (last - first + 1);
}

static struct score line_find(const float *r, size_t n, double slow)
{
    struct score best = { .mean = -1 };
    double line = 64e-6 * slow;
    int lines = (int)fmin(VIDEO_LINES, (double)n * 0.6 / line) - 1;
    double mean = 0, var = 0;
    size_t count = 0;
    // Spread of R over the lags used, whatever it is made of: a picture without lines has as much.
    for (size_t i = (size_t)(0.5 * line); i < (size_t)(lines * line); i++, count++)
        mean += r[i], var += (double)r[i] * r[i];
    mean /= (double)count;
    best.sigma = sqrt(fmax(1e-30, var / (double)count - mean * mean));
    for (double t = LINE_LO_S; t <= LINE_HI_S; t += 10e-9) {
        double v = comb(r, t * slow, 0, 1, lines);
        if (v > best.mean)
            best.mean = v, best.t = t;
    }
    // Closer with more lines: the peak sharpens in proportion.
    int most = (int)((double)n * 0.8 / line) - 1;
    for (int k = lines, step = 0; k < most && step < 4; step++) {
        k = k * 2 > most ? most : k * 2;
        double top = -1, at = best.t, span = 0.6e-6 / k * 4;
        for (double t = best.t - span; t <= best.t + span; t += span / 32) {
            double v = comb(r, t * slow, 0, k / 4, k);
            if (v > top)
                top = v, at = t;
        }
        best.t = at;
    }
    best.half = comb(r, best.t * slow, 0.5, 1, lines - 1);
    best.sigma /= sqrt((double)lines);
    return best;
}

// The mean line: a sync pulse is the one place where it comes near an end of its range, and only
// for 4.7 us.  A tone, a sawtooth or a radar's sweep at the line rate stays near both for longer:
// within a quarter of the range a sawtooth is for 16 us of 64, a sine for 21.
static bool has_sync(const float *fm, size_t n, double period)
{
    float line[LINE_BINS] = { 0 }, visits[LINE_BINS] = { 0 }, lo = 1e9f, hi = -1e9f;
    unsigned low = 0, high = 0;

    for (size_t i = 0; i < n; i++) {
        double at = (double)i / period;
        unsigned k = (unsigned)((at - floor(at)) * LINE_BINS);
        line[k < LINE_BINS ? k : 0] += fm[i];
        visits[k < LINE_BINS ? k : 0] += 1;
    }
    for (unsigned k = 0; k < LINE_BINS; k++) {
        line[k] /= fmaxf(visits[k], 1);
        lo = fminf(lo, line[k]);
        hi = fmaxf(hi, line[k]);
    }
    for (unsigned k = 0; k < LINE_BINS; k++) {
        low += line[k] < lo + SYNC_NEAR * (hi - lo);
        high += line[k] > hi - SYNC_NEAR * (hi - lo);
    }
    return low <= SYNC_MOST || high <= SYNC_MOST;
}

void video_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e)
{
    double w = l->occ_hi - l->occ_lo, len = (double)(l->b->n1 - l->b->n0) / l->in_fs;
    if (w < VIDEO_WIDTH_MIN_HZ || w > 30e6 || len < VIDEO_MIN_S || !(l->power > 0))
        return;
    double fs = l->in_fs > 1.5 * VIDEO_RATE_HZ ? VIDEO_RATE_HZ : l->in_fs;
    size_t per = (size_t)(fs / VIDEO_SLOW_HZ + 0.5);
    double slow = fs / (double)per;
    float *fm = m->q, *am = m->q + LOOK_MAX / 4, *r = m->q + LOOK_MAX / 2;
    size_t n = demodulate(m, l, fs, fm, am);
    struct score best = { 0 };
    double best_z = 0, r0 = 1;
    bool by_fm = true;
    for (int way = 0; way < 2 && (double)n > VIDEO_MIN_S * slow * 0.9; way++) {
        autocorr(m, way ? am : fm, n, r);
        struct score s = line_find(r, n, slow);
        double z = (s.mean - fmax(0, s.half)) / s.sigma;
        if (z > best_z)
            best_z = z, best = s, r0 = r[0], by_fm = !way;
    }
    double corr = fmin(1, fmax(0, best.mean) / fmax(1e-30, r0));
    // 120 periods tried, hardly more than 20 of them independent.
    if (best_z < 6 || corr < 0.02 || (by_fm && !has_sync(fm, n, best.t * slow)))
        return;
    double err = 0.3e-6 * 12 / ((double)n / slow / best.t) / fmin(best_z, 30) + 0.2e-9;
    fp->line_rate_hz = (struct meas){ 1 / best.t, err / (best.t * best.t) };
    fp->line_corr = (struct meas){ corr, corr / best_z };
    double pal = fabs(best.t - LINE_PAL_S), ntsc = fabs(best.t - LINE_NTSC_S);
    fp->video = fmin(pal, ntsc) > 0.12e-6 ? VIDEO_NONE : pal < ntsc ? VIDEO_PAL : VIDEO_NTSC;
    // The picture's mean brightness moves the middle of the band by a few hundred kilohertz.
    e->freq_ok[KIND_FM] = true;
    e->freq[KIND_FM] = 0.5 * (l->lo99 + l->hi99);
    e->freq_err[KIND_FM] = 0.4e6;
    e->p[KIND_FM] = fmax(e->p[KIND_FM], 1 / (1 + exp(-(best_z - 7.5) * 1.5)) * 0.99);
}
