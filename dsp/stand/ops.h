// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing detectors, one set per instruction set (dsp/kernel/stand.c).
// Sixteen streams lie side by side: row i of a stream buffer is sample i of all of them, first the
// 16 real parts, then the 16 imaginary ones.  So every loop is one over lanes, without a shuffle.
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#define LANES     16
#define ROW       (2 * LANES)           // floats
#define READ_TAPS 8
#define READ_PHASES 128
#define SUM_ROWS  32                    // samples per entry of the streams' energies

struct stand_ops {
    // out[i] = x[i] * w[i] * turn, i < n; w holds each value twice.
    void (*weigh)(const float complex *restrict x, const float *restrict w, float complex turn,
                  size_t n, float complex *restrict out);
    // row[i] = x[0..15][i], i < n.
    void (*turn)(const float complex *const x[LANES], size_t n, float *restrict row);
    // out[i] = x read off at place at + i * step (0: between taps 3 and 4 of x's first rows).
    void (*read_off)(const float *restrict x, double at, double step,
                     const float (*restrict taps)[READ_TAPS], size_t n, float *restrict out);
    // ret[lane] = energy of SUM_ROWS rows.
    void (*energy)(const float *restrict x, float *restrict ret);
    // Window of n rows times conj chirp (n complex), transformed; p = |.|^2 * scale[lane], LANES a
    // row, bins in the order of bins.  turns: the transform's own, see chirps_new.  w: n rows.
    void (*spread)(const float *restrict x, const float complex *restrict chirp,
                   const float complex *restrict turns, size_t n, const float *restrict scale,
                   float *restrict w, float *restrict p);
    // ret[lane] = largest sum of four rows, row[lane] = which.
    void (*top)(const float *restrict a, const float *restrict b, const float *restrict c,
                const float *restrict d, size_t n, float *restrict ret,
                int32_t *restrict row);
};

const struct stand_ops *stand_ops(void);
