// SPDX-License-Identifier: GPL-3.0-or-later
//     loop --batch--> [in] --> commit --> [done] --> loop
//                              purge, while nothing waits
//
// The loop keeps at most STORE_DEPTH batches under way, so `in` never fills and `done` never waits.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "alertd/store.h"
#include "base/utc.h"

#define DAY_NS INT64_C(86400000000000)
#define PURGE_REST_MS 60000     // between looks when nothing is old

struct store_thread {
    struct store *store;
    int64_t       keep_ns;
    struct queue *in, *done;
    pthread_t     thread;
};

static void *run(void *arg)
{
    struct store_thread *t = arg;
    struct pollfd p = { .fd = queue_fd(t->in), .events = POLLIN };
    int wait_ms = 1000;
    while (!queue_ended(t->in)) {
        struct batch *b = queue_try_pop(t->in);
        if (b) {
            b->result = store_commit(t->store, b);
            b->rows = store_rows(t->store);
            if (b->result < 0)
                snprintf(b->error, sizeof b->error, "%.159s", store_error(t->store));
            if (queue_push(t->done, b) < 0)
                batch_free(b);
        } else if (poll(&p, 1, wait_ms) == 0) {
            wait_ms = store_purge(t->store, utc_now_ns(), t->keep_ns) > 0 ? 50 : PURGE_REST_MS;
        }
    }
    return NULL;
}

struct store_thread *store_thread_new(struct store *s, double keep_days, struct queue *done)
{
    struct store_thread *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct store_thread){ .store = s, .keep_ns = (int64_t)(keep_days * (double)DAY_NS),
                                .in = queue_new(STORE_DEPTH + 1, QUEUE_REFUSE), .done = done };
    if (!t->in || queue_fd(t->in) < 0 || pthread_create(&t->thread, NULL, run, t)) {
        queue_free(t->in);
        free(t);
        return NULL;
    }
    pthread_setname_np(t->thread, "store");
    return t;
}

int store_thread_push(struct store_thread *t, struct batch *b) { return queue_push(t->in, b); }

void store_thread_stop(struct store_thread *t)
{
    if (!t)
        return;
    queue_close(t->in);
    pthread_join(t->thread, NULL);
    queue_free(t->in);
    free(t);
}
