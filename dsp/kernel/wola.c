// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the channelizer (dsp/front/bank.c).  Compiled once per instruction set.
#include "dsp/kernel/wola.h"

#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

// `many` vectors of the output stay in registers while all folds pass by.
INLINE void fold_piece(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                       size_t many, float *restrict ret)
{
    vec acc[4];

    for (size_t i = 0; i < many; i++)
        acc[i] = vec_load(x + i * VEC) * vec_load_twice(h + i * VEC / 2);
    for (unsigned k = 1; k < folds; k++)
        for (size_t i = 0; i < many; i++)
            acc[i] += vec_load(x + k * n + i * VEC) * vec_load_twice(h + (k * n + i * VEC) / 2);
    for (size_t i = 0; i < many; i++)
        vec_store(ret + i * VEC, acc[i]);
}

static void fold(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                 float *restrict ret)
{
    size_t at = 0;

    for (; at + 4 * VEC <= n; at += 4 * VEC)
        fold_piece(x + at, h + at / 2, n, folds, 4, ret + at);
    for (; at < n; at += VEC)           // 8 channels at least: 16 values
        fold_piece(x + at, h + at / 2, n, folds, 1, ret + at);
}

static void power(const float *restrict x, size_t n, float *restrict ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
}

static inline float unpack(uint16_t v)
{
    union { uint32_t u; float f; } x = { .u = (uint32_t)v << 16 };
    return x.f;
}

static inline uint16_t pack(float v)
{
    union { float f; uint32_t u; } x = { .f = v };
    return (uint16_t)((x.u + 0x8000) >> 16);
}

// Of VEC interleaved complex values.
INLINE vec power_of(const float *x)
{
    vec a = vec_load(x), b = vec_load(x + VEC);
    a *= a;
    b *= b;
    return __builtin_shufflevector(a, b, VEC_EVEN) + __builtin_shufflevector(a, b, VEC_ODD);
}

static float power_pack(const float *restrict x, size_t n, uint16_t *restrict ret)
{
    vec top = vec_splat(0);
    float most = 0;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC) {
        vec p = power_of(x + 2 * i);
        vec_half h = vec_pack(p);
        top = vec_max(top, p);
        memcpy(ret + i, &h, sizeof h);
    }
    for (; i < n; i++) {
        float p = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
        most = p > most ? p : most;
        ret[i] = pack(p);
    }
    float r = vec_top(top);
    return r > most ? r : most;
}

static void over(const uint16_t *restrict x, const float *restrict floor, float least, size_t n,
                 float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        float fl = floor[i] > least ? floor[i] : least;
        ret[i] = unpack(x[i]) / fl;
    }
}

static float times(const uint16_t *restrict x, const float *restrict inverse, size_t n,
                   float *restrict ret)
{
    vec top = vec_splat(0);
    float most = 0;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC) {
        vec p = vec_unpack(vec_load_half(x + i)) * vec_load(inverse + i);
        top = vec_max(top, p);
        vec_store(ret + i, p);
    }
    for (; i < n; i++) {
        ret[i] = unpack(x[i]) * inverse[i];
        most = ret[i] > most ? ret[i] : most;
    }
    float r = vec_top(top);
    return r > most ? r : most;
}

static void rows_8(const uint16_t *restrict x, const float *restrict inverse, float scale, size_t n,
                   float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        float a = unpack(x[i]) + unpack(x[i + n]), b = unpack(x[i + 2 * n]) + unpack(x[i + 3 * n]);
        float c = unpack(x[i + 4 * n]) + unpack(x[i + 5 * n]);
        float d = unpack(x[i + 6 * n]) + unpack(x[i + 7 * n]);
        ret[i] += ((a + b) + (c + d)) * inverse[i] * scale;
    }
}

static void rows(const uint16_t *restrict x, const float *restrict inverse, float scale,
                 unsigned many, size_t n, float *restrict ret)
{
    if (many == 8) {
        rows_8(x, inverse, scale, n, ret);
        return;
    }
    for (unsigned r = 0; r < many; r++)
        for (size_t i = 0; i < n; i++)
            ret[i] += unpack(x[r * n + i]) * inverse[i] * scale;
}

extern const struct wola_ops PASTE(wola_ops, ISA);
const struct wola_ops PASTE(wola_ops, ISA) = { .fold = fold, .power = power,
                                               .power_pack = power_pack, .over = over,
                                               .times = times, .rows = rows };
