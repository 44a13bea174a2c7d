// SPDX-License-Identifier: GPL-3.0-or-later
// BLE bits against published packets and sequences; the GFSK waveform against its definition.
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/ble.h"
#include "sdr/tx/gfsk.h"

extern const struct tx_model tx_elrs;
extern const struct tx_model tx_ble, tx_bluetooth, tx_wmbus;

static void expect_bits(const uint8_t *bit, const char *hex)
{
    uint8_t want[64];
    int n = hex_bytes(hex, want, sizeof want);
    assert_true(n > 0);
    for (int i = 0; i < 8 * n; i++)
        if (bit[i] != ((want[i / 8] >> (i % 8)) & 1))
            fail_msg("bit %d of %s", i, hex);
}

static void test_whitening(void **state)
{
    (void)state;
    static const struct { unsigned channel; const char *hex; } known[] = {
        { 37, "8dd257a13da766b0753111489677f8e3" }, { 38, "d6c5442059dee18f1ba5af427b4ecd60" },
        { 39, "1f374a5f85f69c9ac1d6c5442059dee1" }, { 0, "40b2bcc31f374a5f85f69c9ac1d6c544" },
        { 10, "9ac1d6c5442059dee18f1ba5af427b4e" }, { 36, "442059dee18f1ba5af427b4ecd60eb62" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t bit[128] = { 0 };
        ble_whiten(known[i].channel, bit, sizeof bit);
        expect_bits(bit, known[i].hex);
    }
}

static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(ble_crc((const uint8_t *)"", 0), 0x555555);
    assert_int_equal(ble_crc((const uint8_t *)"", 1), 0x54b947);
    assert_int_equal(ble_crc((const uint8_t *)"123456789", 9), 0x6a5a43);
}

#define PDU "4225563412eeffc01e16faff0d2a122624160a42bf241b6ed1b4b69808ac0870086c54150e0100"

static void test_packet(void **state)
{
    (void)state;
    static const char *const air[3] = {
        "aad6be898ecff701952f4999706b27ebb79b5deac562ffa192217728b66b2cbebcc397f401ab9801"
        "7dc1a81926f677",
        "aad6be898e94e012144b301e4f05b355bd7664df46cf7428d293cbeba95c66e139350b6ec07d5d45"
        "5d9876f8a9edd2",
        "aad6be898e5d121c6b9718635adfc03fbb2d73ccc7ab0dafedfd5f55a3b15fd4ba9880e780cfe186"
        "42af3ca72c1b4e",
    };
    uint8_t pdu[64], bit[BLE_BITS];
    int n = hex_bytes(PDU, pdu, sizeof pdu);
    for (unsigned k = 0; k < 3; k++) {
        assert_int_equal(ble_packet(37 + k, pdu, (size_t)n, bit), 376);
        expect_bits(bit, air[k]);
    }
}

// Frequency in the middle of a bit inside a run is the full deviation, and the phase moves by
// pi h a bit there; modulus 1 everywhere; a lone bit is damped by the Gaussian.
static void test_gfsk(void **state)
{
    (void)state;
    enum { SPS = 10 };
    static const uint8_t bit[] = { 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0 };
    float complex iq[sizeof bit * SPS];
    gfsk_modulate(&(struct gfsk){ .bt = 0.5, .index = 0.5, .sps = SPS }, bit, sizeof bit, iq);
    for (size_t i = 0; i < sizeof bit * SPS; i++)
        assert_true(fabs(cabs(iq[i]) - 1) < 1e-6);
    double up = carg(iq[3 * SPS] / iq[2 * SPS]), down = carg(iq[8 * SPS] / iq[7 * SPS]);
    assert_true(fabs(up - M_PI / 2) < 1e-3 && fabs(down + M_PI / 2) < 1e-3);
    // Alternating bits at BT 0.5: erf(c / (2 sqrt 2)) of a bit less twice its neighbours' tails.
    double c = M_PI / sqrt(log(2));
    double tail = 0.5 * (erfc(c * 0.5 / sqrt(2)) - erfc(c * 1.5 / sqrt(2)));
    double want = (erf(c * 0.5 / sqrt(2)) - 2 * tail) * 2 * M_PI * 0.25 / SPS;
    double got = carg(iq[12 * SPS + SPS / 2] / iq[12 * SPS + SPS / 2 - 1]);
    assert_true(fabs(got / want - 1) < 0.05);
}

// The model sends that packet: three channels of one event, the interval and chance between.
static void test_events(void **state)
{
    (void)state;
    struct tx_args a = { .payload_hex = PDU, .period_s = 0.1, .until_s = 10, .capture_lo_hz = 2.4e9,
                         .capture_hi_hz = 2.49e9 };
    struct tx_packet p;
    struct rng rng;
    char why[IQ_WHY];
    void *m;
    double event = -1, hz[3] = { 2402e6, 2426e6, 2480e6 };
    int n = 0;
    rng_init(&rng, 1);
    assert_int_equal(tx_ble.make(&m, &a, &rng, why), 0);
    for (; tx_ble.next(m, &p) == 1; n++) {
        assert_true(p.freq_hz == hz[n % 3]);
        assert_true(fabs((double)p.n / p.rate_hz - 376e-6) < 1e-12);
        if (n % 3 == 0) {
            double step = p.t_s - event;
            assert_true(event < 0 || (step >= 0.1 && step < 0.11 + 1e-9));
            event = p.t_s;
        }
    }
    assert_true(n > 3 * 90 && n < 3 * 101);
    tx_ble.drop(m);
    a.payload_hex = "42ff00";
    assert_int_equal(tx_ble.make(&m, &a, &rng, why), -22);
    assert_non_null(strstr(why, "PDU"));
}

// Bluetooth: starts on the 625 us grid, no overlap, integer MHz, all 79 channels in turn.
static void test_bluetooth(void **state)
{
    (void)state;
    struct tx_args a = { .until_s = 5, .capture_lo_hz = 2.4e9, .capture_hi_hz = 2.49e9, .duty = 1 };
    struct tx_packet p;
    struct rng rng;
    char why[IQ_WHY];
    void *m;
    double end = 0;
    unsigned seen[79] = { 0 }, missing = 0;
    rng_init(&rng, 1);
    assert_int_equal(tx_bluetooth.make(&m, &a, &rng, why), 0);
    while (tx_bluetooth.next(m, &p) == 1) {
        double slot = p.t_s / 625e-6, ch = (p.freq_hz - 2402e6) / 1e6;
        assert_true(fabs(slot - round(slot)) < 1e-6 && p.t_s >= end && ch == floor(ch));
        end = p.t_s + (double)p.n / p.rate_hz;
        assert_in_range(p.n / 8, 126, 2870);
        seen[(int)ch]++;
    }
    for (int i = 0; i < 79; i++)
        missing += !seen[i];
    assert_int_equal(missing, 0);
    tx_bluetooth.drop(m);
}

// A scene without an end, in a band where the model has no channel: it ends, nobody looks for ever.
static void ends_where_nothing_of_it_is_seen(void **state)
{
    (void)state;
    static const struct tx_model *const all[] = { &tx_ble, &tx_bluetooth, &tx_elrs };
    struct tx_args a = { .capture_lo_hz = 5.7e9, .capture_hi_hz = 5.8e9 };
    char why[IQ_WHY];

    for (unsigned i = 0; i < 3; i++) {
        struct tx_packet p;
        struct rng rng;
        void *m;
        rng_init(&rng, 5);
        assert_int_equal(all[i]->make(&m, &a, &rng, why), 0);
        assert_int_equal(all[i]->next(m, &p), 0);
        all[i]->drop(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_where_nothing_of_it_is_seen),
        cmocka_unit_test(test_whitening), cmocka_unit_test(test_crc), cmocka_unit_test(test_packet),
        cmocka_unit_test(test_gfsk),      cmocka_unit_test(test_events),
        cmocka_unit_test(test_bluetooth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
