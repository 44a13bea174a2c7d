// SPDX-License-Identifier: GPL-3.0-or-later
// One transmission, one finding: merges the parts of a run.
//
//     on the air   ################################################
//     parts told   ##        ##        ##        ##              ##
//                  FIRST     MORE      MORE      MORE            END (carries the whole length)
//
// Every part was measured on its own 20 ms, so the part that is surest of its kind speaks for the
// whole; where parts are equally sure the first does.  Start and length come from the first part
// and from the end.
#include "classifier/runs.h"

#include <string.h>

static struct finding bare(const struct finding *f)
{
    struct finding b = *f;
    b.decode = NULL;
    b.n_decode = 0;
    b.soft = NULL;
    return b;
}

static bool surer(const struct fingerprint *a, const struct fingerprint *b)
{
    if ((a->kind != KIND_UNKNOWN) != (b->kind != KIND_UNKNOWN))
        return a->kind != KIND_UNKNOWN;
    return a->kind_p > b->kind_p;
}

static double end_of(const struct fingerprint *p)
{
    return p->t_s.v + p->dur_s.v;
}

// A later part into the run it belongs to.  Parts carry the start of the part; the end carries the
// start and the length of the whole.
static void merge(struct finding *run, const struct finding *f)
{
    struct meas t = run->fp.t_s, dur = run->fp.dur_s;
    double last = end_of(&f->fp);

    if (surer(&f->fp, &run->fp))
        run->fp = f->fp;
    if (f->part == BURST_RUN_END && f->fp.dur_s.v >= dur.v)
        dur = f->fp.dur_s;
    if (last - t.v > dur.v)
        dur.v = last - t.v;
    run->fp.t_s = t;
    run->fp.dur_s = dur;
    run->flags |= f->flags;
    run->hyp |= f->hyp;
    run->tick = f->tick;
}

static unsigned find(const struct runs *r, uint64_t id)
{
    unsigned i = 0;
    while (i < r->n && r->run[i].id != id)
        i++;
    return i;
}

static void take_out(struct runs *r, unsigned i)
{
    memmove(&r->run[i], &r->run[i + 1], (--r->n - i) * sizeof r->run[0]);
}

int runs_push(struct runs *r, const struct finding *f, struct finding *ret)
{
    if (f->part == BURST_WHOLE) {
        *ret = bare(f);
        return 1;
    }
    unsigned i = find(r, f->id);
    if (i == r->n) {
        if (f->part == BURST_RUN_END) {         // its beginning found no room
            *ret = bare(f);
            return 1;
        }
        if (r->n < RUNS_MAX)
            r->run[r->n++] = bare(f);
        return 0;
    }
    merge(&r->run[i], f);
    if (f->part != BURST_RUN_END)
        return 0;
    *ret = r->run[i];
    take_out(r, i);
    return 1;
}

int runs_drain(struct runs *r, struct finding *ret)
{
    if (r->n == 0)
        return 0;
    *ret = r->run[0];
    ret->flags |= BURST_AT_END;
    take_out(r, 0);
    return 1;
}
