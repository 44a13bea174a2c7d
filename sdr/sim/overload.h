// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: what a receiver's stages before its converter do to strong signals, and
// what its clock leaks.
//
//     world -- gain --> x - |x|^2 x / ip3^2 --> + clock --> arms, DC, converter (receiver.h)
//     + noise           of two carriers a: a^3 / ip3^2 at 2f1 - f2 and 2f2 - f1
//
// Gain is against the scene's: 3 dB less and what is of the third order falls by 9, what comes in
// behind the gain by nothing.
#pragma once

#include <complex.h>
#include <stddef.h>

#include "sdr/sim/scene.h"

// The factor by which noise rises in an overloaded receiver under n samples of signal.
double overload_noise(const struct scene_receiver *rx, const float complex *x, size_t n);

struct overload_now { uint64_t n0; double rate_hz, centre_hz, gain_db; };   // n0: of x[0]
void overload_apply(const struct scene_receiver *rx, const struct overload_now *now,
                    float complex *x, size_t n);
