// SPDX-License-Identifier: GPL-3.0-or-later
// The bit chain against published check values (facts/droneid.md, 1.1 and 2.1: they stand here) and
// whole frames (facts/droneid_vectors.json: read where present).
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

static struct did_tables tables;

static int setup(void **state)
{
    (void)state;
    did_tables_init(&tables);
    return 0;
}

static void test_zc(void **state)
{
    (void)state;
    static const struct { int root, n; float re, im; } want[] = {
        { 600, 0, 1, 0 }, { 600, 1, .999945f, .010454f }, { 600, 4, .994540f, .104355f },
        { 600, 300, .708030f, .706182f }, { 147, 1, .033971f, -.999423f },
        { 147, 3, -.979292f, -.202455f }, { 147, 300, -.559097f, -.829103f },
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        float complex z = did_zc(want[i].root, want[i].n);
        assert_true(cabsf(z - (want[i].re + I * want[i].im)) < 2e-6f);
    }
}

static void test_crc(void **state)
{
    (void)state;
    uint8_t zeros[173] = { 0 }, ones[173];
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(did_crc24a((const uint8_t *)"123456789", 9), 0xcde703);
    assert_int_equal(did_crc24a(zeros, 173), 0);
    assert_int_equal(did_crc24a(ones, 173), 0xcf0475);
    assert_int_equal(did_crc16((const uint8_t *)"123456789", 9), 0x7109);
}

static void test_tables(void **state)
{
    (void)state;
    static const uint16_t perm[8] = { 0, 131, 438, 921, 172, 1007, 610, 389 };
    static const uint8_t gold[8] = { 0xd2, 0xe1, 0xde, 0x79, 0x4f, 0xef, 0x0b, 0x70 };
    static const struct { int e, stream, index; } source[] = {
        { 0, 0, 12 }, { 1, 0, 44 }, { 5, 0, 172 }, { 1323, 0, 1411 }, { 1324, 1, 4 },
        { 1325, 2, 5 }, { 1326, 1, 36 }, { 1327, 2, 37 }, { 4147, 1, 1411 }, { 4148, 0, 4 },
        { 4149, 0, 36 }, { 4236, 0, 12 }, { 7199, 2, 814 },
    };
    int ones = 0;
    for (int i = 0; i < 8; i++)
        assert_int_equal(tables.perm[i], perm[i]);
    for (int i = 0; i < 64; i++)
        assert_int_equal(tables.gold[i], gold[i / 8] >> (7 - i % 8) & 1);
    for (int i = 0; i < DID_CODED; i++)
        ones += tables.gold[i];
    assert_int_equal(ones, 3614);
    for (size_t i = 0; i < sizeof(source) / sizeof(*source); i++)
        assert_int_equal(tables.source[source[i].e],
                         source[i].stream * DID_STREAM + source[i].index);
}

// ---- whole frames ----------------------------------------------------------------------------

static uint8_t hex_at(const char *hex, size_t i)
{
    unsigned v = 0;
    sscanf(hex + 2 * i, "%2x", &v);
    return (uint8_t)v;
}

static int bit_at(const char *hex, size_t i) { return hex_at(hex, i / 8) >> (7 - i % 8) & 1; }

static void check_vector(const json_t *v, struct did_turbo *turbo)
{
    static const char *const name[3] = { "d0", "d1", "d2" };
    const char *frame = json_string_value(json_object_get(v, "frame"));
    const char *air = json_string_value(json_object_get(v, "scrambled"));
    uint8_t block[DID_BLOCK] = { 0 }, got[DID_BLOCK], stream[3][DID_STREAM];
    float on_air[DID_CODED], llr[3][DID_STREAM], soft[3][DID_STREAM];
    struct rng rng;

    for (size_t i = 0; i < strlen(frame) / 2; i++)
        block[i] = hex_at(frame, i);
    uint32_t crc = did_crc24a(block, DID_FRAME);
    for (int i = 0; i < 3; i++)
        block[DID_FRAME + i] = (uint8_t)(crc >> (16 - 8 * i));
    did_encode(&tables, block, stream);
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < DID_STREAM; i++) {
            assert_int_equal(stream[s][i],
                             bit_at(json_string_value(json_object_get(v, name[s])), i));
            soft[s][i] = stream[s][i] ? -1 : 1;
        }
    did_rate_match(&tables, (const float (*)[DID_STREAM])soft, on_air);
    for (size_t i = 0; i < DID_CODED; i++)
        assert_int_equal(on_air[i] < 0, bit_at(air, i));

    // Es/N0 of -2 dB a carrier: Eb/N0 = -2 + 10 log10(7200 / 2 / 1408) = 2.1 dB, far over threshold
    rng_init(&rng, 7);
    double sigma2 = pow(10, 0.2);       // of both dimensions, |symbol| = 1
    for (size_t i = 0; i < DID_CODED; i++) {
        double y = (bit_at(air, i) ? -1 : 1) * sqrt(.5) + sqrt(sigma2 / 2) * rng_normal(&rng);
        on_air[i] = (float)(4 * sqrt(.5) * y / sigma2);
    }
    did_rate_recover(&tables, on_air, llr);
    assert_int_equal(did_turbo_run(turbo, (const float (*)[DID_STREAM])llr, NULL, 8, true, got), 1);
    assert_memory_equal(got, block, DID_BLOCK);
}

static void test_vectors(void **state)
{
    (void)state;
    json_t *j = json_load_file(VECTORS, 0, NULL);
    if (!j) {
        print_message("no %s: whole frames not checked\n", VECTORS);
        skip();
    }
    struct did_turbo *turbo = did_turbo_new(&tables);
    json_t *all = json_object_get(j, "vectors");
    assert_true(json_array_size(all) >= 3);
    for (size_t i = 0; i < json_array_size(all); i++)
        check_vector(json_array_get(all, i), turbo);
    did_turbo_free(turbo);
    json_decref(j);
}

// Where decoding fails by a hair, what is believed of the coded bits is still mostly right.
static void test_beliefs(void **state)
{
    (void)state;
    struct did_turbo *turbo = did_turbo_new(&tables);
    uint8_t block[DID_BLOCK], got[DID_BLOCK], stream[3][DID_STREAM];
    static float llr[3][DID_STREAM], soft[3][DID_STREAM];
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < DID_BLOCK; i++)         // no valid CRC: the decoder must run to the end
        block[i] = (uint8_t)rng_u64(&rng);
    did_encode(&tables, block, stream);
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < DID_STREAM; i++)
            llr[s][i] = (stream[s][i] ? -2 : 2) + 2 * (float)rng_normal(&rng);
    assert_false(did_turbo_run(turbo, (const float (*)[DID_STREAM])llr, NULL, 6, true, got));
    did_turbo_soft(turbo, soft);
    int wrong = 0;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < DID_STREAM; i++)
            wrong += (soft[s][i] < 0) != stream[s][i];
    assert_true(wrong < 3 * DID_STREAM / 50);   // 16 % of the received bits are wrong
    did_turbo_free(turbo);
}

// Noise alone must not pass, nor silence: it gives the all-zero block, whose CRC holds.
static void test_nothing(void **state)
{
    (void)state;
    struct did_turbo *turbo = did_turbo_new(&tables);
    float llr[3][DID_STREAM] = { 0 };
    uint8_t block[DID_BLOCK];
    struct rng rng;
    rng_init(&rng, 1);
    assert_false(did_turbo_run(turbo, (const float (*)[DID_STREAM])llr, NULL, 4, true, block));
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < DID_STREAM; i++)
            llr[s][i] = (float)(4 * rng_normal(&rng));
    assert_false(did_turbo_run(turbo, (const float (*)[DID_STREAM])llr, NULL, 4, true, block));
    did_turbo_free(turbo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zc), cmocka_unit_test(test_crc), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_beliefs),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
