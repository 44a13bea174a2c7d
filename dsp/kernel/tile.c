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
    vec by = vec_splat(slope), least = vec_splat(over);
    unsigned found = 0;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC) {    // most hold nothing
        unsigned m = vec_over(vec_load(e + i) - by * vec_load(d + i), least);
        for (; m; m &= m - 1)
            ret[found++] = (uint16_t)(i + (unsigned)__builtin_ctz(m));
    }
    for (; i < n; i++)
        if (e[i] - slope * d[i] > over)
            ret[found++] = (uint16_t)i;
    return found;
}

static float pour(float *restrict e, float *restrict d, const float *restrict x,
                  const float *restrict y, float slope, size_t n)
{
    vec most = vec_splat(-HUGE_VALF), by = vec_splat(slope);

    for (size_t i = 0; i < n; i += VEC) {       // n is a multiple of it
        vec a = vec_load(e + i) + vec_load(x + i), b = vec_load(d + i) + vec_load(y + i);
        vec_store(e + i, a);
        vec_store(d + i, b);
        most = vec_max(most, a - by * b);
    }
    return vec_top(most);
}

static void add(float *restrict e, const float *restrict x, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        e[i] += x[i] * scale;
}

static void crest(const float *restrict x, const struct smear *s, size_t n,
                  uint16_t *restrict ret_strong, uint16_t *restrict ret_very)
{
    vec strong = vec_splat(s->from1), very = vec_splat(s->from2);

    for (size_t i = 0; i < n; i += TILE_UNIT) {
        unsigned a = 0, b = 0;
        for (size_t k = 0; k < TILE_UNIT; k += VEC) {
            vec v = vec_load(x + i + k);
            a |= vec_over(v, strong) << k;
            b |= vec_over(v, very) << k;
        }
        ret_strong[i / TILE_UNIT] = (uint16_t)a;
        ret_very[i / TILE_UNIT] = (uint16_t)b;
    }
}

typedef uint8_t vec_byte __attribute__((vector_size(VEC)));

INLINE vec_int vec_bytes(const uint8_t *x)
{
    vec_byte b;
    memcpy(&b, x, sizeof b);
    return __builtin_convertvector(b, vec_int);
}

// What there is of marks, and of strong cells, near TILE_UNIT cells in the rows taken.
enum near { NEAR_NONE, NEAR_MARKS = 1, NEAR_STRONG = 2, NEAR_ALL = 4 };  // all of them marked

// Is anything in unit u, or at its borders, strong?
INLINE unsigned near_of(const uint16_t *b, size_t u)
{
    return b[u] | b[u - 1] >> 15 | (b[u + 1] & 1u);
}

INLINE unsigned near_marks(const struct taken *w, size_t i, unsigned rows)
{
    uint64_t m[TILE_ROWS + 2][2], any = 0, all = UINT64_MAX;

    for (unsigned k = 0; k < rows + 2; k++) {
        memcpy(m[k], w->mark[k] + i, sizeof m[k]);
        any |= m[k][0] | m[k][1];
    }
    for (unsigned k = 0; k < rows; k++)
        all &= (m[k][0] | m[k + 1][0] | m[k + 2][0]) & (m[k][1] | m[k + 1][1] | m[k + 2][1]);
    return all == UINT64_C(0x0101010101010101) ? NEAR_ALL : any ? NEAR_MARKS : NEAR_NONE;
}

INLINE unsigned what_is_near(const struct taken *w, size_t u, unsigned rows)
{
    unsigned strong = near_of(w->very[0], u) | near_of(w->very[rows + 3], u);
    unsigned marks = w->mark[0] ? near_marks(w, u * TILE_UNIT, rows) : NEAR_NONE;

    for (unsigned k = 1; k < rows + 3; k++)
        strong |= near_of(w->strong[k], u);
    return marks | (strong ? NEAR_STRONG : 0);
}

// VEC cells at i, each by itself.
INLINE void take_near(float *restrict e, float *restrict d, const struct taken *w,
                      const struct smear *s, size_t i, unsigned rows, unsigned near)
{
    vec c[TILE_ROWS + 4], sum_e = vec_splat(0), sum_d = sum_e;      // c: with both neighbours
    vec from1 = vec_splat(s->from1), from2 = vec_splat(s->from2);

    for (unsigned k = 0; (near & NEAR_STRONG) && k < rows + 4; k++) {
        const float *x = w->row[k] + i;
        c[k] = vec_max(vec_max(vec_load(x - 1), vec_load(x)), vec_load(x + 1));
    }
    for (unsigned r = 0; r < rows; r++) {
        vec now = vec_load(w->row[r + 2] + i), dof = vec_splat(w->dof);
        vec_int skip = { 0 };
        if (near & NEAR_STRONG) {
            vec m1 = vec_max(c[r + 1], c[r + 3]), m2 = vec_max(c[r], c[r + 4]);
            skip = ((m1 > from1) & (now < vec_splat(s->share1) * m1)) |
                   ((m2 > from2) & (now < vec_splat(s->share2) * m2));
        }
        if (near & NEAR_MARKS)
            skip |= (vec_bytes(w->mark[r] + i) | vec_bytes(w->mark[r + 1] + i) |
                     vec_bytes(w->mark[r + 2] + i)) != 0;
        sum_e += (vec)((vec_int)(now * vec_splat(w->scale[r])) & ~skip);
        sum_d += (vec)((vec_int)dof & ~skip);
    }
    vec_store(e, sum_e);
    vec_store(d, sum_d);
}

INLINE void take_unit(float *restrict e, float *restrict d, const struct taken *w,
                      const struct smear *s, size_t i, unsigned rows, unsigned near)
{
    for (size_t k = 0; k < TILE_UNIT; k += VEC)
        take_near(e + k, d + k, w, s, i + k, rows, near);
}

INLINE float take_some(float *restrict e, float *restrict d, const struct taken *w,
                       const struct smear *s, float slope, size_t n, unsigned rows)
{
    vec most = vec_splat(-HUGE_VALF), by = vec_splat(slope);

    for (size_t i = 0; i < n; i += TILE_UNIT) {
        unsigned near = what_is_near(w, i / TILE_UNIT, rows);
        if (near & NEAR_ALL) {
            memset(e + i, 0, TILE_UNIT * sizeof *e);
            memset(d + i, 0, TILE_UNIT * sizeof *d);
        } else if (near & NEAR_STRONG) {
            take_unit(e + i, d + i, w, s, i, rows, NEAR_STRONG | (near & NEAR_MARKS));
        } else if (near) {
            take_unit(e + i, d + i, w, s, i, rows, NEAR_MARKS);
        } else {
            take_unit(e + i, d + i, w, s, i, rows, NEAR_NONE);
        }
        for (size_t k = i; k < i + TILE_UNIT; k += VEC)
            most = vec_max(most, vec_load(e + k) - by * vec_load(d + k));
    }
    return vec_top(most);
}

// The usual number of rows is a constant.
static float take(float *restrict e, float *restrict d, const struct taken *w,
                  const struct smear *s, float slope, size_t n)
{
    return w->rows == TILE_ROWS ? take_some(e, d, w, s, slope, n, TILE_ROWS)
                                : take_some(e, d, w, s, slope, n, w->rows);
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
