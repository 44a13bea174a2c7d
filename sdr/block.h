// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: the pool blocks come from.
#pragma once

#include "sdr/sdr.h"

struct iq_pool;

// n blocks of up to len samples of format f; NULL: no memory.
struct iq_pool *iq_pool_new(unsigned n, uint32_t len, enum iq_format f);
void            iq_pool_free(struct iq_pool *p);    // NULL is fine; asserts that all are back

// A block with one reference, only its data and format set; waits while all are out.  One thread
// only: that is what keeps the free list this simple.
struct iq_block *iq_pool_take(struct iq_pool *p);

// The samples, writable until the block is handed out.
void *iq_block_data(struct iq_block *b);
