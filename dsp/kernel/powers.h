// SPDX-License-Identifier: GPL-3.0-or-later
// Transforms of which only the powers are wanted, in the processor's own registers.  Made for
// those with 512-bit vectors, which FFTW's packages do not use; powers_ops() is NULL for others.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define POWERS_LEAST 64             // transforms are POWERS_LEAST * 2^k points long ...
#define POWERS_MOST  8192           // ... up to this
#define POWERS_TURNS(n) (3 * (size_t)(n))           // floats that a table of turns fits in

struct powers_ops {
    // Packed powers (dsp/kernel/wola.h) of `many` transforms of n complex values, `stride` floats
    // apart, which are used up; lowest frequency first, one transform after the other; returns the
    // largest.  turns: powers_turns() of n.  x, turns: aligned for the widest vectors.
    float (*run)(float *restrict x, size_t n, unsigned many, size_t stride,
                 const float *restrict turns, uint16_t *restrict ret);
};

const struct powers_ops *powers_ops(void);
// Fills a table for n points.
void powers_turns(unsigned n, float *ret);
