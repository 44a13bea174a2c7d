// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: packets that might belong to a hopper whose link is not found yet.
#pragma once

#include "classifier/link.h"

#define POOL_MAX 1024           // a second of the busiest mode, three times over

struct pool {
    struct obs *o;              // in order of arrival
    unsigned    n;
    bool        fresh;          // something new since the last search
    struct found *found;        // the search's own: the best so far, and the next
};

int  pool_init(struct pool *p);                 // 0, -ENOMEM
void pool_done(struct pool *p);
// Could it be a packet of any hopper's mode, or a piece of one?
bool pool_wants(const struct sigs *s, const struct obs *o);
void pool_put(struct pool *p, const struct obs *o);     // there must be room
void pool_take_out(struct pool *p, unsigned i);
// Gives late packets to links found meanwhile: on their grid, or as answers of the far end.
void pool_adopt(struct pool *p, struct links *links, double now_s);
// Makes links of what is found; their packets leave the pool.
void pool_seek(struct pool *p, const struct sigs *s, struct links *links);
