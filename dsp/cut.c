// SPDX-License-Identifier: GPL-3.0-or-later
// Reading a cut-out: samples come straight from the source's blocks, whatever their format.
//
//     cut       n0 |------------------ n ------------------|
//     blocks    |== 0 ==||== 1 ==|   gap   |== 2 ==||== 3 ==|
//     reads as  (0) s s s s s s s 0 0 0 0 0 s s s s s s s s (0)
#include <string.h>

#include "dsp/burst.h"

void cut_read(const struct cut *c, int64_t off, size_t n, float complex *dst)
{
    int64_t lo = off > 0 ? off : 0, done = off;     // samples before `done` are in dst
    int64_t hi = off + (int64_t)n < (int64_t)c->n ? off + (int64_t)n : (int64_t)c->n;

    for (unsigned i = 0; i < c->n_blk; i++) {
        const struct iq_block *b = c->blk[i];
        int64_t b0 = (int64_t)(b->n0 - c->n0), b1 = b0 + b->n;
        int64_t from = b0 > lo ? b0 : lo, to = b1 < hi ? b1 : hi;
        if (from >= to)
            continue;
        if (from > done)
            memset(dst + (done - off), 0, (size_t)(from - done) * sizeof *dst);
        iq_to_cf32(b, (uint32_t)(from - b0), (uint32_t)(to - from), dst + (from - off));
        done = to > done ? to : done;
    }
    if (done < off + (int64_t)n)
        memset(dst + (done - off), 0, (size_t)(off + (int64_t)n - done) * sizeof *dst);
}

void cut_drop(struct cut *c)
{
    for (unsigned i = 0; i < c->n_blk; i++)
        iq_unref(c->blk[i]);
    c->n_blk = 0;
    c->n = 0;
}
