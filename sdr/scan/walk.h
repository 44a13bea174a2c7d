// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: the walk as the source drives it.
#pragma once

#include "sdr/scan.h"

// The source's first block is about to be read at centre_hz.  0, or what iq_tune_to said.
int scan_begin(struct scan *s, struct iq_source *src, double rate_hz, double centre_hz);
// A block was read: counts it, and tunes on where its dwell is over.
void scan_block(struct scan *s, struct iq_source *src, const struct iq_block *b);
