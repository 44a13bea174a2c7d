// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that keeps: a ring of references to the last seconds' blocks; for each want a file.
//
//     ring  |b|b|b|b| gap |b|b|b|b|b|       cut: from the block that holds at_s as far both ways as
//                    <----- at_s ---->      no sample is missing and the centre stays the same
#include "classifier/keep.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "classifier/keep_file.h"
#include "sdr/keep.h"

#define TAP_BLOCKS  1024        // some 0.8 s, while a file is being made
#define WANTS       64
#define BLOCK_LEAST_S 0.0007    // sdr.h: about 1 ms, to the next power of two
#define END_NS      INT64_C(1000000000)     // of a sensor that is told to end
#define SAMPLES_MOST (8u << 20) // of a cut: 64 MB as floats
#define ROOM_NS     INT64_C(3600000000000)  // an hour: ages are given in days
#define BEFORE      0.75        // of a cut that is clamped: as of the wide one (keeper.c)

struct keep {
    struct keep_cfg  cfg;
    struct queue    *tap, *wants;
    struct iq_source *src;
    pthread_t        thread;
    bool             started;
    // the thread's own
    struct iq_block **ring;
    unsigned         cap, first, n;
    uint64_t         samples;
    struct mask     *mask;
    _Atomic int64_t  end_ns;    // monotonic: what is not done by then is left; 0: it goes on
    _Atomic uint64_t kept, refused, expired;
};

unsigned keep_pool(const struct keep_cfg *cfg)
{
    return (unsigned)ceil(cfg->seconds / BLOCK_LEAST_S) + TAP_BLOCKS + 2;
}

struct keep *keep_new(const struct keep_cfg *cfg)
{
    struct keep *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->cfg = *cfg;
    k->cap = (unsigned)ceil(cfg->seconds / BLOCK_LEAST_S);
    k->tap = queue_new(TAP_BLOCKS, QUEUE_REFUSE);
    k->wants = queue_new(WANTS, QUEUE_REFUSE);
    k->ring = calloc(k->cap, sizeof *k->ring);
    if (!k->tap || !k->wants || !k->ring || queue_fd(k->tap) < 0 || queue_fd(k->wants) < 0) {
        keep_free(k);
        return NULL;
    }
    return k;
}

// ---- The ring --------------------------------------------------------------------------------

static struct iq_block *at(const struct keep *k, unsigned i)
{
    return k->ring[(k->first + i) % k->cap];
}

static void drop_oldest(struct keep *k)
{
    k->samples -= at(k, 0)->n;
    iq_unref(at(k, 0));
    k->first = (k->first + 1) % k->cap;
    k->n--;
}

static void pump(void *arg)
{
    struct keep *k = arg;

    for (struct iq_block *b; (b = queue_try_pop(k->tap));) {
        while (k->n == k->cap || (k->n && (double)k->samples > k->cfg.seconds * b->rate_hz))
            drop_oldest(k);
        k->ring[(k->first + k->n++) % k->cap] = b;
        k->samples += b->n;
    }
}

static bool follows(const struct iq_block *a, const struct iq_block *b)
{
    return b->n0 == a->n0 + a->n && b->centre_hz == a->centre_hz && b->gain_db == a->gain_db;
}

// First and last block of the cut; false: what is wanted is gone, or never came.
static bool find(const struct keep *k, const struct keep_want *w, unsigned *ret_a, unsigned *ret_b)
{
    unsigned i = 0;

    if (!k->n)
        return false;
    double rate = at(k, 0)->rate_hz, from = w->t0_s * rate, to = w->t1_s * rate;
    while (i < k->n && (double)(at(k, i)->n0 + at(k, i)->n) <= w->at_s * rate)
        i++;
    if (i == k->n || (double)at(k, i)->n0 > w->at_s * rate)
        return false;
    unsigned a = i, b = i;
    while (a > 0 && (double)at(k, a)->n0 > from && follows(at(k, a - 1), at(k, a)))
        a--;
    while (b + 1 < k->n && (double)(at(k, b)->n0 + at(k, b)->n) < to &&
           follows(at(k, b), at(k, b + 1)))
        b++;
    *ret_a = a;
    *ret_b = b;
    return true;
}

// The samples of the want into *c; its x is malloc'd.
static int cut_out(const struct keep *k, const struct keep_want *w, struct keep_cut *c)
{
    unsigned a, b;

    if (!find(k, w, &a, &b))
        return -ENOENT;
    const struct iq_block *first = at(k, a), *last = at(k, b);
    double rate = first->rate_hz;
    double lo_n = fmax(w->t0_s * rate, (double)first->n0);
    double hi_n = fmin(ceil(w->t1_s * rate), (double)(last->n0 + last->n));
    if (hi_n - lo_n > SAMPLES_MOST)             // too fast for all of it: around what set it off
        lo_n = fmax(lo_n, w->at_s * rate - BEFORE * SAMPLES_MOST);
    uint64_t from = (uint64_t)lo_n, to = (uint64_t)fmax(lo_n, hi_n);
    to = to - from > SAMPLES_MOST ? from + SAMPLES_MOST : to;
    *c = (struct keep_cut){ .rate_hz = rate, .centre_hz = first->centre_hz, .n0 = from,
                            .gain_db = first->gain_db, .origin = first->origin,
                            .n = (size_t)(to - from), .t0_s = (double)from / rate };
    if (to <= from || !(c->x = malloc(c->n * sizeof *c->x)))
        return to <= from ? -ENOENT : -ENOMEM;
    for (unsigned i = a; i <= b; i++) {
        const struct iq_block *q = at(k, i);
        uint64_t lo = q->n0 > from ? q->n0 : from, hi = q->n0 + q->n < to ? q->n0 + q->n : to;
        if (hi > lo)
            iq_to_cf32(q, (uint32_t)(lo - q->n0), (uint32_t)(hi - lo), c->x + (lo - from));
    }
    return 0;
}

// ---- Wants -----------------------------------------------------------------------------------

static struct mask *mask_of(struct keep *k, double rate_hz)
{
    if (!k->mask) {
        void *token = queue_pop(k->cfg.turn);
        k->mask = mask_new(rate_hz);
        queue_push(k->cfg.turn, token);
    }
    return k->mask;
}

static void work(struct keep *k, struct keep_want *w)
{
    struct keep_cut c = { 0 };
    uint64_t gone = 0;
    int r = cut_out(k, w, &c);
    struct mask *m = r ? NULL : mask_of(k, c.rate_hz);

    if (!r && !m)
        r = -ENOMEM;
    if (!r && (r = mask_apply(m, c.x, c.n, c.t0_s, c.centre_hz, w->box, w->n_boxes)) >= 0) {
        c.masked = (unsigned)r;
        gone = keep_make_room(&k->cfg);
        r = keep_file_write(&k->cfg, w, &c, pump, k);
        gone += keep_make_room(&k->cfg);
    }
    atomic_fetch_add(r < 0 ? &k->refused : &k->kept, 1);
    atomic_fetch_add(&k->expired, gone);
    free(c.x);
    free(w);
}

// What is too old goes, whether or not anything is written.
static void tidy(struct keep *k, int64_t *due_ns)
{
    int64_t now_ns = mono_now_ns();

    if (now_ns < *due_ns)
        return;
    *due_ns = now_ns + ROOM_NS;
    atomic_fetch_add(&k->expired, keep_make_room(&k->cfg));
}

static void *run(void *arg)
{
    struct keep *k = arg;
    struct pollfd p[] = { { .fd = queue_fd(k->tap), .events = POLLIN },
                          { .fd = queue_fd(k->wants), .events = POLLIN } };
    struct keep_want *w;
    int64_t room_ns = 0;

    pthread_setname_np(pthread_self(), "tyto-keep");
    tidy(k, &room_ns);
    while (!queue_ended(k->wants)) {
        tidy(k, &room_ns);
        poll(p, 2, 1000);
        pump(k);
        if (!(w = queue_try_pop(k->wants)))
            continue;
        int64_t end_ns = atomic_load(&k->end_ns);
        if (!end_ns || mono_now_ns() < end_ns)
            work(k, w);
        else
            free(w);
    }
    return NULL;
}

int keep_start(struct keep *k, struct iq_source *src)
{
    int r = -pthread_create(&k->thread, NULL, run, k);

    if (r < 0)
        return r;
    k->started = true;
    k->src = src;
    iq_tap(src, k->tap);
    return 0;
}

bool keep_ask(struct keep *k, struct keep_want *w)
{
    if (queue_push(k->wants, w) == 0)
        return true;
    atomic_fetch_add(&k->refused, 1);
    free(w);
    return false;
}

void keep_refuse(struct keep *k) { atomic_fetch_add(&k->refused, 1); }

struct keep_counts keep_counts(const struct keep *keep)
{
    struct keep *k = (struct keep *)keep;       // C17 loads only from what is not const
    return (struct keep_counts){ atomic_load(&k->kept), atomic_load(&k->refused),
                                 atomic_load(&k->expired) };
}

void keep_free(struct keep *k)
{
    if (!k)
        return;
    if (k->started) {
        atomic_store(&k->end_ns, mono_now_ns() + END_NS);
        queue_close(k->wants);
        pthread_join(k->thread, NULL);
    }
    if (k->tap)
        pump(k);
    while (k->n)
        drop_oldest(k);
    queue_free(k->tap);
    queue_free(k->wants);
    mask_free(k->mask);
    free(k->ring);
    free(k);
}
