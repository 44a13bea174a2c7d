// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/stand/chan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define POINTS_MAX 4096

unsigned chan_points(double wide_hz, unsigned n, double rate_hz)
{
    return wide_fast(rate_hz / (wide_hz / n), 2 * WIDE_PARTS, n < POINTS_MAX ? n : POINTS_MAX);
}

int chan_init(struct chan *c, double wide_hz, unsigned n, unsigned points, double f_hz,
              const struct dft *inv, const float *window)
{
    double bin_hz = wide_hz / n;
    *c = (struct chan){ .op = stand_ops(), .k0 = (int)lround(f_hz / bin_hz), .points = points,
                        .hop = points / WIDE_PARTS * WIDE_HOP, .per = (double)n / points,
                        .inv = inv, .window = window };
    c->guard = (points - c->hop) / 2;
    c->f_hz = c->k0 * bin_hz;
    wide_turns(c->turn);
    c->bins = dft_alloc(points);
    c->out = dft_alloc(points);
    if (c->bins && c->out)
        return 0;
    chan_done(c);
    return -ENOMEM;
}

void chan_done(struct chan *c)
{
    free(c->bins);
    free(c->out);
    *c = (struct chan){ 0 };
}

// count bins from k on, those below 0 Hz at the wideband transform's end.
static void span(struct chan *c, const struct wide_spec *b, int k, const float *w, float complex by,
                 unsigned count, float complex *to)
{
    unsigned at = (unsigned)(k < 0 ? k + (int)b->n : k);
    unsigned head = at + count > b->n ? b->n - at : count;
    c->op->weigh(b->bin + at, w, by, head, to);
    c->op->weigh(b->bin, w + 2 * head, by, count - head, to + head);
}

const float complex *chan_block(struct chan *c, const struct wide_spec *b)
{
    unsigned half = c->points / 2;
    // a block advances 13/16 n samples: the centre turns by k0 * 13/16 of a turn
    int parts = (int)(((int64_t)c->k0 * WIDE_HOP * (int64_t)(b->number % WIDE_PARTS)) % WIDE_PARTS);
    float complex by = c->turn[parts & (WIDE_PARTS - 1)];
    span(c, b, c->k0 - (int)half, c->window, by, half, c->bins + half);
    span(c, b, c->k0, c->window + 2 * half, by, half, c->bins);
    dft_run(c->inv, c->bins, c->out);
    c->zero = (double)b->at + c->guard * c->per;
    return c->out + c->guard;
}
