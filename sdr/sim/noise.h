// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: what the receiver adds and does to the sum of all signals.
#pragma once

#include <complex.h>
#include <stddef.h>

#include "base/rng.h"
#include "sdr/sim/scene.h"

struct ziggurat { float x[257]; double f[257]; };   // noise.c

void ziggurat_init(struct ziggurat *z);

// x[i] += noise with E|noise|^2 = power; Gaussian to the last tail.
void noise_add(const struct ziggurat *z, struct rng *r, double power, float complex *x,
               size_t n);

// DC offset and IQ imbalance, then the converter: steps and clipping at full scale.
void receiver_apply(const struct scene_receiver *rx, float complex *x, size_t n);
void receiver_ci16(const float complex *x, short *restrict dst, size_t n);  // |x| <= 1
