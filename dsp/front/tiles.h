// SPDX-License-Identifier: GPL-3.0-or-later
// Marks cells that hold more than noise, on tiles of all sizes from 33 us x 120 kHz to 20 ms x the
// whole capture.
//
//     time  33 us   fast cells, widths 1, 2, 4 ... channels         a tile whose mean power exceeds
//           67 us   "                                               the threshold for its size is
//          133 us   slow cells, widths 1, 2, 4 ... narrow channels  marked and taken out of all
//           ...     "                                               larger tiles over it
//           20 ms   "
//
// All tiles are sums of cells (Parseval), each level the sum of pairs of the one before.
// Thresholds come from the gamma tail of the tile's degrees of freedom, at one false alarm rate
// per tile, so that all tiles together stay below one an hour in 100 MHz.
#pragma once

#include "dsp/front/cells.h"
#include "dsp/front/floor.h"

#define TILES_LEVELS 14
// False alarm probability of one tile.  100 MHz have 2.5e7 of the smallest tiles a second and some
// four times as many of all sizes: 3.6e11 an hour.
#define TILE_PFA     1e-12

struct tiles;

struct tiles *tiles_new(const struct grid *g);
void tiles_free(struct tiles *t);
// Another false alarm probability than TILE_PFA, to measure how often noise comes so far.
void tiles_set_pfa(struct tiles *t, double pfa);
void tiles_begin(struct tiles *t);      // an epoch
// The next row of c (they come in order), against this floor times `common`.  c must already hold
// the two rows after it, or be at its end.
void tiles_row(struct tiles *t, struct cells *c, const struct floor_view *f, float common);
// End of the epoch: closes unfinished tiles.
void tiles_end(struct tiles *t, struct cells *c, const struct floor_view *f);
// Rows whose marks are final.
uint64_t tiles_final(const struct tiles *t);
// Rows it lags behind at most.
unsigned tiles_lag(const struct tiles *t);
// ---- threshold.c ----
// Whatever its size a tile must be so far over the floor: the floor itself is known to a few tenths
// of a dB, and its shape is an estimate.
#define TILE_LEAST   1.35       // 1.3 dB
// Mean power over noise that a tile of so many degrees of freedom must reach.
double tiles_threshold(double dof, double pfa);
// The same times the degrees of freedom, for 0 to n of them: n + 1 values.
void tiles_thresholds(float *ret, int n, double pfa);
