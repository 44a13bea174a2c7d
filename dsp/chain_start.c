// SPDX-License-Identifier: GPL-3.0-or-later
// The chain's start and its end.
#include <stdlib.h>

#include "dsp/chain_in.h"
#include "dsp/shelf.h"
#include "hw/hw.h"

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

// Room for all that the fan holds, one at each end of it, and a finding or two in use.
static bool make_shelves(struct dsp *d)
{
    unsigned n = d->cfg.threads * JOBS_EACH + 4;

    d->job_shelf = shelf_new(n, sizeof(struct job));
    d->finding_shelf = shelf_new(n, sizeof(struct finding));
    d->psd_shelf = shelf_new(PSD_JOBS, sizeof(struct job) + PSD_BINS * sizeof(float));
    return d->job_shelf && d->finding_shelf && d->psd_shelf;
}

static bool make_tools(struct dsp *d)
{
    for (unsigned i = 0; i < d->cfg.threads; i++) {
        struct worker_tools *t = &d->tools[i];
        t->measurer = measurer_new(d->info.rate_hz);
        if (d->cfg.droneid != DRONEID_OFF)
            t->rx = droneid_rx_new(d->info.rate_hz);
        t->product = product_tool_new(self_clock_hz(d->cfg.profile));
        if (!t->measurer || !t->product || (d->cfg.droneid != DRONEID_OFF && !t->rx))
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
    d->arbiter = arbiter_new(&d->info, chain_burst, d);
    d->spurs = spurs_new();
    d->self = self_new(&d->info, cfg->steps ? cfg->source : NULL,
                       cfg->profile, cfg->gain_auto);
    d->standing = standing_new(&d->info, cfg->droneid != DRONEID_OFF);
    if (d->front && d->arbiter && d->self && d->spurs && d->standing && make_queues(d) &&
        make_shelves(d) && make_tools(d))
        d->fan = fan_new(d->cfg.threads, Q_JOBS, QUEUE_WAIT, chain_work, d);
    // The source comes last: whatever fails to start, nothing is on its way yet.
    if (!d->fan || !start(d, T_ARBITER, chain_arbiter, "tyto-arbiter") ||
        !start(d, T_FRONT, chain_front, "tyto-front") ||
        !start(d, T_CORR, chain_corr, "tyto-corr") ||
        !start(d, T_SOURCE, chain_source, "tyto-source")) {
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
        chain_front(d);
    if (d->running[T_ARBITER] && !d->running[T_CORR])
        chain_corr(d);
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
        product_tool_free(d->tools[i].product);
    }
    arbiter_free(d->arbiter);
    standing_free(d->standing);
    front_free(d->front);
    self_free(d->self);
    spurs_free(d->spurs);
    shelf_leave(d->job_shelf);
    shelf_leave(d->psd_shelf);
    shelf_leave(d->finding_shelf);
    free(d->answer);
    free(d);
}
