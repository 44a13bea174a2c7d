// SPDX-License-Identifier: GPL-3.0-or-later
// Samples to power cells: two banks over the same samples, kept in rings.
//
//            |<--------- row: 8 fast hops, 1 slow hop --------->|     time, about 33 us
//     fast    | . . | . . | . . | . . | . . | . . | . . | . . |       one channel, about 120 kHz
//     slow    |-----------------------------------------------|       its 8 narrow channels,
//             |-----------------------------------------------|        about 15 kHz each
//
// A row of a fast channel holds 8 cells either way: fast ones tell when, slow ones tell where.
// Frames are centred on their hop or row, so index times hop is time without any delay.
//
// An epoch is a stretch without a gap.  Before its first and after its last sample there are zeros.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

#define ROW_HOPS 8

struct grid {
    double   rate_hz;
    unsigned fast_n, slow_n;        // channels; slow_n = 8 * fast_n
    unsigned hop, row;              // samples
    double   hop_s, row_s;
    double   fast_hz, slow_hz;      // spacing
    unsigned ring;                  // rows kept
    int      edge;                  // outermost narrow channels: what the converter folds back,
                                    // never marked
};

struct cells {
    struct grid    g;
    uint64_t       origin;          // sample index of row 0 of this epoch
    uint64_t       samples, rows;   // taken in this epoch; rows finished
    uint64_t       behind;          // the row so many back will be read next (0: none will)
    uint16_t      *slow, *fast;     // packed powers: [ring][slow_n], [ring][8][fast_n]
    uint8_t       *mask;            // [ring][slow_n]: 1 where tiles found energy
    uint8_t       *marked;          // [ring]: whether they did anywhere in the row
    float         *peak;            // [ring]: the largest cell of the row, either bank
    uint8_t       *dead;            // [ring]: digital silence, says nothing about noise
    // private
    struct bank   *fast_bank, *slow_bank;
    float complex *in;              // samples from 1.5 rows before the next row on
    unsigned       in_n, in_at, in_cap;
};

int  cells_init(struct cells *c, double rate_hz, double keep_s);       // 0 or -ENOMEM
void cells_done(struct cells *c);
// Begins an epoch at a sample index.
void cells_begin(struct cells *c, uint64_t origin);
// Takes samples [off, ...) of a block, at most until one row is finished; how many it took.
// *ret_row: a row was finished (its index is c->rows - 1).
uint32_t cells_take(struct cells *c, const struct iq_block *b, uint32_t off, bool *ret_row);
// At the end of the epoch: finishes one more row over zeros; false when there is none left.
bool cells_drain(struct cells *c);

// Where a row lies in the rings.  Processors divide small numbers faster, and it takes a day for
// rows to be large.
static inline size_t grid_slot(const struct grid *g, uint64_t row)
{
    return row <= UINT32_MAX ? (uint32_t)row % g->ring : row % g->ring;
}

static inline const uint16_t *cells_slow(const struct cells *c, uint64_t row)
{
    return c->slow + grid_slot(&c->g, row) * c->g.slow_n;
}

static inline const uint16_t *cells_fast(const struct cells *c, uint64_t row)
{
    return c->fast + grid_slot(&c->g, row) * ROW_HOPS * c->g.fast_n;
}

static inline const uint8_t *cells_mask(const struct cells *c, uint64_t row)
{
    return c->mask + grid_slot(&c->g, row) * c->g.slow_n;
}

// For marking.
static inline uint8_t *cells_mark(struct cells *c, uint64_t row)
{
    c->marked[grid_slot(&c->g, row)] = 1;
    return c->mask + grid_slot(&c->g, row) * c->g.slow_n;
}

static inline bool cells_marked(const struct cells *c, uint64_t row)
{
    return c->marked[grid_slot(&c->g, row)];
}
