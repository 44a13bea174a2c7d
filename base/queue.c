// SPDX-License-Identifier: GPL-3.0-or-later
// A ring of pointers under one mutex:  item[head] is the oldest, item[(head + len) % cap] is free.
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t  not_empty, not_full;
    enum queue_full full;
    bool            closed;
    int             fd;         // eventfd for those who poll, -1: nobody asked
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
    q->fd = -1;
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
    if (q->fd >= 0)
        close(q->fd);
    free(q);
}

// Under the lock.  The eventfd counts: it stays readable until somebody clears it.
static void wake(struct queue *q)
{
    if (q->fd >= 0)
        (void)!write(q->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void *take(struct queue *q)
{
    if (!q->len)
        return NULL;
    void *item = q->item[q->head];
    q->head = (q->head + 1) % q->cap;
    q->len--;
    pthread_cond_signal(&q->not_full);
    return item;
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
        wake(q);
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
    item = take(q);
    pthread_mutex_unlock(&q->lock);
    return item;
}

void *queue_try_pop(struct queue *q)
{
    uint64_t count;

    pthread_mutex_lock(&q->lock);
    void *item = take(q);
    if (!item && q->fd >= 0 && !q->closed)
        (void)!read(q->fd, &count, sizeof count);
    pthread_mutex_unlock(&q->lock);
    return item;
}

int queue_fd(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    if (q->fd < 0) {
        q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (q->len || q->closed)
            wake(q);
    }
    int fd = q->fd < 0 ? -errno : q->fd;
    pthread_mutex_unlock(&q->lock);
    return fd;
}

bool queue_ended(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool r = q->closed && !q->len;
    pthread_mutex_unlock(&q->lock);
    return r;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    wake(q);
    pthread_mutex_unlock(&q->lock);
}
