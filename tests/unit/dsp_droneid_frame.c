// SPDX-License-Identifier: GPL-3.0-or-later
// Frames to fields: published synthetic frames (facts/droneid_vectors.json), and frames built here
// byte by byte from the layouts; and the memory that helps the next frame of an aircraft.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "dsp/droneid/droneid.h"

#define VECTORS "../shared/facts/droneid_vectors.json"
#define RAD 174532.92519943295          // raw angle units per degree: 1e7 pi / 180

// ---- building --------------------------------------------------------------------------------

static void put(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

// Sets length and CRC-16 for n bytes in all, and the block's CRC-24A.
static void seal(uint8_t block[DID_BLOCK], int n)
{
    block[0] = (uint8_t)(n - 3);
    put(block + n - 2, did_crc16(block, (size_t)n - 2), 2);
    uint32_t crc = did_crc24a(block, DID_FRAME);
    for (int i = 0; i < 3; i++)
        block[DID_FRAME + i] = (uint8_t)(crc >> (16 - 8 * i));
}

static void flight(uint8_t block[DID_BLOCK], uint16_t sequence, uint16_t state)
{
    memset(block, 0, DID_BLOCK);
    block[1] = 0x10;
    block[2] = 2;
    put(block + 3, sequence, 2);
    put(block + 5, state, 2);
    memcpy(block + 7, "IOQTESTIOQ0001", 14);
    put(block + 23, (uint64_t)(int64_t)lround(-70.5 * RAD), 4);
    put(block + 27, (uint64_t)(int64_t)lround(-33.25 * RAD), 4);
    put(block + 31, (uint64_t)-12, 2);
    put(block + 33, 1234, 2);
    put(block + 35, (uint64_t)-300, 2);
    put(block + 37, (uint64_t)-400, 2);
    put(block + 39, (uint64_t)-55, 2);
    put(block + 41, (uint64_t)-9000, 2);
    put(block + 43, 951782400123, 8);                   // 2000-02-29 00:00:00.123
    put(block + 51, (uint64_t)(int64_t)lround(-33.26 * RAD), 4);
    put(block + 55, (uint64_t)(int64_t)lround(-70.51 * RAD), 4);
    put(block + 59, (uint64_t)(int64_t)lround(-70.52 * RAD), 4);
    put(block + 63, (uint64_t)(int64_t)lround(-33.27 * RAD), 4);
    block[67] = 68;
    block[68] = 19;
    memcpy(block + 69, "1000000000000000042", 19);
    seal(block, 91);
}

// ---- looking ---------------------------------------------------------------------------------

static const struct field *get(const struct decode *d, const char *key)
{
    for (unsigned i = 0; i < d->n_fields; i++)
        if (!strcmp(d->field[i].key, key))
            return &d->field[i];
    fail_msg("no field %s", key);
    return NULL;
}

static void num(const struct decode *d, const char *key, double want, double tolerance)
{
    assert_int_equal(get(d, key)->type, FIELD_NUM);
    assert_true(fabs(get(d, key)->num - want) <= tolerance);
}

static void text(const struct decode *d, const char *key, const char *want)
{
    assert_int_equal(get(d, key)->type, FIELD_STR);
    assert_string_equal(get(d, key)->str, want);
}

static void null(const struct decode *d, const char *key)
{
    assert_int_equal(get(d, key)->type, FIELD_NULL);
}

static void no_account(const struct decode *d)
{
    for (unsigned i = 0; i < d->n_fields; i++)
        assert_null(strstr(d->field[i].str, "1000000000"));
}

// ---- tests -----------------------------------------------------------------------------------

static void test_flight(void **state)
{
    (void)state;
    uint8_t b[DID_BLOCK];
    struct decode d;
    flight(b, 40000, 0x1ff7);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.protocol, PROTO_DJI_DRONEID);
    assert_string_equal(d.check, "crc24a+crc16");
    assert_int_equal(d.raw_len, 91);
    assert_memory_equal(d.raw, b, 91);
    text(&d, "serial", "IOQTESTIOQ0001");
    num(&d, "sequence", 40000, 0);
    num(&d, "state", 0x1ff7, 0);
    num(&d, "lat_deg", -33.25, 4e-6);
    num(&d, "lon_deg", -70.5, 4e-6);
    num(&d, "alt_baro_m", -12, 0);
    num(&d, "height_m", 123.4, 1e-9);
    text(&d, "height_ref", "takeoff");
    num(&d, "speed_mps", 5, 1e-9);
    num(&d, "vspeed_mps", -0.55, 1e-9);
    num(&d, "track_deg", 180 + 53.13010235, 1e-6);      // north -3, east -4
    num(&d, "operator_lat_deg", -33.26, 4e-6);
    num(&d, "operator_lon_deg", -70.51, 4e-6);
    text(&d, "operator_position", "live");
    num(&d, "home_lat_deg", -33.27, 4e-6);
    num(&d, "home_lon_deg", -70.52, 4e-6);
    text(&d, "timestamp", "2000-02-29T00:00:00.123Z");
    text(&d, "product", "Mavic 3");
    num(&d, "product_code", 68, 0);
    num(&d, "raw_yaw", -9000, 0);
    num(&d, "raw_vn", -300, 0);
    num(&d, "raw_height", 1234, 0);
    no_account(&d);
}

// Each state bit takes away what it says is not valid, and nothing else.
static void test_state(void **state)
{
    (void)state;
    static const struct { int bit; const char *key[3]; } rule[] = {
        { 0, { "serial" } }, { 2, { "home_lat_deg", "home_lon_deg" } },
        { 6, { "lat_deg", "lon_deg" } }, { 7, { "alt_baro_m" } },
        { 8, { "height_m", "height_ref" } }, { 9, { "speed_mps", "track_deg" } },
        { 10, { "vspeed_mps" } },
    };
    uint8_t b[DID_BLOCK];
    struct decode all, d;
    flight(b, 1, 0x1fff);
    assert_int_equal(did_frame(b, &all), 1);
    for (size_t i = 0; i < sizeof(rule) / sizeof(*rule); i++) {
        unsigned nulls = 0;
        flight(b, 1, (uint16_t)(0x1fff & ~(1u << rule[i].bit)));
        assert_int_equal(did_frame(b, &d), 1);
        for (int k = 0; k < 3 && rule[i].key[k]; k++, nulls++)
            null(&d, rule[i].key[k]);
        for (unsigned k = 0; k < d.n_fields; k++)
            nulls -= d.field[k].type == FIELD_NULL;
        assert_int_equal(nulls, 0);
    }
}

static void test_absent(void **state)
{
    (void)state;
    uint8_t b[DID_BLOCK];
    struct decode d;
    flight(b, 1, 0x1fff);
    put(b + 51, 0, 8);                                  // no phone
    put(b + 43, 0, 8);
    put(b + 27, 0x7fffffff, 4);                         // 12,304 degrees north
    put(b + 35, 0, 4);                                  // stands still
    b[67] = 200;
    seal(b, 91);
    assert_int_equal(did_frame(b, &d), 1);
    null(&d, "operator_lat_deg");
    null(&d, "operator_position");
    null(&d, "timestamp");
    null(&d, "lat_deg");
    null(&d, "lon_deg");
    null(&d, "product");
    null(&d, "track_deg");
    num(&d, "speed_mps", 0, 0);
    num(&d, "product_code", 200, 0);
    put(b + 43, UINT64_MAX, 8);
    seal(b, 91);
    assert_int_equal(did_frame(b, &d), 1);
    null(&d, "timestamp");
    text(&d, "raw_app_ms", "18446744073709551615");
}

static void test_version1(void **state)
{
    (void)state;
    uint8_t b[DID_BLOCK];
    struct decode d;
    flight(b, 77, 0x1fff);
    b[2] = 1;
    put(b + 41, 11, 2);                                 // pitch, roll, yaw
    put(b + 43, (uint64_t)-22, 2);
    put(b + 45, 33, 2);
    put(b + 47, (uint64_t)lround(8.5 * RAD), 4);        // home: longitude first
    put(b + 51, (uint64_t)lround(50.5 * RAD), 4);
    b[55] = 16;
    b[56] = 0;
    memset(b + 57, 0, 116);
    seal(b, 79);
    assert_int_equal(did_frame(b, &d), 1);
    num(&d, "sequence", 77, 0);
    num(&d, "lat_deg", -33.25, 4e-6);
    num(&d, "raw_pitch", 11, 0);
    num(&d, "raw_roll", -22, 0);
    num(&d, "raw_yaw", 33, 0);
    num(&d, "home_lat_deg", 50.5, 4e-6);
    num(&d, "home_lon_deg", 8.5, 4e-6);
    text(&d, "product", "Mavic Pro");
    null(&d, "operator_lat_deg");
    null(&d, "timestamp");
}

static void test_others(void **state)
{
    (void)state;
    uint8_t b[DID_BLOCK] = { 0, 0x11, 'I', 'O', 'Q', 0xff, 'x' };
    struct decode d;
    seal(b, 144);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.n_fields, 1);                    // licence: a serial and no position
    text(&d, "serial", "IOQ\xffx");
    b[1] = 0x42;                                        // not known: nothing is said of it
    seal(b, 144);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.n_fields, 0);
    flight(b, 1, 0x1fff);                               // a version that is not known
    b[2] = 9;
    seal(b, 91);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.n_fields, 0);
    flight(b, 1, 0x1fff);                               // shorter than its fields
    seal(b, 60);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.n_fields, 0);
}

// An encrypted container is known by its letters under a valid CRC-24A, and by nothing else.
static void test_encrypted(void **state)
{
    (void)state;
    uint8_t b[DID_BLOCK] = { 0, 0x10, 'I', 'N', 'F', 'P', 0xde, 0xad, 0xbe, 0xef };
    struct decode d;
    for (int i = 10; i < DID_FRAME; i++)
        b[i] = (uint8_t)(i * 37);
    seal(b, 138);
    assert_int_equal(did_frame(b, &d), 1);
    assert_int_equal(d.protocol, PROTO_DJI_DRONEID_ENCRYPTED);
    assert_string_equal(d.check, "crc24a+crc16");
    text(&d, "container", "INFP");
    text(&d, "session", "deadbeef");
    null(&d, "serial");
    null(&d, "lat_deg");
    b[20] ^= 1;                                         // CRC-16 gone, CRC-24A mended
    uint32_t crc = did_crc24a(b, DID_FRAME);
    for (int i = 0; i < 3; i++)
        b[DID_FRAME + i] = (uint8_t)(crc >> (16 - 8 * i));
    assert_int_equal(did_frame(b, &d), 1);
    assert_string_equal(d.check, "crc24a");
    b[21] ^= 1;                                         // both gone: nothing
    assert_int_equal(did_frame(b, &d), 0);
    flight(b, 1, 0x1fff);                               // an open frame with a bad CRC-16: nothing
    b[20] ^= 1;
    crc = did_crc24a(b, DID_FRAME);
    for (int i = 0; i < 3; i++)
        b[DID_FRAME + i] = (uint8_t)(crc >> (16 - 8 * i));
    assert_int_equal(did_frame(b, &d), 0);
}

static void test_vectors(void **state)
{
    (void)state;
    json_t *j = json_load_file(VECTORS, 0, NULL), *v;
    size_t i;
    if (!j) {
        print_message("no %s: published frames not checked\n", VECTORS);
        skip();
    }
    json_array_foreach(json_object_get(j, "vectors"), i, v) {
        const char *hex = json_string_value(json_object_get(v, "frame"));
        json_t *f = json_object_get(v, "fields");
        uint8_t b[DID_BLOCK] = { 0 };
        struct decode d;
        unsigned byte;
        for (size_t k = 0; sscanf(hex + 2 * k, "%2x", &byte) == 1 && k < DID_FRAME; k++)
            b[k] = (uint8_t)byte;
        uint32_t crc = did_crc24a(b, DID_FRAME);
        for (int k = 0; k < 3; k++)
            b[DID_FRAME + k] = (uint8_t)(crc >> (16 - 8 * k));
        assert_int_equal(did_frame(b, &d), 1);
        num(&d, "sequence", json_number_value(json_object_get(f, "seq")), 0);
        num(&d, "raw_alt", json_number_value(json_object_get(f, "alt")), 0);
        num(&d, "raw_height", json_number_value(json_object_get(f, "height")), 0);
        num(&d, "raw_yaw", json_number_value(json_object_get(f, "yaw")), 0);
        num(&d, "product_code", json_number_value(json_object_get(f, "prod")), 0);
        num(&d, "raw_app_lat", json_number_value(json_object_get(f, "applat")), 0);
        num(&d, "raw_home_lon", json_number_value(json_object_get(f, "homelon")), 0);
        if (json_integer_value(json_object_get(f, "state")) & 1 << 6) {
            num(&d, "lat_deg", json_number_value(json_object_get(v, "lat_deg")), 1e-9);
            num(&d, "lon_deg", json_number_value(json_object_get(v, "lon_deg")), 1e-9);
        } else {
            null(&d, "lat_deg");
        }
        no_account(&d);
    }
    json_decref(j);
}

// ---- memory ----------------------------------------------------------------------------------

static void heard(struct finding *f, const struct did_tables *t, const uint8_t *block, double es_db,
                  struct rng *r)
{
    static struct droneid_soft soft;
    uint8_t stream[3][DID_STREAM];
    float s[3][DID_STREAM], air[DID_CODED];
    double sigma2 = pow(10, -es_db / 10);
    did_encode(t, block, stream);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < DID_STREAM; k++)
            s[i][k] = stream[i][k] ? -1 : 1;
    did_rate_match(t, (const float (*)[DID_STREAM])s, air);
    for (int e = 0; e < DID_CODED; e++)
        air[e] = (float)(4 * M_SQRT1_2 / sigma2 *
                         (air[e] * M_SQRT1_2 + sqrt(sigma2 / 2) * rng_normal(r)));
    did_rate_recover(t, air, soft.llr);
    f->soft = &soft;
}

// At -6 dB, 2 dB below what can be read alone, the next frame is read with memory; the same frame
// again is refused, for it brings nothing new; and noise gives nothing.
static void test_memory(void **state)
{
    (void)state;
    static struct did_tables t;
    struct droneid_memory *m = droneid_memory_new();
    struct did_turbo *turbo = did_turbo_new(&t);
    struct rng r;
    uint8_t b[DID_BLOCK], got[DID_BLOCK];
    struct decode d, first;
    struct finding f = { .droneid = { .seen = true, .t_s = { 10, 0 },
                                      .freq_hz = { 2414.503e6, 0 } } };
    did_tables_init(&t);
    rng_init(&r, 12);
    flight(b, 300, 0x1ff7);
    heard(&f, &t, b, -6, &r);
    assert_int_equal(droneid_memory_help(m, &f, &d), 0);        // nobody is known yet
    assert_int_equal(did_frame(b, &first), 1);
    first.t_s.v = 9;
    first.freq_hz.v = 2429.503e6;
    droneid_memory_learn(m, &(struct finding){ .decode = &first, .n_decode = 1 });
    assert_int_equal(droneid_memory_help(m, &f, &d), 0);        // nothing new
    flight(b, 303, 0x1ff7);
    put(b + 27, (uint64_t)(int64_t)lround(-33.2505 * RAD), 4);
    put(b + 33, 1270, 2);
    put(b + 41, 4500, 2);
    seal(b, 91);
    heard(&f, &t, b, -6, &r);
    assert_int_equal(did_turbo_run(turbo, (const float (*)[DID_STREAM])f.soft->llr, NULL, 8, true,
                                   got), 0);
    assert_int_equal(droneid_memory_help(m, &f, &d), 1);
    assert_true(d.assisted);
    assert_memory_equal(d.raw, b, 91);
    num(&d, "lat_deg", -33.2505, 4e-6);
    for (int i = 0; i < 20; i++) {
        heard(&f, &t, b, -30, &r);
        assert_int_equal(droneid_memory_help(m, &f, &d), 0);
    }
    f.droneid.t_s.v = 1000;                                     // too long ago
    flight(b, 400, 0x1ff7);
    heard(&f, &t, b, -6, &r);
    assert_int_equal(droneid_memory_help(m, &f, &d), 0);
    did_turbo_free(turbo);
    droneid_memory_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flight), cmocka_unit_test(test_state), cmocka_unit_test(test_absent),
        cmocka_unit_test(test_version1), cmocka_unit_test(test_others),
        cmocka_unit_test(test_encrypted), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
