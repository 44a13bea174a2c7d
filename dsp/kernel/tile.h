// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over power cells (dsp/front), one set per instruction set; tile_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

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
    void (*either)(uint8_t *restrict to, const uint8_t *restrict from, size_t n);   // |=
    // ret[i] = x[i-2] | ... | x[i+2]; two bytes beyond each end of x are readable.
    void (*spread)(const uint8_t *restrict x, size_t n, uint8_t *restrict ret);
    void (*unpack_add)(float *restrict sum, const uint16_t *restrict x, size_t n);
};

const struct tile_ops *tile_ops(void);
