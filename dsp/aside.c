// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/aside.h"

#include <math.h>
#include <string.h>

#define EDGE_S    60e-6         // boxes begin up to a row of the grid early or late
#define WAIT_S    6e-3          // the longest frame is 5.5 ms: its box is told when it ends
#define LEAST_HZ  5e6           // of a box that may be such a frame; a weak one's is a part of it
#define SAME_HZ   2.5e6         // half of the raster: one channel
#define PER_S     100.0         // bursts of their own; what a worker does for one is little
#define CREDIT    20.0          // at once

static double centre(const struct cand *c) { return (c->f_lo_hz + c->f_hi_hz) / 2; }

static void drop(struct aside *a, unsigned i)
{
    memmove(&a->c[i], &a->c[i + 1], (--a->n - i) * sizeof *a->c);
}

void aside_take(struct aside *a, const struct cand *c)
{
    if (a->n == ASIDE_MAX)
        a->dropped++;
    else
        a->c[a->n++] = *c;
}

static bool begins(const struct cand *box, const struct cand *c, double rate_hz)
{
    double f = centre(c);
    return box->n1 > box->n0 && box->hyp == HYP_ENERGY &&
           (box->part == BURST_WHOLE || box->part == BURST_RUN_FIRST) &&
           box->f_hi_hz - box->f_lo_hz >= LEAST_HZ && f > box->f_lo_hz && f < box->f_hi_hz &&
           fabs((double)box->n0 - (double)c->n0) < EDGE_S * rate_hz;
}

const struct cand *aside_of_box(struct aside *a, const struct cand *box, double rate_hz)
{
    struct cand best = { .metric = -1 };
    for (unsigned i = 0; i < a->n; i++) {
        if (!begins(box, &a->c[i], rate_hz))
            continue;
        if (a->c[i].metric > best.metric)
            best = a->c[i];
        drop(a, i--);
    }
    if (!best.hyp)
        return NULL;
    unsigned k = a->n_box++ % ASIDE_BOXES;
    a->box[k].n0 = box->n0;
    a->box[k].n1 = box->part == BURST_WHOLE ? box->n1 : UINT64_MAX;
    a->box[k].f_hz = centre(&best);
    a->found = best;
    return &a->found;
}

// A later frame on the channel of the one that its box begins with.
static bool in_exchange(const struct aside *a, const struct cand *c)
{
    for (unsigned i = 0; i < ASIDE_BOXES && i < a->n_box; i++)
        if (c->n0 >= a->box[i].n0 && c->n0 < a->box[i].n1 &&
            fabs(centre(c) - a->box[i].f_hz) < SAME_HZ)
            return true;
    return false;
}

static bool has_box(const struct cand *open, unsigned n, const struct cand *c, double rate_hz)
{
    for (unsigned i = 0; i < n; i++)
        if (begins(&open[i], c, rate_hz))
            return true;
    return false;
}

static bool afford(struct aside *a, const struct cand *c, double rate_hz)
{
    if (c->n0 > a->at) {
        a->credit = fmin(CREDIT, a->credit + (double)(c->n0 - a->at) / rate_hz * PER_S);
        a->at = c->n0;
    }
    if (a->credit < 1) {
        a->dropped++;
        return false;
    }
    a->credit -= 1;
    return true;
}

bool aside_due(struct aside *a, uint64_t done, const struct cand *open, unsigned n, double rate_hz,
               struct cand *ret)
{
    uint64_t wait = (uint64_t)(WAIT_S * rate_hz);
    for (unsigned i = 0; i < a->n; i++) {
        struct cand c = a->c[i];
        if ((done != UINT64_MAX && c.n0 + wait > done) || has_box(open, n, &c, rate_hz))
            continue;
        drop(a, i--);
        if (in_exchange(a, &c) || !afford(a, &c, rate_hz))
            continue;
        *ret = c;
        return true;
    }
    return false;
}

uint64_t aside_first(const struct aside *a)
{
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < a->n; i++)
        first = a->c[i].n0 < first ? a->c[i].n0 : first;
    return first;
}

void aside_clear(struct aside *a)
{
    a->n = a->n_box = 0;
    a->credit = CREDIT;
}
