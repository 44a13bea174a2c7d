// SPDX-License-Identifier: GPL-3.0-or-later
// One soft-in soft-out pass over the 8-state trellis of the LTE constituent code (g0 = 13, g1 = 15
// octal), the inner loop of the turbo decoder.
//
// State S = 4 s1 + 2 s2 + s3, s1 the newest bit.  Input u enters a = u + s2 + s3, the parity is
// p = a + s1 + s3, the next state (a, s1, s2).  Both branches that meet in a state, and both that
// leave one, carry opposite (u, p): one branch metric g and its negative serve all eight states.
//
//     forward   A'[T] = max*(A[even pred] + g, A[odd pred] - g)
//     backward  B [S] = max*(B'[S/2] + h,      B'[4 + S/2] - h)
//
// The eight states are one vector.  max* is max with a linear correction (Valenti and Sun, 2001):
// within 0.05 dB of exact log-MAP.
#include "dsp/droneid/hot.h"

#include <stdint.h>

// The plain and v2 builds pass these vectors only between inlined functions.
#pragma GCC diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))
#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

typedef float   v8 __attribute__((vector_size(32)));
typedef int32_t m8 __attribute__((vector_size(32)));

INLINE v8 splat(float x) { return (v8){ x, x, x, x, x, x, x, x }; }

// mask is all ones or zero per lane
INLINE v8 pick(m8 mask, v8 a, v8 b)
{
    return (v8)(((m8)a & mask) | ((m8)b & ~mask));
}

INLINE v8 max_star(v8 a, v8 b)
{
    v8 d = a - b, zero = splat(0);
    v8 big = pick(d > zero, a, b), mag = pick(d > zero, d, -d);
    v8 fix = splat(0.24904f * 2.5068f) - splat(0.24904f) * mag;
    return big + pick(fix > zero, fix, zero);
}

// max* over the eight lanes.
INLINE float fold(v8 a)
{
    a = max_star(a, __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3));
    a = max_star(a, __builtin_shufflevector(a, a, 2, 3, 0, 1, 6, 7, 4, 5));
    a = max_star(a, __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6));
    return a[0];
}

// Signs of x (u) and y (p) on the branch into state T from its even predecessor ...
static const v8 IN_X = { .5f, -.5f, .5f, -.5f, -.5f, .5f, -.5f, .5f };
static const v8 IN_Y = { .5f, .5f, -.5f, -.5f, -.5f, -.5f, .5f, .5f };
// ... and on the branch that leaves state S with a = 0.
static const v8 OUT_X = { .5f, -.5f, -.5f, .5f, .5f, -.5f, -.5f, .5f };
static const v8 OUT_Y = { .5f, -.5f, .5f, -.5f, -.5f, .5f, -.5f, .5f };

void CAT(droneid_siso, ISA)(const float *restrict sys, const float *restrict par,
                            float *restrict ext, float *restrict post_par, float *restrict work)
{
    v8 a = splat(-1e6f);                // starts in state 0
    a[0] = 0;
    v8 *alpha = (v8 *)__builtin_assume_aligned(work, 32);
    for (int k = 0; k < SISO_STEPS; k++) {
        alpha[k] = a;
        v8 g = IN_X * splat(sys[k]) + IN_Y * splat(par[k]);
        v8 even = __builtin_shufflevector(a, a, 0, 2, 4, 6, 0, 2, 4, 6);
        v8 odd  = __builtin_shufflevector(a, a, 1, 3, 5, 7, 1, 3, 5, 7);
        a = max_star(even + g, odd - g);
        if (k % 8 == 7)                 // only differences matter: keep the numbers small
            a -= splat(a[0]);
    }
    const m8 u0 = OUT_X > splat(0), p0 = OUT_Y > splat(0);
    v8 b = splat(-1e6f);                // ends in state 0: the tail bits see to it
    b[0] = 0;
    for (int k = SISO_STEPS - 1; k >= 0; k--) {
        v8 h = OUT_X * splat(sys[k]) + OUT_Y * splat(par[k]);
        v8 lo = __builtin_shufflevector(b, b, 0, 0, 1, 1, 2, 2, 3, 3) + h;
        v8 hi = __builtin_shufflevector(b, b, 4, 4, 5, 5, 6, 6, 7, 7) - h;
        v8 m0 = alpha[k] + lo, m1 = alpha[k] + hi;
        ext[k] = fold(pick(u0, m0, m1)) - fold(pick(u0, m1, m0)) - sys[k];
        if (post_par)
            post_par[k] = fold(pick(p0, m0, m1)) - fold(pick(p0, m1, m0));
        b = max_star(lo, hi);
        if (k % 8 == 0)
            b -= splat(b[0]);
    }
}
