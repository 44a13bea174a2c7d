// SPDX-License-Identifier: GPL-3.0-or-later
// How strong a standing detector's candidate is: its SNR over the noise that the front knows.
#pragma once

#include "dsp/arbiter.h"

float level_noise(const struct noise_shape *s, double rate_hz, double f_hz);
float level_of(const struct noise_shape *s, double rate_hz, const struct cand *c);
// Again, of n that may have come before any floor was known.
void  level_late(const struct noise_shape *s, double rate_hz, struct cand *c, unsigned n);
