// SPDX-License-Identifier: GPL-3.0-or-later
// The noise floor: a power per narrow channel, from the quietest cells of the last 100 ms.
//
//  dB |        _______                          each column: low quantile over time of the power of
//     |   ____|  LTE  |_     .                  a group of channels.  From the quietest place it
//     |__/    '........'\__./ \.___             follows what rises gently (the device's shape) and
//     |  floor under it  \__________            goes straight under what rises like a signal.
//     +----------------------------- f
//
// So a transmission that never pauses, or one that fills a file from its first sample to its last,
// is signal as long as anything beside it is quiet.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dsp/front/cells.h"

struct noise_floor;

// format: whose quantisation noise bounds the floor from below.
struct noise_floor *floor_new(const struct grid *g, enum iq_format format);
void floor_free(struct noise_floor *f);
void floor_begin(struct noise_floor *f);                // an epoch
void floor_forget(struct noise_floor *f);               // before one at another centre
// One row of the narrow bank, packed.  cover: share of the row's window that lay inside the epoch.
void floor_row(struct noise_floor *f, const uint16_t *power, float cover, bool dead);
// At the end of an epoch: counts what is left of an unfinished window, and keeps it.
void floor_end(struct noise_floor *f);
// Solves again when news have come; true when the floor changed.
bool floor_solve(struct noise_floor *f);
// How much the noise of the whole capture lies above the floor around a row of this epoch, 1 or a
// little more: a receiver whose gain or heat moved all channels at once, not a signal.
float floor_common(struct noise_floor *f, uint64_t row);
// Power per narrow channel and per fast one, one over these, the least of the narrow ones.
struct floor_view { const float *slow, *fast, *inverse_slow, *inverse_fast; float least; };
struct floor_view floor_now(const struct noise_floor *f);
// Counts the solutions: the view has changed with it.
uint64_t floor_solved(const struct noise_floor *f);
// Mean power of each narrow channel over the window that closed last, and how many have closed in
// this epoch; NULL when none has yet.
const float *floor_window(const struct noise_floor *f, uint64_t *ret_count);
#define FLOOR_WINDOW 16         // rows: half a millisecond, shorter than a busy channel's pauses
