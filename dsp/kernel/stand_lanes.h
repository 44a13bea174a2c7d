// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops over LANES streams side by side: see dsp/stand/ops.h.  Included once for each number.
#include "dsp/kernel/vec.h"
#include "dsp/stand/ops.h"

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)
#define ROW        (2 * LANES)

// A block of samples of one stream after the other: reads stay in cache, writes are whole rows.
static void turn(const float complex *const x[LANES_MAX], size_t n, float *restrict row)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < LANES; k++) {
            const float *v = (const float *)(x[k] + i);
            row[i * ROW + k] = v[0];
            row[i * ROW + LANES + k] = v[1];
        }
}

// Even and odd taps apart: sums that do not wait for each other.
static void read_off(const float *restrict x, double at, double step,
                     const float (*restrict taps)[READ_TAPS], size_t n, float *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double p = at + (double)i * step;
        uint32_t whole = (uint32_t)p;
        const float *h = taps[(uint32_t)((p - (double)whole) * READ_PHASES + 0.5)];
        const float *r = x + (size_t)whole * ROW;
        for (size_t v = 0; v < ROW; v += VEC) {
            vec a = vec_load(r + v) * h[0], b = vec_load(r + ROW + v) * h[1];
            for (size_t k = 2; k < READ_TAPS; k += 2) {
                a += vec_load(r + k * ROW + v) * h[k];
                b += vec_load(r + (k + 1) * ROW + v) * h[k + 1];
            }
            vec_store(out + i * ROW + v, a + b);
        }
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

static void scale(const float *restrict energies, size_t n, float *restrict ret)
{
    for (size_t v = 0; v < LANES; v += VEC) {
        vec sum = { 0 };
        for (size_t i = 0; i < n; i++)
            sum += vec_load(energies + i * LANES + v);
        vec_int some = sum > vec_splat(1e-30f);
        vec_store(ret + v, (vec)(some & (vec_int)(1 / sum)));
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

struct best { vec most; vec_int at; };

// A row's bins.
INLINE void finish(struct cv a, vec by, const struct lane_sums *s, size_t row, size_t v,
                   struct best *b)
{
    float *last = s->last + row * LANES + v, *pair = s->pair + row * LANES + v;
    vec p = power(a) * by, two = p + vec_load(last), four = two + vec_load(pair);
    vec_store(last, p);
    vec_store(pair, two);
    vec_int more = four > b->most, now = (vec_int){ 0 } + (int32_t)row;
    b->most = vec_max(b->most, four);
    b->at = (more & now) | (~more & b->at);
}

INLINE void last_four(const float *restrict w, size_t n, vec by, const struct lane_sums *s,
                      size_t v, struct best *r)
{
    for (size_t i = 0; i < n; i += 4) {
        struct cv a = load(w + i * ROW), b = load(w + (i + 1) * ROW);
        struct cv c = load(w + (i + 2) * ROW), d = load(w + (i + 3) * ROW);
        four(&a, &b, &c, &d);
        finish(a, by, s, i, v, r);
        finish(b, by, s, i + 1, v, r);
        finish(c, by, s, i + 2, v, r);
        finish(d, by, s, i + 3, v, r);
    }
}

INLINE void last_two(const float *restrict w, size_t n, vec by, const struct lane_sums *s,
                     size_t v, struct best *r)
{
    for (size_t i = 0; i < n; i += 2) {
        struct cv a = load(w + i * ROW), b = load(w + (i + 1) * ROW);
        finish((struct cv){ a.re + b.re, a.im + b.im }, by, s, i, v, r);
        finish((struct cv){ a.re - b.re, a.im - b.im }, by, s, i + 1, v, r);
    }
}

static void spread(const float *restrict x, const float complex *restrict chirp,
                   const float complex *restrict turns, size_t n, const float *restrict by,
                   float *restrict w, const struct lane_sums *s, float *restrict ret,
                   int32_t *restrict row)
{
    for (size_t v = 0; v < LANES; v += VEC) {
        const float complex *t = turns;
        struct best b = { .most = { 0 } };
        size_t q = n / 4;
        first(x + v, chirp, t, q, w + v);
        for (t += 3 * q, q /= 4; q > 1; t += 3 * q, q /= 4)
            pass(w + v, t, n, q);
        if (q)
            last_four(w + v, n, vec_load(by + v), s, v, &b);
        else
            last_two(w + v, n, vec_load(by + v), s, v, &b);
        vec_store(ret + v, b.most);
        memcpy(row + v, &b.at, sizeof b.at);
    }
}

#define LANE_NAME_(n) CAT(lane##n, ISA)
#define LANE_NAME(n)  LANE_NAME_(n)
extern const struct lane_ops LANE_NAME(LANES);
const struct lane_ops LANE_NAME(LANES) = { LANES, ROW, turn, read_off, energy, scale, spread };
