// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the simulator's noise (sdr/sim/noise.c): random words, and Gaussian values from
// them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_LANES 8           // generators side by side: word i is one of generator i % 8
#define NOISE_BLOCK 256         // words made at a time

// A word of 64 bits makes one complex value, I = r cos, Q = r sin of a random angle:
//
//     63 .. 41  40 .. 24          23         22     21 .. 0
//     t         k: zeros before   sin for    -r     angle within -1/8 .. 1/8 of a turn
//               the first one     cos
//
// U = 2^-zeros (1 - t/2) is uniform in 0 .. 1 with 23 bits of fraction at any size, and
// r^2 = -ln U.  All 17 bits of k zero: further zeros are drawn for it (NOISE_K, noise.c).
#define NOISE_K ((uint64_t)0x1ffff << 24)

struct noise_ops {
    // n words, a multiple of NOISE_LANES, from xoshiro256++ in each lane.
    void (*words)(uint64_t s[4][NOISE_LANES], uint64_t *restrict w, size_t n);
    bool (*any_rare)(const uint64_t *w, size_t n);      // one of them has a k of 0
    // x[i] += a value with E|value|^2 = power of w[i], n of each.  none of the words is rare.
    void (*add)(const uint64_t *restrict w, float power, float *restrict x, size_t n);
    // The same, with lift[i] added to r^2 of each.
    void (*add_lifted)(const uint64_t *restrict w, const float *restrict lift, float power,
                       float *restrict x, size_t n);
};

const struct noise_ops *noise_ops(void);
