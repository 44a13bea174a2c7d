// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the transmitter models: the OFDM layer of 802.11 at 20 MHz, bits to samples.
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#define WIFI_RATE_HZ 20e6
#define WIFI_RATES   8          // 6 9 12 18 24 36 48 54 Mb/s
#define WIFI_SYMBOL  80         // samples: 16 of guard, 64

struct wifi_rate { unsigned mbps, field, bpsc, cbps, dbps; };  // field: first bit on the air lowest
extern const struct wifi_rate wifi_rates[WIFI_RATES];

struct wifi_ofdm;
struct wifi_ofdm *wifi_ofdm_new(void);      // NULL: no memory.  Makes a plan: the caller's thread
void              wifi_ofdm_free(struct wifi_ofdm *w);

// The SIGNAL symbol's 24 bits; and 48 coded and interleaved ones.
void wifi_signal(unsigned rate, size_t length, uint8_t bit[24]);
void wifi_signal_coded(const uint8_t bit[24], uint8_t out[48]);

// Scrambled, coded, interleaved bits of the data symbols of a PSDU; how many symbols.
// seed: the scrambler's state, x7 as bit 6 to x1 as bit 0; not 0.
size_t wifi_data_coded(struct wifi_ofdm *w, unsigned rate, const uint8_t *psdu, size_t n,
                       unsigned seed, const uint8_t **ret_bit);

// A frame of mean power 1: its samples, valid until the next call.  NULL: no memory.
const float complex *wifi_ofdm_frame(struct wifi_ofdm *w, unsigned rate, const uint8_t *psdu,
                                     size_t n, unsigned seed, size_t *ret_n);

// The same behind a high-throughput preamble (mixed format, one stream, MCS 0 to 7): legacy SIGNAL
// and HT-SIG bit-exact, data carriers drawn from the constellation by seed.  n: bytes of the PSDU.
const float complex *wifi_ht_frame(struct wifi_ofdm *w, unsigned mcs, size_t n, uint64_t seed,
                                   size_t *ret_n);
void wifi_ht_signal(unsigned mcs, size_t n, uint8_t bit[48]);
