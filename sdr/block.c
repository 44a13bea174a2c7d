// SPDX-License-Identifier: GPL-3.0-or-later
// The pool of blocks: one allocation, reference counts, a free list without a lock.
//
//     slots  [head|head|head|...]        each head holds the public block, its count and a link
//     data   [== 64-byte aligned samples ==][== ... ==]...
//
//     free:  top -> c -> a -> NULL       sem counts what is on the list
//
// Many threads push (iq_unref), one pops (the source's thread).  With a single popper the node it
// looks at cannot leave and come back behind its back, so a plain compare-and-swap stack is safe.
// Last in, first out: the block that is taken next is the one whose memory is still in cache.
#include "sdr/block.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LINE 64                 // cache line, and the widest vector

struct slot {
    struct iq_block b;          // first: iq_unref gets here from it
    atomic_uint     refs;
    struct slot    *below;      // on the free list
    struct iq_pool *pool;
    void           *data;
};

struct iq_pool {
    _Atomic(struct slot *) top;
    sem_t          sem;
    unsigned       n;
    enum iq_format format;
    void          *data;
    struct slot    slot[];
};

static struct slot *slot_of(struct iq_block *b) { return (struct slot *)b; }

static void push(struct slot *s)
{
    struct iq_pool *p = s->pool;
    struct slot *top = atomic_load_explicit(&p->top, memory_order_relaxed);

    do
        s->below = top;
    while (!atomic_compare_exchange_weak_explicit(&p->top, &top, s, memory_order_release,
                                                  memory_order_relaxed));
    sem_post(&p->sem);
}

static struct slot *pop(struct iq_pool *p)
{
    while (sem_wait(&p->sem))
        assert(errno == EINTR);
    struct slot *top = atomic_load_explicit(&p->top, memory_order_acquire);
    while (!atomic_compare_exchange_weak_explicit(&p->top, &top, top->below, memory_order_acquire,
                                                  memory_order_acquire))
        ;
    return top;
}

struct iq_pool *iq_pool_new(unsigned n, uint32_t len, enum iq_format f)
{
    size_t bytes = (len * iq_format_bytes(f) + LINE - 1) / LINE * LINE;
    struct iq_pool *p = calloc(1, sizeof *p + n * sizeof p->slot[0]);

    assert(n && len);
    if (!p)
        return NULL;
    p->data = aligned_alloc(LINE, n * bytes);       // touched only as far as it is used
    if (!p->data) {
        free(p);
        return NULL;
    }
    sem_init(&p->sem, 0, 0);
    p->n = n;
    p->format = f;
    for (unsigned i = 0; i < n; i++) {
        p->slot[i].pool = p;
        p->slot[i].data = (char *)p->data + i * bytes;
        push(&p->slot[i]);
    }
    return p;
}

void iq_pool_free(struct iq_pool *p)
{
    int back = 0;

    if (!p)
        return;
    sem_getvalue(&p->sem, &back);
    assert((unsigned)back == p->n);                 // somebody still holds a block
    sem_destroy(&p->sem);
    free(p->data);
    free(p);
}

struct iq_block *iq_pool_take(struct iq_pool *p)
{
    struct slot *s = pop(p);

    s->b = (struct iq_block){ .format = p->format, .data = s->data };
    atomic_store_explicit(&s->refs, 1, memory_order_relaxed);
    return &s->b;
}

void *iq_block_data(struct iq_block *b) { return slot_of(b)->data; }

struct iq_block *iq_ref(struct iq_block *b)
{
    unsigned was = atomic_fetch_add_explicit(&slot_of(b)->refs, 1, memory_order_relaxed);
    assert(was);                                    // only a holder can give it to another
    return b;
}

void iq_unref(struct iq_block *b)
{
    unsigned was = atomic_fetch_sub_explicit(&slot_of(b)->refs, 1, memory_order_acq_rel);
    assert(was);
    if (was == 1)
        push(slot_of(b));
}
