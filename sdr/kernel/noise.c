// SPDX-License-Identifier: GPL-3.0-or-later
// Gaussian noise after Box and Muller (noise.h) by polynomials: no branch, no table, no libm, so
// vectors of any width.  Compiled once per instruction set; all give the same bits (kernel.h).
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "sdr/kernel/noise.h"
#include "sdr/kernel/sincos.h"

#if defined __AVX512F__
#define WORDS 8
#elif defined __AVX2__
#define WORDS 4
#else
#define WORDS 2
#endif
typedef uint64_t vec_u64 __attribute__((vector_size(8 * WORDS)));

KERNEL_INLINE vec_u64 load(const uint64_t *p)
{
    vec_u64 v;
    memcpy(&v, p, sizeof v);
    return v;
}

KERNEL_INLINE void store(uint64_t *p, vec_u64 v) { memcpy(p, &v, sizeof v); }

KERNEL_INLINE vec_u64 rotl(vec_u64 v, int k) { return (v << k) | (v >> (64 - k)); }

// base/rng.c's rng_u64(), a lane each.
static void words(uint64_t s[4][NOISE_LANES], uint64_t *restrict w, size_t n)
{
    for (size_t g = 0; g < NOISE_LANES; g += WORDS) {
        vec_u64 a = load(s[0] + g), b = load(s[1] + g), c = load(s[2] + g), d = load(s[3] + g);
        for (size_t i = g; i < n; i += NOISE_LANES) {
            vec_u64 t = b << 17;
            store(w + i, rotl(a + d, 23) + a);
            c ^= a;
            d ^= b;
            b ^= c;
            a ^= d;
            c ^= t;
            d = rotl(d, 45);
        }
        store(s[0] + g, a);
        store(s[1] + g, b);
        store(s[2] + g, c);
        store(s[3] + g, d);
    }
}

static bool any_rare(const uint64_t *w, size_t n)
{
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= !(w[i] & NOISE_K);
    return any != 0;
}

// -ln(1 - t/2) / t over 0 .. 1, relative error 3e-7 in floats (Chebyshev's points).
KERNEL_INLINE float log_part(float t)
{
    float p = 4.520286044e-03f;
    p = p * t - 8.074735344e-03f;
    p = p * t + 1.176405302e-02f;
    p = p * t + 1.529040912e-03f;
    p = p * t + 1.689862773e-02f;
    p = p * t + 4.150187208e-02f;
    p = p * t + 1.250079805e-01f;
    return p * t + 4.999999376e-01f;
}

KERNEL_INLINE void one(uint64_t w, float lift, float power, float *restrict x)
{
    int32_t hi = (int32_t)(w >> 32), lo = (int32_t)w;
    // The first one of k is its exponent as a float: exact, k has fewer bits than a mantissa.
    int32_t k = ((hi & 0x1ff) << 8) | (int32_t)((uint32_t)lo >> 24);
    int32_t zeros = 127 + 16 - (as_int((float)k) >> 23);
    float t = ((float)(int32_t)((uint32_t)hi >> 9) + 0.5f) * 0x1p-23f;
    float e = ((float)zeros * 0.69314718f + t * log_part(t)) + lift;
    float r = sqrtf(power * e);
    // The angle: bits 21 .. 0 as a signed number, half a step up.
    float y = ((float)((int32_t)((uint32_t)lo << 10) >> 10) + 0.5f) * 0x1p-21f, z = y * y;
    float s = y * sin_part(z) * r, c = cos_part(z) * r;
    // Bit 22 to the sign; bit 23 as a mask exchanges the two.
    int32_t sign = (int32_t)((uint32_t)lo << 9) & INT32_MIN;
    int32_t turn = (int32_t)((uint32_t)lo << 8) >> 31;
    int32_t cs = as_int(c) ^ sign, sn = as_int(s), both = (cs ^ sn) & turn;
    x[0] += as_float(cs ^ both);
    x[1] += as_float(sn ^ both);
}

static void add(const uint64_t *restrict w, float power, float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        one(w[i], 0, power, x + 2 * i);
}

static void add_lifted(const uint64_t *restrict w, const float *restrict lift, float power,
                       float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        one(w[i], lift[i], power, x + 2 * i);
}

extern const struct noise_ops KERNEL(noise_ops);
const struct noise_ops KERNEL(noise_ops) = { .words = words, .any_rare = any_rare, .add = add,
                                             .add_lifted = add_lifted };
