// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loop of the simulator's receiver (sdr/sim/receiver.c).
#pragma once

#include <stddef.h>
#include <stdint.h>

// I' = clip(I + dc_i), Q' = clip(q Q + i I + dc_q); then steps of 1 / full, where full is not 0.
struct receiver_marks { float q, i, dc_i, dc_q, full; };

struct receiver_ops {
    void (*cf32)(const struct receiver_marks *m, float *restrict x, size_t n);      // in place
    void (*ci16)(const struct receiver_marks *m, const float *restrict x, int16_t *restrict ret,
                 size_t n);                                                         // full != 0
};

const struct receiver_ops *receiver_ops(void);
