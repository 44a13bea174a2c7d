// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: ExpressLRS' hop sequence and modes, apart for the test.
#pragma once

#include <stdint.h>

#define ELRS_CHANNELS   80
#define ELRS_SYNC       40              // channel that starts each block of 80
#define ELRS_SEQUENCE   240             // whole blocks in 256 entries
#define ELRS_FIRST_HZ   2400.4e6
#define ELRS_STEP_HZ    1e6

// uid: bytes 2 .. 5 of the link's identity, the last one lowest.
void elrs_sequence(uint32_t uid, uint8_t channel[ELRS_SEQUENCE]);

struct elrs_mode {
    const char *link;                   // as in facts/links.json
    const char *word;                   // short for it
    unsigned    sf;                     // 0: not LoRa
    unsigned    cr;                     // LoRa: 4 / (4 + cr), long interleaving
    unsigned    preamble;               // LoRa: chirps; FSK: bits
    unsigned    bytes;
    double      interval_s;
    unsigned    per_hop, ratio;         // packets a channel; one slot in ratio is telemetry
    double      rate_bd, deviation_hz, bt;
    unsigned    bits;                   // FSK: all of them
};

extern const struct elrs_mode elrs_modes[];     // ended by a NULL link
