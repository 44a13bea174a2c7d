// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over stretches of packed power cells (dsp/front: segments, places, the floor), one
// set per instruction set; band_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BAND_READ 16            // values that sums() may read from where a row's first one lies,
                                // whatever n: the ring has room for them behind its last
#define BAND_COLUMNS 32         // at once in ranks()

struct band_ops {
    // ret[j] = sum of x[j * stride] and the n - 1 packed values after it, less `minus`.
    void (*sums)(const uint16_t *x, size_t stride, size_t rows, size_t n, float minus, float *ret);
    // Means of `by` neighbours (from by / 2 after each on back), of fewer at the ends, from the
    // running sums of n values: sum[i] of those before the i-th, n + 1 in all.
    void (*means)(const double *restrict sum, size_t n, size_t by, float *restrict ret);
    // sum[i] += scale * x[i]; x packed.
    void (*add)(float *restrict sum, const uint16_t *restrict x, float scale, size_t n);
    // x[k] / rows into ret, and the mean of that of each of n groups of `by` cells into ret_group.
    void (*means_of)(const float *restrict x, size_t n, size_t by, float rows,
                     float *restrict ret_group, float *restrict ret);
    // Of n whole bins of 8 cells: power less noise, and mean over noise.
    void (*bins)(const uint16_t *restrict x, const float *restrict floor,
                 const float *restrict inverse, size_t n, float *restrict ret_power,
                 float *restrict ret_density);
    // Means of each value and its two neighbours, of two at the ends; the largest.
    float (*means3)(const float *restrict x, size_t n, float *restrict ret);
    // The k-th smallest of n values; x is used up and has room for n + BAND_READ.
    float (*nth)(float *x, size_t n, size_t k);
    // The k[0]-th and k[1]-th smallest values of each of BAND_COLUMNS columns of a table with n
    // rows, `stride` values apart, to 16 bits of their mantissas.  No value is negative.
    void (*ranks)(const float *x, size_t stride, size_t n, const unsigned k[2], float *ret0,
                  float *ret1);
};

const struct band_ops *band_ops(void);
