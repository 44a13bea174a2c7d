// SPDX-License-Identifier: GPL-3.0-or-later
// A ring of cells that any number of threads push to and pop from without a lock.
//
//     pushes so far = tail = 6            cell  0   1   2   3     cap = 4
//     pops so far   = head = 3            turn  2   3   2   1
//                                               ^   ^   ^   ^
//          item 4's cell, taken in lap 1 and being filled   |   the oldest: push 3 of lap 0
//                              item 5, filled   next push   |
//
// Push n goes to cell n % cap in lap n / cap.  A cell's turn is 2 * lap while it is free for that
// lap and 2 * lap + 1 while it holds that lap's item.  Who moves tail (or head) owns the cell until
// it moves the turn on; it is a plain pointer in between.  The top bit of tail says closed, so
// that a push is either counted before the close, and popped, or refused.
//
// Sleep: only who finds nothing to do (or no room) sleeps, on a gate: a word that is odd while
// somebody may.  The sleeper makes it odd, looks at the ring once more and sleeps on the word it
// made; the other side changes the ring and then looks at the word.  All of it is sequentially
// consistent, so one of the two sees the other, and a word that went on in between (it counts the
// calls) lets nobody sleep.  A call wakes all: one that is woken may find its item half pushed and
// sleep again, and the next item must not wait for it.
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE   64                       // cache line: both ends stay out of each other's way
#define CLOSED (UINT64_C(1) << 63)

struct cell {
    _Atomic uint64_t turn;
    void            *item;
};

struct queue {
    _Alignas(LINE) _Atomic uint64_t tail;
    _Alignas(LINE) _Atomic uint64_t head;
    _Alignas(LINE) atomic_uint not_empty, not_full;     // gates
    atomic_int      fd;         // eventfd for those who poll, -1: nobody asked
    atomic_bool     told;       // it was made readable since it was last cleared
    enum queue_full full;
    unsigned        cap;
    struct cell     cell[];
};

// ---- Gates -----------------------------------------------------------------------------------

static void gate_call(atomic_uint *g)
{
    unsigned w = atomic_load(g);

    if ((w & 1) && atomic_compare_exchange_strong(g, &w, w + 1))
        syscall(SYS_futex, g, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static unsigned gate_arm(atomic_uint *g) { return atomic_fetch_or(g, 1) | 1; }

// May come back for nothing: the caller looks again.
static void gate_sleep(atomic_uint *g, unsigned w)
{
    syscall(SYS_futex, g, FUTEX_WAIT_PRIVATE, w, NULL, NULL, 0);
}

// The eventfd counts: it stays readable until somebody clears it.
static void tell_pollers(struct queue *q, bool again)
{
    int fd = atomic_load(&q->fd);

    if (fd >= 0 && (!atomic_exchange(&q->told, true) || again))
        (void)!write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

// ---- The ring --------------------------------------------------------------------------------

struct queue *queue_new(unsigned cap, enum queue_full full)
{
    assert(cap);
    size_t bytes = sizeof(struct queue) + cap * sizeof(struct cell);
    bytes = (bytes + LINE - 1) / LINE * LINE;
    struct queue *q = aligned_alloc(LINE, bytes);
    if (!q)
        return NULL;
    memset(q, 0, bytes);
    q->cap = cap;
    q->full = full;
    atomic_init(&q->fd, -1);
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    // What it still holds would be lost without a word.
    assert((atomic_load(&q->tail) & ~CLOSED) == atomic_load(&q->head));
    if (q->fd >= 0)
        close(q->fd);
    free(q);
}

static int put(struct queue *q, void *item)
{
    uint64_t n = atomic_load(&q->tail);

    for (;;) {
        if (n & CLOSED)
            return -EPIPE;
        struct cell *c = &q->cell[n % q->cap];
        uint64_t turn = atomic_load(&c->turn), mine = n / q->cap * 2;
        if (turn < mine)
            return -EAGAIN;             // the last lap's item is there, or just being taken
        if (turn > mine) {
            n = atomic_load(&q->tail);  // another was here first
        } else if (atomic_compare_exchange_weak(&q->tail, &n, n + 1)) {
            c->item = item;
            atomic_store(&c->turn, mine + 1);
            gate_call(&q->not_empty);
            tell_pollers(q, false);
            return 0;
        }
    }
}

static void *take(struct queue *q)
{
    uint64_t n = atomic_load(&q->head);

    for (;;) {
        struct cell *c = &q->cell[n % q->cap];
        uint64_t turn = atomic_load(&c->turn), mine = n / q->cap * 2 + 1;
        if (turn < mine)
            return NULL;                // nothing, or its push is under way and will call
        if (turn > mine) {
            n = atomic_load(&q->head);
        } else if (atomic_compare_exchange_weak(&q->head, &n, n + 1)) {
            void *item = c->item;
            atomic_store(&c->turn, mine + 1);
            gate_call(&q->not_full);
            return item;
        }
    }
}

int queue_push(struct queue *q, void *item)
{
    assert(item);                       // NULL would read as the end on the other side
    for (;;) {
        int r = put(q, item);
        if (r != -EAGAIN || q->full == QUEUE_REFUSE)
            return r;
        unsigned w = gate_arm(&q->not_full);
        if ((r = put(q, item)) != -EAGAIN)
            return r;
        gate_sleep(&q->not_full, w);
    }
}

void *queue_pop(struct queue *q)
{
    for (;;) {
        void *item = take(q);
        if (item)
            return item;
        unsigned w = gate_arm(&q->not_empty);
        if ((item = take(q)) || queue_ended(q))
            return item;
        gate_sleep(&q->not_empty, w);
    }
}

static bool closed(struct queue *q) { return atomic_load(&q->tail) & CLOSED; }

// Clearing comes before the second look: what is pushed after it makes the descriptor readable
// itself, what was pushed before it is seen.
void *queue_try_pop(struct queue *q)
{
    void *item = take(q);
    int fd = atomic_load(&q->fd);
    uint64_t count;

    if (item || fd < 0 || closed(q))
        return item;
    (void)!read(fd, &count, sizeof count);
    atomic_store(&q->told, false);
    item = take(q);
    if (item || closed(q))
        tell_pollers(q, true);
    return item;
}

int queue_fd(struct queue *q)
{
    int fd = atomic_load(&q->fd), none = -1;

    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (!atomic_compare_exchange_strong(&q->fd, &none, fd)) {
        close(fd);
        return none;
    }
    if (atomic_load(&q->tail) != atomic_load(&q->head))     // something waits, or it is closed
        tell_pollers(q, true);
    return fd;
}

bool queue_ended(struct queue *q)
{
    uint64_t n = atomic_load(&q->tail);
    return (n & CLOSED) && (n & ~CLOSED) == atomic_load(&q->head);
}

void queue_close(struct queue *q)
{
    atomic_fetch_or(&q->tail, CLOSED);
    gate_call(&q->not_empty);
    gate_call(&q->not_full);
    tell_pollers(q, true);
}
