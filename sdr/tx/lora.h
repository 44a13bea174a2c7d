// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: one LoRa frame as samples.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

struct lora {
    unsigned sf;                // 5 .. 12
    double   bw_hz;
    unsigned preamble;          // up-chirps
    unsigned payload;           // symbols behind the start mark, header block included
    uint8_t  sync;              // sync word, 0x12 private
    bool     inverted;
    unsigned over;              // samples per chip: the rate is over * bw_hz
};

// Payload symbols of an implicit-header frame without CRC with long interleaving (SX128x),
// code rate 4 / (4 + cr).
unsigned lora_payload_li(unsigned sf, unsigned bytes, unsigned cr);

// Length in chips: 2^sf a symbol, the start mark ends with a quarter symbol.
size_t lora_chips(const struct lora *l);

// Writes lora_chips(l) * over samples of amplitude 1, payload symbols drawn from rng.
void lora_frame(const struct lora *l, struct rng *rng, float complex *out);
