// SPDX-License-Identifier: GPL-3.0-or-later
// Holds the place of dsp/droneid until dcorr_* land: delete this file in the commit
// that brings them.
#include <stdlib.h>

#include "dsp/burst.h"

struct dcorr { int none; };

struct dcorr *dcorr_new(double rate_hz) { (void)rate_hz; return calloc(1, sizeof(struct dcorr)); }
void dcorr_free(struct dcorr *d) { free(d); }

void dcorr_block(struct dcorr *d, const struct iq_block *b, struct cand_list *out)
{
    (void)d;
    out->done = b->n0 + b->n;
}

void dcorr_flush(struct dcorr *d, struct cand_list *out)
{
    (void)d;
    out->done = UINT64_MAX;
}
