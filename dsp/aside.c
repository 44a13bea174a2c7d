// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/aside.h"

#include <math.h>
#include <string.h>

#define EDGE_S    60e-6         // boxes begin up to a row of the grid early or late
#define WAIT_S    6e-3          // the longest frame is 5.5 ms: its box is told when it ends
#define HOLDS     0.7           // of a claim's width that a box of it has, where it is no part ...
#define WIDER     2.6           // ... and no more of it than that: 802.11 on two channels at once
#define WEAKER_DB 6.0           // than its box: the frame of another, at whose time it begins, ...
#define CLEAR     0.5           // ... unless it had the power to itself: echoes count as noise, too
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

// As wide as the claim, where the capture has it, and as strong.  SNR of both is over one floor.
static bool like(const struct cand *box, const struct cand *c, double rate_hz)
{
    double wide = box->f_hi_hz - box->f_lo_hz, whole = c->f_hi_hz - c->f_lo_hz;
    double seen = fmin(c->f_hi_hz, rate_hz / 2) - fmax(c->f_lo_hz, -rate_hz / 2);
    return wide >= HOLDS * seen && wide <= WIDER * whole &&
           (c->metric >= (float)CLEAR || c->snr_db >= box->snr_db - (float)WEAKER_DB);
}

static bool begins(const struct cand *box, const struct cand *c, double rate_hz)
{
    double f = centre(c);
    return box->n1 > box->n0 && box->hyp == HYP_ENERGY &&
           (box->part == BURST_WHOLE || box->part == BURST_RUN_FIRST) &&
           like(box, c, rate_hz) && f > box->f_lo_hz && f < box->f_hi_hz &&
           fabs((double)box->n0 - (double)c->n0) < EDGE_S * rate_hz;
}

// How long a run that had a claim is on the air, as far as is known with this part of it.
static void goes_on(struct aside *a, const struct cand *box, double rate_hz)
{
    uint64_t more = (uint64_t)(2 * DSP_RUN_STEP_S * rate_hz);      // no part since: it is lost
    for (unsigned i = 0; i < ASIDE_BOXES && i < a->n_box; i++)
        if (box->run && a->box[i].run == box->run)
            a->box[i].n1 = box->n1 + (box->part == BURST_RUN_END ? 0 : more);
}

const struct cand *aside_of_box(struct aside *a, const struct cand *box, double rate_hz)
{
    struct cand best = { .metric = -1 };
    goes_on(a, box, rate_hz);
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
    a->box[k].n1 = box->n1;
    a->box[k].run = box->run;
    goes_on(a, box, rate_hz);
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
