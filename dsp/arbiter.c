// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/arbiter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/history.h"
#include "dsp/shadow.h"

#define OPEN_MAX    4096        // candidates waiting; a busy band holds some tens per ms
#define RUN_MAX     1024        // runs on the air at once
#define KEEP_S      0.022       // kept behind the slowest detector's answer, see above
// A DroneID burst and the energy burst it is are both some 0.643 ms long; when they overlap by half
// the later of them ends at most this long after the other.
#define PARTNER_S   0.7e-3
#define SAME_LEVEL_DB 6.0       // two boxes of one burst
#define SAME_SHARE  0.5         // of the union, in time and in frequency: the same burst

// A DroneID burst around its root-600 symbol, in seconds (9 symbols, see facts: 3368 samples before
// the useful symbol, 9880 in all, at 15.36 MS/s), and its width.
#define DRONEID_LEAD_S  (3368 / 15.36e6)
#define DRONEID_LEN_S   (9880 / 15.36e6)
#define DRONEID_BW_HZ   9.015e6

#define SURE_METRIC 0.3         // normalised correlation that is hardly anything else
#define INSIDE_SHARE 0.8
#define DENSER_DB   5.0
#define RECENT      64          // candidates told last: what trails them is known by them

struct run { uint64_t run, id; struct cand last; };   // its part told last

struct arbiter {
    struct iq_info    info;
    void            (*tell)(void *arg, const struct burst *b);
    void             *arg;
    struct history    history;
    struct cand      *open;
    unsigned          n_open;
    struct cand       recent[RECENT];
    unsigned          n_recent;
    struct run        run[RUN_MAX];
    unsigned          n_run;
    struct noise_shape noise;
    uint64_t          next_id, tick, end, done_energy, done_corr, dropped;
    bool              corr_on;
};

struct arbiter *arbiter_new(const struct iq_info *info,
                            void (*tell)(void *arg, const struct burst *b), void *arg)
{
    struct arbiter *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->info = *info;
    a->tell = tell;
    a->arg = arg;
    a->next_id = 1;
    a->open = calloc(OPEN_MAX, sizeof *a->open);
    if (!a->open) {
        free(a);
        return NULL;
    }
    for (unsigned i = 0; i < NOISE_POINTS; i++)
        a->noise.dbfs_hz[i] = -200;
    return a;
}

void arbiter_free(struct arbiter *a)
{
    if (!a)
        return;
    history_drop(&a->history);
    free(a->open);
    free(a);
}

uint64_t arbiter_dropped(const struct arbiter *a) { return a->dropped; }
uint64_t arbiter_tick(const struct arbiter *a) { return a->tick; }

// ---- Candidates in --------------------------------------------------------------------------

static void droneid_extent(const struct arbiter *a, struct cand *c)
{
    double n0 = c->zc_n - DRONEID_LEAD_S * a->info.rate_hz;

    if (c->n1 <= c->n0) {
        c->n0 = n0 > 0 ? (uint64_t)n0 : 0;
        c->n1 = (uint64_t)fmax(c->zc_n, n0 + DRONEID_LEN_S * a->info.rate_hz) + 1;
    }
    if (c->f_hi_hz <= c->f_lo_hz) {
        c->f_lo_hz = c->zc_f_hz - DRONEID_BW_HZ / 2;
        c->f_hi_hz = c->zc_f_hz + DRONEID_BW_HZ / 2;
    }
}

static void take(struct arbiter *a, const struct cand_list *l)
{
    a->dropped += l->dropped;
    for (unsigned i = 0; i < l->n; i++) {
        if (a->n_open == OPEN_MAX) {
            a->dropped++;
            continue;
        }
        struct cand *c = &a->open[a->n_open++];
        *c = l->c[i];
        if (c->hyp == HYP_DRONEID)
            droneid_extent(a, c);
    }
}

static double share(double a0, double a1, double b0, double b1)
{
    double in = fmin(a1, b1) - fmax(a0, b0), all = fmax(a1, b1) - fmin(a0, b0);
    return in > 0 && all > 0 ? in / all : 0;
}

// A box of energy on the air just as long as a DroneID burst that lies in its band, and somewhat
// wider: the burst and a piece of a neighbour.
static bool holds_droneid(const struct cand *x, const struct cand *y)
{
    const struct cand *d = x->hyp == HYP_DRONEID ? x : y, *e = x->hyp == HYP_DRONEID ? y : x;
    double wide = d->f_hi_hz - d->f_lo_hz;

    return d->metric > SURE_METRIC && e->hyp == HYP_ENERGY && e->part == BURST_WHOLE &&
           share((double)d->n0, (double)d->n1, (double)e->n0, (double)e->n1) >= 0.95 &&
           fmin(d->f_hi_hz, e->f_hi_hz) - fmax(d->f_lo_hz, e->f_lo_hz) > INSIDE_SHARE * wide &&
           e->f_hi_hz - e->f_lo_hz < 3 * wide;
}

// Different detectors see one burst, so do the same standing detector's neighbouring grid points,
// and so may two boxes of the front: one where they share their band and touch in time.
static bool same_burst(const struct cand *x, const struct cand *y)
{
    if (x->hyp == HYP_ENERGY && y->hyp == HYP_ENERGY)
        return x->part == BURST_WHOLE && y->part == BURST_WHOLE && x->n0 < y->n1 && y->n0 < x->n1 &&
               fabsf(x->level_dbfs - y->level_dbfs) < SAME_LEVEL_DB &&
               share(x->f_lo_hz, x->f_hi_hz, y->f_lo_hz, y->f_hi_hz) >= SAME_SHARE;
    if (holds_droneid(x, y))
        return true;
    return share((double)x->n0, (double)x->n1, (double)y->n0, (double)y->n1) >= SAME_SHARE &&
           share(x->f_lo_hz, x->f_hi_hz, y->f_lo_hz, y->f_hi_hz) >= SAME_SHARE;
}

// ---- Bursts out -----------------------------------------------------------------------------

static float noise_at(const struct arbiter *a, double f_hz)
{
    double k = (f_hz / a->info.rate_hz + 0.5) * NOISE_POINTS;
    int i = k < 0 ? 0 : k >= NOISE_POINTS ? NOISE_POINTS - 1 : (int)k;
    return a->noise.dbfs_hz[i];
}

// A run within the band of one that was there before, and no denser: the same, seen by two boxes.
static bool second_run(const struct arbiter *a, const struct cand *x)
{
    for (unsigned i = 0; i < a->n_run; i++) {
        const struct cand *y = &a->run[i].last;
        double in = fmin(x->f_hi_hz, y->f_hi_hz) - fmax(x->f_lo_hz, y->f_lo_hz);
        double wx = x->f_hi_hz - x->f_lo_hz, wy = y->f_hi_hz - y->f_lo_hz;
        if (a->run[i].id && y->run != x->run && in > INSIDE_SHARE * wx &&
            x->level_dbfs - 10 * log10(wx) < y->level_dbfs - 10 * log10(wy) + DENSER_DB)
            return true;
    }
    return false;
}

// 0: tell nothing of it.
static uint64_t burst_id(struct arbiter *a, const struct cand *c)
{
    if (!c->run)
        return a->next_id++;
    for (unsigned i = 0; i < a->n_run; i++) {
        if (a->run[i].run != c->run)
            continue;
        uint64_t id = a->run[i].id;
        a->run[i].last = *c;
        if (c->part == BURST_RUN_END)
            a->run[i] = a->run[--a->n_run];
        return id;
    }
    uint64_t id = second_run(a, c) ? 0 : a->next_id++;
    if (a->n_run < RUN_MAX && c->part != BURST_RUN_END)
        a->run[a->n_run++] = (struct run){ c->run, id, *c };
    return id;
}

// One burst of the candidates first (which gives the extents) and droneid (NULL: none).
static void tell(struct arbiter *a, const struct cand *first, const struct cand *droneid,
                 uint64_t tick)
{
    struct burst b = {
        .id = burst_id(a, first), .part = first->part, .hyp = first->hyp, .flags = first->flags,
        .origin = a->info.origin, .rate_hz = a->info.rate_hz, .centre_hz = a->info.centre_hz,
        .n0 = first->n0, .n1 = first->n1, .run_n0 = first->run ? first->run_n0 : first->n0,
        .f_lo_hz = first->f_lo_hz, .f_hi_hz = first->f_hi_hz,
        .snr_db = first->snr_db, .level_dbfs = first->level_dbfs, .tick = tick,
    };
    double bw = first->f_hi_hz - first->f_lo_hz;

    if (!b.id)
        return;
    // A filter's delay can put a start behind the last sample of a very short recording.
    if (b.n0 >= a->end && !first->run)
        return;
    if (b.n1 > a->end)
        b.n1 = a->end;
    if (droneid) {
        b.hyp |= HYP_DRONEID;
        b.droneid = *droneid;
    }
    if (first->hyp == HYP_ENERGY) {
        b.noise_dbfs_hz = (float)(b.level_dbfs - b.snr_db - 10 * log10(bw));
    } else {
        b.noise_dbfs_hz = noise_at(a, (b.f_lo_hz + b.f_hi_hz) / 2);
        b.level_dbfs = (float)(b.noise_dbfs_hz + 10 * log10(bw) + b.snr_db);
    }
    history_cut(&a->history, a->end, &b);
    a->tell(a->arg, &b);
}

static int by_start(const void *x, const void *y)
{
    const struct cand *a = x, *b = y;

    if (a->n0 != b->n0)
        return a->n0 < b->n0 ? -1 : 1;
    if (a->f_lo_hz != b->f_lo_hz)
        return a->f_lo_hz < b->f_lo_hz ? -1 : 1;
    if (a->hyp != b->hyp)
        return a->hyp < b->hyp ? -1 : 1;
    return (a->n1 > b->n1) - (a->n1 < b->n1);
}

// Both boxes' time; band and level of the longer.
static struct cand join_boxes(const struct cand *a, const struct cand *b)
{
    struct cand r = b->n1 - b->n0 > a->n1 - a->n0 ? *b : *a;

    r.n0 = a->n0 < b->n0 ? a->n0 : b->n0;
    r.n1 = a->n1 > b->n1 ? a->n1 : b->n1;
    r.flags = a->flags | b->flags;
    r.run_n0 = r.n0;
    return r;
}

// Merges what is the same burst as open[i]; *ret_first has the extents, *ret_droneid the best
// DroneID claim.  The absorbed ones are emptied (n1 = 0).
static bool merge(struct arbiter *a, unsigned i, struct cand *ret_first, struct cand *ret_droneid)
{
    struct cand x = a->open[i], d = x;
    bool have = x.hyp == HYP_DRONEID;

    a->open[i].n1 = 0;
    for (unsigned k = 0; k < a->n_open; k++) {
        struct cand *y = &a->open[k];
        if (!y->n1 || (!same_burst(&x, y) && !(have && same_burst(&d, y))))
            continue;
        if (y->hyp == HYP_DRONEID && (!have || y->metric > d.metric)) {
            d = *y;
            have = true;
        } else if (y->hyp == HYP_ENERGY) {
            x = x.hyp == HYP_ENERGY ? join_boxes(&x, y) : *y;   // energy knows edges best
        }
        y->n1 = 0;
    }
    *ret_first = x;
    *ret_droneid = d;
    return have;
}

// Energy within the rectangle of a DroneID candidate, but a part of it only: its fragment.
static bool part_of_droneid(const struct cand *x, const struct cand *y)
{
    return y->metric > SURE_METRIC && x->n0 + 1 > y->n0 && x->n1 < y->n1 + 1 &&
           x->f_lo_hz > y->f_lo_hz - 0.5e6 && x->f_hi_hz < y->f_hi_hz + 0.5e6;
}

static bool shadow_of(const struct arbiter *a, const struct cand *x, const struct cand *y)
{
    if (y == x || !y->n1)
        return false;
    return y->hyp == HYP_ENERGY ? cand_is_shadow(x, y, a->info.rate_hz) : part_of_droneid(x, y);
}

// The i-th of what x may be a shadow of: waiting, told last, still on the air.  NULL: no more.
static const struct cand *known(const struct arbiter *a, const struct cand *x, unsigned i,
                                struct cand *run)
{
    unsigned n = a->n_recent < RECENT ? a->n_recent : RECENT;

    if (i < a->n_open)
        return &a->open[i];
    if (i < a->n_open + n)
        return &a->recent[i - a->n_open];
    if (i >= a->n_open + n + a->n_run)
        return NULL;
    *run = a->run[i - a->n_open - n].last;
    run->n0 = run->run_n0;
    run->n1 = x->n1 > run->n1 ? x->n1 : run->n1;
    return run;
}

static bool is_shadow(const struct arbiter *a, const struct cand *x)
{
    const struct cand *y;
    struct cand run;
    uint32_t folded = 0;

    if (x->hyp != HYP_ENERGY || x->part != BURST_WHOLE)
        return false;
    for (unsigned i = 0; (y = known(a, x, i, &run)); i++) {
        if (shadow_of(a, x, y))
            return true;
        if (y->n1 && y->hyp == HYP_ENERGY)
            folded |= cand_folded(x, y, a->info.rate_hz);
    }
    return __builtin_popcount(folded) >= FOLD_MOST;
}

static void close_up_to(struct arbiter *a, uint64_t limit)
{
    uint64_t slack = (uint64_t)(PARTNER_S * a->info.rate_hz);
    uint64_t tick = limit == UINT64_MAX ? a->end : limit > slack ? limit - slack : 0;
    unsigned last = a->n_open, kept = 0;

    qsort(a->open, a->n_open, sizeof *a->open, by_start);
    for (unsigned i = 0; i < a->n_open; i++)
        if (limit == UINT64_MAX || a->open[i].n1 + slack <= limit)
            last = i;
    for (unsigned i = 0; i < a->n_open && last < a->n_open && i <= last; i++) {
        struct cand first, droneid;
        if (!a->open[i].n1 || (limit != UINT64_MAX && a->open[i].n1 + slack > limit))
            continue;
        if (is_shadow(a, &a->open[i])) {
            a->open[i].n1 = 0;
            continue;
        }
        bool have = merge(a, i, &first, &droneid);
        a->recent[a->n_recent++ % RECENT] = first;
        if (have && first.hyp == HYP_ENERGY)
            a->recent[a->n_recent++ % RECENT] = droneid;
        tell(a, &first, have ? &droneid : NULL, a->tick);
    }
    a->tick = tick;
    for (unsigned i = 0; i < a->n_open; i++)
        if (a->open[i].n1)
            a->open[kept++] = a->open[i];
    a->n_open = kept;
}

static void forget(struct arbiter *a, uint64_t done)
{
    uint64_t keep = (uint64_t)((KEEP_S + ARBITER_MARGIN_S) * a->info.rate_hz);
    uint64_t from = done > keep ? done - keep : 0;

    for (unsigned i = 0; i < a->n_open; i++)
        if (a->open[i].n0 < from)
            from = a->open[i].n0;
    history_forget(&a->history, from);
}

static uint64_t answered(const struct arbiter *a)
{
    if (!a->corr_on || a->done_energy < a->done_corr)
        return a->done_energy;
    return a->done_corr;
}

void arbiter_block(struct arbiter *a, struct iq_block *b, const struct cand_list *energy,
                   const struct noise_shape *noise, const struct cand_list *corr)
{
    forget(a, answered(a));
    history_add(&a->history, b);
    a->end = b->n0 + b->n;
    a->noise = *noise;
    a->corr_on = corr;
    take(a, energy);
    a->done_energy = energy->done;
    if (corr) {
        take(a, corr);
        a->done_corr = corr->done;
    }
    close_up_to(a, answered(a));
}

void arbiter_flush(struct arbiter *a, const struct cand_list *energy, const struct cand_list *corr)
{
    take(a, energy);
    if (corr)
        take(a, corr);
    close_up_to(a, UINT64_MAX);
}
