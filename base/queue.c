// SPDX-License-Identifier: GPL-3.0-or-later
// A ring of pointers under one mutex:  item[head] is the oldest, item[(head + len) % cap] is free.
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t  not_empty, not_full;
    enum queue_full full;
    bool            closed;
    unsigned        cap, head, len;
    void           *item[];
};

struct queue *queue_new(unsigned cap, enum queue_full full)
{
    assert(cap);
    struct queue *q = calloc(1, sizeof *q + cap * sizeof q->item[0]);
    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->not_full, NULL);
    q->cap = cap;
    q->full = full;
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    assert(!q->len);        // what it still holds would be lost without a word
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

int queue_push(struct queue *q, void *item)
{
    int r = 0;

    pthread_mutex_lock(&q->lock);
    while (q->full == QUEUE_WAIT && q->len == q->cap && !q->closed)
        pthread_cond_wait(&q->not_full, &q->lock);
    if (q->closed)
        r = -EPIPE;
    else if (q->len == q->cap)
        r = -EAGAIN;
    else {
        q->item[(q->head + q->len++) % q->cap] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

void *queue_pop(struct queue *q)
{
    void *item = NULL;

    pthread_mutex_lock(&q->lock);
    while (!q->len && !q->closed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    if (q->len) {
        item = q->item[q->head];
        q->head = (q->head + 1) % q->cap;
        q->len--;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}
