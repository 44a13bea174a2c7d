// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/history.h"

#include <math.h>
#include <string.h>

static uint64_t block_end(const struct iq_block *b) { return b->n0 + b->n; }

void history_add(struct history *h, struct iq_block *b) { h->blk[h->n++] = iq_ref(b); }

void history_forget(struct history *h, uint64_t before)
{
    unsigned drop = 0;

    while (drop < h->n && (block_end(h->blk[drop]) <= before || h->n - drop >= HISTORY))
        iq_unref(h->blk[drop++]);
    memmove(h->blk, h->blk + drop, (h->n - drop) * sizeof h->blk[0]);
    h->n -= drop;
}

void history_drop(struct history *h)
{
    for (unsigned i = 0; i < h->n; i++)
        iq_unref(h->blk[i]);
    h->n = 0;
}

// What the blocks know of a burst that lies in them.
static void note_block(struct burst *b, const struct iq_block *k)
{
    if (block_end(k) <= b->n0 || k->n0 >= b->n1)
        return;
    b->origin = k->origin;
    b->centre_hz = k->centre_hz;
    if (k->n0 <= b->n0 || isnan(b->gain_db))
        b->gain_db = k->gain_db;
    if (k->flags & IQ_CLIPPED)
        b->flags |= BURST_CLIPPED;
}

void history_cut(const struct history *h, uint64_t end, struct burst *b)
{
    uint64_t margin = (uint64_t)(ARBITER_MARGIN_S * b->rate_hz);
    uint64_t from = b->n0 > margin ? b->n0 - margin : 0, to = b->n1 + margin;
    struct cut *c = &b->cut;
    bool whole = h->n && h->blk[0]->n0 - h->blk[0]->lost <= b->n0;

    if (to > end)
        to = end;
    if (h->n && from < h->blk[0]->n0)
        from = h->blk[0]->n0;
    for (unsigned i = 0; i < h->n && whole; i++) {
        struct iq_block *k = h->blk[i];
        if (block_end(k) <= from || k->n0 >= to)
            continue;
        note_block(b, k);
        if (c->n_blk == CUT_BLOCKS)
            whole = false;
        else
            c->blk[c->n_blk++] = iq_ref(k);
    }
    if (!whole || !c->n_blk) {
        cut_drop(c);
        b->flags |= BURST_NO_SAMPLES;
        return;
    }
    c->n0 = from;
    c->n = (uint32_t)(to - from);
}
