// SPDX-License-Identifier: GPL-3.0-or-later
// Band-limited interpolation: a Kaiser-windowed sinc, kept at some phases, its coefficients
// interpolated linearly between two of them.
//
//     input    x . . x . . x . . x         y = sum of taps inputs around pos, each weighted by the
//     pos              ^                   windowed sinc at its distance from pos
//
// Numbers: a Kaiser window of beta 8 stops 80 dB; over 0.16 cycles per sample of edge that takes
// (80 - 8) / (2.285 * 2 pi * 0.16) = 31 taps.  With 128 phases a sample the linear interpolation of
// the coefficients errs by (2 pi 0.42 / 128)^2 / 8 = -94 dB.  A narrower edge stretches the filter
// by taps / 32 and needs as many phases less for the same error.
#include "sdr/sim/interp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BETA   8.0
#define PHASES 128

// Eight floats at any address.  Where a machine has fewer in a register the compiler takes two of
// them: the same sums in the same order, so the same bits everywhere.
typedef float v8 __attribute__((vector_size(32)));
typedef float v8_any __attribute__((vector_size(32), aligned(4), may_alias));

struct interp {
    int   taps, bits;           // 2^bits phases a sample
    float c[];                  // per phase: taps values, then taps differences to the next phase
};

// Modified Bessel function I0 by its power series.
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-12 * sum; k++) {
        term *= (x / 2 / k) * (x / 2 / k);
        sum += term;
    }
    return sum;
}

// The filter's impulse response at distance t (input samples).
static double response(double t, double cutoff, double half)
{
    double u = t / half, x = 2 * M_PI * cutoff * t;
    if (fabs(u) >= 1)
        return 0;
    double sinc = fabs(x) < 1e-9 ? 1 : sin(x) / x;
    return 2 * cutoff * sinc * bessel_i0(BETA * sqrt(1 - u * u)) / bessel_i0(BETA);
}

struct interp *interp_new(double cutoff, double edge)
{
    int stretch = (int)ceil(0.16 / edge - 1e-9), bits = 1;
    if (stretch < 1)
        stretch = 1;
    int taps = INTERP_TAPS * stretch;
    while ((1 << bits) * stretch < PHASES)
        bits++;
    size_t rows = (size_t)1 << bits, len = rows * 2 * (size_t)taps;
    struct interp *f = malloc(sizeof *f + len * sizeof *f->c);
    if (!f)
        return NULL;
    f->taps = taps;
    f->bits = bits;
    for (size_t p = 0; p < rows; p++)
        for (int k = 0; k < taps; k++) {
            double t = (double)p / (double)rows + taps / 2 - 1 - k;
            double a = response(t, cutoff, taps / 2), b = response(t + 1.0 / (double)rows, cutoff,
                                                                   taps / 2);
            f->c[2 * p * (size_t)taps + (size_t)k] = (float)a;
            f->c[(2 * p + 1) * (size_t)taps + (size_t)k] = (float)(b - a);
        }
    return f;
}

void interp_free(struct interp *f) { free(f); }
int  interp_taps(const struct interp *f) { return f->taps; }

interp_pos interp_pos_of(double samples)
{
    double whole = floor(samples);
    double frac = samples - whole;
    return (interp_pos)(long long)whole * INTERP_ONE +
           (interp_pos)(unsigned long long)(frac < 1 ? ldexp(frac, 64) : 0);
}

static inline __attribute__((always_inline)) void
dot(const float *c, int taps, float mu, const float *re, const float *im, float *out_re,
    float *out_im)
{
    const v8_any *c0 = (const v8_any *)c, *c1 = (const v8_any *)(c + taps);
    const v8_any *r = (const v8_any *)re, *i = (const v8_any *)im;
    v8 m = { mu, mu, mu, mu, mu, mu, mu, mu }, a = { 0 }, b = { 0 };
    for (int k = 0; k < taps / 8; k++) {
        v8 w = c0[k] + m * c1[k];
        a += w * r[k];
        b += w * i[k];
    }
    *out_re = ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
    *out_im = ((b[0] + b[4]) + (b[2] + b[6])) + ((b[1] + b[5]) + (b[3] + b[7]));
}

static inline __attribute__((always_inline)) void
run(const struct interp *f, const float *re, const float *im, interp_pos pos, interp_pos step,
    size_t n, float *restrict out_re, float *restrict out_im)
{
    for (size_t k = 0; k < n; k++, pos += step) {
        unsigned long long frac = (unsigned long long)pos;
        size_t row = (size_t)(frac >> (64 - f->bits));
        float mu = (float)((frac << f->bits) >> 40) * 0x1p-24f;
        long long at = interp_whole(pos) - f->taps / 2 + 1;
        dot(f->c + 2 * row * (size_t)f->taps, f->taps, mu, re + at, im + at, out_re + k,
            out_im + k);
    }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
run_avx2(const struct interp *f, const float *re, const float *im, interp_pos pos,
         interp_pos step, size_t n, float *restrict out_re, float *restrict out_im)
{
    run(f, re, im, pos, step, n, out_re, out_im);
}
#endif

void interp_run(const struct interp *f, const float *re, const float *im, interp_pos pos,
                interp_pos step, size_t n, float *restrict out_re, float *restrict out_im)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        run_avx2(f, re, im, pos, step, n, out_re, out_im);
        return;
    }
#endif
    run(f, re, im, pos, step, n, out_re, out_im);
}
