// SPDX-License-Identifier: GPL-3.0-or-later
// Inside dsp/droneid/: the waveform and the bit chain of the DJI DroneID burst.
//
// On the air (15 kHz carriers, 1024 samples a symbol at 15.36 MS/s, prefixes 80 or 72 samples):
//
//      0       1     2      3      4      5      6     7     8
//   |known |data |data | ZC600 |data | ZC147 |data |data |data |     9 symbols, 643.2 us
//          |data |data | ZC600 |data | ZC147 |data |data |data |     8 symbols, 571.4 us
//                       ^ time 0 of the receiver: first useful sample of ZC600
//
// Bits: 173 bytes + CRC-24A = 1408 bits -> LTE turbo code, three streams of 1412 -> rate matching
// (each coded bit once or twice in 7200) -> XOR with a Gold sequence -> QPSK -> six data symbols.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/dsp.h"

#define DID_RATE_HZ    15.36e6
#define DID_N          1024             // samples of a useful symbol at DID_RATE_HZ
#define DID_SPACING_HZ 15e3
#define DID_CARRIERS   600              // -300..-1 and 1..300
#define DID_BW_HZ      9.015e6          // contract, section 2
#define DID_SYMBOLS    9
#define DID_DATA       6                // symbols 1 2 4 6 7 8
#define DID_ZC_LEN     601
#define DID_ROOT_A     600              // symbol 3
#define DID_ROOT_B     147              // symbol 5
#define DID_SYM_A      3
#define DID_SYM_B      5

#define DID_BITS       1408             // K of the turbo code, CRC-24A included
#define DID_STREAM     (DID_BITS + 4)
#define DID_CODED      7200             // bits on the air: 6 symbols of 600 carriers, 2 bits each
#define DID_FRAME      173              // bytes under the CRC-24A
#define DID_BLOCK      176

// ---- wave.c: what is known of the waveform -------------------------------------------------

// First useful sample of symbol i, in samples at DID_RATE_HZ after that of symbol 3.
extern const int16_t did_symbol_at[DID_SYMBOLS];
extern const int8_t  did_symbol_data[DID_SYMBOLS];     // number among the data symbols, or -1
#define DID_START_9  (-3368)            // first sample of the burst, 9 symbols
#define DID_START_8  (-2264)
#define DID_END      6512

// Zadoff-Chu entry n (0..600) of a root; carrier k = n - 300.
float complex did_zc(int root, int n);
// Array place (0..599) of carrier k, and back; carrier 0 has none.
static inline int did_carrier(int i) { return i < 300 ? i - 300 : i - 299; }

// ---- bits.c: tables and checks ---------------------------------------------------------------

struct did_tables {
    uint16_t perm[DID_BITS];            // turbo interleaver
    uint16_t source[DID_CODED];         // of coded bit e: stream * 1412 + index
    uint8_t  gold[DID_CODED];           // scrambling, 0 or 1
};
void did_tables_init(struct did_tables *t);

uint32_t did_crc24a(const uint8_t *p, size_t n);
uint16_t did_crc16(const uint8_t *p, size_t n);

// LLRs as they came from the carriers (positive means 0) -> the three code streams, repeats added.
void did_rate_recover(const struct did_tables *t, const float on_air[DID_CODED],
                      float llr[3][DID_STREAM]);
// Coded streams (0/1 or soft) -> their place on the air, scrambling included, as signs in
// -1..1: soft[e] = expectation of 1 - 2 * bit.
void did_rate_match(const struct did_tables *t, const float stream[3][DID_STREAM],
                    float on_air[DID_CODED]);

// ---- turbo.c ---------------------------------------------------------------------------------

void did_encode(const struct did_tables *t, const uint8_t block[DID_BLOCK],
                uint8_t stream[3][DID_STREAM]);

struct did_turbo;                       // scratch of one decoder
struct did_turbo *did_turbo_new(const struct did_tables *t);     // borrows t
void did_turbo_free(struct did_turbo *d);

// Up to max_iter iterations; stops at a valid CRC-24A.  prior: LLRs added to the 1408 information
// bits, or NULL.  fresh = false goes on from what the last call believed (its LLRs may be new).
// Returns 1 with the block filled, or 0.  An all-zero block never counts: its CRC always holds.
int did_turbo_run(struct did_turbo *d, const float llr[3][DID_STREAM], const float *prior,
                  int max_iter, bool fresh, uint8_t block[DID_BLOCK]);
// What the last run, if it failed, believes of every coded bit: expectation of 1 - 2 * bit.
void did_turbo_soft(const struct did_turbo *d, float stream[3][DID_STREAM]);

// ---- prior.c: the form of a record as LLRs, for frames that failed without -------------------

void did_prior_flight(float prior[DID_BITS]);
void did_prior_licence(float prior[DID_BITS]);

// ---- frame.c -----------------------------------------------------------------------------------

// A block with a valid CRC-24A -> what it says: 1 and protocol, check, raw and fields of *ret
// (times and frequencies are the caller's); 0 when it is no DroneID frame.  raw keeps the padding
// behind raw_len, for the memory of the aircraft.
int did_frame(const uint8_t block[DID_BLOCK], struct decode *ret);
const char *did_product(unsigned code);         // NULL: not known
