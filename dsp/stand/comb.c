// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of the short training field out of the wideband transform, and gaps between them.
//
//     channel     ^   ^   ^   ^   ^   ^       ^   ^   ^   ^   ^   ^      12 lines, none mid
//     lines      [|] [|] [|] [|] [|] [|] [|] [|] [|] [|] [|] [|] [|]     1.25 MHz apart
//     gaps          [ ]     [ ]     [ ]         [ ]     [ ]     [ ]      every second one
//
// Channels 5 MHz apart share their lines: 5 MHz are four of them.  So every channel of the capture
// is watched for the price of narrow streams that fill half of it, each at 360 to 600 kHz.
//
// A stream's filter is the root of a Nyquist one at the stream's rate: noise in its samples, and in
// those of other streams, is independent.
#include "dsp/stand/comb.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/stand/ops.h"
#include "hw/hw.h"

#define LINE_HZ   1.25e6
#define RASTER_HZ 5e6
#define REACH_HZ  7.5e6         // of a channel's outermost lines
#define USABLE    0.98          // of the capture's width
#define FIELD_S   8e-6
#define FALSE_P   1e-11         // a window of a channel, of which there are some million a second
#define SCREEN_P  1e-3
#define SHIFTS    8             // carriers off that are distinct in a window

static const struct { double lo_hz, hi_hz; } bands[] = {
    { 2412e6, 2472e6 }, { 4910e6, 5940e6 },
};

const struct comb_ops *comb_ops(void)
{
#ifdef __x86_64__
    extern const struct comb_ops comb_ops_v2, comb_ops_v3, comb_ops_v4;
#endif
    extern const struct comb_ops comb_ops_plain;
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &comb_ops_v4;
    case HW_ISA_X86_V3: return &comb_ops_v3;
    case HW_ISA_X86_V2: return &comb_ops_v2;
#endif
    default:            return &comb_ops_plain;
    }
}

// Power on a lines of all on a + b, all independent: Beta(a, b), whose tail is a binomial sum.
double comb_share_limit(unsigned a, unsigned b, double p)
{
    double lo = 0, hi = 1;
    for (int i = 0; i < 50; i++) {
        double x = (lo + hi) / 2, tail = 0;
        for (unsigned j = 0; j < a; j++)
            tail += exp(lgamma(a + b) - lgamma(j + 1) - lgamma(a + b - j) + j * log(x) +
                        (a + b - 1 - j) * log1p(-x));
        if (tail > p)
            lo = x;
        else
            hi = x;
    }
    return lo;
}

static float complex turn_of(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

// Flat, its power's edges mirrored around half of the stream's rate.
static void make_filter(struct comb *c)
{
    int half = COMB_TAKEN / 2, wide = COMB_TAKEN - COMB_POINTS;
    for (int i = -half; i < half; i++) {
        double e = fmax(0, abs(i) - (COMB_POINTS - wide) / 2) / wide;
        c->filter[2 * (i + half)] = c->filter[2 * (i + half) + 1] =
            (float)(cos(M_PI / 2 * fmin(e, 1)) / c->n);
    }
}

int comb_init(struct comb *c, double rate_hz, unsigned n)
{
    *c = (struct comb){ .rate_hz = rate_hz, .n = n, .per = n / COMB_POINTS, .op = stand_ops(),
                        .sums = comb_ops() };
    double fits = floor(FIELD_S * rate_hz / c->per);
    c->window = (unsigned)fmin(fits, COMB_WINDOW);
    // |rho|^2 of N independent values against a known one: Beta(1, N - 1); so many are tried
    unsigned all = 18 * c->window;
    c->limit = (float)(1 - pow(FALSE_P / (COMB_PHASES * SHIFTS), 1 / (all - 1.0)));
    c->on_share = (float)comb_share_limit(12 * c->window, 6 * c->window, SCREEN_P);
    for (unsigned i = 0; i < COMB_POINTS; i++)
        c->turn[i] = turn_of((double)i / COMB_POINTS);
    for (unsigned i = 0; i < COMB_PHASES; i++)
        c->phase[i] = turn_of(-(double)i / COMB_PHASES);
    c->inv = dft_new(COMB_POINTS, DFT_BACKWARD, COMB_AT_ONCE);
    c->filter = calloc(2 * COMB_TAKEN, sizeof *c->filter);
    c->taken = dft_alloc(COMB_TAKEN);
    c->bins = dft_alloc(COMB_AT_ONCE * COMB_POINTS);
    c->out = dft_alloc(COMB_AT_ONCE * COMB_POINTS);
    c->x = dft_alloc(COMB_ROWS * COMB_ROW);
    c->p = (float *)dft_alloc(COMB_ROWS * COMB_ROW / 2);
    if (!c->inv || !c->filter || !c->taken || !c->bins || !c->out || !c->x || !c->p) {
        comb_done(c);
        return -ENOMEM;
    }
    make_filter(c);
    return 0;
}

void comb_done(struct comb *c)
{
    dft_free(c->inv);
    free(c->filter);
    free(c->taken);
    free(c->bins);
    free(c->out);
    free(c->x);
    free(c->p);
    *c = (struct comb){ 0 };
}

static void set_row(struct comb *c, unsigned row, double f_hz)
{
    c->f_hz[row] = f_hz;
    c->k0[row] = (int)lround(f_hz / (c->rate_hz / c->n));
    for (unsigned k = 0; k < COMB_WINDOW + 8; k++)
        c->back[row][k] = turn_of(-f_hz * k * c->per / c->rate_hz);
}

void comb_tune(struct comb *c, double centre_hz)
{
    double most = USABLE * c->rate_hz / 2 - REACH_HZ - COMB_TAKEN / 2 * c->rate_hz / c->n;
    c->channels = c->lines = c->rows = 0;
    for (unsigned b = 0; b < sizeof bands / sizeof *bands && !c->channels && most >= 0; b++)
        for (double f = bands[b].lo_hz; f <= bands[b].hi_hz; f += RASTER_HZ)
            if (fabs(f - centre_hz) <= most && c->channels < COMB_CHANNELS) {
                c->f0_hz = c->channels ? c->f0_hz : f - centre_hz;
                c->channels++;
            }
    if (!c->channels)
        return;
    c->lines = 13 + 4 * (c->channels - 1);
    c->rows = c->lines + c->lines / 2;
    for (unsigned i = 0; i < c->rows; i++)
        set_row(c, i, c->f0_hz - REACH_HZ +
                          LINE_HZ * (i < c->lines ? i : 2 * (i - c->lines) + 0.5));
}

void comb_restart(struct comb *c)
{
    memset(c->x, 0, COMB_ROWS * COMB_ROW * sizeof *c->x);
    memset(c->p, 0, COMB_ROWS * COMB_ROW * sizeof *c->p);
    c->hits = 0;
}

// The row's bins, filtered, folded to its rate.
static void take_bins(struct comb *c, unsigned row, const struct wide_spec *s, float complex *to)
{
    enum { HALF = COMB_TAKEN / 2, OVER = HALF - COMB_POINTS / 2 };
    int k = c->k0[row] - HALF;
    unsigned at = (unsigned)(k < 0 ? k + (int)s->n : k);
    unsigned head = at + COMB_TAKEN > s->n ? s->n - at : COMB_TAKEN;
    float complex *t = c->taken;
    c->op->weigh(s->bin + at, c->filter, 1, head, t);
    c->op->weigh(s->bin, c->filter + 2 * head, 1, COMB_TAKEN - head, t + head);
    memcpy(to, t + HALF, COMB_POINTS / 2 * sizeof *to);
    memcpy(to + COMB_POINTS / 2, t + OVER, COMB_POINTS / 2 * sizeof *to);
    for (unsigned i = 0; i < OVER; i++) {
        to[COMB_POINTS / 2 + i] += t[COMB_TAKEN - OVER + i];
        to[COMB_POINTS / 2 - OVER + i] += t[i];
    }
}

// All rows' next COMB_HOP samples and their power.
void comb_rows(struct comb *c, const struct wide_spec *s)
{
    enum { GUARD = (COMB_POINTS - COMB_HOP) / 2 };
    for (unsigned r = 0; r < c->rows; r += COMB_AT_ONCE) {
        unsigned many = c->rows - r < COMB_AT_ONCE ? c->rows - r : COMB_AT_ONCE;
        for (unsigned i = 0; i < many; i++)
            take_bins(c, r + i, s, c->bins + i * COMB_POINTS);
        dft_run(c->inv, c->bins, c->out);
        for (unsigned i = 0; i < many; i++) {
            float complex *x = c->x + (r + i) * COMB_ROW;
            float *p = c->p + (r + i) * COMB_ROW;
            memmove(x, x + COMB_HOP, COMB_BEFORE * sizeof *x);
            memmove(p, p + COMB_HOP, COMB_BEFORE * sizeof *p);
            memcpy(x + COMB_BEFORE, c->out + i * COMB_POINTS + GUARD, COMB_HOP * sizeof *x);
            c->sums->power(x + COMB_BEFORE, COMB_HOP, p + COMB_BEFORE);
        }
    }
}
