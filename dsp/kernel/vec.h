// SPDX-License-Identifier: GPL-3.0-or-later
// Vectors as wide as the instruction set's registers, for kernels whose loops no compiler turns
// into vectors by itself (largest values, masks, sums of neighbours).  gcc's and clang's vector
// types: plain C where the machine has none.
#pragma once

#include <stdint.h>
#include <string.h>

// The plain and v2 builds pass these vectors only between inlined functions.
#pragma GCC diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))

#if defined __AVX512F__
#define VEC 16
#define VEC_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define VEC_ODD  1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif defined __AVX2__
#define VEC 8
#define VEC_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define VEC_ODD  1, 3, 5, 7, 9, 11, 13, 15
#else
#define VEC 4
#define VEC_EVEN 0, 2, 4, 6
#define VEC_ODD  1, 3, 5, 7
#endif

typedef float    vec __attribute__((vector_size(4 * VEC)));
typedef int32_t  vec_int __attribute__((vector_size(4 * VEC)));
typedef uint16_t vec_half __attribute__((vector_size(2 * VEC)));

INLINE vec vec_splat(float x) { return (vec){ 0 } + x; }

INLINE vec vec_load(const float *x)
{
    vec r;
    memcpy(&r, x, sizeof r);
    return r;
}

INLINE void vec_store(float *x, vec v) { memcpy(x, &v, sizeof v); }

// Packed powers (dsp/kernel/wola.h): the upper halves of floats.
INLINE vec_half vec_load_half(const uint16_t *x)
{
    vec_half r;
    memcpy(&r, x, sizeof r);
    return r;
}

INLINE vec vec_unpack(vec_half h) { return (vec)(__builtin_convertvector(h, vec_int) << 16); }

INLINE vec vec_max(vec a, vec b)
{
    vec_int m = a > b;
    return (vec)((m & (vec_int)a) | (~m & (vec_int)b));
}

// Largest lane: of halves, down to one.
INLINE float vec_top(vec v)
{
    float x[VEC];
    memcpy(x, &v, sizeof x);
    for (int n = VEC / 2; n; n /= 2)
        for (int k = 0; k < n; k++)
            x[k] = x[k + n] > x[k] ? x[k + n] : x[k];
    return x[0];
}

INLINE float vec_sum(vec v)
{
    float x[VEC];
    memcpy(x, &v, sizeof x);
#if VEC >= 16
    for (int k = 0; k < 8; k++)
        x[k] += x[k + 8];
#endif
#if VEC >= 8
    for (int k = 0; k < 4; k++)
        x[k] += x[k + 4];
#endif
    return (x[0] + x[2]) + (x[1] + x[3]);
}
