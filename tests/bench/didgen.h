// SPDX-License-Identifier: GPL-3.0-or-later
// A second, independent maker of DroneID bursts for tests and curves: carriers are summed on a fine
// grid and read off at any rate, so start, clock and carrier are free to any fraction.  It shares
// no code with the simulator's transmitter (only the receiver's bit tables, which are tested
// against published values).
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define GEN_PATHS 6

struct gen {
    double        rate_hz;
    double        start;                // capture index (fractional) of the burst's first sample
    double        f_hz;                 // centre against the capture's
    double        clock_ppm;            // sender's clock against ours
    unsigned      symbols;              // 8 or 9
    double        data_db;              // data symbols against the known ones
    float complex dc;                   // leak on carrier 0, against 1 per carrier
    unsigned      n_paths;              // 0: one path of gain 1
    double        delay_s[GEN_PATHS];
    float complex gain[GEN_PATHS];
    uint8_t       block[176];           // 173 bytes and CRC-24A
};

// A frame of type 0x10, version 2, of an aircraft that cannot exist, both checks right.
void gen_frame(struct rng *r, uint16_t sequence, uint8_t block[176]);
// Rest of the block behind its first n bytes: filled from r; then the CRC-24A.
void gen_seal(uint8_t block[176]);
// Exponential echoes with the given rms delay spread, mean power 1 in all.
void gen_fade(struct gen *g, struct rng *r, double spread_s);

// Adds amplitude * burst to x (n samples, index 0 is capture index 0).  The burst has mean power 1
// (carriers of equal power) over its length.
void gen_add(const struct gen *g, double amplitude, float complex *x, size_t n);
