// SPDX-License-Identifier: GPL-3.0-or-later
// The chain: who runs on which thread, and what travels between them.
//
//     [tyto-source] --block--> q_front --> [tyto-front] --+ answer per block
//                   \-block--> q_corr  --> [tyto-corr]  --+
//                                                         v
//                                                  [tyto-arbiter] --job--> fan of N workers
//                                                                          v
//                                                        dsp_next <-- jobs, in the order in
//
// Both detectors give exactly one answer per block plus one at the end, so the arbiter pairs them
// by counting.  Answers circulate between two queues (empty ones come back), so nothing is
// allocated per block.  Every queue waits: a replay loses nothing.  It cannot lock up: workers and
// the arbiter need no free block to get on, and the arbiter's history (at most 160 blocks) leaves
// room in a pool of DSP_POOL_BLOCKS.
//
// A radio does not wait: its ring drops samples when it is full.  Before that bursts are shed
// (chain_shed.c).
//
// Stopping early: dsp_free tells the source thread, then drains what is on its way.
#include <assert.h>
#include <stdlib.h>

#include "dsp/chain_in.h"
#include "dsp/shelf.h"

// ---- Source ---------------------------------------------------------------------------------

void *chain_source(void *p)
{
    struct dsp *d = p;
    struct iq_block *b;

    while (!atomic_load(&d->stop) && (b = iq_next(d->cfg.source))) {
        atomic_store(&d->behind_s, iq_behind_s(d->cfg.source));
        self_block(d->self, b);
        if (queue_push(d->q_corr, iq_ref(b)))
            iq_unref(b);
        if (queue_push(d->q_front, b))
            iq_unref(b);
    }
    queue_close(d->q_front);
    queue_close(d->q_corr);
    return NULL;
}

// ---- Detectors ------------------------------------------------------------------------------

void *chain_front(void *p)
{
    struct dsp *d = p;
    struct answer *a;

    do {
        a = queue_pop(d->front_empty);
        a->block = queue_pop(d->q_front);
        if (a->block)
            front_block(d->front, a->block, &a->front);
        else
            front_flush(d->front, &a->front);
    } while (!queue_push(d->front_said, a) && a->block);
    return NULL;
}

void *chain_corr(void *p)
{
    struct dsp *d = p;
    struct iq_block *b;
    uint64_t done = 0;

    do {
        struct answer *a = queue_pop(d->corr_empty);
        b = queue_pop(d->q_corr);
        a->block = NULL;
        a->corr.n = 0;
        a->corr.dropped = 0;
        a->corr.done = done;
        if (b)
            standing_block(d->standing, b, &a->corr);
        else
            standing_flush(d->standing, &a->corr);
        done = a->corr.done;
        if (b)
            iq_unref(b);
        queue_push(d->corr_said, a);
    } while (b);
    return NULL;
}

// ---- Arbiter --------------------------------------------------------------------------------

static void send(struct dsp *d, struct job *j)
{
    j->dsp = d;
    j->worker = (unsigned)(d->jobs++ % d->cfg.threads);
    int r = fan_push(d->fan, j);
    assert(!r);
    (void)r;
}

// A job with its finding; NULL: no room.  Findings may stay with who took them: then new ones are
// made.
static struct job *job_take(struct dsp *d)
{
    struct job *j = shelf_take(d->job_shelf);
    if (!j)
        return NULL;
    j->finding = shelf_take(d->finding_shelf);
    bool shelved = j->finding;
    if (!shelved)
        j->finding = calloc(1, sizeof *j->finding);
    if (!j->finding) {
        shelf_give(j);
        return NULL;
    }
    j->finding->shelved = shelved;
    return j;
}

void chain_burst(void *arg, const struct burst *b)
{
    struct dsp *d = arg;
    struct job *j = job_take(d);

    if (!j) {                           // counted, not told: there is no room to tell it
        struct cut c = b->cut;
        cut_drop(&c);
        d->untold++;
        return;
    }
    j->burst = *b;
    if (chain_sheds(d, b)) {
        cut_drop(&j->burst.cut);
        j->burst.flags |= BURST_NO_SAMPLES;
    }
    d->ticked = b->tick;
    send(d, j);
}

// Silence, told: who waits for a tick would else wait for the next burst.
static void send_tick(struct dsp *d, const struct iq_block *b)
{
    uint64_t tick = arbiter_tick(d->arbiter);
    if (!d->cfg.ticks || (double)(tick - d->ticked) < DSP_TICK_S * d->info.rate_hz)
        return;
    struct job *j = job_take(d);
    if (!j)
        return;                         // the next block's will do
    j->is_tick = true;
    *j->finding = (struct finding){ .reject = true, .tick = tick, .rate_hz = b->rate_hz,
                                    .centre_hz = b->centre_hz, .origin = b->origin,
                                    .shelved = j->finding->shelved };
    d->ticked = tick;
    send(d, j);
}

static void send_psd(struct dsp *d, const struct front_out *f)
{
    struct job *j = f->psd.bins <= PSD_BINS ? shelf_take(d->psd_shelf) : NULL;
    if (!j)
        return;                         // one for the eye, left out
    j->is_psd = true;
    j->psd = f->psd;
    j->psd.psd_db = j->psd_db;
    for (unsigned i = 0; i < f->psd.bins; i++)
        j->psd_db[i] = f->psd_db[i];
    send(d, j);
}

void *chain_arbiter(void *p)
{
    struct dsp *d = p;
    bool last;

    do {
        struct answer *f = queue_pop(d->front_said);
        struct answer *c = queue_pop(d->corr_said);
        last = !f->block;
        if (last) {
            arbiter_noise(d->arbiter, &f->front.noise);
            arbiter_flush(d->arbiter, &f->front.list, &c->corr);
        }
        else
            arbiter_block(d->arbiter, f->block, &f->front.list, &f->front.noise, &c->corr);
        if (f->front.has_psd && d->cfg.on_psd)
            send_psd(d, &f->front);
        if (!last)
            send_tick(d, f->block);
        if (f->block)
            iq_unref(f->block);
        queue_push(d->front_empty, f);
        queue_push(d->corr_empty, c);
    } while (!last);
    fan_close(d->fan);
    return NULL;
}

// ---- Workers --------------------------------------------------------------------------------

// What a frame said was told with the burst ahead of this one: this one is only measured.
static enum droneid_mode mode_of(const struct dsp *d, const struct burst *b)
{
    return b->again && d->cfg.droneid == DRONEID_DECODE ? DRONEID_RECOGNISE : d->cfg.droneid;
}

static void examine(struct dsp *d, const struct worker_tools *t, const struct burst *b,
                    struct finding *f)
{
    struct burst bare = *b;

    if ((b->hyp & HYP_DRONEID) && d->cfg.droneid != DRONEID_OFF)
        droneid_receive(t->rx, b, mode_of(d, b), f);
    f->reject = b->hyp == HYP_DRONEID && !f->droneid.seen;
    if (b->ahead)
        bare.cut = (struct cut){ 0 };   // place and level by the receiver; the rest takes time
    if (!b->ahead && !f->droneid.seen) {
        f->product = product_test(t->product, b);
        if (!f->product && self_masks(d->self, b))
            f->product = PRODUCT_THIRD;
    }
    if (f->product)
        f->reject = b->part == BURST_WHOLE;
    if (!f->reject)
        measure_burst(t->measurer, &bare, f);
    for (unsigned i = 0; i < f->n_decode; i++)
        f->decode[i].clipped = b->flags & BURST_CLIPPED;
    f->reject |= b->ahead;
    f->fp.level_dbm = self_level_dbm(d->cfg.profile, f->fp.level_dbfs, b->gain_db);
}

void *chain_work(void *item, void *arg)
{
    struct job *j = item;
    struct dsp *d = j->dsp;
    struct burst *b = &j->burst;
    struct finding *f = j->finding;

    (void)arg;
    if (j->is_psd || j->is_tick)
        return j;
    *f = (struct finding){ .id = b->id, .part = b->part, .hyp = b->hyp, .flags = b->flags,
                           .origin = b->origin, .rate_hz = b->rate_hz,
                           .centre_hz = b->centre_hz, .gain_db = b->gain_db, .tick = b->tick,
                           .ahead = b->ahead,
                           .again = b->again, .shelved = f->shelved };
    if (!atomic_load(&d->stop))         // stopped: nobody will look at it
        examine(d, &d->tools[j->worker], b, f);
    cut_drop(&b->cut);
    return j;
}

// ---- The consumer's side --------------------------------------------------------------------

static void count(struct dsp *d, const struct finding *f)
{
    struct dsp_counts *c = &d->counts;

    if (!f->again) {
        c->droneid_candidates += !!(f->hyp & HYP_DRONEID);
        c->droneid_seen += f->droneid.seen;
        c->droneid_crc_failed += f->droneid.seen && !f->droneid.crc_ok;
    }
    if (f->ahead)
        return;
    c->rejected += f->reject && !f->product;
    c->products[f->product]++;
    if (!f->reject && (f->part == BURST_WHOLE || f->part == BURST_RUN_END))
        c->bursts++;
    c->runs += f->part == BURST_RUN_END;
    c->cut_dropped += !!(f->flags & BURST_NO_SAMPLES);
}

static bool is_spur(struct dsp *d, const struct finding *f)
{
    double off_hz = f->fp.freq_hz.v - f->centre_hz;
    return spurs_finding(d->spurs, f, self_behind(d->self, f->tick, off_hz,
                                                    f->fp.level_dbfs));
}

struct finding *dsp_next(struct dsp *d)
{
    struct job *j;

    while (!d->ended && (j = fan_pop(d->fan))) {
        struct finding *f = j->finding;
        if (j->is_psd && !atomic_load(&d->stop))
            d->cfg.on_psd(&j->psd, d->cfg.arg);
        shelf_give(j);
        if (f && f->hyp && is_spur(d, f))
            f->product = PRODUCT_SPUR;
        if (f && f->hyp)
            count(d, f);
        if (f && (!f->ahead || f->droneid.seen))
            return f;
        finding_free(f);                // told ahead and nothing: its burst will say so
    }
    if (!d->ended) {
        d->counts.cut_dropped += d->untold;
        d->counts.cand_dropped = arbiter_dropped(d->arbiter);
        d->counts.self = self_known(d->self);
    }
    d->ended = true;
    return NULL;
}

struct dsp_now dsp_now(const struct dsp *d) { return self_now(d->self); }
const struct dsp_counts *dsp_counts(const struct dsp *d) { return &d->counts; }
