// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the transmitter models: frames of 802.11, as far as traffic needs them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define WIFI_PSDU 2048

// CRC-32 as the frame check sequence has it; "123456789" gives cbf43926.
uint32_t wifi_fcs(const uint8_t *p, size_t n);
// Appends the check sequence to n bytes at p; n + 4.
size_t   wifi_seal(uint8_t *p, size_t n);

struct wifi_net {               // an access point and a station of it
    uint8_t  ap[6], station[6];
    char     ssid[33];
    unsigned seq, channel;
};

void   wifi_net_init(struct wifi_net *w, struct rng *r, uint64_t uid);
// Each: the whole frame with its check sequence in p; its length.
size_t wifi_beacon(struct wifi_net *w, double t_s, uint8_t p[WIFI_PSDU]);
size_t wifi_data(struct wifi_net *w, struct rng *r, size_t body, uint8_t p[WIFI_PSDU]);
size_t wifi_ack(const struct wifi_net *w, uint8_t p[WIFI_PSDU]);    // from the station to the AP
