// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over power cells (dsp/front), one set per instruction set; tile_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct smear {
    float from1, share1;        // at distance one row: from such a cell, such a share
    float from2, share2;        // at distance two
};

struct hold {
    const float *over;          // of each eight: found to be so many times the floor
    float most, per;            // inverse of the floor at most; one over rows
    float leak;                 // share of an eight's excess that its cells must hold
    float share, from;          // cells hold so much of the mean, and so much in all ...
    float line;                 // 0, or: ... but of an eight whose top is so many times the mean
};                              //         cells with a share of the top, else all of it

#define TILE_UNIT   16          // cells looked at together
#define TILE_ROWS   4           // rows taken together, at most

// Rows of power over floor, from two before the first taken (row[0], row[1]) to two after the last:
// zeros where there is none.  Each has TILE_UNIT zeros before and after it.
// strong, very: a bit for each cell over from1, over from2; so many units, one of zeros around.
// mark: from one row before to one after; mark[0] NULL: none is marked.
struct taken {
    const float    *row[TILE_ROWS + 4];
    const uint16_t *strong[TILE_ROWS + 4], *very[TILE_ROWS + 4];
    const uint8_t  *mark[TILE_ROWS + 2];
    float           scale[TILE_ROWS], dof;
    unsigned        rows;
};

struct tile_ops {
    // Largest e - slope * d.
    float (*excess)(const float *e, const float *d, float slope, size_t n);
    // Sums of pairs, ret_e[i] = e[2i] + e[2i+1] and d alike, i < n; ret_ may be the inputs.
    // Returns their largest excess.
    float (*pairs)(const float *e, const float *d, float slope, size_t n, float *ret_e,
                   float *ret_d);
    // Those i where e - slope * d > over, in order; how many.
    unsigned (*pick)(const float *e, const float *d, float slope, float over, size_t n,
                     uint16_t *ret);
    // e += x and d += y; the largest excess then.
    float (*pour)(float *restrict e, float *restrict d, const float *restrict x,
                  const float *restrict y, float slope, size_t n);
    // Sums over the rows of w: e of row times scale, d of dof; but for cells of a row that do not
    // count: marked already in it or the rows beside it, or no more than what strong ones at its
    // place, or right beside, smear into it from one or two rows before or after.
    // n: a multiple of TILE_UNIT.  Returns the largest excess.
    float (*take)(float *restrict e, float *restrict d, const struct taken *w,
                  const struct smear *s, float slope, size_t n);
    // A bit for each value that is over from1, and over from2; n a multiple of TILE_UNIT.
    void (*crest)(const float *restrict x, const struct smear *s, size_t n,
                  uint16_t *restrict ret_strong, uint16_t *restrict ret_very);
    // Clears those of e and d that lie beside d = 0; was: scratch.
    void (*guard)(float *restrict e, float *restrict d, size_t n, float *restrict was);
    void (*add)(float *restrict e, const float *restrict x, float scale, size_t n);
    // Which cells of eights hold an eight's energy (dsp/front/mark.c): eight i lies at 8i in four
    // packed rows x, of which `per` is one over those that count.  Sets ret[k] to 1 or 0.
    void (*hold)(const uint16_t *const x[4], const float *inverse, const struct hold *h, size_t n,
                 uint8_t *ret);
    void (*fill)(float *x, float v, size_t n);                  // x[i] = v
    // to |= from, of 8 n bytes.
    void (*mark)(uint8_t *restrict to, const uint8_t *restrict from, size_t n);
    unsigned (*count)(const uint8_t *x, size_t n);              // sum of n bytes, 0 or 1 each
};

const struct tile_ops *tile_ops(void);
