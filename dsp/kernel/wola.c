// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the channelizer (dsp/front/bank.c).  Compiled once per instruction set.
#include "dsp/kernel/wola.h"

#include <string.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

static void fold2(const float *restrict x, const float *restrict h, size_t n, float *restrict ret)
{
    const float *restrict x1 = x + n, *restrict h1 = h + n;
    for (size_t i = 0; i < n; i++)
        ret[i] = x[i] * h[i] + x1[i] * h1[i];
}

// Pieces of the output that stay in registers and the first cache level while all folds pass by.
#define FOLD_PIECE 64

static void fold(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                 float *restrict ret)
{
    if (folds == 2) {
        fold2(x, h, n, ret);
        return;
    }
    for (size_t at = 0; at < n; at += FOLD_PIECE) {
        size_t len = n - at < FOLD_PIECE ? n - at : FOLD_PIECE;
        float acc[FOLD_PIECE] = { 0 };
        if (len == FOLD_PIECE) {
            for (unsigned k = 0; k < folds; k++)
                for (size_t i = 0; i < FOLD_PIECE; i++)
                    acc[i] += x[at + k * n + i] * h[at + k * n + i];
        } else {
            for (unsigned k = 0; k < folds; k++)
                for (size_t i = 0; i < len; i++)
                    acc[i] += x[at + k * n + i] * h[at + k * n + i];
        }
        memcpy(ret + at, acc, len * sizeof *ret);
    }
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

#define LANES 16

static float power_pack(const float *restrict x, size_t n, uint16_t *restrict ret)
{
    float top[LANES] = { 0 }, most = 0;
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float a = x[2 * (i + k)], b = x[2 * (i + k) + 1], p = a * a + b * b;
            top[k] = p > top[k] ? p : top[k];
            ret[i + k] = pack(p);
        }
    for (; i < n; i++) {
        float p = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
        most = p > most ? p : most;
        ret[i] = pack(p);
    }
    for (size_t k = 0; k < LANES; k++)
        most = top[k] > most ? top[k] : most;
    return most;
}

static void over(const uint16_t *restrict x, const float *restrict floor, float least, size_t n,
                 float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        float fl = floor[i] > least ? floor[i] : least;
        ret[i] = unpack(x[i]) / fl;
    }
}

static void times(const uint16_t *restrict x, const float *restrict inverse, size_t n,
                  float *restrict ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = unpack(x[i]) * inverse[i];
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
