// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/arbiter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/aside.h"
#include "dsp/history.h"
#include "dsp/level.h"
#include "dsp/same.h"
#include "dsp/self/product.h"
#include "dsp/shadow.h"

#define OPEN_MAX    4096        // candidates waiting; a busy band holds some tens per ms
#define RUN_MAX     1024        // runs on the air at once
#define KEEP_S      0.022       // kept behind the slowest detector's answer, see above
// A DroneID burst and the energy burst it is are both some 0.643 ms long; when they overlap by half
// the later of them ends at most this long after the other.
#define PARTNER_S   0.7e-3
#define NOISE_KNOWN -250.0      // dBFS/Hz: less is that the front knows nothing yet
#define NOISE_UNTOLD -199.0     // what it is at first
#define NEAR_S      1e-3        // what is further away in time casts no shadow
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
    struct aside      aside;
    uint64_t          begin;        // first sample since the last retune
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
    aside_clear(&a->aside);
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

uint64_t arbiter_dropped(const struct arbiter *a) { return a->dropped + a->aside.dropped; }
uint64_t arbiter_tick(const struct arbiter *a) { return a->tick; }

// ---- Candidates in --------------------------------------------------------------------------

static float noise_at(const struct arbiter *a, double f_hz)
{
    return level_noise(&a->noise, a->info.rate_hz, f_hz);
}

void arbiter_noise(struct arbiter *a, const struct noise_shape *noise)
{
    a->noise = *noise;
    level_late(noise, a->info.rate_hz, a->open, a->n_open);
}

// Takes what began before `border`, or from there on.
static void take(struct arbiter *a, const struct cand_list *l, uint64_t border, bool before)
{
    for (unsigned i = 0; i < l->n; i++) {
        double at = l->c[i].hyp == HYP_DRONEID ? l->c[i].zc_n : (double)l->c[i].n0;
        if ((at < (double)border) != before)
            continue;
        if (l->c[i].hyp & HYP_WIFI) {
            if (l->c[i].n1 > a->tick)
                aside_take(&a->aside, &l->c[i]);
            continue;
        }
        if (a->n_open == OPEN_MAX) {
            a->dropped++;
            continue;
        }
        struct cand *c = &a->open[a->n_open++];
        *c = l->c[i];
        if (c->hyp == HYP_DRONEID)
            cand_droneid_extent(c, a->info.rate_hz);
        if (!(c->hyp & (HYP_LORA | HYP_BLE)))
            continue;
        c->level_dbfs = level_of(&a->noise, a->info.rate_hz, c);
        if (c->n1 <= a->tick)           // too late: all up to there has been told
            a->n_open--;
    }
}

// ---- Bursts out -----------------------------------------------------------------------------

static bool second_run(const struct arbiter *a, const struct cand *x)
{
    for (unsigned i = 0; i < a->n_run; i++)
        if (a->run[i].id && cand_same_run(x, &a->run[i].last))
            return true;
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

// What the receiver could have made it of.
static void suspect(const struct arbiter *a, const struct cand *x, struct burst *b)
{
    struct product_near near = { .n = 0 };
    const struct cand *y;
    struct cand run;

    for (unsigned i = 0; (y = known(a, x, i, &run)); i++)
        product_near(&near, x, y, a->info.rate_hz);
    product_suspects(&near, x, a->info.rate_hz, b);
}

// One burst.
static void tell(struct arbiter *a, const struct claim *c, bool ahead)
{
    const struct cand *first = &c->first;
    uint64_t known = c->has_droneid && !first->run ? c->droneid.ahead : 0;
    struct burst b = {
        .id = known ? known : burst_id(a, first), .ahead = ahead, .again = known && !ahead,
        .part = first->part, .hyp = first->hyp, .flags = first->flags,
        .origin = a->info.origin, .rate_hz = a->info.rate_hz, .centre_hz = a->info.centre_hz,
        .n0 = first->n0, .n1 = first->n1, .run_n0 = first->run ? first->run_n0 : first->n0,
        .f_lo_hz = first->f_lo_hz, .f_hi_hz = first->f_hi_hz,
        .snr_db = first->snr_db, .level_dbfs = first->level_dbfs, .tick = a->tick,
        .droneid = c->droneid, .lora = c->lora, .ble = c->ble, .gain_db = NAN,
    };
    double bw = first->f_hi_hz - first->f_lo_hz;
    const struct cand *wifi = first->hyp & HYP_WIFI ? first
                            : aside_of_box(&a->aside, first, a->info.rate_hz);
    if (!b.id)
        return;
    // A filter's delay can put a start behind the last sample of a very short recording.
    if (b.n0 >= a->end && !first->run)
        return;
    b.n0 = b.n0 > a->begin ? b.n0 : a->begin;   // one may have been cut off by a retune
    b.n1 = b.n1 < a->end ? b.n1 : a->end;
    b.hyp |= claim_hyps(c);
    if (wifi) {
        b.wifi = *wifi;
        b.hyp |= wifi->hyp;
    }
    if (first->hyp == HYP_ENERGY) {
        b.noise_dbfs_hz = (float)(b.level_dbfs - b.snr_db - 10 * log10(bw));
    } else {
        b.noise_dbfs_hz = noise_at(a, (b.f_lo_hz + b.f_hi_hz) / 2);
        b.level_dbfs = level_of(&a->noise, a->info.rate_hz, first);
    }
    history_cut(&a->history, a->end, &b);
    if (!ahead && !c->has_droneid && !(first->hyp & HYP_WIFI))
        suspect(a, first, &b);
    a->tell(a->arg, &b);
}

// Merges what is the same burst as open[i].  The absorbed ones are emptied (n1 = 0).
static struct claim merge(struct arbiter *a, unsigned i)
{
    struct claim c = { .first = a->open[i] };
    bool crowded = false;

    if (c.first.hyp != HYP_ENERGY)
        claim_join(&c, &a->open[i]);
    a->open[i].n1 = 0;
    for (unsigned k = 0; k < a->n_open; k++) {
        struct cand *y = &a->open[k];
        if (!y->n1 || !claim_same(&c, y, a->info.rate_hz))
            continue;
        if (claim_other_droneid(&c, y, a->info.rate_hz)) {
            crowded = true;
            continue;
        }
        claim_join(&c, y);
        y->n1 = 0;
    }
    claim_settle(&c, crowded);
    return c;
}

static bool is_shadow(const struct arbiter *a, const struct cand *x)
{
    uint64_t near = (uint64_t)(NEAR_S * a->info.rate_hz);
    const struct cand *y;
    struct cand run;
    uint32_t folded = 0;
    if (x->hyp != HYP_ENERGY || x->part != BURST_WHOLE)
        return false;
    for (unsigned i = 0; (y = known(a, x, i, &run)); i++) {
        if (y->n1 + near < x->n0 || (y->run ? y->run_n0 : y->n0) > x->n1 + near)
            continue;
        if (x != y && y->n1 && cand_shadow_of(x, y, a->info.rate_hz))
            return true;
        if (y->n1 && y->hyp == HYP_ENERGY)
            folded |= cand_folded(x, y, a->info.rate_hz);
    }
    return __builtin_popcount(folded) >= FOLD_MOST;
}

// Frames of Wi-Fi that have no box, once it is known how strong they are.
static void tell_wifi(struct arbiter *a, uint64_t limit)
{
    struct claim c = { .has_ble = false };
    while (aside_due(&a->aside, limit, a->open, a->n_open, a->info.rate_hz, &c.first))
        if (noise_at(a, c.first.f_lo_hz) > (float)NOISE_UNTOLD)
            tell(a, &c, false);
}

static void close_up_to(struct arbiter *a, uint64_t limit)
{
    uint64_t slack = (uint64_t)(PARTNER_S * a->info.rate_hz);
    uint64_t tick = limit == UINT64_MAX ? a->end : limit > slack ? limit - slack : 0;
    unsigned last = a->n_open, kept = 0;

    qsort(a->open, a->n_open, sizeof *a->open, cand_by_start);
    for (unsigned i = 0; i < a->n_open; i++)
        if (limit == UINT64_MAX || a->open[i].n1 + slack <= limit)
            last = i;
    for (unsigned i = 0; i < a->n_open && last < a->n_open && i <= last; i++) {
        if (!a->open[i].n1 || (limit != UINT64_MAX && a->open[i].n1 + slack > limit))
            continue;
        if (is_shadow(a, &a->open[i])) {
            a->open[i].n1 = 0;
            continue;
        }
        struct claim c = merge(a, i);
        a->recent[a->n_recent++ % RECENT] = c.first;
        if (c.has_droneid && c.first.hyp == HYP_ENERGY)
            a->recent[a->n_recent++ % RECENT] = c.droneid;
        if (c.has_lora && c.first.hyp == HYP_ENERGY)
            a->recent[a->n_recent++ % RECENT] = c.lora;
        tell(a, &c, false);
    }
    tell_wifi(a, limit);
    tick = aside_first(&a->aside) < tick ? aside_first(&a->aside) : tick;
    a->tick = tick > a->tick ? tick : a->tick;
    for (unsigned i = 0; i < a->n_open; i++)
        if (a->open[i].n1)
            a->open[kept++] = a->open[i];
    a->n_open = kept;
}

// ---- Ahead of the front ---------------------------------------------------------------------

// A DroneID burst is told as soon as the correlator has answered for all that could be the same and
// its samples are there.  The front answers tens of milliseconds later; what it sees there is then
// the same burst again.
static void tell_ahead(struct arbiter *a)
{
    uint64_t same = (uint64_t)(CAND_SAME_S * a->info.rate_hz) + 1;
    uint64_t margin = (uint64_t)(ARBITER_MARGIN_S * a->info.rate_hz);

    for (unsigned i = 0; i < a->n_open; i++) {
        struct cand *c = &a->open[i];
        if (!c->n1 || c->hyp != HYP_DRONEID || c->ahead || c->n1 + same > a->done_corr ||
            c->n1 + margin > a->end || noise_at(a, c->zc_f_hz) < (float)NOISE_KNOWN)
            continue;
        cands_merge_droneid(a->open, a->n_open, i, a->info.rate_hz);
        // A stronger one that ends later, and what may be the same as that, have time.
        if (c->ahead || c->n1 + same > a->done_corr || c->n1 + margin > a->end)
            continue;
        c->ahead = a->next_id++;
        tell(a, &(struct claim){ .first = *c, .droneid = *c, .has_droneid = true }, true);
    }
}

static void forget(struct arbiter *a, uint64_t done)
{
    uint64_t keep = (uint64_t)((KEEP_S + ARBITER_MARGIN_S) * a->info.rate_hz);
    uint64_t from = done > keep ? done - keep : 0;

    if (aside_first(&a->aside) < from)
        from = aside_first(&a->aside);
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

// The detectors end all they have at a retune.  So do we: offsets mean other frequencies from here.
static void retune(struct arbiter *a, double centre_hz, uint64_t begin)
{
    close_up_to(a, UINT64_MAX);
    history_drop(&a->history);
    a->n_recent = a->n_run = 0;
    aside_clear(&a->aside);
    a->info.centre_hz = centre_hz;
    a->begin = begin;
}

void arbiter_block(struct arbiter *a, struct iq_block *b, const struct cand_list *energy,
                   const struct noise_shape *noise, const struct cand_list *corr)
{
    uint64_t border = 0;

    a->dropped += energy->dropped + (corr ? corr->dropped : 0);
    if (b->centre_hz != a->info.centre_hz) {
        border = b->n0;
        take(a, energy, border, true);
        if (corr)
            take(a, corr, border, true);
        retune(a, b->centre_hz, border);
    }
    forget(a, answered(a));
    history_add(&a->history, b);
    a->end = b->n0 + b->n;
    arbiter_noise(a, noise);
    a->corr_on = corr;
    take(a, energy, border, false);
    a->done_energy = energy->done;
    if (corr) {
        take(a, corr, border, false);
        a->done_corr = corr->done;
    }
    close_up_to(a, answered(a));
    tell_ahead(a);
}

void arbiter_flush(struct arbiter *a, const struct cand_list *energy, const struct cand_list *corr)
{
    a->dropped += energy->dropped + (corr ? corr->dropped : 0);
    take(a, energy, 0, false);
    if (corr)
        take(a, corr, 0, false);
    close_up_to(a, UINT64_MAX);
}
