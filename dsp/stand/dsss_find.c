// SPDX-License-Identifier: GPL-3.0-or-later
// A long preamble in the steps of two slices: screen, sum, tell.
#include <math.h>
#include <string.h>

#include "dsp/stand/dsss.h"

#define LIKE     0.6            // of how clearly the steps point: other data's 127 signs
                                // have 0.6 of it once in 1e11 times
#define OFF_HZ   160e3          // of a carrier
#define PLACE_S  0.56e-6        // of a slice's pulse behind the symbol's first chip
#define SYMBOL_S 1e-6
#define SLICE    0.77           // of the power that falls on a slice's width and counts
#define LEAST_S  192e-6         // preamble and header
#define WIDE_HZ  11e6
#define ONE_S    130e-6         // of hits so near the largest counts
#define OVERLAP  16e6           // if they are nearer than that
#define TURN_S   0.25           // two beacons of most access points
#define TRIES    48             // a block
#define MASKS    (DSSS_HOP_MAX / 16)

struct sum { double re, im, both; };    // of both slices' steps; of what they have in common

static struct sum add_up(const struct dsss *d, const struct dsss_stream *t, unsigned i)
{
    const float *ar = t[0].re + i, *ai = t[0].im + i, *br = t[1].re + i, *bi = t[1].im + i;
    struct sum s = { 0 };
    float re = 0, im = 0, both = 0;
    for (unsigned k = 0; k < DSSS_STEPS; k++) {
        unsigned at = (unsigned)d->at[k];
        re += d->sign[k] * (ar[at] + br[at]);
        im += d->sign[k] * (ai[at] + bi[at]);
        both += ar[at] * br[at] + ai[at] * bi[at];
    }
    s.re = re;
    s.im = im;
    s.both = both;
    return s;
}

static void tell(struct dsss *d, unsigned i, struct stand_list *out)
{
    struct dsss_hit h = d->hit[i];
    memmove(&d->hit[i], &d->hit[i + 1], (--d->hits - i) * sizeof h);
    if (out->n == STAND_MAX) {
        out->dropped++;
        return;
    }
    out->c[out->n++] = (struct stand_cand){
        .kind = STAND_DSSS, .n0 = h.n0, .n1 = h.n0 + LEAST_S * d->rate_hz, .f_hz = h.f_hz,
        .bw_hz = WIDE_HZ, .metric = h.metric, .snr_db = h.snr_db,
    };
}

// Of hits on one preamble the largest stays.
static void add(struct dsss *d, const struct dsss_hit *h, struct stand_list *out)
{
    for (unsigned i = 0; i < d->hits; i++) {
        struct dsss_hit *o = &d->hit[i];
        if (fabs(h->n0 - o->n0) < ONE_S * d->rate_hz && fabs(h->f_hz - o->f_hz) < OVERLAP) {
            if (h->metric > o->metric)
                *o = *h;
            return;
        }
    }
    if (d->hits == DSSS_HITS)
        tell(d, 0, out);
    d->hit[d->hits++] = *h;
}

// zero: capture index of step 0.
static void match(struct dsss *d, unsigned channel, unsigned i, double zero,
                  struct stand_list *out)
{
    struct sum s = add_up(d, &d->stream[channel], i);
    double rho = hypot(s.re, s.im) / (2 * DSSS_STEPS), clear = s.both / DSSS_STEPS;
    // 2.5 MHz aside, symbols are half a turn apart; a step spans one, whatever its length
    double off_hz = atan2(-s.im, -s.re) / (2 * M_PI * SYMBOL_S);
    if (d->on_try)
        d->on_try(d->on_try_arg, rho);
    // the negations: samples that overflow a float make a NaN of it
    if (!(rho >= d->limit) || !(rho * rho >= LIKE * LIKE * clear) || !(fabs(off_hz) <= OFF_HZ))
        return;
    // the mean of steps between two noisy samples, as of advertisements (ble.c)
    double mid_hz = (d->stream[channel].c.f_hz + d->stream[channel + 1].c.f_hz) / 2;
    double snr = -0.5 / log(fmin(rho, 0.998)) / SLICE;
    add(d, &(struct dsss_hit){ .n0 = zero + i * d->stream[0].c.per - PLACE_S * d->rate_hz,
                               .f_hz = mid_hz + off_hz, .metric = rho * rho,
                               .snr_db = 10 * log10(snr) }, out);
}

static void look(struct dsss *d, double zero, struct stand_list *out)
{
    uint16_t over[DSSS_CHANNELS][MASKS] = { { 0 } };
    unsigned tries = 0;
    for (unsigned c = d->first; c < d->last; c++) {
        const struct dsss_stream *t = &d->stream[c];
        d->sums->pairs(t[0].few_re, t[0].few_im, t[1].few_re, t[1].few_im, (float)d->few_limit,
                       (d->hop + 15) / 16 * 16, over[c]);
    }
    for (unsigned i = 0; i < d->hop; i += 16)
        for (unsigned c = d->first; c < d->last; c++)
            for (unsigned m = over[c][i / 16], k; m && tries < TRIES; m &= m - 1, tries++)
                if (i + (k = (unsigned)__builtin_ctz(m)) < d->hop)
                    match(d, c, i + k, zero, out);
    d->tried += (uint64_t)d->hop * (d->last - d->first);
    d->screened += tries;
}

void dsss_spec(struct dsss *d, const struct wide_spec *s, struct stand_list *out)
{
    unsigned whole = (d->hop + 15) / 16 * 16;
    if (!d->streams)
        return;
    // turns change at whole multiples of their length in capture time
    int64_t turn = (int64_t)floor((double)(s->at < 0 ? 0 : s->at) / (TURN_S * d->rate_hz));
    if (!s->number || turn != d->turn)
        dsss_turn(d, turn);
    for (unsigned k = d->first; k <= d->last; k++) {
        struct dsss_stream *t = &d->stream[k];
        const float complex *x = chan_block(&t->c, s);
        memcpy(t->x + DSSS_DELAY, x, d->hop * sizeof *x);
        d->op->steps(t->x, DSSS_DELAY, d->hop, t->re + d->kept, t->im + d->kept);
        memcpy(t->x, t->x + d->hop, DSSS_DELAY * sizeof *x);
        d->sums->sums(t->re, d->plus, d->n_plus, d->minus, d->n_minus, whole, t->few_re);
        d->sums->sums(t->im, d->plus, d->n_plus, d->minus, d->n_minus, whole, t->few_im);
    }
    // step `kept` begins DSSS_DELAY samples before the block's first
    const struct chan *c = &d->stream[d->first].c;
    double zero = c->zero - (double)(d->kept + DSSS_DELAY) * c->per;
    look(d, zero, out);
    for (unsigned i = 0; i < d->hits; i++)
        if (zero + d->hop * c->per - d->hit[i].n0 > 2 * ONE_S * d->rate_hz)
            tell(d, i--, out);
    for (unsigned k = d->first; k <= d->last; k++) {
        struct dsss_stream *t = &d->stream[k];
        memmove(t->re, t->re + d->hop, d->kept * sizeof *t->re);
        memmove(t->im, t->im + d->hop, d->kept * sizeof *t->im);
    }
}

void dsss_end(struct dsss *d, struct stand_list *out)
{
    while (d->hits)
        tell(d, 0, out);
}
