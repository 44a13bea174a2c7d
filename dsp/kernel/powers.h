// SPDX-License-Identifier: GPL-3.0-or-later
// A transform of which only the powers are wanted, in the processor's own registers.  Made for
// those with 512-bit vectors, which FFTW's packages do not use; powers_ops() is NULL for others.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define POWERS_LEAST 64             // transforms are POWERS_LEAST * 2^k points long ...
#define POWERS_MOST  1024           // ... up to this
#define POWERS_TURNS(n) ((7 + ((n) / 64 - 1) * 8) * 32)     // floats in a table of turns

struct powers_ops {
    // Packed powers (dsp/kernel/wola.h) of the transform of x, n complex values that are used up,
    // lowest frequency first; returns the largest.  turns: powers_turns() of n.  x, turns: aligned
    // for the widest vectors.
    float (*run)(float *restrict x, size_t n, const float *restrict turns, uint16_t *restrict ret);
};

const struct powers_ops *powers_ops(void);
// Fills POWERS_TURNS(n) floats.
void powers_turns(unsigned n, float *ret);
