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

#include "sdr/kernel/interp.h"

#define BETA   8.0
#define PHASES 128

struct interp {
    const struct interp_ops *ops;
    struct interp_rows rows;    // 2^bits phases a sample
    _Alignas(64) float c[];     // rows do not straddle cache lines
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
    struct interp *f = aligned_alloc(64, sizeof *f + len * sizeof *f->c);  // both multiples of 64
    if (!f)
        return NULL;
    f->ops = interp_ops();
    f->rows = (struct interp_rows){ .c = f->c, .taps = taps, .bits = bits };
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
int  interp_taps(const struct interp *f) { return f->rows.taps; }

interp_pos interp_pos_of(double samples)
{
    double whole = floor(samples);
    double frac = samples - whole;
    return (interp_pos)(long long)whole * INTERP_ONE +
           (interp_pos)(unsigned long long)(frac < 1 ? ldexp(frac, 64) : 0);
}

void interp_run(const struct interp *f, const float *re, const float *im, interp_pos pos,
                interp_pos step, size_t n, float *restrict out_re, float *restrict out_im)
{
    f->ops->run(&f->rows, re, im, pos, step, n, out_re, out_im);
}
