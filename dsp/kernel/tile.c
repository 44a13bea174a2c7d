// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over power cells.  Compiled once per instruction set.
#include "dsp/kernel/tile.h"

#include <math.h>
#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

static float excess(const float *restrict e, const float *restrict d, float slope, size_t n)
{
    vec most = vec_splat(-HUGE_VALF), by = vec_splat(slope);
    float r = -HUGE_VALF;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC)
        most = vec_max(most, vec_load(e + i) - by * vec_load(d + i));
    for (; i < n; i++) {
        float x = e[i] - slope * d[i];
        r = x > r ? x : r;
    }
    float top = vec_top(most);
    return top > r ? top : r;
}

// In place too: whole pieces are read before they are written.
static float pairs(const float *e, const float *d, float slope, size_t n, float *ret_e,
                   float *ret_d)
{
    vec most = vec_splat(-HUGE_VALF), by = vec_splat(slope);
    float r = -HUGE_VALF;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC) {
        vec e0 = vec_load(e + 2 * i), e1 = vec_load(e + 2 * i + VEC);
        vec d0 = vec_load(d + 2 * i), d1 = vec_load(d + 2 * i + VEC);
        vec s = __builtin_shufflevector(e0, e1, VEC_EVEN) +
                __builtin_shufflevector(e0, e1, VEC_ODD);
        vec t = __builtin_shufflevector(d0, d1, VEC_EVEN) +
                __builtin_shufflevector(d0, d1, VEC_ODD);
        most = vec_max(most, s - by * t);
        vec_store(ret_e + i, s);
        vec_store(ret_d + i, t);
    }
    for (; i < n; i++) {
        float s = e[2 * i] + e[2 * i + 1], t = d[2 * i] + d[2 * i + 1], x = s - slope * t;
        ret_e[i] = s;
        ret_d[i] = t;
        r = x > r ? x : r;
    }
    float top = vec_top(most);
    return top > r ? top : r;
}

static unsigned pick(const float *restrict e, const float *restrict d, float slope, float over,
                     size_t n, uint16_t *restrict ret)
{
    vec by = vec_splat(slope);
    unsigned found = 0;

    for (size_t i = 0; i < n; i += VEC) {
        size_t end = i + VEC < n ? i + VEC : n;
        // Most hold nothing.
        if (end - i == VEC && vec_top(vec_load(e + i) - by * vec_load(d + i)) <= over)
            continue;
        for (size_t k = i; k < end; k++)
            if (e[k] - slope * d[k] > over)
                ret[found++] = (uint16_t)k;
    }
    return found;
}

static void pour(float *restrict to, float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

static void add(float *restrict e, const float *restrict x, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        e[i] += x[i] * scale;
}

static inline float max2(float a, float b) { return a > b ? a : b; }

static void crest(const float *restrict x, size_t n, float *restrict ret)
{
    ret[0] = n > 1 ? max2(x[0], x[1]) : x[0];
    for (size_t i = 1; i + 1 < n; i++)
        ret[i] = max2(max2(x[i - 1], x[i]), x[i + 1]);
    if (n > 1)
        ret[n - 1] = max2(x[n - 2], x[n - 1]);
}

// The flags are constants: one loop for each case.
INLINE void take_some(float *restrict e, float *restrict d, const float *restrict now,
                      const float *const near[4], const uint8_t *const mark[3],
                      const struct smear *s, float scale, float dof, size_t n, int marks, int far,
                      int close)
{
    const uint8_t *restrict k0 = mark[0], *restrict k1 = mark[1], *restrict k2 = mark[2];
    const float *restrict a2 = near[0], *restrict a1 = near[1];
    const float *restrict b1 = near[2], *restrict b2 = near[3];
    const float from1 = s->from1, from2 = s->from2, share1 = s->share1, share2 = s->share2;

    for (size_t i = 0; i < n; i++) {
        int skip = marks ? k0[i] | k1[i] | k2[i] : 0;
        if (close) {
            float m1 = max2(a1[i], b1[i]);
            skip |= (m1 > from1) & (now[i] < share1 * m1);
        }
        if (far) {
            float m2 = max2(a2[i], b2[i]);
            skip |= (m2 > from2) & (now[i] < share2 * m2);
        }
        e[i] += skip ? 0 : now[i] * scale;
        d[i] += skip ? 0 : dof;
    }
}

static void take(float *restrict e, float *restrict d, const float *restrict now,
                 const float *const near[4], const uint8_t *const mark[3], const struct smear *s,
                 float scale, float dof, size_t n)
{
    if (!mark[0] && !near[1] && !near[0])
        take_some(e, d, now, near, mark, s, scale, dof, n, 0, 0, 0);
    else if (!mark[0] && !near[0])
        take_some(e, d, now, near, mark, s, scale, dof, n, 0, 0, 1);
    else if (!mark[0])
        take_some(e, d, now, near, mark, s, scale, dof, n, 0, 1, 1);
    else if (!near[1] && !near[0])
        take_some(e, d, now, near, mark, s, scale, dof, n, 1, 0, 0);
    else if (!near[0])
        take_some(e, d, now, near, mark, s, scale, dof, n, 1, 0, 1);
    else
        take_some(e, d, now, near, mark, s, scale, dof, n, 1, 1, 1);
}

static void guard(float *restrict e, float *restrict d, size_t n, float *restrict was)
{
    memcpy(was, d, n * sizeof *d);
    for (size_t i = 1; i + 1 < n; i++) {
        int keep = (was[i - 1] != 0) & (was[i + 1] != 0);
        e[i] = keep ? e[i] : 0;
        d[i] = keep ? d[i] : 0;
    }
    if (n > 1 && was[1] == 0)
        e[0] = d[0] = 0;
    if (n > 1 && was[n - 2] == 0)
        e[n - 1] = d[n - 1] = 0;
}

typedef float    eight __attribute__((vector_size(32)));
typedef int32_t  eight_int __attribute__((vector_size(32)));
typedef uint16_t eight_half __attribute__((vector_size(16)));
typedef uint8_t  eight_byte __attribute__((vector_size(8)));

INLINE eight unpack8(const uint16_t *x)
{
    eight_half h;
    memcpy(&h, x, sizeof h);
    return (eight)(__builtin_convertvector(h, eight_int) << 16);
}

INLINE eight max8(eight a, eight b)
{
    eight_int m = a > b;
    return (eight)((m & (eight_int)a) | (~m & (eight_int)b));
}

static void hold(const uint16_t *const x[4], const float *restrict inverse, const struct hold *h,
                 size_t n, uint8_t *restrict ret)
{
    const uint16_t *restrict x0 = x[0], *restrict x1 = x[1], *restrict x2 = x[2];
    const uint16_t *restrict x3 = x[3];

    for (size_t i = 0; i < n; i++) {
        eight inv, a, s, t;
        memcpy(&inv, inverse + 8 * i, sizeof inv);
        inv = -max8(-inv, (eight){ 0 } - h->most);
        a = (unpack8(x0 + 8 * i) + unpack8(x1 + 8 * i)) +
            (unpack8(x2 + 8 * i) + unpack8(x3 + 8 * i));
        a = a * inv * h->per;
        s = a + __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3);
        s = s + __builtin_shufflevector(s, s, 2, 3, 0, 1, 6, 7, 4, 5);
        float mean = (s[0] + s[1]) / 8;
        float need = h->share * mean > h->from ? h->share * mean : h->from;
        if (h->line > 0) {
            t = max8(a, __builtin_shufflevector(a, a, 4, 5, 6, 7, 0, 1, 2, 3));
            t = max8(t, __builtin_shufflevector(t, t, 2, 3, 0, 1, 6, 7, 4, 5));
            float top = t[0] > t[1] ? t[0] : t[1];
            need = top > h->line * mean ? h->share * top : 0;
        }
        if (mean - 1 < h->leak * (h->over[i] - 1))
            need = HUGE_VALF;
        eight_byte hit = __builtin_convertvector(a > (eight){ 0 } + need, eight_byte) & 1;
        memcpy(ret + 8 * i, &hit, sizeof hit);
    }
}

static void fill(float *x, float v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = v;
}

static void mark(uint8_t *restrict to, const uint8_t *restrict from, size_t n)
{
    for (size_t i = 0; i < 8 * n; i++)
        to[i] |= from[i];
}

static unsigned count(const uint8_t *x, size_t n)
{
    unsigned r = 0;

    for (size_t i = 0; i < n; i++)
        r += x[i];
    return r;
}

extern const struct tile_ops PASTE(tile_ops, ISA);
const struct tile_ops PASTE(tile_ops, ISA) = {
    .excess = excess, .pairs = pairs, .pick = pick, .pour = pour, .take = take, .add = add,
    .crest = crest, .guard = guard, .hold = hold, .fill = fill, .mark = mark, .count = count,
};
