// SPDX-License-Identifier: GPL-3.0-or-later
// Beacons, data frames and acknowledgements of one small network.
#include "sdr/tx/wifi_mac.h"

#include <stdio.h>
#include <string.h>

#define BEACON_TU 100           // of 1.024 ms: what nearly every access point sends

uint32_t wifi_fcs(const uint8_t *p, size_t n)
{
    uint32_t r = 0xffffffff;
    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t in = (r ^ (p[i / 8] >> (i % 8))) & 1;
        r = (r >> 1) ^ (in ? 0xedb88320 : 0);
    }
    return ~r;
}

size_t wifi_seal(uint8_t *p, size_t n)
{
    uint32_t c = wifi_fcs(p, n);
    for (int i = 0; i < 4; i++)
        p[n + (size_t)i] = (uint8_t)(c >> (8 * i));
    return n + 4;
}

void wifi_net_init(struct wifi_net *w, struct rng *r, uint64_t uid)
{
    struct rng own = *r;
    if (uid)
        rng_init(&own, uid);
    for (int i = 0; i < 6; i++) {
        w->ap[i] = (uint8_t)(rng_u64(&own) >> 8);
        w->station[i] = (uint8_t)(rng_u64(&own) >> 8);
    }
    w->ap[0] = w->station[0] = 0x02;                // locally administered, no maker's number
    snprintf(w->ssid, sizeof w->ssid, "net-%02x%02x", w->ap[4], w->ap[5]);
    w->seq = rng_below(&own, 4096);
    w->channel = 1;
}

static uint8_t *put(uint8_t *p, const void *q, size_t n)
{
    memcpy(p, q, n);
    return p + n;
}

static uint8_t *put_le(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        *p++ = (uint8_t)(v >> (8 * i));
    return p;
}

static uint8_t *put_head(struct wifi_net *w, uint8_t *p, unsigned control, const uint8_t *to,
                         const uint8_t *from)
{
    p = put_le(p, control, 2);
    p = put_le(p, 0, 2);                            // duration
    p = put(p, to, 6);
    p = put(p, from, 6);
    p = put(p, w->ap, 6);
    p = put_le(p, (w->seq & 0xfff) << 4, 2);
    w->seq++;
    return p;
}

size_t wifi_beacon(struct wifi_net *w, double t_s, uint8_t p[WIFI_PSDU])
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t rates[] = { 1, 8, 0x8c, 0x12, 0x98, 0x24, 0xb0, 0x48, 0x60, 0x6c };
    static const uint8_t tim[] = { 5, 4, 0, 1, 0, 0 };
    uint8_t *q = put_head(w, p, 0x0080, all, w->ap);
    q = put_le(q, (uint64_t)(t_s * 1e6), 8);
    q = put_le(q, BEACON_TU, 2);
    q = put_le(q, 0x0431, 2);
    *q++ = 0;
    *q++ = (uint8_t)strlen(w->ssid);
    q = put(q, w->ssid, strlen(w->ssid));
    q = put(q, rates, sizeof rates);
    *q++ = 3;
    *q++ = 1;
    *q++ = (uint8_t)w->channel;
    q = put(q, tim, sizeof tim);
    for (int id = 45; id <= 61; id += 16) {         // HT capabilities and operation, contents zero
        unsigned len = id == 45 ? 26 : 22;
        *q++ = (uint8_t)id;
        *q++ = (uint8_t)len;
        memset(q, 0, len);
        q += len;
    }
    return wifi_seal(p, (size_t)(q - p));
}

size_t wifi_data(struct wifi_net *w, struct rng *r, size_t body, uint8_t p[WIFI_PSDU])
{
    uint8_t *q = put_head(w, p, 0x4208, w->station, w->ap);     // protected, from the AP
    if (body > WIFI_PSDU - 64)
        body = WIFI_PSDU - 64;
    for (size_t i = 0; i < body; i++)               // encrypted: random
        *q++ = (uint8_t)(rng_u64(r) >> 8);
    return wifi_seal(p, (size_t)(q - p));
}

size_t wifi_ack(const struct wifi_net *w, uint8_t p[WIFI_PSDU])
{
    uint8_t *q = put_le(p, 0x00d4, 2);
    q = put_le(q, 0, 2);
    q = put(q, w->ap, 6);
    return wifi_seal(p, (size_t)(q - p));
}
