// SPDX-License-Identifier: GPL-3.0-or-later
// The turbo decoder's inner loop, one build per instruction set (dsp/kernel/droneid_siso.c).
#pragma once

#include <stdint.h>

#define SISO_STEPS 1411                 // 1408 information bits and three tail bits

// sys: LLRs of the inputs, a-priori knowledge included; par: of the parity bits (SISO_STEPS each).
// ext: what the code adds to sys; post_par (may be NULL): full LLRs of the parity bits.
// work: 8 * SISO_STEPS floats, 32-byte aligned.
typedef void droneid_siso_fn(const float *restrict sys, const float *restrict par,
                             float *restrict ext, float *restrict post_par, float *restrict work);
droneid_siso_fn droneid_siso_plain, droneid_siso_v2, droneid_siso_v3, droneid_siso_v4;
