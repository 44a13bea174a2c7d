// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over power cells.  Compiled once per instruction set.
#include "dsp/kernel/tile.h"

#include <string.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

#define LANES 16

static float most(const float *x, size_t n)
{
    float m[LANES] = { 0 }, r = 0;
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            m[k] = x[i + k] > m[k] ? x[i + k] : m[k];
    for (; i < n; i++)
        r = x[i] > r ? x[i] : r;
    for (size_t k = 0; k < LANES; k++)
        r = m[k] > r ? m[k] : r;
    return r;
}

// In place too: in pieces, so that the compiler may read a whole piece before it writes.
static void pairs(const float *x, size_t n, float *ret)
{
    float t[LANES];
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++)
            t[k] = x[2 * (i + k)] + x[2 * (i + k) + 1];
        memcpy(ret + i, t, sizeof t);
    }
    for (; i < n; i++)
        ret[i] = x[2 * i] + x[2 * i + 1];
}

static void pour(float *restrict to, float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

static void take(float *restrict e, float *restrict d, const float *restrict x,
                 const uint8_t *restrict skip, float scale, float dof, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        e[i] += skip[i] ? 0 : x[i] * scale;
        d[i] += skip[i] ? 0 : dof;
    }
}

static void add(float *restrict e, const float *restrict x, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        e[i] += x[i] * scale;
}

static inline float max2(float a, float b) { return a > b ? a : b; }

static inline float max3(const float *x) { return max2(max2(x[-1], x[0]), x[1]); }

static void smeared(const float *const near[4], const float *restrict now,
                    const uint8_t *const mark[3], const struct smear *s, size_t n,
                    uint8_t *restrict ret)
{
    const uint8_t *restrict k0 = mark[0], *restrict k1 = mark[1], *restrict k2 = mark[2];
    const float *restrict a2 = near[0], *restrict a1 = near[1];
    const float *restrict b1 = near[2], *restrict b2 = near[3];
    const float from1 = s->from1, from2 = s->from2, share1 = s->share1, share2 = s->share2;

    for (size_t i = 0; i < n; i++) {
        float m1 = max2(max3(a1 + i), max3(b1 + i)), m2 = max2(max3(a2 + i), max3(b2 + i));
        uint8_t leak1 = (uint8_t)((m1 > from1) & (now[i] < share1 * m1));
        uint8_t leak2 = (uint8_t)((m2 > from2) & (now[i] < share2 * m2));
        ret[i] = k0[i] | k1[i] | k2[i] | leak1 | leak2;
    }
}

static void unpack_add(float *restrict sum, const uint16_t *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        union { uint32_t u; float f; } v = { .u = (uint32_t)x[i] << 16 };
        sum[i] += v.f;
    }
}

extern const struct tile_ops PASTE(tile_ops, ISA);
const struct tile_ops PASTE(tile_ops, ISA) = { .most = most, .pairs = pairs, .pour = pour,
                                               .take = take, .add = add, .smeared = smeared,
                                               .unpack_add = unpack_add };
