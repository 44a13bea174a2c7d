// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: the stages of the DroneID transmit chain, apart so that a test can hold each
// against published values.
//
//      frame (<= 173 B) -> padded 173 B -> +CRC-24A -> d0 d1 d2 -> e -> scrambled -> burst
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/tx/turbo_enc.h"

#define DRONEID_RATE_HZ  15.36e6
#define DRONEID_BW_HZ    9.015e6        // contract
#define DRONEID_PADDED   173            // bytes under the CRC-24A
#define DRONEID_BLOCK    176
#define DRONEID_CARRIERS 601            // -300 .. 300, the middle one empty
#define DRONEID_NINE     9880           // samples of a burst of 9 symbols at 15.36 MS/s
#define DRONEID_EIGHT    8776

// DJI's CRC-16: poly 0x1021 reflected, start 0x3692.
uint16_t droneid_crc16(const uint8_t *p, size_t n);

// Frame in the first bytes of the buffer: length byte and CRC-16 set to fit its n bytes.
void droneid_seal(uint8_t *frame, size_t n);

// 173 bytes to the 7200 bits on air.
void droneid_encode(const uint8_t padded[DRONEID_PADDED], uint8_t scrambled[TURBO_E]);

// Samples at 15.36 MS/s, carriers of amplitude 1, dc on carrier 0; symbols is 8 or 9.
// Returns how many.
unsigned droneid_burst(const uint8_t scrambled[TURBO_E], unsigned symbols, double complex dc,
                       double complex out[DRONEID_NINE]);

// ---- frames (droneid_frame.c) ----------------------------------------------------------------

struct rng;

struct droneid_plane {                  // what an invented aircraft says of itself
    char     serial[17];
    uint64_t account;
    double   home_lat_deg, home_lon_deg;
    uint16_t sequence;                  // of the last type 0x10
};

// An aircraft that cannot exist: its serial spells the product's name with letters that
// CTA-2063-A forbids, its account number is far too low.
void droneid_plane_init(struct droneid_plane *p, uint64_t uid);

// Write over the buffer's first bytes and leave the rest, as the real ones do; return the length.
size_t droneid_position(struct droneid_plane *p, double t_s, uint8_t buf[DRONEID_PADDED]);
size_t droneid_licence(const struct droneid_plane *p, uint8_t buf[DRONEID_PADDED]);
// Encrypted shells: what stands in the open is right, what is hidden is random.
size_t droneid_infp(uint32_t session, struct rng *rng, uint8_t buf[DRONEID_PADDED]);
size_t droneid_cryp(uint32_t session, struct rng *rng, uint8_t buf[DRONEID_PADDED]);
