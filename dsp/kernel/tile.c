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

static void either(uint8_t *restrict to, const uint8_t *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] |= from[i];
}

static void spread(const uint8_t *restrict x, size_t n, uint8_t *restrict ret)
{
    const uint8_t *a = x - 2, *b = x - 1, *d = x + 1, *e = x + 2;
    for (size_t i = 0; i < n; i++)
        ret[i] = a[i] | b[i] | x[i] | d[i] | e[i];
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
                                               .take = take, .add = add, .either = either,
                                               .spread = spread, .unpack_add = unpack_add };
