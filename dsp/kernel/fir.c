// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the resampler (dsp/ddc.c).  Compiled once per instruction set.
#include "dsp/kernel/fir.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

static inline void lanes_fold(const float *acc, float *ret)
{
    float re = 0, im = 0;
    for (size_t i = 0; i < FIR_LANES; i += 2) {
        re += acc[i];
        im += acc[i + 1];
    }
    ret[0] = re;
    ret[1] = im;
}

static void lerp(const float *restrict x, const float *restrict a, const float *restrict b,
                 float mu,
                 size_t n, float *ret)
{
    float acc[FIR_LANES] = { 0 };
    for (size_t i = 0; i < n; i += FIR_LANES)
        for (size_t k = 0; k < FIR_LANES; k++)
            acc[k] += x[i + k] * (a[i + k] + mu * (b[i + k] - a[i + k]));
    lanes_fold(acc, ret);
}

static void dot(const float *restrict x, const float *restrict a, size_t n, float *ret)
{
    float acc[FIR_LANES] = { 0 };
    for (size_t i = 0; i < n; i += FIR_LANES)
        for (size_t k = 0; k < FIR_LANES; k++)
            acc[k] += x[i + k] * a[i + k];
    lanes_fold(acc, ret);
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
const struct fir_ops PASTE(fir_ops, ISA) = { .lerp = lerp, .dot = dot, .mix = mix };
