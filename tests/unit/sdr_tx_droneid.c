// SPDX-License-Identifier: GPL-3.0-or-later
// The DroneID transmit chain against published check values (facts/droneid.md 1.1, 2.1: they stand
// here) and whole frames (facts/droneid_vectors.json: read where present).
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/droneid.h"
#include "sdr/tx/ofdm15.h"
#include "tests/unit/sha256.h"

#define VECTORS "../shared/facts/droneid_vectors.json"

extern const struct tx_model tx_droneid;

static void test_sha_itself(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex((const uint8_t *)"abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// ---- published stage values ------------------------------------------------------------------

static void pack(const uint8_t *bit, unsigned n, uint8_t *out)
{
    memset(out, 0, (n + 7) / 8);
    for (unsigned i = 0; i < n; i++)
        out[i / 8] |= (uint8_t)(bit[i] << (7 - i % 8));
}

static void test_crc(void **state)
{
    (void)state;
    uint8_t zeros[173] = { 0 }, ones[173];
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(crc24a((const uint8_t *)"123456789", 9), 0xcde703);
    assert_int_equal(crc24a(zeros, 173), 0);
    assert_int_equal(crc24a(ones, 173), 0xcf0475);
    assert_int_equal(droneid_crc16((const uint8_t *)"123456789", 9), 0x7109);
}

static void test_gold(void **state)
{
    (void)state;
    static const uint8_t first[8] = { 0xd2, 0xe1, 0xde, 0x79, 0x4f, 0xef, 0x0b, 0x70 };
    uint8_t bit[TURBO_E], packed[TURBO_E / 8];
    char hex[65];
    unsigned ones = 0;
    ofdm_gold(0x12345678, TURBO_E, bit);
    for (unsigned i = 0; i < TURBO_E; i++)
        ones += bit[i];
    pack(bit, TURBO_E, packed);
    sha256_hex(packed, sizeof packed, hex);
    assert_int_equal(ones, 3614);
    assert_memory_equal(packed, first, 8);
    assert_int_equal(packed[899], 0x31);
    assert_memory_equal(hex, "575ea7b19aaf58cc", 16);
}

static void test_interleaver_and_matching(void **state)
{
    (void)state;
    static const unsigned qpp[8] = { 0, 131, 438, 921, 172, 1007, 610, 389 };
    static const struct { unsigned i; struct turbo_src s; } want[] = {
        { 0, { 0, 12 } }, { 1, { 0, 44 } }, { 2, { 0, 76 } }, { 3, { 0, 108 } },
        { 4, { 0, 140 } }, { 5, { 0, 172 } }, { 1323, { 0, 1411 } }, { 1324, { 1, 4 } },
        { 1325, { 2, 5 } }, { 1326, { 1, 36 } }, { 1327, { 2, 37 } }, { 4147, { 1, 1411 } },
        { 4148, { 0, 4 } }, { 4149, { 0, 36 } }, { 4236, { 0, 12 } }, { 7199, { 2, 814 } },
    };
    struct turbo_src e[TURBO_E];
    unsigned sent[3][TURBO_D] = { 0 }, once = 0, twice = 0;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(turbo_qpp(i), qpp[i]);
    turbo_match(e);
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(e[want[i].i].stream, want[i].s.stream);
        assert_int_equal(e[want[i].i].index, want[i].s.index);
    }
    for (unsigned i = 0; i < TURBO_E; i++)
        sent[e[i].stream][e[i].index]++;
    for (unsigned s = 0; s < 3; s++)
        for (unsigned i = 0; i < TURBO_D; i++) {
            once += sent[s][i] == 1;
            twice += sent[s][i] == 2;
        }
    assert_int_equal(once, 1272);
    assert_int_equal(twice, 2964);
}

static void assert_near(double complex got, double re, double im, double tol)
{
    if (cabs(got - CMPLX(re, im)) > tol)
        fail_msg("%.6f%+.6fj, expected %.6f%+.6fj", creal(got), cimag(got), re, im);
}

static void test_zadoff_chu(void **state)
{
    (void)state;
    double complex z[601], x[1024];
    struct ofdm o;
    ofdm_init(&o, 1024);
    ofdm_zc(600, 601, z);
    assert_near(z[0], 1, 0, 1e-6);
    assert_near(z[1], .999945, .010454, 2e-6);
    assert_near(z[4], .994540, .104355, 2e-6);
    assert_near(z[300], .708030, .706182, 2e-6);
    z[300] = 0;
    assert_int_equal(ofdm_symbol(&o, z, 300, 0, x), 1024);
    assert_near(x[0], 16.64954, 16.60609, 2e-5);
    assert_near(x[3], 12.14589, 9.32994, 2e-5);
    ofdm_zc(147, 601, z);
    assert_near(z[3], -.979292, -.202455, 2e-6);
    assert_near(z[300], -.559097, -.829103, 2e-6);
    z[300] = 0;
    ofdm_symbol(&o, z, 300, 0, x);
    assert_near(x[0], -13.14732, -19.49660, 2e-5);
    assert_near(x[3], 16.54619, 21.36093, 2e-5);
}

// ---- whole frames ----------------------------------------------------------------------------

static void hex_of(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void assert_bits(const json_t *v, const char *key, const uint8_t *bit, unsigned n)
{
    uint8_t packed[TURBO_E / 8];
    char hex[TURBO_E / 4 + 1];
    pack(bit, n, packed);
    hex_of(packed, (n + 7) / 8, hex);
    assert_string_equal(hex, json_string_value(json_object_get(v, key)));
}

static void assert_burst(const json_t *v, const uint8_t *scrambled, unsigned symbols)
{
    static double complex x[DRONEID_NINE];
    static uint8_t raw[DRONEID_NINE * 4];
    char key[32], hex[65];
    unsigned n = droneid_burst(scrambled, symbols, 0, x);
    assert_int_equal(n, symbols == 9 ? DRONEID_NINE : DRONEID_EIGHT);
    for (unsigned i = 0; i < 2 * n; i++) {
        int s = (int)nearbyint(100 * (i % 2 ? cimag(x[i / 2]) : creal(x[i / 2])));
        raw[2 * i] = (uint8_t)s;
        raw[2 * i + 1] = (uint8_t)(s >> 8);
    }
    sha256_hex(raw, 4 * n, hex);
    snprintf(key, sizeof key, "burst%u_int16_sha256", symbols);
    assert_string_equal(hex, json_string_value(json_object_get(v, key)));
}

static void assert_chain(const json_t *v)
{
    uint8_t padded[176] = { 0 }, in[TURBO_K], d[3][TURBO_D], bit[TURBO_E], gold[TURBO_E];
    struct turbo_src src[TURBO_E];
    char hex[8];
    int n = hex_bytes(json_string_value(json_object_get(v, "frame")), padded, 173);
    assert_true(n > 0);
    snprintf(hex, sizeof hex, "%06x", crc24a(padded, 173));
    assert_string_equal(hex, json_string_value(json_object_get(v, "crc24a")));
    droneid_encode(padded, bit);
    assert_bits(v, "scrambled", bit, TURBO_E);
    assert_burst(v, bit, 9);
    assert_burst(v, bit, 8);
    ofdm_gold(0x12345678, TURBO_E, gold);
    for (unsigned i = 0; i < TURBO_E; i++)
        bit[i] ^= gold[i];
    assert_bits(v, "e", bit, TURBO_E);
    for (int i = 0; i < 3; i++)
        padded[173 + i] = (uint8_t)(crc24a(padded, 173) >> (16 - 8 * i));
    for (unsigned i = 0; i < TURBO_K; i++)
        in[i] = padded[i / 8] >> (7 - i % 8) & 1;
    turbo_encode(in, d);
    assert_bits(v, "d0", d[0], TURBO_D);
    assert_bits(v, "d1", d[1], TURBO_D);
    assert_bits(v, "d2", d[2], TURBO_D);
    turbo_match(src);
    for (unsigned i = 0; i < TURBO_E; i++)
        assert_int_equal(bit[i], d[src[i].stream][src[i].index]);
}

static void test_vectors(void **state)
{
    (void)state;
    json_error_t e;
    json_t *j = json_load_file(VECTORS, 0, &e);
    if (!j) {
        print_message("no %s: skipped\n", VECTORS);
        skip();
    }
    json_t *all = json_object_get(j, "vectors");
    assert_true(json_array_size(all) >= 3);
    for (size_t i = 0; i < json_array_size(all); i++)
        assert_chain(json_array_get(all, i));
    json_decref(j);
}

// ---- the model -------------------------------------------------------------------------------

static void *model(const struct tx_args *a)
{
    void *m;
    char why[IQ_WHY];
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(tx_droneid.make(&m, a, &rng, why), 0);
    return m;
}

static int32_t i32(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                     (uint32_t)p[3] << 24);
}

static int i16(const uint8_t *p) { return (int16_t)(p[0] | p[1] << 8); }

static void test_cadence_and_frames(void **state)
{
    (void)state;
    void *m = model(&(struct tx_args){ .until_s = 17.0, .uid = 4242 });
    struct tx_packet p;
    unsigned n = 0, licences = 0;
    int seq = 0;
    double last_f = 0;
    while (tx_droneid.next(m, &p) == 1) {
        assert_float_equal(p.t_s, 0.64 * n, 1e-9);
        if (n % 13)
            assert_true(p.freq_hz == last_f);
        last_f = p.freq_hz;
        assert_int_equal(p.n, DRONEID_NINE);
        assert_int_equal(p.payload_len, p.payload[0] + 3);
        assert_int_equal(droneid_crc16(p.payload, p.payload_len - 2u),
                         p.payload[p.payload_len - 2] | p.payload[p.payload_len - 1] << 8);
        double sum = 0;
        for (size_t i = 0; i < p.n; i++)
            sum += crealf(p.iq[i]) * crealf(p.iq[i]) + cimagf(p.iq[i]) * cimagf(p.iq[i]);
        assert_float_equal(sum / (double)p.n, 1, 1e-5);
        if (p.payload[1] == 0x11) {
            licences++;
            assert_memory_equal(p.payload + 2, "TYTOSIM0004242", 15);
        } else {
            assert_int_equal(p.payload[3], ++seq);
            assert_memory_equal(p.payload + 7, "TYTOSIM0004242", 15);
            double lat = i32(p.payload + 27) / 174532.925199;
            assert_true(lat > 50 && lat < 50.2);
            assert_float_equal(hypot(i16(p.payload + 35), i16(p.payload + 37)), 800, 2);
        }
        n++;
    }
    assert_int_equal(n, 27);
    assert_int_equal(licences, 9);
    tx_droneid.drop(m);
}

static void test_variants(void **state)
{
    (void)state;
    struct tx_packet p;
    void *m = model(&(struct tx_args){ .variant = "8 infp", .freq_hz = 2.41e9, .until_s = 1 });
    assert_int_equal(tx_droneid.next(m, &p), 1);
    assert_int_equal(p.n, DRONEID_EIGHT);
    assert_true(p.freq_hz == 2.41e9);
    assert_memory_equal(p.payload, "\x87\x10INFP", 6);
    assert_int_equal(p.payload_len, 138);
    tx_droneid.drop(m);
    m = model(&(struct tx_args){ .variant = "cryp", .until_s = 1 });
    assert_int_equal(tx_droneid.next(m, &p), 1);
    assert_memory_equal(p.payload, "\xaa\x13" "CRYP", 6);
    assert_int_equal(p.payload_len, 173);
    tx_droneid.drop(m);
    m = model(&(struct tx_args){ .variant = "seal", .payload_hex = "00 10 02 01 00 00 00",
                                 .until_s = 1 });
    assert_int_equal(tx_droneid.next(m, &p), 1);
    assert_int_equal(p.payload_len, 7);
    assert_int_equal(p.payload[0], 4);
    assert_int_equal(droneid_crc16(p.payload, 5), p.payload[5] | p.payload[6] << 8);
    tx_droneid.drop(m);
}

// A position is written over a licence: what lies behind its 91 bytes stays, up to the last.
static void test_stale_tail(void **state)
{
    (void)state;
    struct droneid_plane plane;
    uint8_t licence[DRONEID_PADDED], buf[DRONEID_PADDED];
    droneid_plane_init(&plane, 3);
    assert_int_equal(droneid_licence(&plane, licence), 144);
    memcpy(buf, licence, sizeof buf);
    assert_int_equal(droneid_position(&plane, 1, buf), 91);
    assert_memory_equal(buf + 91, licence + 91, DRONEID_PADDED - 91);
    assert_memory_not_equal(buf, licence, 91);
    unsigned garbage = 0;
    for (unsigned i = 144; i < DRONEID_PADDED; i++)
        garbage += buf[i] != 0;
    assert_true(garbage > 20);
}

// A scene that sees only 2.4 GHz gets no burst of the upper band, and misses none of the lower.
static void test_window(void **state)
{
    (void)state;
    void *m = model(&(struct tx_args){ .until_s = 32 * 13 * 0.64, .capture_lo_hz = 2.40e9,
                                       .capture_hi_hz = 2.48e9 });
    struct tx_packet p;
    unsigned n = 0;
    while (tx_droneid.next(m, &p) == 1) {
        assert_true(p.freq_hz < 2.5e9);
        n++;
    }
    assert_int_equal(n % 13, 0);
    assert_in_range(n / 13, 1, 31);
    tx_droneid.drop(m);
}

static void test_refusals(void **state)
{
    (void)state;
    void *m;
    char why[IQ_WHY] = "";
    struct rng rng;
    rng_init(&rng, 1);
    assert_true(tx_droneid.make(&m, &(struct tx_args){ .variant = "7" }, &rng, why) < 0);
    assert_non_null(strstr(why, "\"7\""));
    assert_true(tx_droneid.make(&m, &(struct tx_args){ .payload_hex = "5x" }, &rng, why) < 0);
    assert_true(tx_droneid.make(&m, &(struct tx_args){ .payload_hex = "" }, &rng, why) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha_itself),
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_gold),
        cmocka_unit_test(test_interleaver_and_matching),
        cmocka_unit_test(test_zadoff_chu),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_cadence_and_frames),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_stale_tail),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
