// SPDX-License-Identifier: GPL-3.0-or-later
// Interpolation and turns (interp.h).  Compiled once per instruction set; all give the same bits
// (kernel.h): a sum of taps has 16 lanes, however many registers they take, and the lanes are
// added in halves,
//
//     16 --(k + (k + 8))--> 8 --(k + (k + 4))--> 4 --(k + (k + 2))--> 2 --> 1
//
// for two outputs, I and Q, at once.
#include "sdr/kernel/interp.h"

#include <string.h>

#include "sdr/kernel/kernel.h"

#define LANES 16
#if defined __AVX512F__
#define W 16
#elif defined __AVX2__
#define W 8
#else
#define W 4
#endif
#define REGS (LANES / W)
#define SHUFFLE __builtin_shufflevector

typedef float vec __attribute__((vector_size(4 * W)));
typedef float vec4 __attribute__((vector_size(16)));

#pragma GCC diagnostic ignored "-Wpsabi"        // these vectors pass between inlined functions only

KERNEL_INLINE vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

// The sums of 16 lanes each of a, b, c and d.
KERNEL_INLINE vec4 sums(const vec *a, const vec *b, const vec *c, const vec *d)
{
#if W == 16
    vec t = SHUFFLE(*a, *b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
            SHUFFLE(*a, *b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    vec u = SHUFFLE(*c, *d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
            SHUFFLE(*c, *d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    vec v = SHUFFLE(t, u, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
            SHUFFLE(t, u, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    v += SHUFFLE(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    v += SHUFFLE(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    return SHUFFLE(v, v, 0, 4, 8, 12);
#elif W == 8
    vec i = a[0] + a[1], j = b[0] + b[1], k = c[0] + c[1], l = d[0] + d[1];
    vec t = SHUFFLE(i, j, 0, 1, 2, 3, 8, 9, 10, 11) + SHUFFLE(i, j, 4, 5, 6, 7, 12, 13, 14, 15);
    vec u = SHUFFLE(k, l, 0, 1, 2, 3, 8, 9, 10, 11) + SHUFFLE(k, l, 4, 5, 6, 7, 12, 13, 14, 15);
    vec v = SHUFFLE(t, u, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(t, u, 2, 3, 10, 11, 6, 7, 14, 15);
    v += SHUFFLE(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
    return SHUFFLE(v, v, 0, 4, 2, 6);
#else
    vec i = (a[0] + a[2]) + (a[1] + a[3]), j = (b[0] + b[2]) + (b[1] + b[3]);
    vec k = (c[0] + c[2]) + (c[1] + c[3]), l = (d[0] + d[2]) + (d[1] + d[3]);
    vec t = SHUFFLE(i, j, 0, 1, 4, 5) + SHUFFLE(i, j, 2, 3, 6, 7);
    vec u = SHUFFLE(k, l, 0, 1, 4, 5) + SHUFFLE(k, l, 2, 3, 6, 7);
    return SHUFFLE(t, u, 0, 2, 4, 6) + SHUFFLE(t, u, 1, 3, 5, 7);
#endif
}

// I and Q at pos, still in lanes.
KERNEL_INLINE void dot(const struct interp_rows *f, int taps, const float *re, const float *im,
                       __int128 pos, vec a[REGS], vec b[REGS])
{
    uint64_t frac = (uint64_t)pos;
    const float *c = f->c + 2 * (size_t)taps * (size_t)(frac >> (64 - f->bits));
    vec mu = (float)(int32_t)((frac << f->bits) >> 40) * 0x1p-24f - (vec){ 0 };
    re += (long long)(pos >> 64);
    im += (long long)(pos >> 64);
    for (int k = 0; k < LANES; k += W) {
        vec w = load(c + k) + mu * load(c + taps + k);
        a[k / W] = w * load(re + k);
        b[k / W] = w * load(im + k);
    }
    for (int k = LANES; k < taps; k += W) {
        vec w = load(c + k) + mu * load(c + taps + k);
        a[k / W % REGS] += w * load(re + k);
        b[k / W % REGS] += w * load(im + k);
    }
}

KERNEL_INLINE void run_of(const struct interp_rows *f, int taps, const float *re, const float *im,
                          __int128 pos, __int128 step, size_t n, float *restrict ret_re,
                          float *restrict ret_im)
{
    struct interp_rows own = *f;
    vec a[REGS], b[REGS], c[REGS], d[REGS];
    size_t k = 0;
    re -= taps / 2 - 1;
    im -= taps / 2 - 1;
    for (; k + 2 <= n; k += 2, pos += 2 * step) {
        dot(&own, taps, re, im, pos, a, c);
        dot(&own, taps, re, im, pos + step, b, d);
        vec4 s = sums(a, b, c, d);
        memcpy(ret_re + k, &s, 2 * sizeof *ret_re);
        memcpy(ret_im + k, (const float *)&s + 2, 2 * sizeof *ret_im);
    }
    if (k < n) {
        dot(&own, taps, re, im, pos, a, c);
        vec4 s = sums(a, a, c, c);
        ret_re[k] = s[0];
        ret_im[k] = s[2];
    }
}

static void run(const struct interp_rows *f, const float *re, const float *im, __int128 pos,
                __int128 step, size_t n, float *restrict ret_re, float *restrict ret_im)
{
    if (f->taps == 32)          // nearly always: unrolled
        run_of(f, 32, re, im, pos, step, n, ret_re, ret_im);
    else
        run_of(f, f->taps, re, im, pos, step, n, ret_re, ret_im);
}

struct iq { float re, im; };

KERNEL_INLINE struct iq turned(float tr, float ti, float c, float s, float re, float im)
{
    float pr = tr * c - ti * s, pi = tr * s + ti * c;
    return (struct iq){ re * pr - im * pi, re * pi + im * pr };
}

static void turn(const float *restrict table_re, const float *restrict table_im, float c, float s,
                 float *restrict re, float *restrict im, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct iq v = turned(table_re[i], table_im[i], c, s, re[i], im[i]);
        re[i] = v.re;
        im[i] = v.im;
    }
}

static void turn_add(const float *restrict table_re, const float *restrict table_im, float c,
                     float s, const float *restrict re, const float *restrict im,
                     float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct iq v = turned(table_re[i], table_im[i], c, s, re[i], im[i]);
        x[2 * i] += v.re;
        x[2 * i + 1] += v.im;
    }
}

static void split(const float *restrict x, float *restrict re, float *restrict im, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        re[i] = x[2 * i];
        im[i] = x[2 * i + 1];
    }
}

extern const struct interp_ops KERNEL(interp_ops);
const struct interp_ops KERNEL(interp_ops) = { .run = run, .turn = turn, .turn_add = turn_add,
                                               .split = split };
