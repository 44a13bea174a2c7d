// SPDX-License-Identifier: GPL-3.0-or-later
// The blocks of the last tenth of a second, and cut-outs from them.  Nothing is copied.
#pragma once

#include "dsp/burst.h"

// Blocks kept.  A candidate is told at most 30 ms of look-ahead and tiles, 40 ms of an open box and
// 20 ms of a run's part after its first sample: 90 ms, 128 blocks where they are shortest (0.7 ms).
#define HISTORY 160

struct history {
    struct iq_block *blk[HISTORY];
    unsigned         n;
};

void history_add(struct history *h, struct iq_block *b);        // borrowed
void history_forget(struct history *h, uint64_t before);        // blocks that end before it
void history_drop(struct history *h);
// Fills b->cut with the burst and ARBITER_MARGIN_S on each side where there is any (end: index
// after the capture's last sample so far), and origin, centre_hz and BURST_CLIPPED from the
// blocks; BURST_NO_SAMPLES where the blocks are gone or too many.
void history_cut(const struct history *h, uint64_t end, struct burst *b);
