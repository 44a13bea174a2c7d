// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the transmitter models: continuous-phase FSK, plain or Gaussian.
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

struct gfsk {
    double   bt;                // filter bandwidth times symbol time; 0: none (plain 2-FSK)
    double   index;             // h = 2 deviation / symbol rate
    unsigned sps;               // samples a symbol
};

// n bits (0 or 1 each, 1 is the upper frequency) to n * sps samples of modulus 1.
void gfsk_modulate(const struct gfsk *g, const uint8_t *bit, size_t n, float complex *iq);

// n bytes to 8 n bits, the least significant first; returns the place behind them.
uint8_t *bits_lsb(uint8_t *bit, const uint8_t *p, size_t n);
