// SPDX-License-Identifier: GPL-3.0-or-later
// The bytes of a DroneID frame: length, type, fields, CRC-16.
//
//      0    1     2                                              len+1
//      len  type  fields ...                                     CRC-16, little-endian
//
// Positions and speeds of a type 0x10 follow a slow circle around the home point, with height and
// speed that agree with each other in the units the facts settle on (0.1 m, cm/s).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "sdr/tx/droneid.h"

enum { LICENCE_LEN = 144, POSITION_LEN = 91, INFP_LEN = 138, CRYP_LEN = 173 };

uint16_t droneid_crc16(const uint8_t *p, size_t n)
{
    unsigned r = 0x3692;
    for (size_t i = 0; i < n; i++) {
        r ^= p[i];
        for (int b = 0; b < 8; b++)
            r = r >> 1 ^ (r & 1 ? 0x8408 : 0);
    }
    return (uint16_t)r;
}

static void put_le(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

void droneid_seal(uint8_t *frame, size_t n)
{
    frame[0] = (uint8_t)(n - 3);        // counts bytes 1 .. n-3
    put_le(frame + n - 2, droneid_crc16(frame, n - 2), 2);
}

void droneid_plane_init(struct droneid_plane *p, uint64_t uid)
{
    *p = (struct droneid_plane){ .account = uid % 1000000 };
    snprintf(p->serial, sizeof p->serial, "TYTOSIM%07u", (unsigned)(uid % 10000000));
    // Somewhere in a square of 4 km, so that two aircraft of a scene stand apart.
    p->home_lat_deg = 50.05 + (double)(uid * 2654435761u >> 8 & 0xff) / 255 * 0.036;
    p->home_lon_deg = 14.38 + (double)(uid * 2246822519u >> 8 & 0xff) / 255 * 0.056;
}

// Radians times 1e7.
static uint64_t angle_raw(double deg) { return (uint64_t)(int64_t)llrint(deg * M_PI / 180 * 1e7); }

struct pose {
    double lat_deg, lon_deg, height_m, vn, ve, vu, yaw_deg;
};

// 120 m around home at 8 m/s, height between 30 and 90 m once a minute.
static struct pose pose_at(const struct droneid_plane *p, double t_s)
{
    const double radius = 120, speed = 8, m_per_deg = 111319.5, rise = 2 * M_PI / 60;
    double a = t_s * speed / radius;
    return (struct pose){
        .lat_deg = p->home_lat_deg + radius * sin(a) / m_per_deg,
        .lon_deg = p->home_lon_deg
                   + radius * cos(a) / (m_per_deg * cos(p->home_lat_deg * M_PI / 180)),
        .height_m = 60 + 30 * sin(rise * t_s),
        .vn = speed * cos(a),
        .ve = -speed * sin(a),
        .vu = 30 * rise * cos(rise * t_s),
        .yaw_deg = remainder(-a * 180 / M_PI, 360),
    };
}

size_t droneid_position(struct droneid_plane *p, double t_s, uint8_t buf[DRONEID_PADDED])
{
    struct pose at = pose_at(p, t_s);
    const double ground_m = 230, pilot_off_deg = 0.0002;
    memset(buf, 0, POSITION_LEN);
    buf[1] = 0x10;
    buf[2] = 2;                                         // version
    put_le(buf + 3, ++p->sequence, 2);
    put_le(buf + 5, 0x1ff7, 2);                         // flying, everything valid
    memcpy(buf + 7, p->serial, 16);
    put_le(buf + 23, angle_raw(at.lon_deg), 4);
    put_le(buf + 27, angle_raw(at.lat_deg), 4);
    put_le(buf + 31, (uint64_t)llrint(ground_m + at.height_m), 2);
    put_le(buf + 33, (uint64_t)llrint(at.height_m * 10), 2);
    put_le(buf + 35, (uint64_t)llrint(at.vn * 100), 2);
    put_le(buf + 37, (uint64_t)llrint(at.ve * 100), 2);
    put_le(buf + 39, (uint64_t)llrint(at.vu * 100), 2);
    put_le(buf + 41, (uint64_t)llrint(at.yaw_deg * 100), 2);
    put_le(buf + 43, 1790000000000u + 1000 * (uint64_t)floor(t_s / 10) * 10, 8);  // seldom updated
    put_le(buf + 51, angle_raw(p->home_lat_deg + pilot_off_deg), 4);
    put_le(buf + 55, angle_raw(p->home_lon_deg - pilot_off_deg), 4);
    put_le(buf + 59, angle_raw(p->home_lon_deg), 4);
    put_le(buf + 63, angle_raw(p->home_lat_deg), 4);
    buf[67] = 63;                                       // Mini 2: the best documented 9-symbol one
    buf[68] = 19;
    char account[20];
    snprintf(account, sizeof account, "%019llu", (unsigned long long)p->account);
    memcpy(buf + 69, account, 19);
    droneid_seal(buf, POSITION_LEN);
    return POSITION_LEN;
}

// Behind the serial only the mark CC AA 02 is known of real ones.
size_t droneid_licence(const struct droneid_plane *p, uint8_t buf[DRONEID_PADDED])
{
    struct rng rng;
    rng_init(&rng, p->account);
    memset(buf, 0, LICENCE_LEN);
    buf[1] = 0x11;
    memcpy(buf + 2, p->serial, 16);
    memcpy(buf + 18, "\xcc\xaa\x02", 3);
    for (unsigned i = 21; i < 91; i++)
        buf[i] = (uint8_t)rng_u64(&rng);
    droneid_seal(buf, LICENCE_LEN);
    // The real buffer has constant leftovers behind it.
    for (unsigned i = LICENCE_LEN; i < DRONEID_PADDED; i++)
        buf[i] = (uint8_t)rng_u64(&rng);
    return LICENCE_LEN;
}

static void fill_random(struct rng *rng, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)rng_u64(rng);
}

size_t droneid_infp(uint32_t session, struct rng *rng, uint8_t buf[DRONEID_PADDED])
{
    memcpy(buf + 1, "\x10INFP", 5);
    put_le(buf + 6, session, 4);
    fill_random(rng, buf + 10, 8);                      // nonce
    put_le(buf + 18, INFP_LEN - 22, 2);                 // bytes up to the CRC-16
    fill_random(rng, buf + 20, INFP_LEN - 22);
    droneid_seal(buf, INFP_LEN);
    return INFP_LEN;
}

size_t droneid_cryp(uint32_t session, struct rng *rng, uint8_t buf[DRONEID_PADDED])
{
    memcpy(buf + 1, "\x13" "CRYP", 5);
    put_le(buf + 6, session, 4);
    fill_random(rng, buf + 10, CRYP_LEN - 12);          // the wrapped key
    droneid_seal(buf, CRYP_LEN);
    return CRYP_LEN;
}
