// SPDX-License-Identifier: GPL-3.0-or-later
// Bluetooth BR: two ends take turns on a grid of 625 us, a new one of 79 channels each packet.
//
//     |slot 0 |slot 1 |slot 2 |slot 3 |slot 4 |slot 5 |        625 us each
//     |central ========== DH3 |periph.| central ===== DH5 ...
//     |  126 + up to 1496 us  |  POLL |
//
// Statistically faithful: GFSK with BT 0.5 and index 0.32, access code as random bits behind its
// true preamble, hops uniform over the channels (adaptive hopping leaves some out: duty and value).
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/gfsk.h"

#define SPS     8
#define SLOT_S  625e-6
#define CHANNELS 79
#define MAX_BITS 2870           // 72 of access code, 54 of header, DH5: 16 + 8 * 339 + 16

struct bluetooth {
    struct rng    rng;
    uint64_t      slot;
    bool          peripheral;   // whose turn
    double        duty, until_s, lo_hz, hi_hz;
    uint8_t       channel[CHANNELS];
    unsigned      channels;
    uint64_t      access[2];
    uint8_t       bit[MAX_BITS];
    float complex iq[MAX_BITS * SPS];
};

static int bluetooth_make(void **ret_state, const struct tx_args *a, struct rng *rng,
                          char why[IQ_WHY])
{
    if (a->value != 0 && !(a->value >= 20 && a->value <= CHANNELS)) {
        snprintf(why, IQ_WHY, "value is %g, expected 20 to 79 channels in use", a->value);
        return -EINVAL;
    }
    struct bluetooth *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->rng = *rng;
    b->duty = a->duty > 0 ? a->duty : 0.6;      // share of turns in use; a headset at rest has less
    b->until_s = a->until_s;
    b->lo_hz = a->capture_lo_hz;
    b->hi_hz = a->capture_hi_hz;
    b->channels = CHANNELS;
    for (unsigned i = 0; i < CHANNELS; i++)
        b->channel[i] = (uint8_t)i;
    for (unsigned want = a->value > 0 ? (unsigned)a->value : CHANNELS; b->channels > want;) {
        unsigned at = rng_below(&b->rng, b->channels);
        b->channel[at] = b->channel[--b->channels];
    }
    b->access[0] = rng_u64(&b->rng);
    *ret_state = b;
    return 0;
}

// Preamble and trailer continue the alternation into the sync word, as the access code does.
static size_t make_bits(struct bluetooth *b, unsigned slots)
{
    static const unsigned body_max[] = { 240, 1496, 2744 };     // DH1, DH3, DH5 with header and CRC
    size_t n = 0;
    unsigned body = slots ? body_max[slots / 2] - 8 * rng_below(&b->rng, 10) : 0;
    for (int i = 0; i < 4; i++)
        b->bit[n++] = (uint8_t)((b->access[0] ^ (uint64_t)i ^ 1) & 1);
    for (int i = 0; i < 64; i++)
        b->bit[n++] = (b->access[0] >> i) & 1;
    for (int i = 0; i < 4; i++)
        b->bit[n++] = (uint8_t)(((b->access[0] >> 63) ^ (uint64_t)i ^ 1) & 1);
    for (int i = 0; i < 18; i++) {                              // header, each bit three times
        uint8_t v = rng_u64(&b->rng) >> 63;
        b->bit[n++] = v;
        b->bit[n++] = v;
        b->bit[n++] = v;
    }
    for (unsigned i = 0; i < body; i++)
        b->bit[n++] = rng_u64(&b->rng) >> 63;
    return n;
}

static int bluetooth_next(void *state, struct tx_packet *ret_packet)
{
    struct bluetooth *b = state;
    for (unsigned skips = 0; skips < ARGS_SKIPS; skips++) {
        // A turn: the central sends in even slots, the peripheral answers in the next odd one.
        double t_s = (double)b->slot * SLOT_S;
        unsigned kind = rng_below(&b->rng, 4), slots = kind == 3 ? 0 : 2 * kind + 1;
        double hz = 2402e6 + 1e6 * b->channel[rng_below(&b->rng, b->channels)];
        bool quiet = !b->peripheral && rng_uniform(&b->rng) >= b->duty;
        if (t_s >= b->until_s)
            return 0;
        b->slot += quiet ? 2 : slots ? slots : 1;
        if (quiet)
            continue;
        b->peripheral = !b->peripheral;
        if (hz + 1e6 < b->lo_hz || hz - 1e6 > b->hi_hz)
            continue;
        size_t n = make_bits(b, slots);
        gfsk_modulate(&(struct gfsk){ .bt = 0.5, .index = 0.32, .sps = SPS }, b->bit, n, b->iq);
        *ret_packet = (struct tx_packet){ .t_s = t_s, .freq_hz = hz, .bw_hz = 1.32e6,
                                          .rate_hz = 1e6 * SPS, .n = n * SPS, .iq = b->iq,
                                          .link = "Bluetooth BR/EDR" };
        return 1;
    }
    return 0;
}

const struct tx_model tx_bluetooth = {
    .name = "bluetooth", .family = "bluetooth",
    .about = "Bluetooth BR, 79 channels on 625 us, DH1 to DH5 (duty; value: channels in use)",
    .make = bluetooth_make, .next = bluetooth_next, .drop = free,
};
