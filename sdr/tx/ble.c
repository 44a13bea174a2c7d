// SPDX-License-Identifier: GPL-3.0-or-later
// Bluetooth Low Energy legacy advertising on the 1M layer: the same PDU on channels 37, 38 and 39,
// then a pause of the advertising interval and 0 to 10 ms of chance.
//
//     37 ===    38 ===    39 ===  <---- interval + 0..10 ms ---->  37 ===    38 ===  ...
//
// Bits are exact (access address, whitening, CRC-24); GFSK with BT 0.5 and index 0.5.
#include "sdr/tx/ble.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/gfsk.h"

#define SPS 8
#define RATE_BD 1e6

double ble_channel_hz(unsigned channel)
{
    if (channel >= 37)
        return channel == 37 ? 2402e6 : channel == 38 ? 2426e6 : 2480e6;
    return channel <= 10 ? 2404e6 + 2e6 * channel : 2428e6 + 2e6 * (channel - 11);
}

// x^24 + x^10 + x^9 + x^6 + x^4 + x^3 + x + 1, bits as on the air.
uint32_t ble_crc(const uint8_t *pdu, size_t n)
{
    uint32_t r = 0x555555;
    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t in = ((r >> 23) ^ (pdu[i / 8] >> (i % 8))) & 1;
        r = ((r << 1) & 0xffffff) ^ (in ? 0x00065b : 0);
    }
    return r;
}

// x^7 + x^4 + 1: position 0 starts at 1, positions 1 to 6 hold the channel from its highest bit.
void ble_whiten(unsigned channel, uint8_t *bit, size_t n)
{
    unsigned r = 1;             // bit k is position k
    for (int k = 1; k <= 6; k++)
        r |= ((channel >> (6 - k)) & 1) << k;
    for (size_t i = 0; i < n; i++) {
        unsigned out = (r >> 6) & 1;
        bit[i] ^= (uint8_t)out;
        r = ((r << 1) & 0x7f) | out;
        r ^= out << 4;
    }
}

size_t ble_packet(unsigned channel, const uint8_t *pdu, size_t n, uint8_t bit[BLE_BITS])
{
    static const uint8_t head[5] = { 0xaa, 0xd6, 0xbe, 0x89, 0x8e };
    uint8_t *p = bits_lsb(bit, head, sizeof head), *body = p;
    uint32_t crc = ble_crc(pdu, n);
    p = bits_lsb(p, pdu, n);
    for (int k = 23; k >= 0; k--)
        *p++ = (crc >> k) & 1;
    ble_whiten(channel, body, (size_t)(p - body));
    return (size_t)(p - bit);
}

struct ble {
    struct rng    rng;
    uint8_t       pdu[BLE_PDU];
    size_t        len;
    unsigned      next;         // 0..2: channel 37 + next
    double        t_s, event_s, spacing_s, interval_s, until_s, lo_hz, hi_hz;
    uint8_t       bit[BLE_BITS];
    float complex iq[BLE_BITS * SPS];
};

// Flags and manufacturer data as an unconnectable beacon sends them; a random static address.
static void some_pdu(struct ble *b, uint64_t uid)
{
    struct rng r = b->rng;
    if (uid)
        rng_init(&r, uid);
    unsigned data = 7 + rng_below(&r, 22);          // length of the manufacturer structure
    uint8_t *p = b->pdu;
    b->len = 2 + 6 + 3 + 1 + data;
    *p++ = 0x42;                                    // ADV_NONCONN_IND, random address
    *p++ = (uint8_t)(b->len - 2);
    for (int i = 0; i < 6; i++)
        *p++ = (uint8_t)(rng_u64(&r) >> 8);
    p[-1] |= 0xc0;                                  // static random
    memcpy(p, (uint8_t[]){ 2, 0x01, 0x06, (uint8_t)data, 0xff }, 5);
    for (p += 5; p < b->pdu + b->len;)
        *p++ = (uint8_t)(rng_u64(&r) >> 8);
}

static int ble_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    struct ble *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->rng = *rng;
    int n = a->payload_hex ? hex_bytes(a->payload_hex, b->pdu, 2 + 37) : 0;
    if (n < 0 || (a->payload_hex && (n < 8 || b->pdu[1] != n - 2))) {
        snprintf(why, IQ_WHY, "payload is no legacy advertising PDU, expected header, length and "
                              "6 to 37 bytes");
        free(b);
        return -EINVAL;
    }
    b->len = (size_t)n;
    if (!n)
        some_pdu(b, a->uid);
    b->interval_s = a->period_s > 0 ? a->period_s : 0.1;    // phones and beacons: 0.02 to 10.24 s
    b->spacing_s = (double)(16 + b->len * 8 + 48) / RATE_BD + rng_between(&b->rng, 150e-6, 600e-6);
    b->event_s = b->t_s = rng_between(&b->rng, 0, b->interval_s);
    b->until_s = a->until_s;
    b->lo_hz = a->capture_lo_hz;
    b->hi_hz = a->capture_hi_hz;
    *ret_state = b;
    return 0;
}

static int ble_next(void *state, struct tx_packet *ret_packet)
{
    struct ble *b = state;
    for (unsigned skips = 0; skips < ARGS_SKIPS; skips++) {
        double t_s = b->t_s, hz = ble_channel_hz(37 + b->next);
        unsigned channel = 37 + b->next++;
        if (t_s >= b->until_s)
            return 0;
        b->t_s += b->spacing_s;
        if (b->next == 3) {
            b->next = 0;
            b->event_s += b->interval_s + rng_between(&b->rng, 0, 10e-3);
            b->t_s = b->event_s;
        }
        if (hz + RATE_BD < b->lo_hz || hz - RATE_BD > b->hi_hz)
            continue;
        size_t n = ble_packet(channel, b->pdu, b->len, b->bit);
        gfsk_modulate(&(struct gfsk){ .bt = 0.5, .index = 0.5, .sps = SPS }, b->bit, n, b->iq);
        *ret_packet = (struct tx_packet){ .t_s = t_s, .freq_hz = hz, .bw_hz = 1.5e6,
                                          .rate_hz = RATE_BD * SPS, .n = n * SPS, .iq = b->iq,
                                          .bit_exact = true, .link = "BLE advertising",
                                          .payload_len = (uint16_t)b->len };
        memcpy(ret_packet->payload, b->pdu, b->len);
        return 1;
    }
    return 0;
}

const struct tx_model tx_ble = {
    .name = "ble", .family = "ble",
    .about = "BLE legacy advertising, 1M, channels 37 to 39 (payload: the PDU)",
    .bit_exact = true, .make = ble_make, .next = ble_next, .drop = free,
};
