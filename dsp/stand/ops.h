// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing detectors, one set per instruction set (dsp/kernel/stand.c, and for
// streams dsp/kernel/stand_lanes.h).
// Sixteen streams (or eight) lie side by side: row i of a stream buffer is sample i of all of them,
// first their real parts, then the imaginary ones.  So every loop is one over lanes, without a
// shuffle.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES_MAX 16
#define READ_TAPS 8
#define READ_PHASES 128
#define SUM_ROWS  32                    // samples per entry of the streams' energies

struct stand_ops {
    // part[k][i] = x[4 i + k], i < n.
    void (*split)(const float complex *restrict x, size_t n, float complex *const part[4]);
    // One transform of 4 n points from those of its parts; turns: w^k, w^2k, w^3k, n of each.
    void (*join)(const float complex *const part[4], const float complex *restrict turns, size_t n,
                 float complex *restrict out);
    // out[i] = x[i] * w[i] * turn, i < n; w holds each value twice.
    void (*weigh)(const float complex *restrict x, const float *restrict w, float complex turn,
                  size_t n, float complex *restrict out);
};

// What is known of a window's bins so far: powers of the last one, sums of two that follow each
// other.  LANES a row, rows in the order of chirps' bins.
struct lane_sums { float *last, *pair; };

struct lane_ops {
    unsigned lanes, row;                // floats of a row
    // row[i] = x[0..lanes-1][i], i < n.
    void (*turn)(const float complex *const x[LANES_MAX], size_t n, float *restrict row);
    // out[i] = x read off at place at + i * step (0: between taps 3 and 4 of x's first rows).
    void (*read_off)(const float *restrict x, double at, double step,
                     const float (*restrict taps)[READ_TAPS], size_t n, float *restrict out);
    // ret[lane] = energy of SUM_ROWS rows.
    void (*energy)(const float *restrict x, float *restrict ret);
    // ret[lane] = 1 over the sum of n such energies, 0 where that is none.
    void (*scale)(const float *restrict energies, size_t n, float *restrict ret);
    // Window of n rows times conj chirp (n complex), transformed: p = |.|^2 * scale[lane].
    // turns: the transform's own, see chirps_new.  w: n rows.  s->last becomes p, s->pair, which is
    // that of two windows ago, p + last.  ret[lane] = largest p + last + pair, row[lane] = where.
    void (*spread)(const float *restrict x, const float complex *restrict chirp,
                   const float complex *restrict turns, size_t n, const float *restrict scale,
                   float *restrict w, const struct lane_sums *s, float *restrict ret,
                   int32_t *restrict row);
};

const struct stand_ops *stand_ops(void);
const struct lane_ops *lane_ops(unsigned lanes);        // eight for up to eight, else sixteen
