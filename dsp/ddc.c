// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts one band out of a cut-out (see ddc.h).  Works in pieces that stay in the cache:
//
//     cut --read, turn--> [stage 1: low-pass, every m-th] --> stage 2: fractional delay --> dst
//          in_rate                only when in/out >= 6              any ratio, in_rate / m
//
// Stage 1 puts its k-th output on input sample k*m exactly (odd, symmetric filter), stage 2
// evaluates a windowed sinc at the exact time of each output.  So no delay is left, and the phase
// of the oscillator is zero at the cut's first sample whatever t0 is.
//
// Frequencies of the two low-passes, S = out - pass/2 being the stop edge promised:
//
//     stage 1  |---pass/2 ............ in/m - S ----   so that nothing it folds lands below S
//     stage 2  |---pass/2 .. S ---
#include "dsp/ddc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/kernel/fir.h"
#include "hw/hw.h"

// Kaiser: some more than the 60 dB promised, since Kaiser's rule is a few dB kind, the two stages'
// ripples add, and so does the interpolation between phases.
#define DDC_ATT_DB 70.0
#define DDC_BETA   (0.1102 * (DDC_ATT_DB - 8.7))
// linear between them: error (pi/64)^2/8 = -70 dB at worst, at ratio 1
#define DDC_OVER_I0 0.0074367508341257335           // 1 / I0(beta)
#define DDC_PHASES 64
#define DDC_ROWS   36864            // taps of all rows: 768 phases (12.5 to 15.36 MS/s) of 48 taps
#define DDC_EXACT  1024             // periods looked for; 2^k * 15 kHz from whole megahertz has 768
#define DDC_AGAIN  4                // times a period's filters must serve to be worth making
#define DDC_SPAN   2048             // samples worked on at once where periods allow: 16 KB
#define DDC_TAPS2  352              // pass = 0.9 out and a ratio of 6 ask for 253
#define DDC_TAPS1  8192             // ratio 4000; beyond, stage 2 takes what is left
#define DDC_READ   (DDC_TAPS1 + 8192)
#define DDC_MID    4096
#define DDC_KEPT   6                // filters kept: looks at Wi-Fi, Bluetooth and the like
#define DDC_FAR    4e15             // positions beyond this are nowhere; also keeps int64 safe

// Filters for one pair of rates and one pass-band.
struct filters {
    double  in, out, pass;          // 0: none yet
    size_t  m, taps1, taps2;
    double  late;                   // of the first row's phase, of a period's
    size_t  rows;                   // of these that are made
    bool    made[DDC_PHASES + 1];   // of the others: an odd ratio needs few of them
    struct fir_row row;             // what rows have in common
    double  fc2;
    float   wave[2 * DDC_TAPS2];    // its sinc's
    float   h1[2 * DDC_TAPS1];
    float   h2[2 * DDC_ROWS];       // one way or the other: DDC_PHASES + 1 rows, or a period's
};

// A call's work, its filters apart.
struct ddc {
    const struct fir_ops *op;
    const struct cut     *c;
    struct filters       *f;
    double  turns;                  // oscillator, turns per input sample
    float   turn[2 * FIR_TURN];
    float   in[2 * (DDC_READ + FIR_TURN)];
    float   mid[2 * (DDC_MID + FIR_TURN)];
};

struct ddc_kept { struct filters f[DDC_KEPT]; size_t next; };

HW_PICK(fir_ops, fir_ops)

void fir_turns(double turns, size_t n, float *w)
{
    double a = 2 * M_PI * (turns - floor(turns)), cs = cos(a), sn = sin(a), re = 1, im = 0;
    for (size_t k = 0; k < n; k++) {
        w[2 * k] = (float)re;
        w[2 * k + 1] = (float)im;
        double t = re * cs - im * sn;
        im = re * sn + im * cs;
        re = t;
    }
}

// Kaiser window at u in -1..1: I0(beta sqrt(1 - u^2)) / I0(beta).  The series of I0 needs no root;
// 16 terms are exact to 1e-9 for beta = 6.8.
static double bessel_of_square(double q)
{
    static const double over_k2[] = {
        1, 1. / 4, 1. / 9, 1. / 16, 1. / 25, 1. / 36, 1. / 49, 1. / 64, 1. / 81, 1. / 100,
        1. / 121, 1. / 144, 1. / 169, 1. / 196, 1. / 225, 1. / 256,
    };
    double s = 0;
    for (int k = 15; k >= 0; k--)
        s = (s + 1) * q * over_k2[k];
    return s + 1;
}

static double kaiser(double u)
{
    static const double q = DDC_BETA * DDC_BETA / 4;
    return u <= -1 || u >= 1 ? 0 : bessel_of_square(q * (1 - u * u)) * DDC_OVER_I0;
}

// Low-pass of width fc (cycles per sample, one-sided) at time t samples, half its length being
// half.
static double lowpass(double t, double fc, double half)
{
    double a = 2 * M_PI * fc * t;
    double sinc = fabs(a) < 1e-9 ? 2 * fc : sin(a) / (M_PI * t);
    return sinc * kaiser(t / half);
}

// Taps for a transition of df cycles per sample (Kaiser's rule), at most max, at least 8.
static size_t taps_for(double df, size_t max)
{
    double n = (DDC_ATT_DB - 7.95) / (2.285 * 2 * M_PI * df) + 1;
    return n > (double)max ? max : n < 8 ? 8 : (size_t)ceil(n);
}

// Stage 1 by m: tap taps1/2 stands on the output's own time (so one tap is lost to symmetry).
static void design_stage1(struct filters *f, double in, double out, double pass)
{
    f->taps1 = taps_for((in / (double)f->m - out) / in, DDC_TAPS1) / 8 * 8 + 8;
    if (f->taps1 > DDC_TAPS1)
        f->taps1 = DDC_TAPS1;
    double half = (double)f->taps1 / 2;
    double fc = 0.5 * (in / (double)f->m - (out - pass)) / in;      // middle of pass/2 .. in/m - S
    for (size_t k = 0; k < f->taps1; k++)
        f->h1[2 * k] = f->h1[2 * k + 1] = (float)lowpass((double)k - half, fc, half);
}

// Stage 2: row p holds the filter for an output p/DDC_PHASES of a sample after tap taps2/2 - 1.
static void design_stage2(struct filters *f, double in, double out, double pass)
{
    double low = in < out ? in : out, trans = low - pass;
    f->taps2 = taps_for(trans / in, DDC_TAPS2 - 8) / 8 * 8 + 8;
    double half = (double)f->taps2 / 2, fc = 0.5 * low / in;
    f->fc2 = fc;
    f->row = (struct fir_row){ .over_half2 = (float)(1 / (half * half)), .peak = (float)(2 * fc),
                               .wave = f->wave, .over_i0 = (float)DDC_OVER_I0,
                               .beta2 = (float)(DDC_BETA * DDC_BETA / 4) };
    fir_turns(fc, f->taps2, f->wave);
    memset(f->made, 0, sizeof f->made);
    f->rows = 0;
}

// Filter for an output `late` of a sample after tap taps2/2 - 1.
static void make_row(struct ddc *d, double late, float *h)
{
    double t0 = 1 - (double)d->f->taps2 / 2 - late, a = 2 * M_PI * d->f->fc2 * t0;
    d->f->row.t0 = (float)t0;
    d->f->row.s0 = (float)sin(a);
    d->f->row.c0 = (float)cos(a);
    d->op->row(&d->f->row, d->f->taps2, h);
}

static const float *stage2_row(struct ddc *d, size_t p)
{
    d->f->rows = 0;                     // a period's are written over
    float *h = d->f->h2 + p * 2 * d->f->taps2;
    if (!d->f->made[p])
        make_row(d, (double)p / DDC_PHASES, h);
    d->f->made[p] = true;
    return h;
}

// Input samples [lo, lo+n) turned by -f, into dst (room for n + FIR_TURN).
static void read_turned(struct ddc *d, int64_t lo, size_t n, float *dst)
{
    cut_read(d->c, lo, n, (float complex *)(void *)dst);
    memset(dst + 2 * n, 0, 2 * FIR_TURN * sizeof *dst);
    for (size_t i = 0; d->turns != 0 && i < n; i += FIR_TURN) {
        double ph = d->turns * (double)(lo + (int64_t)i);
        ph = -2 * M_PI * (ph - floor(ph));
        d->op->mix(dst + 2 * i, d->turn, (float)cos(ph), (float)sin(ph));
    }
}

// Samples [lo, lo+n) at the middle rate into d->mid, n <= DDC_MID.
static void fill_mid(struct ddc *d, int64_t lo, size_t n)
{
    if (d->f->m == 1) {
        read_turned(d, lo, n, d->mid);
        return;
    }
    size_t group = (DDC_READ - d->f->taps1) / d->f->m + 1;
    for (size_t i = 0; i < n; i += group) {
        size_t k = n - i < group ? n - i : group;
        read_turned(d, (lo + (int64_t)i) * (int64_t)d->f->m - (int64_t)(d->f->taps1 / 2),
                    (k - 1) * d->f->m + d->f->taps1, d->in);
        d->op->dots(d->in, 2 * d->f->m, d->f->h1, 2 * d->f->taps1, k, d->mid + 2 * i, 2);
    }
}

// The fewest outputs q after which they stand as far between samples as before, and the samples p
// that is; 0 when that takes too many.
static size_t period(double step, size_t most, size_t *ret_p)
{
    for (size_t q = 1; q <= most; q++) {
        double p = (double)q * step, whole = (double)(int64_t)(p + 0.5);
        if (fabs(p - whole) < 1e-10 * (double)q && whole > 0) {
            *ret_p = (size_t)whole;
            return q;
        }
    }
    return 0;
}

// Rows of the first n phases of a period, those of an earlier call kept.
static void period_rows(struct ddc *d, double late, double step, size_t n)
{
    struct filters *f = d->f;

    if (f->rows && f->late != late)
        f->rows = 0;
    if (!f->rows)
        memset(f->made, 0, sizeof f->made);         // the others' place
    f->late = late;
    for (; f->rows < n; f->rows++) {
        double at = late + (double)f->rows * step;
        make_row(d, at - floor(at), f->h2 + f->rows * 2 * f->taps2);
    }
}

// Outputs that come round to one phase share its filter:
//
//     phase    0   1   2   0   1   2   0   1   2         q = 3 outputs to p = 5 samples
//     sample   0.0 1.7 3.3 5.0 6.7 8.3 10 ..
//
static void run_periods(struct ddc *d, double pos, size_t q, size_t p, float complex *dst, size_t n)
{
    size_t room = (DDC_SPAN - d->f->taps2 - 2) / p;        // periods
    double step = (double)p / (double)q, base = floor(pos), late = pos - base;

    if (room < 4)
        room = (DDC_MID - d->f->taps2 - 2) / p;
    if (room > 4)
        room = room / 4 * 4;            // the kernel's way
    period_rows(d, late, step, q < n ? q : n);
    for (size_t i = 0; i < n; i += room * q) {
        size_t k = n - i < room * q ? n - i : room * q;
        int64_t lo = (int64_t)base + (int64_t)(i / q * p) - (int64_t)(d->f->taps2 / 2) + 1;
        size_t last = (size_t)(late + (double)(k - 1) * step + 1e-6);
        fill_mid(d, lo, last + d->f->taps2);
        for (size_t r = 0; r < q && r < k; r++)
            d->op->dots(d->mid + 2 * (size_t)(late + (double)r * step), 2 * p,
                        d->f->h2 + r * 2 * d->f->taps2, 2 * d->f->taps2, (k - r + q - 1) / q,
                        (float *)(dst + i + r), 2 * q);
    }
}

static void copy(struct ddc *d, int64_t at, float complex *dst, size_t n)
{
    for (size_t i = 0; i < n; i += DDC_MID) {
        size_t k = n - i < DDC_MID ? n - i : DDC_MID;
        fill_mid(d, at + (int64_t)i, k);
        memcpy(dst + i, d->mid, k * sizeof *dst);
    }
}

// Any ratio: between two of DDC_PHASES filters.
static void run_between(struct ddc *d, double pos, double step, float complex *dst, size_t n)
{
    size_t per = (size_t)((double)(DDC_MID - d->f->taps2 - 2) / step);
    per = per < 1 ? 1 : per;
    for (size_t i = 0; i < n; i += per) {
        size_t k = n - i < per ? n - i : per;
        double first = pos + (double)i * step;
        int64_t lo = (int64_t)floor(first) - (int64_t)(d->f->taps2 / 2) + 1;
        int64_t hi = (int64_t)floor(pos + (double)(i + k - 1) * step) + (int64_t)(d->f->taps2 / 2);
        fill_mid(d, lo, (size_t)(hi - lo + 1));
        for (size_t j = 0; j < k; j++) {
            double p = pos + (double)(i + j) * step, fl = floor(p), f = (p - fl) * DDC_PHASES;
            size_t row = (size_t)f;
            const float *x = d->mid + 2 * ((int64_t)fl - (int64_t)(d->f->taps2 / 2) + 1 - lo);
            const float *a = stage2_row(d, row);
            float mu = (float)(f - (double)row), *y = (float *)(dst + i + j);
            if (mu == 0)
                d->op->dot(x, a, 2 * d->f->taps2, y);
            else
                d->op->lerp(x, a, stage2_row(d, row + 1), mu, 2 * d->f->taps2, y);
        }
    }
}

// Output from middle-rate samples; pos is the first output's time in them, step the next one's.
static void run_stage2(struct ddc *d, double pos, double step, float complex *dst, size_t n)
{
    size_t most = n / DDC_AGAIN < DDC_EXACT ? n / DDC_AGAIN : DDC_EXACT, p = 0;
    if (most > DDC_ROWS / d->f->taps2)
        most = DDC_ROWS / d->f->taps2;
    size_t q = period(step, most ? most : 1, &p);

    if (step == 1 && pos == floor(pos))             // on samples: filters of 1
        copy(d, (int64_t)pos, dst, n);
    else if (q && p + d->f->taps2 + 2 <= DDC_MID)
        run_periods(d, pos, q, p, dst, n);
    else
        run_between(d, pos, step, dst, n);
}

static void design(struct filters *f, double in, double out, double pass)
{
    double ratio = in / out;

    f->in = in;
    f->out = out;
    f->pass = pass;
    // An even ratio leaves stage 2 every second sample, and so one filter; else it reads at three
    // times the rate, where its filters are short.
    bool even = fmod(ratio, 2) == 0;
    f->m = ratio < 6 ? 1 : (size_t)(ratio / (even ? 2 : 3));
    f->m = f->m > DDC_TAPS1 / 6 ? DDC_TAPS1 / 6 : f->m;
    if (f->m > 1)
        design_stage1(f, in, out, pass);
    design_stage2(f, in / (double)f->m, out, pass);
}

// Those for these rates: kept ones, or new ones in the place of the oldest.
static struct filters *find_filters(struct ddc_kept *kept, double in, double out, double pass)
{
    for (size_t i = 0; i < DDC_KEPT; i++) {
        struct filters *f = &kept->f[i];
        if (f->in == in && f->out == out && f->pass == pass)
            return f;
    }
    struct filters *f = &kept->f[kept->next++ % DDC_KEPT];
    design(f, in, out, pass);
    return f;
}

struct ddc_kept *ddc_kept_new(void) { return calloc(1, sizeof(struct ddc_kept)); }
void ddc_kept_free(struct ddc_kept *k) { free(k); }

void ddc_run_kept(struct ddc_kept *kept, const struct cut *c, double in_rate_hz, double f_hz,
                  double t0, double out_rate_hz, double pass_hz, float complex *dst, size_t n)
{
    double ratio = in_rate_hz / out_rate_hz;
    if (!(ratio > 1e-6 && ratio < 1e6) || !isfinite(f_hz) || !isfinite(pass_hz) ||
        !(fabs(t0) + (double)n * ratio < DDC_FAR)) {
        memset(dst, 0, n * sizeof *dst);
        return;
    }
    // of the lower rate: the filters' length is bounded by it
    static const double most = 0.9;
    double low = in_rate_hz < out_rate_hz ? in_rate_hz : out_rate_hz;
    double pass = pass_hz < 0 ? 0 : pass_hz > most * low ? most * low : pass_hz;

    struct filters own;             // untouched where there are kept ones
    struct ddc d;
    d.op = fir_ops();
    d.c = c;
    d.turns = f_hz / in_rate_hz;
    fir_turns(-d.turns, FIR_TURN, d.turn);
    d.f = kept ? find_filters(kept, in_rate_hz, out_rate_hz, pass) : &own;
    if (!kept)
        design(d.f, in_rate_hz, out_rate_hz, pass);
    run_stage2(&d, t0 / (double)d.f->m, ratio / (double)d.f->m, dst, n);
}

void ddc_run(const struct cut *c, double in_rate_hz, double f_hz, double t0,
             double out_rate_hz, double pass_hz, float complex *dst, size_t n)
{
    ddc_run_kept(NULL, c, in_rate_hz, f_hz, t0, out_rate_hz, pass_hz, dst, n);
}
