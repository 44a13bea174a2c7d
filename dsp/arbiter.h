// SPDX-License-Identifier: GPL-3.0-or-later
// Merges what all detectors claim into bursts, and gives each its cut-out.
//
// Once per block the arbiter is told the block itself, the front's candidates and the correlators'.
// A burst is closed when every detector has answered for its time and for whatever could still
// join it; so what is told, and in which order, depends on the samples alone.
//
//     time ------------------------------------------------------------>
//     front       [== energy ==]        [====== run, first part ====
//     correlator   [= droneid =]                        done v
//     history  |blk|blk|blk|blk|blk|blk|blk|blk|blk|blk|blk|blk|
//                 [== burst ==] closed                  tick ^
//
// The front answers 20 to 60 ms late.  A DroneID candidate is therefore told twice: ahead, as soon
// as the correlator has answered for its time (a block, so a millisecond, after its last sample),
// and with the burst that it turns out to be, under the same id.
//
// Where a block comes from another centre, everything before it is closed first.
#pragma once

#include "dsp/burst.h"

// What the front says of the noise at the time of a block: a few points over frequency.
#define NOISE_POINTS 32
struct noise_shape {
    float dbfs_hz[NOISE_POINTS];    // density; point k in the middle of the k-th of equal slices,
};                                  // lowest frequency first

struct arbiter;

// tell takes the burst (with its cut) and must pass it on or cut_drop it.
struct arbiter *arbiter_new(const struct iq_info *info,
                            void (*tell)(void *arg, const struct burst *b), void *arg);
void arbiter_free(struct arbiter *a);   // drops what is left; NULL is fine
// b is borrowed; corr may be NULL when there are no correlators.
void arbiter_block(struct arbiter *a, struct iq_block *b, const struct cand_list *energy,
                   const struct noise_shape *noise, const struct cand_list *corr);
// Before the flush: what came before any floor was known gets its level.
void arbiter_noise(struct arbiter *a, const struct noise_shape *noise);
void arbiter_flush(struct arbiter *a, const struct cand_list *energy, const struct cand_list *corr);
// Every burst that ends before this sample has been told.
uint64_t arbiter_tick(const struct arbiter *a);
// Candidates lost because the table of open ones was full, lists overflowed, or too many frames of
// Wi-Fi had no box (dsp/aside.h).
uint64_t arbiter_dropped(const struct arbiter *a);
