// SPDX-License-Identifier: GPL-3.0-or-later
// What a DroneID block says: from the 176 bytes under a valid CRC-24A to named fields.
//
//     | len | type | ... len - 1 bytes ... | CRC-16 |  padding to 173  | CRC-24A |
//
// Types 0x10 (flight, versions 1 and 2) and 0x11 (licence: only its serial is understood).  Newer
// aircraft send an encrypted container in the same shell: it is known by the letters INFP or CRYP
// at bytes 2..5 under the valid check, never guessed from a check that failed.
// The account number (UUID) stays in raw and is no field.
#include "dsp/droneid/droneid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"

#define TYPE_FLIGHT  0x10
#define TYPE_LICENCE 0x11
#define LEN_V2       88                 // length byte of version 2: type to the byte before the CRC
#define LEN_V1       57                 // up to the UUID's length byte; at least this many
#define SERIAL       16
#define RAW_PER_DEG  174532.92519943295 // angles are radians * 1e7
#define MS_MAX       253402300800000ull // year 10000: RFC 3339 ends there

enum state_bit {                        // facts, 4.5
    STATE_SERIAL = 1 << 0, STATE_HOME = 1 << 2, STATE_GPS = 1 << 6, STATE_ALT = 1 << 7,
    STATE_HEIGHT = 1 << 8, STATE_VXY = 1 << 9, STATE_VUP = 1 << 10,
};

static struct field *add(struct decode *d, const char *key)
{
    struct field *f = &d->field[d->n_fields];
    if (d->n_fields + 1 < DECODE_FIELDS)
        d->n_fields++;
    *f = (struct field){ .key = key, .type = FIELD_NULL };
    return f;
}

// A number, or null where it is not valid.
static void add_num(struct decode *d, const char *key, bool valid, double v, int decimals)
{
    struct field *f = add(d, key);
    if (!valid || !isfinite(v))
        return;
    f->type = FIELD_NUM;
    f->num = v;
    f->decimals = decimals;
}

static void add_str(struct decode *d, const char *key, const char *s)
{
    struct field *f = add(d, key);
    if (!s)
        return;
    f->type = FIELD_STR;
    snprintf(f->str, sizeof(f->str), "%.47s", s);
}

// Up to n bytes that end at the first NUL; null when empty or not sent.
static void add_text(struct decode *d, const char *key, bool valid, const uint8_t *p, size_t n)
{
    char s[SERIAL + 1] = "";
    for (size_t i = 0; valid && p && i < n && i < SERIAL && p[i]; i++)
        s[i] = (char)p[i];
    add_str(d, key, s[0] ? s : NULL);
}

// Two keys, both null where the place is not valid or not on Earth; 0/0 is "none" everywhere.
static bool add_place(struct decode *d, const char *lat_key, const char *lon_key, bool valid,
                      int32_t lat, int32_t lon)
{
    double la = lat / RAW_PER_DEG, lo = lon / RAW_PER_DEG;
    valid = valid && (lat || lon) && fabs(la) <= 90 && fabs(lo) <= 180;
    add_num(d, lat_key, valid, la, 7);
    add_num(d, lon_key, valid, lo, 7);
    return valid;
}

static void add_time(struct decode *d, uint64_t ms)
{
    char s[64];
    time_t sec = (time_t)(ms / 1000);
    struct tm tm;
    if (!ms || ms >= MS_MAX || !gmtime_r(&sec, &tm)) {
        add(d, "timestamp");
        return;
    }
    snprintf(s, sizeof(s), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ms % 1000));
    add_str(d, "timestamp", s);
}

// What a flight record of either version carries.
struct flight {
    uint16_t       sequence, state;
    const uint8_t *serial;
    int32_t        lon, lat, app_lon, app_lat, home_lon, home_lat;
    int16_t        alt, height, vn, ve, vup, pitch, roll, yaw;
    uint64_t       app_ms;
    uint8_t        product;
};

static struct flight flight_read(struct bytes *b, unsigned version)
{
    struct flight r = { 0 };
    r.sequence = bytes_u16(b);
    r.state = bytes_u16(b);
    r.serial = bytes_take(b, SERIAL);
    r.lon = bytes_i32(b);
    r.lat = bytes_i32(b);
    r.alt = bytes_i16(b);
    r.height = bytes_i16(b);
    r.vn = bytes_i16(b);
    r.ve = bytes_i16(b);
    r.vup = bytes_i16(b);
    if (version == 1) {
        r.pitch = bytes_i16(b);
        r.roll = bytes_i16(b);
    }
    r.yaw = bytes_i16(b);
    if (version == 2) {
        r.app_ms = bytes_u64(b);
        r.app_lat = bytes_i32(b);       // latitude first here, and only here
        r.app_lon = bytes_i32(b);
    }
    r.home_lon = bytes_i32(b);
    r.home_lat = bytes_i32(b);
    r.product = bytes_u8(b);
    return r;
}

static void flight_motion(struct decode *d, const struct flight *r)
{
    bool height = r->state & STATE_HEIGHT, vxy = r->state & STATE_VXY;
    double speed = hypot(r->vn, r->ve) / 100, track = atan2(r->ve, r->vn) * 180 / M_PI;
    add_num(d, "alt_baro_m", r->state & STATE_ALT, r->alt, 0);
    add_num(d, "height_m", height, r->height / 10.0, 1);
    add_str(d, "height_ref", height ? "takeoff" : NULL);
    add_num(d, "speed_mps", vxy, speed, 2);
    add_num(d, "vspeed_mps", r->state & STATE_VUP, r->vup / 100.0, 2);
    add_num(d, "track_deg", vxy && speed > 0, track < 0 ? track + 360 : track, 1);
}

// Raw values as sent: the units of some are inferred (docs/LIMITS.md).
static void flight_raw(struct decode *d, const struct flight *r, unsigned version)
{
    const struct { const char *key; int32_t v; int version; } raw[] = {
        { "raw_state", r->state, 0 },       { "raw_lat", r->lat, 0 },
        { "raw_lon", r->lon, 0 },           { "raw_alt", r->alt, 0 },
        { "raw_height", r->height, 0 },     { "raw_vn", r->vn, 0 },
        { "raw_ve", r->ve, 0 },             { "raw_vup", r->vup, 0 },
        { "raw_pitch", r->pitch, 1 },       { "raw_roll", r->roll, 1 },
        { "raw_yaw", r->yaw, 0 },           { "raw_app_lat", r->app_lat, 2 },
        { "raw_app_lon", r->app_lon, 2 },   { "raw_home_lat", r->home_lat, 0 },
        { "raw_home_lon", r->home_lon, 0 }, { "raw_product", r->product, 0 },
    };
    for (size_t i = 0; i < sizeof(raw) / sizeof(*raw); i++)
        if (!raw[i].version || raw[i].version == (int)version)
            add_num(d, raw[i].key, true, raw[i].v, 0);
    if (version == 2) {                 // 64 bits do not fit a JSON number
        char s[24];
        snprintf(s, sizeof(s), "%llu", (unsigned long long)r->app_ms);
        add_str(d, "raw_app_ms", s);
    }
}

static void flight_fields(struct decode *d, struct bytes *b, unsigned version)
{
    struct flight r = flight_read(b, version);
    if (b->bad)
        return;
    add_text(d, "serial", r.state & STATE_SERIAL, r.serial, SERIAL);
    add_num(d, "sequence", true, r.sequence, 0);
    add_num(d, "state", true, r.state, 0);
    add_place(d, "lat_deg", "lon_deg", r.state & STATE_GPS, r.lat, r.lon);
    flight_motion(d, &r);
    bool app = add_place(d, "operator_lat_deg", "operator_lon_deg", version == 2,
                         r.app_lat, r.app_lon);
    add_str(d, "operator_position", app ? "live" : NULL);
    add_place(d, "home_lat_deg", "home_lon_deg", r.state & STATE_HOME, r.home_lat, r.home_lon);
    add_time(d, r.app_ms);
    add_str(d, "product", did_product(r.product));
    add_num(d, "product_code", true, r.product, 0);
    flight_raw(d, &r, version);
}

// Everything an encrypted container hides is told as null.
static int encrypted(const uint8_t *block, bool crc16, struct decode *d)
{
    static const char *const hidden[] = {
        "serial", "lat_deg", "lon_deg", "height_m", "speed_mps", "track_deg",
        "operator_lat_deg", "operator_lon_deg", "operator_position", "home_lat_deg",
        "home_lon_deg", "timestamp", "product", "sequence", "state",
    };
    char text[12];
    d->protocol = PROTO_DJI_DRONEID_ENCRYPTED;
    snprintf(d->check, sizeof(d->check), "%s", crc16 ? "crc24a+crc16" : "crc24a");
    snprintf(text, sizeof(text), "%.4s", (const char *)block + 2);
    add_str(d, "container", text);
    snprintf(text, sizeof(text), "%02x%02x%02x%02x", block[6], block[7], block[8], block[9]);
    add_str(d, "session", text);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        add(d, hidden[i]);
    return 1;
}

int did_frame(const uint8_t block[DID_BLOCK], struct decode *ret)
{
    size_t len = block[0], all = len + 3;
    if (did_crc24a(block, DID_BLOCK) != 0)
        return 0;
    bool shell = !memcmp(block + 2, "INFP", 4) || !memcmp(block + 2, "CRYP", 4);
    bool fits = len >= 2 && all <= DID_FRAME;
    bool crc16 = fits && did_crc16(block, len + 1) == (block[len + 1] | block[len + 2] << 8);
    if (!crc16 && !shell)
        return 0;
    memset(ret, 0, sizeof(*ret));
    ret->raw_len = (uint16_t)(fits ? all : DID_FRAME);
    memcpy(ret->raw, block, DID_FRAME);         // the padding behind raw_len serves memory.c
    if (shell)
        return encrypted(block, crc16, ret);
    ret->protocol = PROTO_DJI_DRONEID;
    snprintf(ret->check, sizeof(ret->check), "crc24a+crc16");
    struct bytes b = bytes_of(block + 2, len - 1);
    if (block[1] == TYPE_LICENCE) {
        const uint8_t *serial = bytes_take(&b, SERIAL);
        add_text(ret, "serial", !b.bad, serial, SERIAL);
    } else if (block[1] == TYPE_FLIGHT) {
        unsigned version = bytes_u8(&b);
        if ((version == 2 && len >= LEN_V2) || (version == 1 && len >= LEN_V1 - 1))
            flight_fields(ret, &b, version);
    }
    return 1;
}
