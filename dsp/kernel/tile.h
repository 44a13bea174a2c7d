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
    // to += from; from = 0.
    void (*pour)(float *restrict to, float *restrict from, size_t n);
    // e += now * scale and d += dof, but for cells of a row (now) that do not count: marked
    // already in this row or the ones beside it (mark), or no more than what strong ones at its
    // place smear into it from one or two rows before or after (crest, of the rows -2 -1 +1 +2).
    // mark[0] NULL: none is; crest[1] NULL: none is so strong one row away; crest[0]: two.
    void (*take)(float *restrict e, float *restrict d, const float *restrict now,
                 const float *const crest[4], const uint8_t *const mark[3], const struct smear *s,
                 float scale, float dof, size_t n);
    // The largest of each value and its two neighbours.
    void (*crest)(const float *restrict x, size_t n, float *restrict ret);
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
