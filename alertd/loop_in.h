// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the loop: its state, between starting (loop_start.c) and going round (loop.c).
#pragma once

#include "alertd/core.h"
#include "alertd/feed.h"
#include "alertd/loop.h"
#include "alertd/store.h"

struct loop {
    const struct loop_cfg *l;
    struct core   *core;
    struct store  *store;
    struct store_thread *storing;
    struct ingest *ingest;
    struct web    *web;
    struct feed_out *feed;          // NULL: none is wanted
    struct queue  *items, *sends, *done, *changes, *actions, *answers;
    struct core_work *under_way;    // its batch is at the store
    struct core_work *failed;       // to be tried again
    int64_t  retry_ns, tick_ns, view_ns, clock_ns;
    bool     tight, views;
    uint64_t shown_n;
    int      error;                 // ends the loop
    char    *why;
};

void loop_rounds(struct loop *o);      // until stop_fd or an error
