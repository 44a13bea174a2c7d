// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: transmissions of one kind that belong together by waveform and place,
// without a hop set known to us: Wi-Fi on a channel, a cell, a video carrier, a meter, strangers.
#pragma once

#include "classifier/obs.h"

enum group_kind {
    GROUP_WIFI_OFDM, GROUP_WIFI_DSSS,       // one per channel
    GROUP_BLE, GROUP_BLUETOOTH,             // 1 MBd FSK, hopping: one each
    GROUP_CELL,                             // 15 kHz OFDM as wide as a cell, or wider than we see
    GROUP_NARROW_OFDM,                      // 15 kHz OFDM under 2.5 MHz, hopping
    GROUP_OFDM,                             // any other
    GROUP_VIDEO, GROUP_FM, GROUP_AM, GROUP_CW,
    GROUP_DSSS,
    GROUP_LORA, GROUP_FSK,                  // by parameters, hopping or not
    GROUP_UNKNOWN,
    GROUP_KINDS
};

#define GROUP_CHANNELS 96
#define GROUP_TIMES    192

struct group {
    enum group_kind kind;
    double   freq_hz, bw_hz;        // running means
    double   p1, p2;                // lora: sf, sweep; fsk: symbol rate, deviation
    struct obs sample;              // the observation that was surest of its kind
    uint64_t n;                     // transmissions
    uint64_t explained;             // and energy like it that was a piece of another's
    double   airtime_s, longest_s;
    // counts of transmissions (or parts) with a feature
    unsigned stf, numerology_wifi, barker, access_address, even_mhz, pss, pss_clear, long_cp7,
             zc_dji, cp_dji, cp_lte, frame_dji, narrow_slot, raster, parts, edge;
    double   line_corr, barker_corr;        // best
    struct { double f_hz; unsigned n; } channel[GROUP_CHANNELS];
    unsigned n_channels;
    double   time_s[GROUP_TIMES];   // newest starts, a ring
    unsigned n_times;
};

enum group_kind group_kind_of(const struct obs *o);
bool group_takes(const struct group *g, const struct obs *o);
void group_start(struct group *g, const struct obs *o);     // then group_add it too
void group_add(struct group *g, const struct obs *o);
// Worth telling without a name?
bool group_counts(const struct group *g);
bool group_hops(const struct group *g);
