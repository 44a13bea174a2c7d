// SPDX-License-Identifier: GPL-3.0-or-later
// The long preamble's phase steps, in two slices of its band.
//
//     channel   ___/======================\___        11 MHz and more, spectrum of Barker's code
//     streams        [slice]      [slice]              2 MHz each, 2.5 MHz to either side
//     one stream's samples, two a symbol:  each to the one a symbol later, of length one: a step
//     steps     -1 +1 +1 -1 ...                        127 known signs, times the carrier's turning
//
// Around 2.5 MHz the code's spectrum is flat and its phase nearly straight: a slice's pulse is as
// short as 2 MHz allow without undoing the code (loss 0.7 dB), and stands at the same place in both
// slices.  Streams 5 MHz apart are each the upper slice of one channel and the lower of the next.
//
// The sum of both slices' steps, each turned back by its sign, is in noise a walk of 254 steps
// (walk.h).  Only where the sum over 48 of the 127 is large are all of them added.
//
// Data of 1 Mb/s has such signs too, only others: the steps of a walk along one line.  How clearly
// steps point is known without signs, from what one slice has in common with the other; the sum
// must be a share of that, too.
#include "dsp/stand/dsss.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/hw.h"

#define RATE_HZ   2.0e6         // of a stream
#define RATE_MAX  2.3e6
#define ASIDE_HZ  2.5e6         // of streams from the carrier
#define RASTER_HZ 5e6
#define FIRST_HZ  2412e6
#define HOME_HZ   2437e6
#define USABLE    0.98          // of the capture's width
#define FALSE_P   1e-12         // a sample of a channel: some ten million a second
#define SCREEN_P  1e-3
#define SYMBOL_S  1e-6
#define FEW_FROM  40            // the first of the steps tried everywhere
#define ROUND_UP  16

const struct dsss_ops *dsss_ops(void)
{
#ifdef __x86_64__
    extern const struct dsss_ops dsss_ops_v2, dsss_ops_v3, dsss_ops_v4;
#endif
    extern const struct dsss_ops dsss_ops_plain;
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &dsss_ops_v4;
    case HW_ISA_X86_V3: return &dsss_ops_v3;
    case HW_ISA_X86_V2: return &dsss_ops_v2;
#endif
    default:            return &dsss_ops_plain;
    }
}

// Ones through 1 + z^-4 + z^-7, from 1101100.
void dsss_preamble(unsigned char bit[DSSS_STEPS + 1])
{
    unsigned s = 0x1b;                  // the last bit lowest: z^-1 is bit 0
    for (int i = 0; i <= DSSS_STEPS; i++) {
        bit[i] = (unsigned char)(1 ^ (s >> 3 & 1) ^ (s >> 6 & 1));
        s = s << 1 | bit[i];
    }
}

// Points for the rate nearest to two samples a symbol: drift is what costs.
static unsigned choose_points(double bin_hz, unsigned n)
{
    unsigned best = 0;
    for (unsigned p = WIDE_PARTS; p <= n && p * bin_hz <= RATE_MAX; p += WIDE_PARTS) {
        unsigned m = p;
        for (unsigned f = 2; f <= 5; f++)
            while (m % f == 0)
                m /= f;
        if (m == 1 && p * bin_hz > 0.93 * RATE_HZ &&
            (!best || fabs(p * bin_hz - RATE_HZ) < fabs(best * bin_hz - RATE_HZ)))
            best = p;
    }
    return best;
}

// The least share of a walk of k steps that noise exceeds with probability p.
static double walk_limit(unsigned k, double p)
{
    double lo = 0, hi = 1;
    for (int i = 0; i < 40; i++) {
        double mid = (lo + hi) / 2;
        if (walk_tail(k, mid) > p)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

static void make_steps(struct dsss *d)
{
    unsigned char bit[DSSS_STEPS + 1];
    dsss_preamble(bit);
    for (unsigned k = 0; k < DSSS_STEPS; k++) {
        d->at[k] = (short)lround(k * SYMBOL_S * d->chan_hz);
        d->sign[k] = bit[k + 1] ? -1 : 1;
    }
    for (unsigned k = FEW_FROM; k < FEW_FROM + DSSS_FEW; k++) {
        if (d->sign[k] > 0)
            d->plus[d->n_plus++] = d->at[k];
        else
            d->minus[d->n_minus++] = d->at[k];
    }
    d->few_limit = pow(2 * DSSS_FEW * walk_limit(2 * DSSS_FEW, SCREEN_P), 2);
    d->limit = walk_limit(2 * DSSS_STEPS, FALSE_P);
}

int dsss_init(struct dsss *d, double rate_hz, unsigned n)
{
    *d = (struct dsss){ .rate_hz = rate_hz, .n = n, .op = walk_ops(), .sums = dsss_ops() };
    d->points = choose_points(rate_hz / n, n);
    d->hop = d->points / WIDE_PARTS * WIDE_HOP;
    if (!d->points || d->hop > DSSS_HOP_MAX - ROUND_UP) {
        d->points = 0;          // too narrow for a stream
        return 0;
    }
    d->chan_hz = d->points * rate_hz / n;
    d->inv = dft_new(d->points, DFT_BACKWARD, 1);
    d->window = calloc(2 * d->points, sizeof *d->window);
    if (!d->inv || !d->window) {
        dsss_done(d);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < 2 * d->points; i++)
        d->window[i] = 1 / (float)n;
    make_steps(d);
    d->kept = (unsigned)d->at[DSSS_STEPS - 1] + 1;
    return 0;
}

static void streams_done(struct dsss *d)
{
    for (unsigned i = 0; i < d->streams; i++) {
        struct dsss_stream *t = &d->stream[i];
        chan_done(&t->c);
        free(t->x);
        free(t->re);
        free(t->im);
        free(t->few_re);
        free(t->few_im);
        *t = (struct dsss_stream){ 0 };
    }
    d->streams = 0;
}

void dsss_done(struct dsss *d)
{
    streams_done(d);
    dft_free(d->inv);
    free(d->window);
    *d = (struct dsss){ 0 };
}

static int stream_new(struct dsss *d, double f_hz)
{
    struct dsss_stream *t = &d->stream[d->streams++];
    int r = chan_init(&t->c, d->rate_hz, d->n, d->points, f_hz, d->inv, d->window);
    size_t room = d->kept + d->hop + 4 * ROUND_UP, few = d->hop + ROUND_UP;
    t->x = dft_alloc(d->hop + DSSS_DELAY);
    t->re = calloc(room, sizeof *t->re);
    t->im = calloc(room, sizeof *t->im);
    t->few_re = calloc(few, sizeof *t->few_re);
    t->few_im = calloc(few, sizeof *t->few_im);
    return r ? r : t->x && t->re && t->im && t->few_re && t->few_im ? 0 : -ENOMEM;
}

int dsss_tune(struct dsss *d, double centre_hz)
{
    double most = USABLE * d->rate_hz / 2 - d->chan_hz / 2;
    int r = 0;
    streams_done(d);
    d->home = 0;
    for (unsigned i = 0; i < DSSS_STREAMS && d->points && !r; i++) {
        double f = FIRST_HZ - ASIDE_HZ + i * RASTER_HZ - centre_hz;
        if (fabs(f) > most)
            continue;
        if (f + ASIDE_HZ + centre_hz <= HOME_HZ)        // channel so many, of those it has
            d->home = d->streams / DSSS_AT_ONCE;
        r = stream_new(d, f);
    }
    if (r || d->streams < 2)
        streams_done(d);
    return r;
}

void dsss_restart(struct dsss *d)
{
    for (unsigned i = 0; i < d->streams; i++) {
        struct dsss_stream *t = &d->stream[i];
        memset(t->x, 0, DSSS_DELAY * sizeof *t->x);
        memset(t->re, 0, d->kept * sizeof *t->re);
        memset(t->im, 0, d->kept * sizeof *t->im);
    }
}

// Every second turn is that of channel 6, where identification is sent; the others share the rest.
void dsss_turn(struct dsss *d, int64_t turn)
{
    unsigned channels = d->streams - 1, groups = (channels + DSSS_AT_ONCE - 1) / DSSS_AT_ONCE;
    unsigned g = 0;
    if (groups > 1) {
        g = turn & 1 ? d->home : (unsigned)(turn / 2 % (groups - 1));
        g += !(turn & 1) && g >= d->home;
    }
    if (d->turn >= 0 && g * DSSS_AT_ONCE != d->first)
        dsss_restart(d);
    d->turn = turn;
    d->first = g * DSSS_AT_ONCE;
    d->last = d->first + DSSS_AT_ONCE < channels ? d->first + DSSS_AT_ONCE : channels;
}
