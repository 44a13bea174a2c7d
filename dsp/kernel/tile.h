// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over power cells (dsp/front), one set per instruction set; tile_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct smear {
    float from1, share1;        // at distance one row: from such a cell, such a share
    float from2, share2;        // at distance two
};

struct tile_ops {
    float (*most)(const float *x, size_t n);                    // largest, at least 0
    // ret[i] = x[2i] + x[2i+1], i < n; ret may be x.
    void (*pairs)(const float *x, size_t n, float *ret);
    // to += from; from = 0.
    void (*pour)(float *restrict to, float *restrict from, size_t n);
    // e += x * scale and d += dof where skip is 0.
    void (*take)(float *restrict e, float *restrict d, const float *restrict x,
                 const uint8_t *restrict skip, float scale, float dof, size_t n);
    void (*add)(float *restrict e, const float *restrict x, float scale, size_t n);
    // ret[i] = 1 where cell now[i] of a row is not to be counted: marked already in this row or the
    // ones beside it, or no more than what strong ones at its place smear into it from one or two
    // rows before or after.  One value beyond each end of near[] is readable.
    void (*smeared)(const float *const near[4], const float *restrict now,
                    const uint8_t *const mark[3], const struct smear *s, size_t n,
                    uint8_t *restrict ret);
    void (*unpack_add)(float *restrict sum, const uint16_t *restrict x, size_t n);
};

const struct tile_ops *tile_ops(void);
