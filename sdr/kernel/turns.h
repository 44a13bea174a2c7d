// SPDX-License-Identifier: GPL-3.0-or-later
// Phases to complex values, for the simulator's transmitters.  2^32 is a turn.
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

struct turns_ops {
    // ret[i] = cos + j sin of phase[i], each within 3e-7.
    void (*run)(const uint32_t *restrict phase, float complex *restrict ret, size_t n);
};

const struct turns_ops *turns_ops(void);
