// SPDX-License-Identifier: GPL-3.0-or-later
// Wi-Fi (802.11b): beacons at 1 Mb/s each 102.4 ms and, where a duty is asked for, data frames at
// 1, 2 or 11 Mb/s with their acknowledgements.  Bit-exact at 1 and 2 Mb/s; 11 Mb/s (CCK) counts as
// statistical, no worked example of it is at hand.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/wifi_dsss.h"
#include "sdr/tx/wifi_mac.h"

#define SIFS_S   10e-6
#define DIFS_S   50e-6          // SIFS and two long slots
#define SLOT_S   20e-6
#define WINDOW   32
#define BEACON_S 0.1024
#define BW_HZ    11e6           // contract's width

struct dsss {
    struct rng      rng;
    struct wifi_net net;
    double   freq_hz, until_s, duty, beacon_period_s;
    double   free_s, beacon_s, data_s, ack_s;
    int      rate;              // of data, -1: any
    size_t   given_len, room;   // room: samples
    uint8_t  given[DSSS_BYTES], psdu[DSSS_BYTES];
    uint8_t  bit[DSSS_HEAD + 8 * DSSS_BYTES];
    float complex *chip, *iq;
};

static void dsss_drop(void *state)
{
    struct dsss *d = state;
    free(d->chip);
    free(d->iq);
    free(d);
}

static int take_args(struct dsss *d, const struct tx_args *a, char why[IQ_WHY])
{
    static const char *const names[DSSS_RATES] = { "1", "2", "11" };
    d->rate = -1;
    for (int i = 0; a->mode && i < DSSS_RATES; i++)
        if (!strcmp(a->mode, names[i]))
            d->rate = i;
    if (a->mode && d->rate < 0) {
        snprintf(why, IQ_WHY, "mode is '%s', expected 1, 2 or 11", a->mode);
        return -EINVAL;
    }
    int n = a->payload_hex ? hex_bytes(a->payload_hex, d->given, DSSS_BYTES - 4) : 0;
    if (n < 0) {
        snprintf(why, IQ_WHY, "payload is no hexadecimal");
        return n;
    }
    d->given_len = n ? wifi_seal(d->given, (size_t)n) : 0;
    d->freq_hz = a->freq_hz;
    d->until_s = a->until_s;
    d->duty = fmin(a->duty, 0.95);
    d->beacon_period_s = a->period_s > 0 ? a->period_s : BEACON_S;
    return 0;
}

static int dsss_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    if (!args_need_freq("dsss", a, why))
        return -EINVAL;
    struct dsss *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->rng = *rng;
    int err = take_args(d, a, why);
    if (err < 0) {
        dsss_drop(d);
        return err;
    }
    wifi_net_init(&d->net, &d->rng, a->uid);
    d->net.channel = (unsigned)fmax(1, fmin(14, (d->freq_hz / 1e6 - 2407) / 5));
    d->beacon_s = rng_between(&d->rng, 0, d->beacon_period_s);
    d->data_s = d->duty > 0 ? rng_between(&d->rng, 0, 5e-3) : INFINITY;
    d->ack_s = -1;
    *ret_state = d;
    return 0;
}

// The frame in psdu to samples.
static int send(struct dsss *d, enum dsss_rate rate, size_t len, struct tx_packet *p)
{
    size_t chips = dsss_chips(rate, len);
    if (chips > d->room) {
        float complex *c = realloc(d->chip, chips * sizeof *c);
        if (c)
            d->chip = c;
        float complex *x = c ? realloc(d->iq, chips * DSSS_SPC * sizeof *x) : NULL;
        if (!x)
            return -ENOMEM;
        d->iq = x;
        d->room = chips;
    }
    size_t n = dsss_bits(rate, d->psdu, len, d->bit);
    dsss_scramble(d->bit, n);
    dsss_spread(rate, d->bit, n, d->chip);
    dsss_shape(d->chip, chips, d->iq);
    p->iq = d->iq;
    p->n = chips * DSSS_SPC;
    p->bit_exact = rate != DSSS_11M;
    p->payload_len = (uint16_t)(len < sizeof p->payload ? len : sizeof p->payload);
    memcpy(p->payload, d->psdu, p->payload_len);
    return 0;
}

// The idle time after an exchange, drawn for the wanted duty.
static double idle(struct dsss *d, double air_s)
{
    double least = DIFS_S + SLOT_S * rng_below(&d->rng, WINDOW);
    double mean = air_s * (1 / d->duty - 1) - DIFS_S - SLOT_S * (WINDOW - 1) / 2;
    return least - (mean > 0 ? mean * log(1 - rng_uniform(&d->rng)) : 0);
}

static int send_data(struct dsss *d, struct tx_packet *p)
{
    size_t body = rng_below(&d->rng, 3) ? 300 + rng_below(&d->rng, 1100)
                                        : 40 + rng_below(&d->rng, 110);
    unsigned rate = d->rate >= 0 ? (unsigned)d->rate : rng_below(&d->rng, DSSS_RATES);
    int err = send(d, rate, wifi_data(&d->net, &d->rng, body, d->psdu), p);
    double air_s = (double)p->n / DSSS_RATE_HZ;
    d->ack_s = p->t_s + air_s + SIFS_S;
    d->data_s = p->t_s + air_s + idle(d, air_s);
    return err;
}

static int send_beacon(struct dsss *d, struct tx_packet *p)
{
    memcpy(d->psdu, d->given, d->given_len);
    size_t len = d->given_len ? d->given_len : wifi_beacon(&d->net, p->t_s, d->psdu);
    while (d->beacon_s <= p->t_s)
        d->beacon_s += d->beacon_period_s;
    return send(d, DSSS_1M, len, p);
}

static int dsss_next(void *state, struct tx_packet *ret_packet)
{
    struct dsss *d = state;
    bool ack = d->ack_s >= 0, beacon = d->beacon_s <= d->data_s;
    struct tx_packet p = { .freq_hz = d->freq_hz, .bw_hz = BW_HZ, .rate_hz = DSSS_RATE_HZ,
                           .link = "Wi-Fi 802.11b" };
    p.t_s = ack ? d->ack_s : fmax(beacon ? d->beacon_s : d->data_s, d->free_s);
    if (p.t_s >= d->until_s)
        return 0;
    d->ack_s = -1;
    int err = ack ? send(d, DSSS_1M, wifi_ack(&d->net, d->psdu), &p)
                  : beacon ? send_beacon(d, &p) : send_data(d, &p);
    if (err < 0)
        return err;
    d->free_s = p.t_s + (double)p.n / DSSS_RATE_HZ + DIFS_S + SLOT_S * rng_below(&d->rng, WINDOW);
    *ret_packet = p;
    return 1;
}

const struct tx_model tx_dsss = {
    .name = "dsss", .family = "wifi",
    .about = "802.11b access point: beacons; data and ACK with duty (mode: 1, 2, 11); "
             "11 statistical",
    .bit_exact = true, .make = dsss_make, .next = dsss_next, .drop = dsss_drop,
};
