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
// Stopping early: dsp_free tells the source thread, then drains what is on its way.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fan.h"
#include "base/queue.h"
#include "dsp/arbiter.h"
#include "dsp/burst.h"
#include "dsp/front/front.h"
#include "hw/hw.h"

#define Q_BLOCKS  8             // blocks waiting for a detector, and its answers for the arbiter
#define Q_JOBS    8             // jobs waiting for one worker
#define WORKERS_MAX 64

// What a detector says about one block; block is NULL in the last answer.
struct answer {
    struct iq_block *block;
    union {
        struct front_out front;
        struct cand_list corr;
    };
};

struct worker_tools {
    struct measurer   *measurer;
    struct droneid_rx *rx;
};

// What goes through the fan: a burst on its way in and a finding on its way out, or a spectrum.
struct job {
    struct dsp      *dsp;
    unsigned         worker;
    bool             is_psd;
    struct burst     burst;
    struct finding  *finding;
    struct psd_frame psd;
    float            psd_db[];
};

enum thread_id { T_SOURCE, T_FRONT, T_CORR, T_ARBITER, T_COUNT };

struct dsp {
    struct dsp_cfg      cfg;
    struct iq_info      info;
    struct front       *front;
    struct dcorr       *dcorr;      // NULL: no standing correlator
    struct arbiter     *arbiter;
    struct worker_tools tools[WORKERS_MAX];
    struct queue       *q_front, *q_corr;                   // blocks
    struct queue       *front_said, *front_empty;           // answers there and back
    struct queue       *corr_said, *corr_empty;
    struct answer      *answer;                             // all of them
    struct fan         *fan;
    pthread_t           thread[T_COUNT];
    bool                running[T_COUNT];
    atomic_bool         stop;
    uint64_t            jobs, untold;               // arbiter's own
    bool                ended;
    struct dsp_counts   counts;
};

// ---- Source ---------------------------------------------------------------------------------

static void *run_source(void *p)
{
    struct dsp *d = p;
    struct iq_block *b;

    while (!atomic_load(&d->stop) && (b = iq_next(d->cfg.source))) {
        if (d->dcorr && queue_push(d->q_corr, iq_ref(b)))
            iq_unref(b);
        if (queue_push(d->q_front, b))
            iq_unref(b);
    }
    queue_close(d->q_front);
    queue_close(d->q_corr);
    return NULL;
}

// ---- Detectors ------------------------------------------------------------------------------

static void *run_front(void *p)
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

static void *run_corr(void *p)
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
            dcorr_block(d->dcorr, b, &a->corr);
        else
            dcorr_flush(d->dcorr, &a->corr);
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

static void send_burst(void *arg, const struct burst *b)
{
    struct dsp *d = arg;
    struct job *j = calloc(1, sizeof *j);

    if (j)
        j->finding = calloc(1, sizeof *j->finding);
    if (!j || !j->finding) {            // counted, not told: there is no room to tell it
        free(j);
        struct cut c = b->cut;
        cut_drop(&c);
        d->untold++;
        return;
    }
    j->burst = *b;
    send(d, j);
}

static void send_psd(struct dsp *d, const struct front_out *f)
{
    struct job *j = calloc(1, sizeof *j + f->psd.bins * sizeof(float));
    if (!j)
        return;
    j->is_psd = true;
    j->psd = f->psd;
    j->psd.psd_db = j->psd_db;
    for (unsigned i = 0; i < f->psd.bins; i++)
        j->psd_db[i] = f->psd_db[i];
    send(d, j);
}

static void *run_arbiter(void *p)
{
    struct dsp *d = p;
    bool last;

    do {
        struct answer *f = queue_pop(d->front_said);
        struct answer *c = d->dcorr ? queue_pop(d->corr_said) : NULL;
        last = !f->block;
        if (last)
            arbiter_flush(d->arbiter, &f->front.list, c ? &c->corr : NULL);
        else
            arbiter_block(d->arbiter, f->block, &f->front.list, &f->front.noise,
                          c ? &c->corr : NULL);
        if (f->front.has_psd && d->cfg.on_psd)
            send_psd(d, &f->front);
        if (f->block)
            iq_unref(f->block);
        queue_push(d->front_empty, f);
        if (c)
            queue_push(d->corr_empty, c);
    } while (!last);
    fan_close(d->fan);
    return NULL;
}

// ---- Workers --------------------------------------------------------------------------------

static void *work(void *item, void *arg)
{
    struct job *j = item;
    struct dsp *d = j->dsp;
    struct burst *b = &j->burst;
    struct finding *f = j->finding;

    (void)arg;
    if (j->is_psd)
        return j;
    *f = (struct finding){ .id = b->id, .part = b->part, .hyp = b->hyp, .flags = b->flags,
                           .origin = b->origin, .rate_hz = b->rate_hz,
                           .centre_hz = b->centre_hz, .tick = b->tick };
    if (!atomic_load(&d->stop)) {       // stopped: nobody will look at it
        if ((b->hyp & HYP_DRONEID) && d->cfg.droneid != DRONEID_OFF)
            droneid_receive(d->tools[j->worker].rx, b, d->cfg.droneid, f);
        f->reject = b->hyp == HYP_DRONEID && !f->droneid.seen;
        if (!f->reject)
            measure_burst(d->tools[j->worker].measurer, b, f);
    }
    cut_drop(&b->cut);
    return j;
}

// ---- The consumer's side --------------------------------------------------------------------

static void count(struct dsp *d, const struct finding *f)
{
    struct dsp_counts *c = &d->counts;

    c->rejected += f->reject;
    if (!f->reject && (f->part == BURST_WHOLE || f->part == BURST_RUN_END))
        c->bursts++;
    c->runs += f->part == BURST_RUN_END;
    c->cut_dropped += !!(f->flags & BURST_NO_SAMPLES);
    c->droneid_candidates += !!(f->hyp & HYP_DRONEID);
    c->droneid_seen += f->droneid.seen;
    c->droneid_crc_failed += f->droneid.seen && !f->droneid.crc_ok;
}

struct finding *dsp_next(struct dsp *d)
{
    struct job *j;

    while (!d->ended && (j = fan_pop(d->fan))) {
        struct finding *f = j->finding;
        if (j->is_psd && !atomic_load(&d->stop))
            d->cfg.on_psd(&j->psd, d->cfg.arg);
        free(j);
        if (f) {
            count(d, f);
            return f;
        }
    }
    if (!d->ended)
        d->counts.cut_dropped += d->untold;
    d->ended = true;
    return NULL;
}

const struct dsp_counts *dsp_counts(const struct dsp *d) { return &d->counts; }

// ---- Start and stop -------------------------------------------------------------------------

static bool make_queues(struct dsp *d)
{
    unsigned n = Q_BLOCKS;

    d->q_front = queue_new(n, QUEUE_WAIT);
    d->q_corr = queue_new(n, QUEUE_WAIT);
    d->front_said = queue_new(n, QUEUE_WAIT);
    d->front_empty = queue_new(n, QUEUE_WAIT);
    d->corr_said = queue_new(n, QUEUE_WAIT);
    d->corr_empty = queue_new(n, QUEUE_WAIT);
    d->answer = calloc(2 * n, sizeof *d->answer);
    if (!d->q_front || !d->q_corr || !d->front_said || !d->front_empty || !d->corr_said ||
        !d->corr_empty || !d->answer)
        return false;
    for (unsigned i = 0; i < n; i++) {
        queue_push(d->front_empty, &d->answer[i]);
        queue_push(d->corr_empty, &d->answer[n + i]);
    }
    return true;
}

static bool make_tools(struct dsp *d)
{
    for (unsigned i = 0; i < d->cfg.threads; i++) {
        struct worker_tools *t = &d->tools[i];
        t->measurer = measurer_new(d->info.rate_hz);
        if (d->cfg.droneid != DRONEID_OFF)
            t->rx = droneid_rx_new(d->info.rate_hz);
        if (!t->measurer || (d->cfg.droneid != DRONEID_OFF && !t->rx))
            return false;
    }
    return true;
}

static bool start(struct dsp *d, enum thread_id t, void *(*run)(void *), const char *name)
{
    d->running[t] = !pthread_create(&d->thread[t], NULL, run, d);
    if (d->running[t])
        pthread_setname_np(d->thread[t], name);
    return d->running[t];
}

struct dsp *dsp_new(const struct dsp_cfg *cfg)
{
    struct dsp *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cfg = *cfg;
    d->info = iq_info(cfg->source);
    if (!d->cfg.threads)
        d->cfg.threads = hw_cpus();
    if (d->cfg.threads > WORKERS_MAX)
        d->cfg.threads = WORKERS_MAX;
    d->front = front_new(&d->info);
    d->arbiter = arbiter_new(&d->info, send_burst, d);
    if (cfg->droneid != DRONEID_OFF)
        d->dcorr = dcorr_new(d->info.rate_hz);
    if (d->front && d->arbiter && (d->dcorr || cfg->droneid == DRONEID_OFF) && make_queues(d) &&
        make_tools(d))
        d->fan = fan_new(d->cfg.threads, Q_JOBS, QUEUE_WAIT, work, d);
    // The source comes last: whatever fails to start, nothing is on its way yet.
    if (!d->fan || !start(d, T_ARBITER, run_arbiter, "tyto-arbiter") ||
        !start(d, T_FRONT, run_front, "tyto-front") ||
        (d->dcorr && !start(d, T_CORR, run_corr, "tyto-corr")) ||
        !start(d, T_SOURCE, run_source, "tyto-source")) {
        dsp_free(d);
        return NULL;
    }
    return d;
}

// What could not start must still be answered for, else those that wait for it wait forever.
static void stop_threads(struct dsp *d)
{
    struct finding *f;

    atomic_store(&d->stop, true);
    if (!d->running[T_SOURCE]) {
        queue_close(d->q_front);
        queue_close(d->q_corr);
    }
    if (!d->running[T_ARBITER])
        fan_close(d->fan);
    else if (!d->running[T_FRONT])
        run_front(d);
    if (d->running[T_ARBITER] && d->dcorr && !d->running[T_CORR])
        run_corr(d);
    while ((f = dsp_next(d)))
        finding_free(f);
    for (unsigned i = 0; i < T_COUNT; i++)
        if (d->running[i])
            pthread_join(d->thread[i], NULL);
    fan_free(d->fan);
}

void dsp_free(struct dsp *d)
{
    if (!d)
        return;
    if (d->fan)
        stop_threads(d);
    struct queue *q[] = { d->q_front, d->q_corr, d->front_said, d->front_empty, d->corr_said,
                          d->corr_empty };
    for (unsigned i = 0; i < sizeof q / sizeof q[0]; i++) {
        if (q[i])
            queue_close(q[i]);
        while (q[i] && queue_pop(q[i]))     // answers at rest; the blocks are all told by now
            ;
        queue_free(q[i]);
    }
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        measurer_free(d->tools[i].measurer);
        droneid_rx_free(d->tools[i].rx);
    }
    arbiter_free(d->arbiter);
    dcorr_free(d->dcorr);
    front_free(d->front);
    free(d->answer);
    free(d);
}
