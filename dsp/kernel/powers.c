// SPDX-License-Identifier: GPL-3.0-or-later
// Powers of a transform of n points (powers.h).  Compiled once per instruction set; only the one
// with 512-bit vectors has anything in it.
//
//     x  --8 (or 4, 2) points over stretches of x, turned-->  8 rows of n/8      in place
//        --the same over each row-->  ...  -->  n/16 rows of 16 points, each one vector
//        --16 of them transposed, 16 points down the vectors-->  X[16 q .. ] and every n/16 on
//
// Real and imaginary parts lie apart, 16 of each in turn, from the first step on: no value needs
// another lane's until the transpose, and what leaves it stands in order.
#include "dsp/kernel/powers.h"

#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

extern const struct powers_ops PASTE(powers_ops, ISA);

#if VEC == 16
#define PAIR (2 * VEC)          // floats of 16 complex values

struct both { vec re, im; };

INLINE struct both load(const float *x) { return (struct both){ vec_load(x), vec_load(x + VEC) }; }

INLINE void store(float *x, struct both v)
{
    vec_store(x, v.re);
    vec_store(x + VEC, v.im);
}

// Of interleaved values.
INLINE struct both load_apart(const float *x)
{
    vec a = vec_load(x), b = vec_load(x + VEC);
    return (struct both){ __builtin_shufflevector(a, b, VEC_EVEN),
                          __builtin_shufflevector(a, b, VEC_ODD) };
}

INLINE struct both plus(struct both a, struct both b)
{
    return (struct both){ a.re + b.re, a.im + b.im };
}

INLINE struct both minus(struct both a, struct both b)
{
    return (struct both){ a.re - b.re, a.im - b.im };
}

INLINE struct both turned(struct both v) { return (struct both){ v.im, -v.re }; }     // times -i

// t: 16 cosines, 16 sines of a negative angle.
INLINE struct both times(struct both v, vec c, vec s)
{
    return (struct both){ v.re * c - v.im * s, v.re * s + v.im * c };
}

INLINE void four(struct both *a, struct both *b, struct both *c, struct both *d)
{
    struct both s = plus(*a, *c), t = minus(*a, *c), u = plus(*b, *d), v = minus(*b, *d);
    *a = plus(s, u);
    *b = (struct both){ t.re + v.im, t.im - v.re };
    *c = minus(s, u);
    *d = (struct both){ t.re - v.im, t.im + v.re };
}

INLINE void eight(struct both x[8])
{
    const vec r = vec_splat(0.70710678118654752f);
    struct both a[4], b[4];

    for (int j = 0; j < 4; j++) {
        a[j] = plus(x[j], x[j + 4]);
        b[j] = minus(x[j], x[j + 4]);
    }
    b[1] = (struct both){ (b[1].re + b[1].im) * r, (b[1].im - b[1].re) * r };
    b[2] = turned(b[2]);
    b[3] = (struct both){ (b[3].im - b[3].re) * r, -((b[3].re + b[3].im) * r) };
    four(&a[0], &a[1], &a[2], &a[3]);
    four(&b[0], &b[1], &b[2], &b[3]);
    for (int j = 0; j < 4; j++) {
        x[2 * j] = a[j];
        x[2 * j + 1] = b[j];
    }
}

// One step over `radix` stretches of `len` values each; the k-th result, turned, to stretch k.
INLINE void step(float *restrict x, size_t len, size_t radix, int apart, const float *restrict t)
{
    for (size_t m = 0; m < 2 * len; m += PAIR) {
        struct both v[8];
        for (size_t j = 0; j < radix; j++)
            v[j] = apart ? load(x + m + 2 * len * j) : load_apart(x + m + 2 * len * j);
        if (radix == 8) {
            eight(v);
        } else if (radix == 4) {
            four(&v[0], &v[1], &v[2], &v[3]);
        } else {
            struct both d = minus(v[0], v[1]);
            v[0] = plus(v[0], v[1]);
            v[1] = d;
        }
        store(x + m, v[0]);
        for (size_t k = 1; k < radix; k++, t += PAIR)
            store(x + m + 2 * len * k, times(v[k], vec_load(t), vec_load(t + VEC)));
    }
}

// Transposes 4 x 4 values within each quarter of four vectors.
INLINE void turn_quarters(vec v[4])
{
    typedef double pairs __attribute__((vector_size(64)));
#define LOW  0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
    pairs a = (pairs)__builtin_shufflevector(v[0], v[1], LOW);
    pairs b = (pairs)__builtin_shufflevector(v[0], v[1], HIGH);
    pairs c = (pairs)__builtin_shufflevector(v[2], v[3], LOW);
    pairs d = (pairs)__builtin_shufflevector(v[2], v[3], HIGH);
    v[0] = (vec)__builtin_shufflevector(a, c, 0, 8, 2, 10, 4, 12, 6, 14);
    v[1] = (vec)__builtin_shufflevector(a, c, 1, 9, 3, 11, 5, 13, 7, 15);
    v[2] = (vec)__builtin_shufflevector(b, d, 0, 8, 2, 10, 4, 12, 6, 14);
    v[3] = (vec)__builtin_shufflevector(b, d, 1, 9, 3, 11, 5, 13, 7, 15);
#undef LOW
#undef HIGH
}

// Transposes the quarters of four vectors.
INLINE void swap_quarters(vec v[4])
{
    typedef double pairs __attribute__((vector_size(64)));
    pairs p = (pairs)v[0], q = (pairs)v[1], r = (pairs)v[2], s = (pairs)v[3];
    pairs a = __builtin_shufflevector(p, q, 0, 1, 2, 3, 8, 9, 10, 11);
    pairs b = __builtin_shufflevector(p, q, 4, 5, 6, 7, 12, 13, 14, 15);
    pairs c = __builtin_shufflevector(r, s, 0, 1, 2, 3, 8, 9, 10, 11);
    pairs d = __builtin_shufflevector(r, s, 4, 5, 6, 7, 12, 13, 14, 15);
    v[0] = (vec)__builtin_shufflevector(a, c, 0, 1, 4, 5, 8, 9, 12, 13);
    v[1] = (vec)__builtin_shufflevector(a, c, 2, 3, 6, 7, 10, 11, 14, 15);
    v[2] = (vec)__builtin_shufflevector(b, d, 0, 1, 4, 5, 8, 9, 12, 13);
    v[3] = (vec)__builtin_shufflevector(b, d, 2, 3, 6, 7, 10, 11, 14, 15);
}

// Cosines and sines of a negative angle of 0 to 9 sixteenths of a circle.
static const float c16[10] = { 1, 0.92387953251f, 0.70710678119f, 0.38268343236f, 0,
                               -0.38268343236f, -0.70710678119f, -0.92387953251f, -1,
                               -0.92387953251f };
static const float s16[10] = { 0, -0.38268343236f, -0.70710678119f, -0.92387953251f, -1,
                               -0.92387953251f, -0.70710678119f, -0.38268343236f, 0,
                               0.38268343236f };

// Where rows of 16 lie and their powers go: four rows from each of from[], `apart` floats apart;
// `per` powers side by side to each of to[], the l-th such run `gap` behind the 0-th.
struct last { const float *from[4]; size_t apart; uint16_t *to[4]; size_t gap; };

// What the i-th row of 16 holds goes to lane i: 16 points down the vectors.
INLINE vec finish(const struct last *w, size_t per, vec top)
{
    struct both x[4][4], y[4][4];       // [group of rows, later: column mod 4][..]

    for (int g = 0; g < 4; g++) {
        vec re[4], im[4];
        for (size_t i = 0; i < 4; i++) {
            re[i] = vec_load(w->from[g] + i * w->apart);
            im[i] = vec_load(w->from[g] + i * w->apart + VEC);
        }
        turn_quarters(re);
        turn_quarters(im);
        for (int p = 0; p < 4; p++)
            x[p][g] = (struct both){ re[p], im[p] };
    }
    for (int p = 0; p < 4; p++) {       // columns p, p + 4, p + 8, p + 12
        vec re[4], im[4];
        for (int g = 0; g < 4; g++) {
            re[g] = x[p][g].re;
            im[g] = x[p][g].im;
        }
        swap_quarters(re);
        swap_quarters(im);
        struct both v[4];
        for (int c = 0; c < 4; c++)
            v[c] = (struct both){ re[c], im[c] };
        four(&v[0], &v[1], &v[2], &v[3]);
        y[0][p] = v[0];
        for (int k = 1; k < 4; k++)
            y[k][p] = p ? times(v[k], vec_splat(c16[p * k]), vec_splat(s16[p * k])) : v[k];
    }
    for (size_t k = 0; k < 4; k++) {
        struct both *v = y[k];
        four(&v[0], &v[1], &v[2], &v[3]);
        for (size_t j = 0; j < 4; j++) {
            vec p = v[j].re * v[j].re + v[j].im * v[j].im;
            size_t at = (k + 4 * j + 8) % 16 * w->gap;      // negative frequencies come first
            vec_half h = vec_pack(p);
            top = vec_max(top, p);
            for (size_t i = 0; i < VEC / per; i++)
                memcpy(w->to[i] + at, (const uint16_t *)&h + i * per, per * sizeof *w->to[i]);
        }
    }
    return top;
}

// Steps of radix a, b, c (1: none) in turn, then the last one; n / 16 = a b c.  a is 8; or 4, as is
// b, and there is no c.
INLINE vec run_one(float *restrict x, size_t n, size_t a, size_t b, size_t c,
                   const float *restrict t, uint16_t *restrict ret, vec top)
{
    size_t na = n / a, nb = na / b, nc = nb / c;

    step(x, na, a, 0, t);
    t += (a - 1) * 2 * na;
    for (size_t i = 0; i < a; i++)
        step(x + i * 2 * na, nb, b, 1, t);
    t += (b - 1) * 2 * nb;
    for (size_t i = 0; i < a * b && c > 1; i++)
        step(x + i * 2 * nb, nc, c, 1, t);
    if (a == 4) {
        struct last w = { .from = { x, x + 2 * nb, x + 4 * nb, x + 6 * nb }, .apart = 2 * na,
                          .to = { ret }, .gap = n / 16 };
        return finish(&w, VEC, top);
    }
    for (size_t q = 0; q < b * c; q += 2) {
        const float *even = x + 2 * (q % b * nb + q / b * nc);
        const float *odd = x + 2 * ((q + 1) % b * nb + (q + 1) / b * nc);
        struct last w = { .from = { even, even + 8 * na, odd, odd + 8 * na }, .apart = 2 * na,
                          .to = { ret + 8 * q }, .gap = n / 16 };
        top = finish(&w, VEC, top);
    }
    return top;
}

// Two transforms of 128 points, or four of 64, make 16 rows.
INLINE vec run_some(float *restrict x, size_t n, size_t stride, size_t many,
                    const float *restrict t, uint16_t *restrict ret, vec top)
{
    size_t each = 256 / n, rows = n / 16;
    struct last w = { .apart = PAIR, .gap = rows };

    for (size_t i = 0; i < many; i++)
        step(x + i * stride, VEC, rows, 0, t);
    for (size_t g = 0; g < 4; g++) {    // those there are not: read, their powers overwritten
        size_t i = g * each / 4 < many ? g * each / 4 : 0;
        w.from[g] = x + i * stride + g % (rows / 4) * 4 * PAIR;
    }
    for (size_t i = each; i--;)
        w.to[i] = ret + (i < many ? i : 0) * n;
    return finish(&w, rows, top);
}

static float run(float *restrict x, size_t n, unsigned many, size_t stride,
                 const float *restrict turns, uint16_t *restrict ret)
{
    vec top = vec_splat(0);
    size_t each = n == 64 ? 4 : n == 128 ? 2 : 1;

    for (size_t i = 0; i < many; i += each, x += each * stride, ret += each * n) {
        size_t left = many - i < each ? many - i : each;
        switch (n) {
        case 64:   top = run_some(x, 64, stride, left, turns, ret, top); break;
        case 128:  top = run_some(x, 128, stride, left, turns, ret, top); break;
        case 256:  top = run_one(x, 256, 4, 4, 1, turns, ret, top); break;
        case 512:  top = run_one(x, 512, 8, 4, 1, turns, ret, top); break;
        case 1024: top = run_one(x, 1024, 8, 8, 1, turns, ret, top); break;
        case 2048: top = run_one(x, 2048, 8, 4, 4, turns, ret, top); break;
        case 4096: top = run_one(x, 4096, 8, 8, 4, turns, ret, top); break;
        default:   top = run_one(x, 8192, 8, 8, 8, turns, ret, top); break;
        }
    }
    return vec_top(top);
}

const struct powers_ops PASTE(powers_ops, ISA) = { .run = run };
#else
const struct powers_ops PASTE(powers_ops, ISA) = { .run = NULL };
#endif
