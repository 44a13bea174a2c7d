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

static void power_add(const float *restrict x, size_t n, float *restrict ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] += x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
}

static void pack(const float *restrict x, size_t n, uint16_t *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        union { float f; uint32_t u; } v = { .f = x[i] };
        ret[i] = (uint16_t)((v.u + 0x8000) >> 16);
    }
}

static void over(const uint16_t *restrict x, const float *restrict floor, float least, size_t n,
                 float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        union { uint32_t u; float f; } v = { .u = (uint32_t)x[i] << 16 };
        float fl = floor[i] > least ? floor[i] : least;
        ret[i] = v.f / fl;
    }
}

extern const struct wola_ops PASTE(wola_ops, ISA);
const struct wola_ops PASTE(wola_ops, ISA) = { .fold = fold, .power = power,
                                               .power_add = power_add, .pack = pack,
                                               .over = over };
