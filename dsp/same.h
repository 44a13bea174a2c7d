// SPDX-License-Identifier: GPL-3.0-or-later
// Which candidates are one transmission.
#pragma once

#include "dsp/burst.h"

// Different detectors see one burst, so do the same standing detector's neighbouring grid points,
// and so may two boxes of the front: one where they share their band and touch in time.
bool cand_same(const struct cand *x, const struct cand *y, double rate_hz);
// Energy x within the rectangle of the DroneID candidate y, but a part of it only: its fragment.
bool cand_part_of_droneid(const struct cand *x, const struct cand *y, double rate_hz);
// The same of LoRa: and no stronger.
bool cand_part_of_lora(const struct cand *x, const struct cand *y, double rate_hz);
// Run x within the band of y, that was there before, and no denser: the same, seen by two boxes.
bool cand_same_run(const struct cand *x, const struct cand *y);
// Both boxes' time; band and level of the longer.
struct cand cand_joined(const struct cand *x, const struct cand *y);

// What the candidates of one burst say: first gives the extents; the standing detectors' best.
struct claim { struct cand first, droneid, lora, ble; bool has_droneid, has_lora, has_ble; };
void claim_join(struct claim *c, const struct cand *y);
bool claim_same(const struct claim *c, const struct cand *y, double rate_hz);   // y is of it
uint32_t claim_hyps(const struct claim *c);     // the standing detectors'
bool claim_surely_droneid(const struct claim *c);
// Gives a whole burst the extents of who knows them best.  crowded: its box holds another, too.
void claim_settle(struct claim *c, bool crowded);
// Both are surely DroneID, at two times: two transmissions, though one box of energy holds both.
bool claim_other_droneid(const struct claim *c, const struct cand *y, double rate_hz);

// Time and band of a DroneID candidate that only says where its root-600 symbol is.
void cand_droneid_extent(struct cand *c, double rate_hz);
// The strongest of the DroneID candidates that are one burst with open[i]; the others are emptied.
void cands_merge_droneid(struct cand *open, unsigned n, unsigned i, double rate_hz);
// Order of qsort: by start, and where that is the same in an order that is always the same.
int cand_by_start(const void *x, const void *y);

// Two DroneID bursts that cand_same takes for one start and end at most so far apart: a third of
// 0.643 ms, which is a half of what both cover.
#define CAND_SAME_S 0.215e-3
