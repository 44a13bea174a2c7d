// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops of the standing detectors: see dsp/stand/ops.h.
#include "dsp/stand/ops.h"

#include "dsp/kernel/vec.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

INLINE vec swap_pairs(vec v)
{
#if VEC == 16
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif VEC == 8
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
#endif
}

static void weigh(const float complex *restrict x, const float *restrict w, float complex turn_by,
                  size_t n, float complex *restrict out)
{
    const float *in = (const float *)x, *by = (const float *)&turn_by;
    float *to = (float *)out, cross[VEC];
    for (size_t i = 0; i < VEC; i++)
        cross[i] = i & 1 ? by[1] : -by[1];
    vec c = vec_splat(by[0]), d = vec_load(cross);
    size_t i = 0;
    for (; i + VEC <= 2 * n; i += VEC) {
        vec v = vec_load(in + i);
        vec_store(to + i, (v * c + swap_pairs(v) * d) * vec_load(w + i));
    }
    for (; i < 2 * n; i += 2) {
        float a = in[i], b = in[i + 1];
        to[i] = (a * by[0] - b * by[1]) * w[i];
        to[i + 1] = (b * by[0] + a * by[1]) * w[i];
    }
}

// A block of samples of one stream after the other: reads stay in cache, writes are whole rows.
static void turn(const float complex *const x[LANES], size_t n, float *restrict row)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < LANES; k++) {
            const float *v = (const float *)(x[k] + i);
            row[i * ROW + k] = v[0];
            row[i * ROW + LANES + k] = v[1];
        }
}

#define HALVES (ROW / VEC)

static void read_off(const float *restrict x, double at, double step,
                     const float (*restrict taps)[READ_TAPS], size_t n, float *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double p = at + (double)i * step;
        size_t whole = (size_t)p;
        const float *h = taps[(size_t)((p - (double)whole) * READ_PHASES + 0.5)];
        const float *r = x + whole * ROW;
        vec sum[HALVES];
        for (size_t v = 0; v < HALVES; v++)
            sum[v] = vec_load(r + v * VEC) * h[0];
        for (size_t k = 1; k < READ_TAPS; k++)
            for (size_t v = 0; v < HALVES; v++)
                sum[v] += vec_load(r + k * ROW + v * VEC) * h[k];
        for (size_t v = 0; v < HALVES; v++)
            vec_store(out + i * ROW + v * VEC, sum[v]);
    }
}

static void energy(const float *restrict x, float *restrict ret)
{
    for (size_t v = 0; v < LANES; v += VEC) {
        vec sum = { 0 };
        for (size_t i = 0; i < SUM_ROWS; i++) {
            vec a = vec_load(x + i * ROW + v), b = vec_load(x + i * ROW + LANES + v);
            sum += a * a + b * b;
        }
        vec_store(ret + v, sum);
    }
}

struct cv { vec re, im; };

INLINE struct cv times(struct cv a, float complex w)
{
    const float *f = (const float *)&w;
    return (struct cv){ a.re * f[0] - a.im * f[1], a.re * f[1] + a.im * f[0] };
}

INLINE struct cv times_conj(struct cv a, float complex w)
{
    const float *f = (const float *)&w;
    return (struct cv){ a.re * f[0] + a.im * f[1], a.im * f[0] - a.re * f[1] };
}

INLINE struct cv load(const float *x) { return (struct cv){ vec_load(x), vec_load(x + LANES) }; }

INLINE void store(float *x, struct cv a)
{
    vec_store(x, a.re);
    vec_store(x + LANES, a.im);
}

// Four points, decimation in frequency, no turns.
INLINE void four(struct cv *a, struct cv *b, struct cv *c, struct cv *d)
{
    struct cv s = { a->re + c->re, a->im + c->im }, t = { a->re - c->re, a->im - c->im };
    struct cv u = { b->re + d->re, b->im + d->im }, v = { b->re - d->re, b->im - d->im };
    *a = (struct cv){ s.re + u.re, s.im + u.im };
    *b = (struct cv){ t.re + v.im, t.im - v.re };
    *c = (struct cv){ s.re - u.re, s.im - u.im };
    *d = (struct cv){ t.re - v.im, t.im + v.re };
}

// First pass, with the dechirping in it.
INLINE void first(const float *restrict x, const float complex *restrict chirp,
                  const float complex *restrict turns, size_t q, float *restrict w)
{
    for (size_t j = 0; j < q; j++) {
        struct cv a = times_conj(load(x + j * ROW), chirp[j]);
        struct cv b = times_conj(load(x + (j + q) * ROW), chirp[j + q]);
        struct cv c = times_conj(load(x + (j + 2 * q) * ROW), chirp[j + 2 * q]);
        struct cv d = times_conj(load(x + (j + 3 * q) * ROW), chirp[j + 3 * q]);
        four(&a, &b, &c, &d);
        store(w + j * ROW, a);
        store(w + (j + q) * ROW, times(b, turns[3 * j]));
        store(w + (j + 2 * q) * ROW, times(c, turns[3 * j + 1]));
        store(w + (j + 3 * q) * ROW, times(d, turns[3 * j + 2]));
    }
}

INLINE void pass(float *restrict w, const float complex *restrict turns, size_t n, size_t q)
{
    for (size_t at = 0; at < n; at += 4 * q)
        for (size_t j = 0; j < q; j++) {
            float *y = w + (at + j) * ROW;
            struct cv a = load(y), b = load(y + q * ROW), c = load(y + 2 * q * ROW);
            struct cv d = load(y + 3 * q * ROW);
            four(&a, &b, &c, &d);
            store(y, a);
            store(y + q * ROW, times(b, turns[3 * j]));
            store(y + 2 * q * ROW, times(c, turns[3 * j + 1]));
            store(y + 3 * q * ROW, times(d, turns[3 * j + 2]));
        }
}

INLINE vec power(struct cv a) { return a.re * a.re + a.im * a.im; }

INLINE void last_four(const float *restrict w, size_t n, vec scale, float *restrict p)
{
    for (size_t i = 0; i < n; i += 4) {
        struct cv a = load(w + i * ROW), b = load(w + (i + 1) * ROW);
        struct cv c = load(w + (i + 2) * ROW), d = load(w + (i + 3) * ROW);
        four(&a, &b, &c, &d);
        vec_store(p + i * LANES, power(a) * scale);
        vec_store(p + (i + 1) * LANES, power(b) * scale);
        vec_store(p + (i + 2) * LANES, power(c) * scale);
        vec_store(p + (i + 3) * LANES, power(d) * scale);
    }
}

INLINE void last_two(const float *restrict w, size_t n, vec scale, float *restrict p)
{
    for (size_t i = 0; i < n; i += 2) {
        struct cv a = load(w + i * ROW), b = load(w + (i + 1) * ROW);
        struct cv s = { a.re + b.re, a.im + b.im }, t = { a.re - b.re, a.im - b.im };
        vec_store(p + i * LANES, power(s) * scale);
        vec_store(p + (i + 1) * LANES, power(t) * scale);
    }
}

static void spread(const float *restrict x, const float complex *restrict chirp,
                   const float complex *restrict turns, size_t n, const float *restrict scale,
                   float *restrict w, float *restrict p)
{
    for (size_t v = 0; v < LANES; v += VEC) {
        const float complex *t = turns;
        size_t q = n / 4;
        first(x + v, chirp, t, q, w + v);
        for (t += 3 * q, q /= 4; q > 1; t += 3 * q, q /= 4)
            pass(w + v, t, n, q);
        if (q)
            last_four(w + v, n, vec_load(scale + v), p + v);
        else
            last_two(w + v, n, vec_load(scale + v), p + v);
    }
}

static void top(const float *restrict a, const float *restrict b, const float *restrict c,
                const float *restrict d, size_t n, float *restrict ret, int32_t *restrict row)
{
    for (size_t v = 0; v < LANES; v += VEC) {
        vec most = { 0 };
        vec_int at = { 0 };
        for (size_t i = 0; i < n; i++) {
            size_t k = i * LANES + v;
            vec sum = (vec_load(a + k) + vec_load(b + k)) + (vec_load(c + k) + vec_load(d + k));
            vec_int more = sum > most, now = (vec_int){ 0 } + (int32_t)i;
            most = vec_max(most, sum);
            at = (more & now) | (~more & at);
        }
        vec_store(ret + v, most);
        memcpy(row + v, &at, sizeof at);
    }
}

extern const struct stand_ops CAT(stand_ops, ISA);
const struct stand_ops CAT(stand_ops, ISA) = { weigh, turn, read_off, energy, spread, top };
