// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: LTE channel coding (3GPP 36.212) for the one block size DroneID uses, K = 1408.
// Bits are one a byte, in order of transmission.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TURBO_K 1408            // 173 bytes and CRC-24A
#define TURBO_D (TURBO_K + 4)   // with a stream's share of the 12 tail bits
#define TURBO_E 7200            // six symbols of 600 carriers, QPSK

uint32_t crc24a(const uint8_t *p, size_t n);

// The internal interleaver: input bit read in place i by the second encoder.
unsigned turbo_qpp(unsigned i);

// 5.1.3.2: systematic, first and second parity, with tails.
void turbo_encode(const uint8_t in[TURBO_K], uint8_t d[3][TURBO_D]);

// 5.1.4.1, redundancy version 0: which stream and index stands in each transmitted bit.
struct turbo_src { uint8_t stream; uint16_t index; };
void turbo_match(struct turbo_src e[TURBO_E]);
