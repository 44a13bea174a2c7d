// SPDX-License-Identifier: GPL-3.0-or-later
// Powers of a transform of n = 64 A points (powers.h).  Compiled once per instruction set; only the
// one with 512-bit vectors has anything in it.
//
//     x[64 j + m]  --A points over j, turned by m k/n-->  row k, m = 0..63     in place, by columns
//     row k        --64 points over m, in registers-->    X[k + A l], l = 0..63
//     powers of all rows, value by value in turn, are those of X in order
//
// A vector holds eight complex values.  64 points are eight vectors: eight points down the vectors,
// turns, a transpose, eight points down again; the values come out in order.
#include "dsp/kernel/powers.h"

#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

extern const struct powers_ops PASTE(powers_ops, ISA);

#if VEC == 16
typedef double pairs __attribute__((vector_size(64)));      // complex values, moved as one

INLINE vec swap(vec v)
{
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}

// times -i
INLINE vec turned(vec v)
{
    const int32_t s = INT32_MIN;
    const vec_int odd = { 0, s, 0, s, 0, s, 0, s, 0, s, 0, s, 0, s, 0, s };
    return (vec)((vec_int)swap(v) ^ odd);
}

// t: eight real parts, each twice; eight imaginary parts, each twice, the first of them negative.
INLINE vec turned_by(vec v, const float *t)
{
    return v * vec_load(t) + swap(v) * vec_load(t + VEC);
}

INLINE void four(vec *a, vec *b, vec *c, vec *d)
{
    vec s = *a + *c, t = *a - *c, u = *b + *d, v = turned(*b - *d);
    *a = s + u;
    *b = t + v;
    *c = s - u;
    *d = t - v;
}

INLINE void eight_points(vec x[8])
{
    const vec r = vec_splat(0.70710678118654752f);
    vec a[4], b[4];

    for (int j = 0; j < 4; j++) {
        a[j] = x[j] + x[j + 4];
        b[j] = x[j] - x[j + 4];
    }
    vec t1 = turned(b[1]), t3 = turned(b[3]);
    b[1] = (b[1] + t1) * r;
    b[2] = turned(b[2]);
    b[3] = (t3 - b[3]) * r;
    four(&a[0], &a[1], &a[2], &a[3]);
    four(&b[0], &b[1], &b[2], &b[3]);
    for (int j = 0; j < 4; j++) {
        x[2 * j] = a[j];
        x[2 * j + 1] = b[j];
    }
}

// 16 = 4 x 4; `by`: turns by 1/16, from 0 to 9 of them.
INLINE void sixteen_points(vec x[16])
{
    static const float c[10] = { 1, 0.92387953251f, 0.70710678119f, 0.38268343236f, 0,
                                 -0.38268343236f, -0.70710678119f, -0.92387953251f, -1,
                                 -0.92387953251f };
    static const float s[10] = { 0, -0.38268343236f, -0.70710678119f, -0.92387953251f, -1,
                                 -0.92387953251f, -0.70710678119f, -0.38268343236f, 0,
                                 0.38268343236f };
    vec y[16];

    for (int b = 0; b < 4; b++)
        four(&x[b], &x[b + 4], &x[b + 8], &x[b + 12]);      // x[b + 4k]: point k of column b
    for (int k = 1; k < 4; k++)
        for (int b = 1; b < 4; b++) {
            vec v = x[b + 4 * k], i = vec_splat(s[b * k]);
            const int32_t n = INT32_MIN;
            const vec_int even = { n, 0, n, 0, n, 0, n, 0, n, 0, n, 0, n, 0, n, 0 };
            x[b + 4 * k] = v * c[b * k] + swap(v) * (vec)((vec_int)i ^ even);
        }
    for (int k = 0; k < 4; k++) {
        four(&x[4 * k], &x[4 * k + 1], &x[4 * k + 2], &x[4 * k + 3]);
        for (int l = 0; l < 4; l++)
            y[k + 4 * l] = x[4 * k + l];
    }
    memcpy(x, y, sizeof y);
}

INLINE vec low_high(vec a, vec b, int part)     // parts of a transpose
{
    pairs p = (pairs)a, q = (pairs)b;
    switch (part) {
    case 0:  return (vec)__builtin_shufflevector(p, q, 0, 8, 2, 10, 4, 12, 6, 14);
    case 1:  return (vec)__builtin_shufflevector(p, q, 1, 9, 3, 11, 5, 13, 7, 15);
    case 2:  return (vec)__builtin_shufflevector(p, q, 0, 1, 8, 9, 4, 5, 12, 13);
    case 3:  return (vec)__builtin_shufflevector(p, q, 2, 3, 10, 11, 6, 7, 14, 15);
    case 4:  return (vec)__builtin_shufflevector(p, q, 0, 1, 2, 3, 8, 9, 10, 11);
    default: return (vec)__builtin_shufflevector(p, q, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

INLINE void transpose(vec x[8])
{
    vec t[8], u[8];

    for (int i = 0; i < 4; i++) {       // t[i]: even places of rows 2i and 2i + 1, t[i + 4]: odd
        t[i] = low_high(x[2 * i], x[2 * i + 1], 0);
        t[i + 4] = low_high(x[2 * i], x[2 * i + 1], 1);
    }
    for (int i = 0; i < 8; i += 2) {    // four rows: places 0 4, or 2 6; then 1 5, or 3 7
        u[i] = low_high(t[i], t[i + 1], 2);
        u[i + 1] = low_high(t[i], t[i + 1], 3);
    }
    for (int odd = 0; odd < 2; odd++)
        for (int i = 0; i < 2; i++) {
            vec a = u[4 * odd + i], b = u[4 * odd + 2 + i];
            x[2 * i + odd] = low_high(a, b, 4);
            x[2 * i + odd + 4] = low_high(a, b, 5);
        }
}

// 64 points of x in registers: the powers of X[16 i ...] in p[i].
INLINE void row_powers(const float *x, const float *turns, vec p[4])
{
    vec v[8];

    for (int j = 0; j < 8; j++)
        v[j] = vec_load(x + j * VEC);
    eight_points(v);
    for (int j = 1; j < 8; j++)
        v[j] = turned_by(v[j], turns + (j - 1) * 2 * VEC);
    transpose(v);
    eight_points(v);
    for (int i = 0; i < 4; i++) {
        vec a = v[2 * i] * v[2 * i], b = v[2 * i + 1] * v[2 * i + 1];
        p[i] = __builtin_shufflevector(a, b, VEC_EVEN) + __builtin_shufflevector(a, b, VEC_ODD);
    }
}

// Columns of A points, each turned.
INLINE void columns(float *restrict x, size_t a, const float *restrict turns)
{
    for (size_t g = 0; g < 8; g++, x += VEC) {
        vec v[16];
        for (size_t j = 0; j < a; j++)
            v[j] = vec_load(x + j * 128);
        if (a == 2) {
            vec d = v[0] - v[1];
            v[0] += v[1];
            v[1] = d;
        } else if (a == 4) {
            four(&v[0], &v[1], &v[2], &v[3]);
        } else if (a == 8) {
            eight_points(v);
        } else {
            sixteen_points(v);
        }
        vec_store(x, v[0]);
        for (size_t j = 1; j < a; j++, turns += 2 * VEC)
            vec_store(x + j * 128, turned_by(v[j], turns));
    }
}

// Two values side by side in each lane: the upper halves of a's and b's, a's first.
INLINE vec_int pack_two(vec a, vec b)
{
    vec_int lo = ((vec_int)a + 0x8000) >> 16 & 0xffff, hi = ((vec_int)b + 0x8000) & ~0xffff;
    return lo | hi;
}

// Values of the first and the second half of `many` vectors in turn, until all of one place stand
// together: log2(many) times.
INLINE void in_turn(vec_int *v, size_t many)
{
    vec_int w[8];

    for (size_t step = 1; step < many; step *= 2) {
        for (size_t i = 0; i < many / 2; i++) {
            w[2 * i] = __builtin_shufflevector(v[i], v[i + many / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                               20, 5, 21, 6, 22, 7, 23);
            w[2 * i + 1] = __builtin_shufflevector(v[i], v[i + many / 2], 8, 24, 9, 25, 10, 26, 11,
                                                   27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (size_t i = 0; i < many; i++)
            v[i] = w[i];
    }
}

// a rows of powers, each in the first half of its place, to packed ones in order.
INLINE void put_rows(const float *restrict x, size_t a, uint16_t *restrict ret)
{
    for (size_t i = 0; i < 4; i++) {    // 16 values of each row; negative frequencies come first
        vec_int v[8];
        uint16_t *to = ret + (i + 2) % 4 * VEC * a;
        for (size_t k = 0; k < a; k += 2)
            v[k / 2] = pack_two(vec_load(x + k * 128 + i * VEC),
                                vec_load(x + (k + 1) * 128 + i * VEC));
        in_turn(v, a / 2);
        for (size_t k = 0; k < a / 2; k++)
            memcpy(to + k * 2 * VEC, &v[k], sizeof v[k]);
    }
}

INLINE float run_rows(float *restrict x, size_t a, const float *restrict turns,
                      uint16_t *restrict ret)
{
    vec top = vec_splat(0), p[4];

    columns(x, a, turns + 7 * 2 * VEC);
    for (size_t k = 0; k < a; k++) {
        row_powers(x + k * 128, turns, p);
        for (size_t i = 0; i < 4; i++) {
            top = vec_max(top, p[i]);
            vec_store(x + k * 128 + i * VEC, p[i]);
        }
    }
    put_rows(x, a, ret);
    return vec_top(top);
}

static float run(float *restrict x, size_t n, const float *restrict turns, uint16_t *restrict ret)
{
    vec p[4];

    if (n == 1024)
        return run_rows(x, 16, turns, ret);
    if (n == 512)
        return run_rows(x, 8, turns, ret);
    if (n == 256)
        return run_rows(x, 4, turns, ret);
    if (n == 128)
        return run_rows(x, 2, turns, ret);
    row_powers(x, turns, p);
    for (size_t i = 0; i < 4; i++) {
        vec_half h = vec_pack(p[i]);
        memcpy(ret + (i + 2) % 4 * VEC, &h, sizeof h);
    }
    return vec_top(vec_max(vec_max(p[0], p[1]), vec_max(p[2], p[3])));
}

const struct powers_ops PASTE(powers_ops, ISA) = { .run = run };
#else
const struct powers_ops PASTE(powers_ops, ISA) = { .run = NULL };
#endif
