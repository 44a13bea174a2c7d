// SPDX-License-Identifier: GPL-3.0-or-later
// n workers, each between two queues of its own; nothing else is shared, so nothing else is locked.
//
//     fan_push --k mod n--> [in 0] tyto-worker-0 [out 0] --k mod n--> fan_pop
//                           [in 1] tyto-worker-1 [out 1]
#include "base/fan.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
    struct fan   *fan;
    struct queue *in, *out;
    pthread_t     thread;
};

struct fan {
    void        *(*work)(void *item, void *arg);
    void          *arg;
    unsigned       n, next_in, next_out;
    struct worker  w[];
};

static void *run(void *p)
{
    struct worker *w = p;
    char name[16];          // the kernel's limit
    void *item;

    // The index from the address: fan_new still counts n up on its own thread.
    snprintf(name, sizeof name, "tyto-worker-%u", (unsigned)(w - w->fan->w) % 1000);
    pthread_setname_np(pthread_self(), name);
    while ((item = queue_pop(w->in))) {
        void *result = w->fan->work(item, w->fan->arg);
        assert(result);     // NULL would read as the end on the other side
        queue_push(w->out, result);
    }
    queue_close(w->out);
    return NULL;
}

struct fan *fan_new(unsigned n, unsigned depth, enum queue_full full,
                    void *(*work)(void *item, void *arg), void *arg)
{
    assert(n && depth);
    struct fan *f = calloc(1, sizeof *f + n * sizeof f->w[0]);
    if (!f)
        return NULL;
    f->work = work;
    f->arg = arg;
    for (; f->n < n; f->n++) {
        struct worker *w = &f->w[f->n];
        w->fan = f;
        w->in = queue_new(depth, full);
        w->out = queue_new(depth, QUEUE_WAIT);
        if (!w->in || !w->out || pthread_create(&w->thread, NULL, run, w)) {
            queue_free(w->in);
            queue_free(w->out);
            fan_close(f);
            fan_free(f);
            return NULL;
        }
    }
    return f;
}

int fan_push(struct fan *f, void *item)
{
    int r = queue_push(f->w[f->next_in].in, item);
    if (!r)
        f->next_in = (f->next_in + 1) % f->n;
    return r;
}

void *fan_pop(struct fan *f)
{
    void *item = queue_pop(f->w[f->next_out].out);
    if (item)
        f->next_out = (f->next_out + 1) % f->n;
    return item;
}

void fan_close(struct fan *f)
{
    for (unsigned i = 0; i < f->n; i++)
        queue_close(f->w[i].in);
}

void fan_free(struct fan *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n; i++) {
        pthread_join(f->w[i].thread, NULL);
        queue_free(f->w[i].in);
        queue_free(f->w[i].out);
    }
    free(f);
}
