// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the transmitter models: the 802.11b layer, bits to samples.
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#define DSSS_CHIP_HZ 11e6
#define DSSS_SPC     4                          // samples a chip
#define DSSS_RATE_HZ (DSSS_CHIP_HZ * DSSS_SPC)
#define DSSS_BYTES   2048
#define DSSS_HEAD    192                        // bits of long preamble and header, 1 us each

enum dsss_rate { DSSS_1M, DSSS_2M, DSSS_11M, DSSS_RATES };

// Long preamble and header before scrambling and after; psdu bits follow in the same scrambler.
// Returns the number of bits: DSSS_HEAD + 8 n.
size_t dsss_bits(enum dsss_rate rate, const uint8_t *psdu, size_t n, uint8_t *bit);
void   dsss_scramble(uint8_t *bit, size_t n);
unsigned dsss_length_us(enum dsss_rate rate, size_t n);

// Scrambled bits to chips; returns how many.  chip: room for dsss_chips(rate, n).
size_t dsss_chips(enum dsss_rate rate, size_t n);
size_t dsss_spread(enum dsss_rate rate, const uint8_t *bit, size_t n_bits, float complex *chip);

// Chips to DSSS_SPC times as many samples of mean power 1.
void   dsss_shape(const float complex *chip, size_t n, float complex *iq);
