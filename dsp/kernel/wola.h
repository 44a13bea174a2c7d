// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the channelizer, one set per instruction set; wola_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wola_ops {
    // Weights and folds one window: ret[i] = sum over k < folds of x[i + k*n] * its h, i < n.
    // All float: x and ret are interleaved I, Q (n of them, a multiple of 16); h[i] weighs x[2i]
    // and x[2i + 1].
    void (*fold)(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                 float *restrict ret);
    // ret[i] = |x[i]|^2 of n interleaved complex values.
    void (*power)(const float *restrict x, size_t n, float *restrict ret);
    // The same, kept in the upper 16 bits of a float (8 bits of mantissa: 0.02 dB); the largest.
    float (*power_pack)(const float *restrict x, size_t n, uint16_t *restrict ret);
    // ret[i] = x[i] / max(floor[i], least); x packed.
    void (*over)(const uint16_t *restrict x, const float *restrict floor, float least, size_t n,
                 float *restrict ret);
    // ret[i] = x[i] * inverse[i]; the largest.
    float (*times)(const uint16_t *restrict x, const float *restrict inverse, size_t n,
                   float *restrict ret);
    // ret[i] += scale * inverse[i] * (x[i] + x[i + n] + ... of `rows` rows).
    void (*rows)(const uint16_t *restrict x, const float *restrict inverse, float scale,
                 unsigned rows, size_t n, float *restrict ret);
};

const struct wola_ops *wola_ops(void);

// One packed value.
static inline float wola_unpack(uint16_t v)
{
    union { uint32_t u; float f; } x = { .u = (uint32_t)v << 16 };
    return x.f;
}
