// SPDX-License-Identifier: GPL-3.0-or-later
// Where exactly a burst lies: edges in time from the fast cells, extent in frequency from the slow
// ones, level and SNR in that extent; and where one stretch is really several bursts.
#pragma once

#include "dsp/burst.h"
#include "dsp/front/cells.h"
#include "dsp/front/line.h"
#include "dsp/kernel/band.h"

// What is known of the noise and the cells.  The floor with the lines that stand in it (which are
// nobody's power), and without.
struct place_in {
    const struct cells    *cells;
    const float           *floor_slow, *floor_fast, *inverse_slow;
    struct floor_view      bare;
    const struct line_set *lines;
};

// A stretch of the grid: rows [row0, row1), narrow channels [lo, hi).  Power before hop `told` has
// been told already.  Rows with a bit in cover (row modulo COVER_ROWS; NULL: none) lie under
// something wider: nothing is known of the band there, it is taken to go on as before.
#define COVER_ROWS 8192
struct stretch { uint64_t row0, row1; int lo, hi; double told; const uint64_t *cover; };

static inline bool stretch_covered(const struct stretch *s, uint64_t row)
{
    return s->cover && (s->cover[row % COVER_ROWS / 64] >> row % 64 & 1);
}

// Nor of the rows beside, which the wider signal's edges touch.
static inline bool stretch_hidden(const struct stretch *s, uint64_t row)
{
    return stretch_covered(s, row) || stretch_covered(s, row + 1) ||
           (row && stretch_covered(s, row - 1));
}

// One piece of a stretch, in hops of the epoch (fractional), with its mean band power.
struct piece { double h0, h1; float level; bool open_end; };

#define PIECES_MAX 256

// Does something with these edges reach beyond the capture on both sides?
bool place_wider(const struct grid *g, int lo, int hi);

// Scratch; private to place.c and extent.c.
struct placer {
    struct grid g;
    const struct band_ops *ops;
    unsigned    max_hops;
    float      *power, *smooth;     // band power less noise per hop, and smoothed
    double     *sum;                // of power before each hop
    float      *sort;
    float      *spec;               // [slow_n]
};

struct placer *placer_new(const struct grid *g, double longest_s);
void placer_free(struct placer *p);

// Splits a stretch at the pauses of its band power.  Returns the number of pieces, in order; the
// last has open_end when its power has not gone down before row1.
unsigned place_split(struct placer *p, const struct place_in *in, const struct stretch *s,
                     struct piece *ret);
// Correlation of the band powers of two stretches over the same rows, -1..1: near -1 where one is
// on whenever the other is not (a carrier that moves between them), near 0 for strangers.
double place_correlation(struct placer *p, const struct place_in *in, const struct stretch *a,
                         const struct stretch *b);
// Fills n0, n1, f_lo_hz, f_hi_hz, snr_db, level_dbfs and BURST_EDGE of *ret for one piece.
void place_measure(struct placer *p, const struct place_in *in, const struct stretch *s,
                   const struct piece *piece, struct cand *ret);
