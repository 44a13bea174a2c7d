// SPDX-License-Identifier: GPL-3.0-or-later
// Holds the place of dsp/droneid until dcorr_* and droneid_rx_* land: delete this file in the commit
// that brings them.
#include <stdlib.h>

#include "dsp/burst.h"

struct dcorr { int none; };
struct droneid_rx { int none; };

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

struct droneid_rx *droneid_rx_new(double rate_hz)
{
    (void)rate_hz;
    return calloc(1, sizeof(struct droneid_rx));
}

void droneid_rx_free(struct droneid_rx *rx) { free(rx); }

void droneid_receive(struct droneid_rx *rx, const struct burst *b, enum droneid_mode mode,
                     struct finding *f)
{
    (void)rx, (void)b, (void)mode, (void)f;
}
