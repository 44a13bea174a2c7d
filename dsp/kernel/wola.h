// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the channelizer, one set per instruction set; wola_ops() chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WOLA_TAPS 8

struct wola_ops {
    // Weights and folds `many` windows, each n/2 after the one before:
    // ret[j * stride + i] = sum over k < folds of x[j * n/2 + i + k*n] * its h, i < n.
    // All float: x and ret are interleaved I, Q (n of them, 16 at least).  h: weights as read, by
    // WOLA_TAPS channels, those of all stretches together; the last WOLA_TAPS channels at the end,
    // though some of them are in the block before.
    void (*fold)(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                 unsigned many, size_t stride, float *restrict ret);
    // ret[i] = |x[i]|^2 of n interleaved complex values.
    void (*power)(const float *restrict x, size_t n, float *restrict ret);
    // Of `many` transforms of n values, `stride` floats apart, the powers kept in the upper 16 bits
    // of a float (8 bits of mantissa: 0.02 dB), the second half of each before its first; the
    // largest.
    float (*power_pack)(const float *restrict x, size_t n, unsigned many, size_t stride,
                        uint16_t *restrict ret);
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
