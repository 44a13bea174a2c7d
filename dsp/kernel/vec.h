// SPDX-License-Identifier: GPL-3.0-or-later
// Vectors as wide as the instruction set's registers, for kernels whose loops no compiler turns
// into vectors by itself (largest values, masks, sums of neighbours).  gcc's and clang's vector
// types: plain C where the machine has none.
#pragma once

#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>          // the largest of two: compilers make two instructions of it
#endif

// The plain and v2 builds pass these vectors only between inlined functions.
#pragma GCC diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))

// VEC_MOST: for loops over fewer lanes.
#ifndef VEC_MOST
#define VEC_MOST 16
#endif

#if defined __AVX512F__ && VEC_MOST >= 16
#define VEC 16
#define VEC_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define VEC_ODD  1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define VEC_TWICE 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7
#elif defined __AVX2__
#define VEC 8
#define VEC_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define VEC_ODD  1, 3, 5, 7, 9, 11, 13, 15
#define VEC_TWICE 0, 0, 1, 1, 2, 2, 3, 3
#else
#define VEC 4
#define VEC_EVEN 0, 2, 4, 6
#define VEC_ODD  1, 3, 5, 7
#define VEC_TWICE 0, 0, 1, 1
#endif

typedef float    vec __attribute__((vector_size(4 * VEC)));
typedef float    vec_low __attribute__((vector_size(2 * VEC)));
typedef int32_t  vec_int __attribute__((vector_size(4 * VEC)));
typedef uint16_t vec_half __attribute__((vector_size(2 * VEC)));

INLINE vec vec_splat(float x) { return (vec){ 0 } + x; }

INLINE vec vec_load(const float *x)
{
    vec r;
    memcpy(&r, x, sizeof r);
    return r;
}

// VEC / 2 values, each twice: real factors of complex values.
INLINE vec vec_load_twice(const float *x)
{
    vec_low r;
    memcpy(&r, x, sizeof r);
    return __builtin_shufflevector(r, r, VEC_TWICE);
}

INLINE void vec_store(float *x, vec v) { memcpy(x, &v, sizeof v); }

// Packed powers (dsp/kernel/wola.h): the upper halves of floats.
INLINE vec_half vec_load_half(const uint16_t *x)
{
    vec_half r;
    memcpy(&r, x, sizeof r);
    return r;
}

INLINE vec vec_unpack(vec_half h)
{
#if VEC == 16
    return (vec)((vec_int)_mm512_cvtepu16_epi32((__m256i)h) << 16);
#else
    return (vec)(__builtin_convertvector(h, vec_int) << 16);
#endif
}

INLINE vec_half vec_pack(vec v)
{
#if VEC == 16
    return (vec_half)_mm512_cvtepi32_epi16((__m512i)(((vec_int)v + 0x8000) >> 16));
#else
    return __builtin_convertvector(((vec_int)v + 0x8000) >> 16, vec_half);
#endif
}

INLINE vec vec_max(vec a, vec b)
{
#if VEC == 16
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif VEC == 8
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined __x86_64__
    return (vec)_mm_max_ps((__m128)a, (__m128)b);
#else
    vec_int m = a > b;
    return (vec)((m & (vec_int)a) | (~m & (vec_int)b));
#endif
}

// a + b * c, in this order whatever the compiler thinks of sums; one rounding where the set has it.
INLINE vec vec_fma(vec a, vec b, vec c)
{
#if VEC == 16
    return (vec)_mm512_fmadd_ps((__m512)b, (__m512)c, (__m512)a);
#elif VEC == 8 && defined __FMA__
    return (vec)_mm256_fmadd_ps((__m256)b, (__m256)c, (__m256)a);
#else
    return a + b * c;
#endif
}

// A bit for each lane of a that is larger than b's.
INLINE unsigned vec_over(vec a, vec b)
{
#if VEC == 16
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
#elif VEC == 8
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GT_OQ));
#elif defined __x86_64__
    return (unsigned)_mm_movemask_ps(_mm_cmpgt_ps((__m128)a, (__m128)b));
#else
    vec_int m = a > b;
    unsigned r = 0;
    for (unsigned i = 0; i < VEC; i++)
        r |= (unsigned)(m[i] & 1) << i;
    return r;
#endif
}

// Over all lanes: halves against each other, down to one.
INLINE float vec_top(vec v)
{
    float x[VEC];
    memcpy(x, &v, sizeof x);
#if VEC >= 16
    for (int k = 0; k < 8; k++)
        x[k] = x[k + 8] > x[k] ? x[k + 8] : x[k];
#endif
#if VEC >= 8
    for (int k = 0; k < 4; k++)
        x[k] = x[k + 4] > x[k] ? x[k + 4] : x[k];
#endif
    float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
    return a > b ? a : b;
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
