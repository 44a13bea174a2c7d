// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: its picture of the world, one list in order of arrival.
//
//      oldest                          |<------------ window ------------>|
//     [A3]--[T7]--[Z1]----------------[T9]--[A4]--[T9']--[A4']--[gone T7]      newest last
//      newest states of things that     everything that happened lately,
//      changed long ago                 replaced states (T9, A4) too
//
// The newest state of each thing is kept for ever (until it is gone or its kind is full); what is
// replaced stays only as long as it is in the window, so that a browser that was away for a moment
// can be told all it missed.  Two ways of walking, both by one cursor that pins where it stands:
//
//     snapshot   from the oldest, replaced and gone states skipped, until the newest is reached;
//                a thing that changes meanwhile moves behind the cursor's back to the end and is
//                met there: right at the end without a copy of the world for each client
//     live       everything behind the cursor; one that falls out of the window has lost
//                something and must start again
//
// However slow a client is, it pins one item: memory does not grow with slow clients.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alertd.h"

struct item {
    struct item   *prev, *next;
    struct item   *chain;       // hash chain of newest states
    struct change *c;
    uint64_t       at;          // order of arrival, from 1
    uint64_t       n;           // change number; of an unnumbered one, the newest before it
    unsigned       pins;
    bool           numbered;    // n is its own and may be resumed from
    bool           dead;        // replaced, or says that a thing is gone
    bool           linked;
};

#define WORLD_BUCKETS 16384

struct world {
    struct item *head, *tail;
    struct item *window;        // first item of the window; NULL: empty
    struct item *bucket[WORLD_BUCKETS];
    uint64_t     seed;          // of the hash: ids come from the network
    uint64_t     last_at, last_n;
    uint64_t     floor_n;       // all changes above it are in the window
    size_t       in_window, window_bytes;
    size_t       things[CHANGE_KINDS];
    uint64_t     refused;       // changes out of order, counted and shown without a number
    uint64_t     evicted;       // things dropped because their kind was full
    // What is allowed; set by world_init, lowered by tests.
    size_t       window_max, window_bytes_max, things_max;
};

void world_init(struct world *w, uint64_t seed);
void world_done(struct world *w);               // nothing may be pinned
// The store's change number at start: who resumes from below it gets a snapshot.
void world_start(struct world *w, struct change **c, size_t n, uint64_t last_n);
int  world_add(struct world *w, struct change *c);          // takes c; 0 or -ENOMEM (c is freed)
const struct change *world_find(const struct world *w, enum change_kind k, const char *id);

// Behind which item who has seen number n goes on (pinned; NULL: from the first), and its place in
// the order of arrival.  -ESTALE: too old, or not of this store.
int world_resume(struct world *w, uint64_t n, struct item **ret, uint64_t *ret_at);
// The next item after `at` (NULL: the first); `at` loses its pin and the next one gets it.  NULL:
// nothing more, `at` keeps its pin.  kind CHANGE_KINDS: any.
struct item *world_next(struct world *w, struct item *at, bool snapshot, enum change_kind kind);
// Whether what came after place `at` is partly out of the window, and may be gone.
bool world_behind(const struct world *w, uint64_t at);
void world_unpin(struct world *w, struct item *at);                 // NULL is fine
