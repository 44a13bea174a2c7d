// SPDX-License-Identifier: GPL-3.0-or-later
// Private to tiles.c, judge.c and mark.c: the tiles' state, finding those that hold energy, marking
// their cells.
#pragma once

#include "dsp/front/tiles.h"

#define FAST_LEVELS  2          // 1 and 2 rows; from 4 on the slow cells know time well enough
#define FAST_DOF     4.0        // 33 us x 120 kHz
#define SLOW_DOF     0.5        // 33 us x 15 kHz
#define TABLE        4096       // thresholds by degrees of freedom; beyond, TILE_LEAST rules
#define OVER_ROWS    16         // kept: those within SMEAR of the four taken, and up to the newest

#define BOUNDS       24         // 0.5 to 2^22 degrees of freedom: 20 ms x 200 MHz

// A found tile is looked at half by half in time.
#define HALF_SHARE   0.5f       // of the whole's excess a half must hold to be marked
#define HALF_SIGMAS  6.0f       // excess of a half over its standard error that tells halves apart

// No tile of so many degrees of freedom, or down to a quarter of them, is found unless
// energy - slope * degrees exceeds `over`.
struct bound { float slope, over; };

// Energy over floor times degrees of freedom, and these; how many rows are in it.
struct level { float *e, *d; unsigned rows; };

struct tiles {
    struct grid  g;
    const struct wola_ops *ops;
    const struct tile_ops *tile;
    unsigned     top;               // the longest level: 2^top rows
    uint64_t     fast_row, slow_row;
    uint64_t     final;
    struct level fast[FAST_LEVELS + 1], slow[TILES_LEVELS + 1];
    float       *we, *wd;           // widths of a level
    float       *n;                 // one row over floor
    uint8_t     *hit;               // slow cells to be marked
    uint16_t    *none;              // a packed row of zeros
    uint16_t    *pick;              // found in one width
    float       *over_of;           // of each fast channel in a row of found ones
    struct bound bound[BOUNDS];     // by log2 of the degrees of freedom, + 1
    float       *over[OVER_ROWS];   // slow rows over floor, by row modulo; zeros on both sides
    uint16_t    *strong[OVER_ROWS], *very[OVER_ROWS];   // bits for what smears into rows beside
    float       *nothing;           // a row of zeros
    uint16_t    *no_bits;
    float       *block;             // that these lie in
    uint16_t    *bits;
    float        common[8];         // of the last rows, by row modulo 8
    float        table[TABLE + 1];
};

struct judged {
    struct level *l;
    uint64_t      row;          // its first
    unsigned      n;            // cells in a row of the level
    bool          fast;
    const struct floor_view *floor;
    float         least, most;  // most: its largest excess
};

// ---- judge.c
void tiles_bounds(struct tiles *t);     // fills t->bound; t->table is there
// Of single cells in so many rows of a level: the slope for its excess.
float tiles_slope(const struct tiles *t, bool fast, unsigned rows);
// Looks at tiles of all widths in a level; marks those that hold energy, takes them out of it.
void tiles_judge(struct tiles *t, struct cells *c, const struct judged *j);

// ---- mark.c
// Marks fast channels [ch, ch + n) of found tiles of `width` channels each, t->over_of[ch...] times
// the floor.
void tiles_mark_fast(struct tiles *t, struct cells *c, const float *inverse, float least,
                     uint64_t row, unsigned rows, unsigned ch, unsigned n, unsigned width);
// Marks a long tile where its energy lies.
void tiles_mark_slow(const struct tiles *t, struct cells *c, const float *floor_slow, uint64_t row,
                     unsigned rows, int k0, int k1, float over);
