// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/fan.h"

#include <pthread.h>
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
    void *item;

    while ((item = queue_pop(w->in)))
        queue_push(w->out, w->fan->work(item, w->fan->arg));
    queue_close(w->out);
    return NULL;
}

struct fan *fan_new(unsigned n, unsigned depth, enum queue_full full,
                    void *(*work)(void *item, void *arg), void *arg)
{
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
