// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: what the receiver does to the sum of all signals and its noise.
#pragma once

#include <complex.h>
#include <stdint.h>

#include "sdr/kernel/receiver.h"
#include "sdr/sim/scene.h"

struct receiver {
    const struct receiver_ops *ops;
    struct receiver_marks marks;
};

void receiver_init(struct receiver *r, const struct scene_receiver *rx, double gain_db);
// DC offset and IQ imbalance, then the converter: steps and clipping at full scale.
void receiver_cf32(const struct receiver *r, float complex *x, size_t n);
// The same to 16 bits; only where the converter has steps.
void receiver_ci16(const struct receiver *r, const float complex *x, int16_t *ret, size_t n);
