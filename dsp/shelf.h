// SPDX-License-Identifier: GPL-3.0-or-later
// Items of one size, made at once, that go round between threads: taken by one, given back by any.
// Nothing is allocated and nothing locked in between.
#pragma once

#include <stddef.h>

struct shelf;

struct shelf *shelf_new(unsigned n, size_t size);   // NULL: no memory
void *shelf_take(struct shelf *s);      // zeroed; NULL: none is left.  One thread at a time
void *shelf_get(struct shelf *s);       // as take, but makes one when none is left; NULL: no memory
void shelf_give(void *item);            // any thread; NULL is fine
// Its maker is done with it: it goes when the last item has come back.  NULL is fine.
void shelf_leave(struct shelf *s);
