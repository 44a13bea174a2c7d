// SPDX-License-Identifier: GPL-3.0-or-later
// Messages for the tests of the wire and of the link: one of each kind, every member set.
#pragma once

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "classifier/wire.h"

static inline struct wire_head made_head(enum wire_kind k, uint64_t boot, uint64_t seq)
{
    struct wire_head h = { .v = WIRE_VERSION, .kind = k, .stream = wire_kind_stream(k) };

    if (h.stream == WIRE_STREAM_LINK)
        return h;
    h.boot = boot;
    h.seq = seq;
    h.t_ns = INT64_C(1760000000000000000) + (int64_t)seq;
    h.mono_ns = 12345678901;
    h.clock = (struct wire_clock){ "gnss", true, 0.5, 250 };
    snprintf(h.origin, sizeof h.origin, "simulation");
    return h;
}

static inline void made_track(struct wire_track *t)
{
    *t = (struct wire_track){
        .id = "t-00ab", .radio = "north-2g4", .state = "named", .revision = 3,
        .family = "expresslrs", .link = "ELRS 2.4/250Hz LoRa", .role = "control",
        .verdict = "drone", .link_alternatives = { "D500", "D250" }, .p_drone = 0.99,
        .confidence = 0.97, .first_ns = 1000, .last_ns = 2000, .bursts = 612, .decodes = 1,
        .freq_lo_hz = 2400.4e6, .freq_hi_hz = 2479.4e6, .level_dbfs = -51, .snr_db = 14,
        .n_why = 2, .why = { "LoRa chirps of 812 kHz", "hops on 80 channels \xe2\x9c\x93" },
        .runner_up = "mlrs", .runner_up_confidence = 0.01, .n_ends = 2,
        .ends = { { "control", 400, -50, 120, 0 }, { "telemetry", 212, -60, -80, -1 } },
        .claimed_serial = "SERIAL-1",
    };
}

static inline void made_decode(struct wire_decode *d)
{
    *d = (struct wire_decode){
        .protocol = "dji-droneid", .check = "crc24a+crc16", .track = "t-00ab", .radio = "n",
        .freq_hz = 2416.5e6, .snr_db = 21, .assisted = true, .raw_len = 4,
        .raw = { 0x58, 0x10, 0, 0xff }, .n_fields = 4,
        .field = { { "serial", WIRE_F_STR, 0, "SERIAL-1" }, { "lat_deg", WIRE_F_NUM, 50.1, "" },
                   { "lon_deg", WIRE_F_NULL, 0, "" }, { "licence", WIRE_F_BOOL, 1, "" } },
    };
}

static inline void made_health(struct wire_health *h)
{
    *h = (struct wire_health){
        .name = "Gate north", .version = "0.2.0", .place_known = true, .place_source = "gpsd",
        .lat_deg = 50.05, .lon_deg = 14.4, .alt_m = 220, .place_err_m = 4, .place_age_s = 1,
        .heading_deg = 90, .uptime_s = 3600, .cpu_share = 0.8, .rss_bytes = 1e8,
        .disk_free_bytes = 1e10, .temperature_c = 51, .spool_bytes = 4096, .spool_lost = 2,
        .n_radios = 2,
    };
    for (unsigned i = 0; i < 2; i++)
        h->radio[i] = (struct wire_radio){
            .name = "north-2g4", .device = "RTL2838", .state = "running", .what = "overflow",
            .centre_hz = 2440e6, .rate_hz = 20e6, .rate_measured_hz = 19.99e6, .gain_db = 30,
            .since_s = 10, .last_sample_s = 0.001, .floor_dbfs = -110, .occupancy = 0.2,
            .samples = 1u << 30, .lost = 5, .overflows = 1, .restarts = 2, .shed_bursts = 3,
            .clipping = i == 1, .gain_auto = true, .gain_changes = 4, .gain_why = "clipping",
            .keeps = true, .kept = 7, .keep_refused = 1, .keep_expired = 2,
        };
}

static inline void made_link(struct wire_msg *m, enum wire_kind k)
{
    switch (k) {
    case WIRE_HELLO:
        m->head.boot = UINT64_MAX;      // all 64 bits count
        m->hello = (struct wire_hello){ .v_lo = 1, .v_hi = 1, .name = "Gate", .version = "0.2.0",
                                        .n = 2, .held = { { 7, 1, 5 }, { UINT64_MAX, 0, 0 } } };
        break;
    case WIRE_LOST:   m->span = (struct wire_span){ 7, 3, 4 }; break;
    case WIRE_RESUME:
    case WIRE_ACK:    m->span = (struct wire_span){ 7, 0, 4 }; break;
    default:          m->view = (struct wire_view){ true, false };
    }
}

static inline void made_msg(struct wire_msg *m, enum wire_kind k, uint64_t boot, uint64_t seq)
{
    memset(m, 0, sizeof *m);
    m->head = made_head(k, boot, seq);
    switch (k) {
    case WIRE_TRACK:  made_track(&m->track); break;
    case WIRE_DECODE: made_decode(&m->decode); break;
    case WIRE_HEALTH: made_health(&m->health); break;
    case WIRE_LEDGER:
        m->ledger = (struct wire_ledger){ 1, 10000000001, 3, 1, 1,
                                          { { .lo_hz = 2.43e9, .hi_hz = 2.45e9,
            .watched_s = 9.9, .floor_dbm_hz = -170, .floor_dbfs = -110, .name = "2400",
            .radio = "n", .state = "watched", .deaf_s = 0.1, .lost_s = 0.2, .gain_db = 30,
            .smallest_dbfs = -61, .link_hz = 6e5, .link_s = 1e-3, .away_s = 1, .visits = 4,
            .revisit_p95_s = 4, .revisit_max_s = 5, .windows = 2, .occupancy = 0.2,
            .usual_occupancy = 0.1, .gain_lo_db = 27, .gain_hi_db = 30, .gain_changes = 2 } } };
        break;
    case WIRE_PSD:
        m->psd = (struct wire_psd){ .radio = "n", .centre_hz = 2.44e9, .rate_hz = 20e6,
                                    .floor_db = -110, .top_db = -10, .occupancy = 0.1, .bins = 3,
                                    .v = { 0, 100, 255 } };
        break;
    case WIRE_BURST:
        m->burst = (struct wire_burst){ .radio = "n", .n = 1,
                                        .b = { { 0.01, 0.003, 2.44e9, 8e5, 12, "lora" } } };
        break;
    default: made_link(m, k);
    }
}
