// SPDX-License-Identifier: GPL-3.0-or-later
//
//     shelf  |head|== item ==|head|== item ==|head|..         head: its shelf, the one below it
//     free:  top -> c -> a -> NULL
//
// As in the pool of blocks (sdr/block.c): with one taker an item at the top cannot leave and come
// back behind its back, so a plain compare-and-swap stack is safe.
#include "dsp/shelf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64                 // cache line: threads that work on neighbours stay out of each
                                // other's way

struct slot {
    _Alignas(LINE) struct shelf *shelf;
    struct slot *below;
};

struct shelf {
    _Atomic(struct slot *) top;
    atomic_uint   holders;      // its maker and the items that are out
    size_t        size;
    struct slot  *slots;
};

static size_t slot_bytes(size_t size)
{
    return sizeof(struct slot) + (size + LINE - 1) / LINE * LINE;
}

static void push(struct shelf *s, struct slot *slot)
{
    struct slot *top = atomic_load_explicit(&s->top, memory_order_relaxed);

    do
        slot->below = top;
    while (!atomic_compare_exchange_weak_explicit(&s->top, &top, slot, memory_order_release,
                                                  memory_order_relaxed));
}

struct shelf *shelf_new(unsigned n, size_t size)
{
    struct shelf *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->size = size;
    s->slots = aligned_alloc(LINE, n * slot_bytes(size));
    if (!s->slots) {
        free(s);
        return NULL;
    }
    atomic_init(&s->holders, 1);
    for (unsigned i = n; i-- > 0;) {
        struct slot *slot = (struct slot *)((char *)s->slots + i * slot_bytes(size));
        slot->shelf = s;
        push(s, slot);
    }
    return s;
}

void shelf_leave(struct shelf *s)
{
    if (!s || atomic_fetch_sub(&s->holders, 1) != 1)
        return;
    free(s->slots);
    free(s);
}

void *shelf_take(struct shelf *s)
{
    struct slot *top = atomic_load_explicit(&s->top, memory_order_acquire);

    while (top && !atomic_compare_exchange_weak_explicit(&s->top, &top, top->below,
                                                         memory_order_acquire,
                                                         memory_order_acquire))
        ;
    if (!top)
        return NULL;
    atomic_fetch_add(&s->holders, 1);
    return memset(top + 1, 0, s->size);
}

void *shelf_get(struct shelf *s)
{
    void *item = shelf_take(s);
    if (item)
        return item;
    struct slot *slot = aligned_alloc(LINE, slot_bytes(s->size));
    if (!slot)
        return NULL;
    memset(slot, 0, slot_bytes(s->size));       // of no shelf
    return slot + 1;
}

void shelf_give(void *item)
{
    if (!item)
        return;
    struct slot *slot = (struct slot *)item - 1;
    struct shelf *s = slot->shelf;
    if (!s) {
        free(slot);
        return;
    }
    push(s, slot);
    shelf_leave(s);
}
