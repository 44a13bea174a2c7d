// SPDX-License-Identifier: GPL-3.0-or-later
// Wi-Fi (802.11 OFDM, 20 MHz): an access point that beacons each 102.4 ms, and data to a station
// that acknowledges.
//
//     |beacon|    |=== data ===| 10 us |ack|  DIFS, backoff, idle  |=== data ===| 10 us |ack|
//
// Legacy frames are bit-exact from the frame check sequence to the samples; high-throughput frames
// have true preambles and random data.  The idle time is drawn so that the wanted duty comes out.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/wifi_mac.h"
#include "sdr/tx/wifi_ofdm.h"

#define SIFS_S   10e-6
#define DIFS_S   28e-6          // SIFS and two short slots
#define SLOT_S   9e-6
#define WINDOW   16             // smallest contention window
#define BEACON_S 0.1024
#define BW_HZ    16.25e6        // contract's width

enum frame { BEACON, DATA, ACK };

struct wifi {
    struct rng        rng;
    struct wifi_net   net;
    struct wifi_ofdm *phy;
    double   freq_hz, until_s, duty, beacon_period_s, station_db;
    double   free_s, beacon_s, data_s;  // medium free from; next beacon; next data
    double   ack_s;                     // next acknowledgement, < 0: none
    bool     ht, only_beacons;
    int      rate;                      // fixed rate or MCS, -1: any
    uint8_t  given[WIFI_PSDU];          // instead of beacons
    size_t   given_len;
    uint8_t  psdu[WIFI_PSDU];
};

static void wifi_drop(void *state)
{
    struct wifi *w = state;
    wifi_ofdm_free(w->phy);
    free(w);
}

static int rate_of(const char *mode, bool ht)
{
    unsigned v;
    int end = 0;
    if (ht)
        return sscanf(mode, "mcs%1u%n", &v, &end) == 1 && !mode[end] && v < 8 ? (int)v : -EINVAL;
    for (int i = 0; i < WIFI_RATES; i++)
        if (sscanf(mode, "%u%n", &v, &end) == 1 && !mode[end] && wifi_rates[i].mbps == v)
            return i;
    return -EINVAL;
}

static int take_args(struct wifi *w, const struct tx_args *a, char why[IQ_WHY])
{
    static const char *const words[] = { "beacons", "ht", NULL };
    if (!words_known("wifi", a->variant, words, why))
        return -EINVAL;
    w->ht = words_have(a->variant, "ht");
    w->only_beacons = words_have(a->variant, "beacons");
    w->rate = a->mode ? rate_of(a->mode, w->ht) : -1;
    if (a->mode && w->rate < 0) {
        snprintf(why, IQ_WHY, "mode is '%s', expected 6 9 12 18 24 36 48 54 or, with variant ht, "
                              "mcs0 to mcs7", a->mode);
        return -EINVAL;
    }
    int n = a->payload_hex ? hex_bytes(a->payload_hex, w->given, WIFI_PSDU - 4) : 0;
    if (n < 0) {
        snprintf(why, IQ_WHY, "payload is no hexadecimal");
        return n;
    }
    w->given_len = n ? wifi_seal(w->given, (size_t)n) : 0;
    w->freq_hz = a->freq_hz;
    w->until_s = a->until_s;
    w->duty = a->duty > 0 ? fmin(a->duty, 0.95) : 0.2;
    w->beacon_period_s = a->period_s > 0 ? a->period_s : BEACON_S;
    w->station_db = fmax(-100, fmin(100, a->value));
    return 0;
}

static double exponential(struct wifi *w, double mean)
{
    return -mean * log(1 - rng_uniform(&w->rng));
}

static int wifi_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    if (!args_need_freq("wifi", a, why))
        return -EINVAL;
    struct wifi *w = calloc(1, sizeof *w);
    if (!w || !(w->phy = wifi_ofdm_new())) {
        free(w);
        return -ENOMEM;
    }
    w->rng = *rng;
    int err = take_args(w, a, why);
    if (err < 0) {
        wifi_drop(w);
        return err;
    }
    wifi_net_init(&w->net, &w->rng, a->uid);
    double mhz = w->freq_hz / 1e6;      // for the beacon's own statement
    w->net.channel = mhz < 2500 ? (unsigned)fmax(1, (mhz - 2407) / 5)
                                : (unsigned)fmin(200, fmax(1, (mhz - 5000) / 5));
    w->beacon_s = rng_between(&w->rng, 0, w->beacon_period_s);
    w->data_s = w->only_beacons ? INFINITY : exponential(w, 1e-3);
    w->ack_s = -1;
    *ret_state = w;
    return 0;
}

// The idle time after an exchange of `air_s`, for the wanted duty.
static double idle(struct wifi *w, double air_s)
{
    double least = DIFS_S + SLOT_S * rng_below(&w->rng, WINDOW);
    double mean = air_s * (1 / w->duty - 1) - DIFS_S - SLOT_S * (WINDOW - 1) / 2;
    return least + (mean > 0 ? exponential(w, mean) : 0);
}

static enum frame choose(const struct wifi *w, double *ret_t_s)
{
    if (w->ack_s >= 0) {
        *ret_t_s = w->ack_s;
        return ACK;
    }
    bool beacon = w->beacon_s <= w->data_s;
    *ret_t_s = fmax(beacon ? w->beacon_s : w->data_s, w->free_s);
    return beacon ? BEACON : DATA;
}

static const float complex *legacy(struct wifi *w, unsigned rate, size_t len, size_t *ret_n)
{
    return wifi_ofdm_frame(w->phy, rate, w->psdu, len, 1 + rng_below(&w->rng, 127), ret_n);
}

static const float complex *data_frame(struct wifi *w, struct tx_packet *p, size_t *ret_len)
{
    bool small = rng_below(&w->rng, 3) == 0;    // a third are TCP's own acknowledgements and such
    size_t body = small ? 40 + rng_below(&w->rng, 110) : 600 + rng_below(&w->rng, 900);
    unsigned rate = w->rate >= 0 ? (unsigned)w->rate : rng_below(&w->rng, WIFI_RATES);
    *ret_len = wifi_data(&w->net, &w->rng, body, w->psdu);
    p->bit_exact = !w->ht;
    return w->ht ? wifi_ht_frame(w->phy, rate, *ret_len, rng_u64(&w->rng), &p->n)
                 : legacy(w, rate, *ret_len, &p->n);
}

static const float complex *beacon_frame(struct wifi *w, struct tx_packet *p, size_t *ret_len)
{
    memcpy(w->psdu, w->given, w->given_len);
    *ret_len = w->given_len ? w->given_len : wifi_beacon(&w->net, p->t_s, w->psdu);
    p->bit_exact = true;
    return legacy(w, 0, *ret_len, &p->n);       // at 6 Mb/s
}

// Books the time after a frame of `air_s` that started at t_s.
static void book(struct wifi *w, enum frame kind, double t_s, double air_s)
{
    double end_s = t_s + air_s;
    w->ack_s = kind == DATA ? end_s + SIFS_S : -1;
    w->free_s = end_s + DIFS_S + SLOT_S * rng_below(&w->rng, WINDOW);
    if (kind == BEACON)                         // the target times stay on their grid
        while (w->beacon_s <= t_s)
            w->beacon_s += w->beacon_period_s;
    if (kind == DATA)
        w->data_s = end_s + idle(w, air_s);
}

static int wifi_next(void *state, struct tx_packet *ret_packet)
{
    struct wifi *w = state;
    struct tx_packet p = { .freq_hz = w->freq_hz, .bw_hz = BW_HZ, .rate_hz = WIFI_RATE_HZ,
                           .link = "Wi-Fi 802.11g/n/ac" };
    enum frame kind = choose(w, &p.t_s);
    size_t len = 0;
    if (p.t_s >= w->until_s)
        return 0;
    if (kind == ACK) {
        len = wifi_ack(&w->net, w->psdu);
        p.iq = legacy(w, 4, len, &p.n);         // at 24 Mb/s, the highest basic rate
        p.gain_db = (float)w->station_db;
        p.bit_exact = true;
    } else {
        p.iq = kind == DATA ? data_frame(w, &p, &len) : beacon_frame(w, &p, &len);
    }
    if (!p.iq)
        return -ENOMEM;
    book(w, kind, p.t_s, (double)p.n / WIFI_RATE_HZ);
    p.payload_len = (uint16_t)(len < sizeof p.payload ? len : sizeof p.payload);
    memcpy(p.payload, w->psdu, p.payload_len);
    *ret_packet = p;
    return 1;
}

const struct tx_model tx_wifi = {
    .name = "wifi", .family = "wifi",
    .about = "802.11 OFDM access point: beacons, data, ACK (mode: Mb/s; variant: beacons, ht); "
             "ht statistical",
    .bit_exact = true, .make = wifi_make, .next = wifi_next, .drop = wifi_drop,
};
