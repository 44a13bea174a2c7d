// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the chain: what its threads share (chain.c), and who makes and ends it (chain_start.c).
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/fan.h"
#include "base/queue.h"
#include "dsp/arbiter.h"
#include "dsp/burst.h"
#include "dsp/front/front.h"
#include "dsp/self/product.h"
#include "dsp/self/self.h"
#include "dsp/self/spur.h"

#define Q_BLOCKS  8             // blocks waiting for a detector, and its answers for the arbiter
#define Q_JOBS    32            // jobs waiting for one worker: a slow one does not stop the others
#define WORKERS_MAX 64
#define JOBS_EACH (2 * Q_JOBS + 1)      // of one worker at most: waiting for it, its own, done
#define PSD_JOBS  8             // spectra on their way: two a second
#define PSD_BINS  2048          // of one, at most

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
    struct product_tool *product;
};

// What goes through the fan: a burst on its way in and a finding on its way out; a spectrum; or a
// finding that only carries the tick.
struct job {
    struct dsp      *dsp;
    unsigned         worker;
    bool             is_psd, is_tick;
    struct burst     burst;
    struct finding  *finding;
    struct psd_frame psd;
    float            psd_db[];      // of one from psd_shelf
};

enum thread_id { T_SOURCE, T_FRONT, T_CORR, T_ARBITER, T_COUNT };

struct dsp {
    struct dsp_cfg      cfg;
    struct iq_info      info;
    struct front       *front;
    struct standing    *standing;
    struct arbiter     *arbiter;
    struct self        *self;                               // source's own
    struct worker_tools tools[WORKERS_MAX];
    struct queue       *q_front, *q_corr;                   // blocks
    struct queue       *front_said, *front_empty;           // answers there and back
    struct queue       *corr_said, *corr_empty;
    struct answer      *answer;                             // all of them
    struct fan         *fan;
    struct shelf       *job_shelf, *psd_shelf, *finding_shelf;
    pthread_t           thread[T_COUNT];
    bool                running[T_COUNT];
    atomic_bool         stop;
    uint64_t            jobs, untold, ticked;       // arbiter's own
    unsigned            turn[3];                    // arbiter's own: of what is shed in part
    _Atomic double      behind_s;                   // samples of a radio that wait for us
    struct spurs       *spurs;                              // of the thread that calls dsp_next
    bool                ended;
    struct dsp_counts   counts;
};

void *chain_source(void *dsp);
void *chain_front(void *dsp);
void *chain_corr(void *dsp);
void *chain_arbiter(void *dsp);
void *chain_work(void *job, void *unused);
bool  chain_sheds(struct dsp *d, const struct burst *b);
void  chain_burst(void *dsp, const struct burst *b);     // what the arbiter tells
