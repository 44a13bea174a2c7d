// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: what the OFDM models share.  Double precision throughout: published check values
// of whole bursts are hashes of rounded samples, and single precision misses a rounding edge now
// and then.  Speed does not matter here.
#pragma once

#include <complex.h>
#include <stdint.h>

#define OFDM_FFT_MAX 2048       // 20 MHz at 30.72 MS/s

// An inverse transform of one size.
struct ofdm {
    unsigned       n;           // power of two, 128 .. OFDM_FFT_MAX
    double complex twiddle[OFDM_FFT_MAX / 2];
};

void ofdm_init(struct ofdm *o, unsigned n);

// x[t] = sum over k of X[k] e^{+j 2 pi k t / n}, in place, not scaled.
void ofdm_inverse(const struct ofdm *o, double complex *x);

// One symbol: carrier[i] belongs to k = i - half (2 half + 1 of them), so carrier[half] is at 0 Hz.
// Writes cp + n samples, the last cp of the symbol in front; returns how many.
//
//      |<- cp ->|<------------- n ------------->|
//      | copy of the end |            | the end |
unsigned ofdm_symbol(const struct ofdm *o, const double complex *carrier, unsigned half,
                     unsigned cp, double complex *out);

// Zadoff-Chu, odd length: z[i] = exp(-j pi u i (i + 1) / len).
void ofdm_zc(unsigned u, unsigned len, double complex *z);

// LTE's Gold sequence (36.211, 7.2): bits 0 .. n-1, one a byte.
void ofdm_gold(uint32_t c_init, unsigned n, uint8_t *bit);

// QPSK (36.211, 7.1.2): 0 -> +1/sqrt 2, 1 -> -1/sqrt 2; b0 on I, b1 on Q.
double complex ofdm_qpsk(unsigned b0, unsigned b1);

// out = x scaled to mean power 1, as the engine wants it.
void ofdm_unit_power(const double complex *x, unsigned n, float complex *out);
