// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: the receiver's thermal noise.
#pragma once

#include <complex.h>
#include <stddef.h>

#include "base/rng.h"
#include "sdr/kernel/noise.h"

// x[i] += noise with E|noise|^2 = power; Gaussian to the last tail.  Uses the stream r up; a
// greater n only has more values.  ops: noise_ops(), once.
void noise_add(const struct noise_ops *ops, struct rng *r, double power, float complex *x,
               size_t n);
