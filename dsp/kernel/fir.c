// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the resampler (dsp/ddc.c).  Compiled once per instruction set.
#include "dsp/kernel/fir.h"

#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

// Sixteen lanes as vectors of what a register holds: gcc makes single numbers of wider ones.  Of
// half of that where registers are as wide as a cache line: hardly any of those lies in one line.
#define WIDE (VEC >= 8 ? 8 : VEC)
#define PER  (FIR_LANES / WIDE)

typedef float wide __attribute__((vector_size(4 * WIDE)));
typedef float wide_at __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));
struct lanes { wide v[PER]; };

INLINE wide at(const float *p) { return *(const wide_at *)p; }

INLINE void lanes_add(struct lanes *s, const float *x, const float *a)
{
    for (size_t k = 0; k < PER; k++)
        s->v[k] += at(x + k * WIDE) * at(a + k * WIDE);
}

// Lanes of one sum, by halves: sixteen, eight, four, then one complex number.
INLINE void lanes_fold(const struct lanes *s, float *ret)
{
    float a[FIR_LANES];
    memcpy(a, s, sizeof a);
    for (size_t n = FIR_LANES / 2; n >= 2; n /= 2)
        for (size_t i = 0; i < n; i++)
            a[i] += a[i + n];
    ret[0] = a[0];
    ret[1] = a[1];
}

#if VEC >= 8
#define OUTPUTS 4
// a and b by half: four lanes of a, four of b.
INLINE wide halves(wide a, wide b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}

// Four sums as lanes_fold adds them, all at once.
INLINE void lanes_folds(const struct lanes s[OUTPUTS], float *ret, size_t step)
{
    wide a = halves(s[0].v[0] + s[0].v[1], s[1].v[0] + s[1].v[1]);
    wide b = halves(s[2].v[0] + s[2].v[1], s[3].v[0] + s[3].v[1]);
    wide r = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
             __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);     // of 0, 2, 1, 3
    float v[8];
    memcpy(v, &r, sizeof v);
    memcpy(ret, v, 2 * sizeof *v);
    memcpy(ret + step, v + 4, 2 * sizeof *v);
    memcpy(ret + 2 * step, v + 2, 2 * sizeof *v);
    memcpy(ret + 3 * step, v + 6, 2 * sizeof *v);
}
#else
#define OUTPUTS 2                   // more do not fit into the registers
INLINE void lanes_folds(const struct lanes s[OUTPUTS], float *ret, size_t step)
{
    for (size_t k = 0; k < OUTPUTS; k++)
        lanes_fold(&s[k], ret + k * step);
}
#endif

// Two filters over one stretch: apart they hide each other's latency.
static void lerp(const float *restrict x, const float *restrict a, const float *restrict b,
                 float mu, size_t n, float *ret)
{
    struct lanes s = { 0 }, t = { 0 };
    for (size_t i = 0; i < n; i += FIR_LANES) {
        lanes_add(&s, x + i, a + i);
        lanes_add(&t, x + i, b + i);
    }
    for (size_t k = 0; k < PER; k++)
        s.v[k] += mu * (t.v[k] - s.v[k]);
    lanes_fold(&s, ret);
}

static void dot(const float *restrict x, const float *restrict a, size_t n, float *ret)
{
    struct lanes s = { 0 };
    for (size_t i = 0; i < n; i += FIR_LANES)
        lanes_add(&s, x + i, a + i);
    lanes_fold(&s, ret);
}

// Some outputs at a time, with the taps read once; each sums as dot does.
static void dots(const float *restrict x, size_t step, const float *restrict a, size_t n,
                 size_t count, float *restrict ret, size_t ret_step)
{
    size_t j = 0;
    for (; j + OUTPUTS <= count; j += OUTPUTS, x += OUTPUTS * step) {
        struct lanes s[OUTPUTS] = { 0 };
        for (size_t i = 0; i < n; i += FIR_LANES)
            for (size_t k = 0; k < PER; k++) {
                wide tap = at(a + i + k * WIDE);
                for (size_t o = 0; o < OUTPUTS; o++)
                    s[o].v[k] += at(x + o * step + i + k * WIDE) * tap;
            }
        lanes_folds(s, ret + j * ret_step, ret_step);
    }
    for (; j < count; j++, x += step)
        dot(x, a, n, ret + j * ret_step);
}

// I0(2 sqrt q) by its series, which needs no root; 16 terms are exact to 1e-9 for q up to 12.
static inline float bessel(float q)
{
    static const float over_k2[] = {
        1, 1.f / 4, 1.f / 9, 1.f / 16, 1.f / 25, 1.f / 36, 1.f / 49, 1.f / 64, 1.f / 81, 1.f / 100,
        1.f / 121, 1.f / 144, 1.f / 169, 1.f / 196, 1.f / 225, 1.f / 256,
    };
    float s = 0;
    for (int k = 15; k >= 0; k--)
        s = (s + 1) * q * over_k2[k];
    return s + 1;
}

static void row(const struct fir_row *r, size_t n, float *restrict ret)
{
    const float *restrict wave = r->wave;
    const float t0 = r->t0, s0 = r->s0, c0 = r->c0, over_i0 = r->over_i0, peak = r->peak;
    const float over_half2 = r->over_half2, beta2 = r->beta2;
    for (size_t k = 0; k < n; k++) {
        float t = t0 + (float)(int)k, in = 1 - t * t * over_half2;
        float w = in > 0 ? bessel(beta2 * in) * over_i0 : 0;
        float a = (s0 * wave[2 * k] + c0 * wave[2 * k + 1]) * (float)(1 / 3.14159265358979323846);
        float v = (t != 0 ? a / t : peak) * w;
        ret[2 * k] = v;
        ret[2 * k + 1] = v;
    }
}

static void mix(float *restrict x, const float *restrict turn, float re, float im)
{
    for (size_t k = 0; k < FIR_TURN; k++) {
        float wr = turn[2 * k] * re - turn[2 * k + 1] * im;
        float wi = turn[2 * k] * im + turn[2 * k + 1] * re;
        float xr = x[2 * k], xi = x[2 * k + 1];
        x[2 * k] = xr * wr - xi * wi;
        x[2 * k + 1] = xr * wi + xi * wr;
    }
}

extern const struct fir_ops PASTE(fir_ops, ISA);
const struct fir_ops PASTE(fir_ops, ISA) = { .lerp = lerp, .dot = dot, .dots = dots,
                                             .mix = mix, .row = row };
