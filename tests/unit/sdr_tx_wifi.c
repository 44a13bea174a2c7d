// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11 OFDM and DSSS against the worked examples of the standard and of facts/remoteid.md.
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
#include "sdr/tx/wifi_mac.h"
#include "sdr/tx/wifi_ofdm.h"

extern const struct tx_model tx_wifi;

static void expect(const uint8_t *bit, const char *want, const char *what)
{
    for (size_t i = 0; want[i]; i++)
        if (bit[i] != want[i] - '0')
            fail_msg("%s: bit %zu is %d", what, i, bit[i]);
}

static void test_fcs(void **state)
{
    (void)state;
    assert_int_equal(wifi_fcs((const uint8_t *)"123456789", 9), 0xcbf43926);
}

static void test_signal(void **state)
{
    (void)state;
    static const struct { unsigned rate; size_t len; const char *plain, *mixed; } known[] = {
        { 5, 100, "101100010011000000000000",
          "100101001101000000010100100000110010010010010100" },
        { 0, 46, "110100111010000001000000",
          "111111111001110011101101111001010100011110011101" },
        { 0, 151, "110101110100100000000000",
          "110110101000101001110100100010110000000010100000" },
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t bit[24], mixed[48];
        wifi_signal(known[i].rate, known[i].len, bit);
        expect(bit, known[i].plain, "SIGNAL");
        wifi_signal_coded(bit, mixed);
        expect(mixed, known[i].mixed, "interleaved SIGNAL");
    }
}

#define BEACON "80000000ffffffffffff020000000001020000000001100000000000000000006400200400045445" \
               "535427b4c633"

static void test_data(void **state)
{
    (void)state;
    uint8_t psdu[64];
    const uint8_t *bit;
    struct wifi_ofdm *w = wifi_ofdm_new();
    size_t n = (size_t)hex_bytes(BEACON, psdu, sizeof psdu);
    assert_int_equal(n, 46);
    assert_int_equal(wifi_seal(psdu, 42), 46);
    uint8_t again[64];
    hex_bytes(BEACON, again, sizeof again);
    assert_memory_equal(psdu, again, 46);
    assert_int_equal(wifi_data_coded(w, 0, psdu, n, 0x5d, &bit), 17);
    expect(bit, "000000111101100010101000111100011101000000000101", "symbol 0");
    expect(bit + 48, "001011000011001100010010011000000010000010011101", "symbol 1");
    expect(bit + 16 * 48, "111010011000011101000100001100100101011011001000", "last symbol");
    wifi_ofdm_free(w);
}

// Head of a frame: the annex's first samples (their scale is 1/64, the frame's 1/sqrt(52)), then
// ten repeats of 0.8 us, two of 3.2 us.
static void test_head(void **state)
{
    (void)state;
    uint8_t psdu[100] = { 0 };
    size_t n;
    struct wifi_ofdm *w = wifi_ofdm_new();
    const float complex *x = wifi_ofdm_frame(w, 5, psdu, sizeof psdu, 0x5d, &n);
    assert_int_equal(n, 400 + 6 * 80);          // 36 Mb/s: 822 bits in 144 a symbol
    double scale = sqrt(52) / 64;
    static const float complex stf[] = { 0.046 + 0.046 * I, -0.132 + 0.002 * I,
                                         -0.013 - 0.079 * I };
    static const float complex ltf[] = { 0.156, -0.005 - 0.120 * I, 0.040 - 0.111 * I };
    for (int i = 0; i < 3; i++) {
        assert_true(cabs(x[i] * scale - stf[i]) < 4e-3);
        assert_true(cabs(x[192 + i] * scale - ltf[i]) < 4e-3);
    }
    for (int i = 0; i < 144; i++)
        assert_true(cabs(x[i] - x[i + 16]) < 1e-5);
    for (int i = 160; i < 256; i++)
        assert_true(cabs(x[i] - x[i + 64]) < 1e-5);
    for (size_t s = 320; s < n; s += 80)        // each symbol's guard is its end
        for (size_t i = s; i < s + 16; i++)
            assert_true(cabs(x[i] - x[i + 64]) < 1e-5);
    wifi_ofdm_free(w);
}

// Every rate: length, and the carriers lie on the constellation's levels.
static void test_rates(void **state)
{
    (void)state;
    static const unsigned symbols[8] = { 346, 231, 173, 116, 87, 58, 44, 39 };    // of 1034 bytes
    uint8_t psdu[1034];
    struct wifi_ofdm *w = wifi_ofdm_new();
    struct rng r;
    rng_init(&r, 1);
    for (size_t i = 0; i < sizeof psdu; i++)
        psdu[i] = (uint8_t)rng_u64(&r);
    for (unsigned rate = 0; rate < 8; rate++) {
        static const double norm[8] = { 1, 1, 2, 2, 10, 10, 42, 42 };
        size_t n;
        const float complex *x = wifi_ofdm_frame(w, rate, psdu, sizeof psdu, 1, &n);
        assert_int_equal(n, 400 + 80 * symbols[rate]);
        double power = 0, high = 0;
        for (size_t i = 0; i < n; i++)
            power += pow(cabs(x[i]), 2) / (double)n;
        assert_true(fabs(power - 1) < 1e-4);
        // Carrier 3 of each symbol, in units of half the least distance: odd whole numbers.
        double unit = 0;
        for (size_t s = 0; s < symbols[rate]; s++) {
            double complex c = 0;
            for (int i = 0; i < 64; i++)
                c += x[400 + 80 * s + 16 + (size_t)i] * cexp(-I * 2 * M_PI * 3 * i / 64);
            if (!s) {           // the pilot at +7 is 1: it gives the scale and nothing else
                double complex p = 0;
                for (int i = 0; i < 64; i++)
                    p += x[400 + 16 + i] * cexp(-I * 2 * M_PI * 7 * i / 64);
                unit = cabs(p) / sqrt(norm[rate]);
            }
            double re = creal(c) / unit;
            assert_true(fabs(fabs(re) - (2 * floor(fabs(re) / 2) + 1)) < 1e-2);
            high = fmax(high, fabs(re));
        }
        assert_true(fabs(high - (norm[rate] < 3 ? 1 : norm[rate] < 11 ? 3 : 7)) < 1e-2);
    }
    wifi_ofdm_free(w);
}

// HT-SIG holds what it should and passes a receiver's check; it is turned by 90 degrees.
static void test_ht(void **state)
{
    (void)state;
    uint8_t bit[48];
    size_t n;
    struct wifi_ofdm *w = wifi_ofdm_new();
    wifi_ht_signal(7, 1024, bit);
    expect(bit, "1110000000000000001000001110000000", "HT-SIG");
    // As a card in ../shared/captures (wifi_11n_65M_20M) sends it, check sequence and all.
    wifi_ht_signal(7, 138, bit);
    expect(bit, "111000000101000100000000111000000010101000000000", "HT-SIG on the air");
    // A receiver's check: the register over all 42 bits, the sent ones complemented, is 0.
    unsigned crc = 0xff;
    for (int i = 0; i < 42; i++) {
        unsigned in = ((crc >> 7) ^ bit[i] ^ (i >= 34)) & 1;
        crc = ((crc << 1) & 0xff) ^ (in ? 0x07 : 0);
    }
    assert_int_equal(crc, 0);
    const float complex *x = wifi_ht_frame(w, 7, 1024, 3, &n);
    assert_int_equal(n, 400 + 80 * (2 + 2 + 32));       // 8214 bits in 260 a symbol
    double power = 0;
    for (size_t i = 0; i < n; i++)
        power += pow(cabs(x[i]), 2) / (double)n;
    assert_true(fabs(power - 1) < 1e-4);
    // HT-SIG turns its carriers by 90 degrees: carrier 3 is imaginary against the pilot.
    double complex c = 0, p = 0;
    for (int i = 0; i < 64; i++) {
        c += x[416 + i] * cexp(-I * 2 * M_PI * 3 * i / 64);
        p += x[416 + i] * cexp(-I * 2 * M_PI * 7 * i / 64);
    }
    assert_true(fabs(creal(c / p)) < 1e-3 && fabs(fabs(cimag(c / p)) - 1) < 1e-3);
    wifi_ofdm_free(w);
}

// Traffic: nothing overlaps, ACK 10 us behind data, beacons on their grid, duty as asked.
static void test_traffic(void **state)
{
    (void)state;
    struct tx_args a = { .freq_hz = 2437e6, .duty = 0.3, .until_s = 6 };
    struct tx_packet p;
    struct rng rng;
    char why[IQ_WHY];
    void *m;
    double end = 0, air = 0;
    unsigned beacons = 0;
    bool data = false;
    rng_init(&rng, 5);
    assert_int_equal(tx_wifi.make(&m, &a, &rng, why), 0);
    while (tx_wifi.next(m, &p) == 1) {
        assert_true(p.t_s >= end + (data ? 9.99e-6 : end > 0 ? 28e-6 : 0) - 1e-9);
        if (data)
            assert_true(fabs(p.t_s - end - 10e-6) < 1e-9 && p.payload[0] == 0xd4);
        data = p.payload[0] == 0x08;
        beacons += p.payload[0] == 0x80;
        end = p.t_s + (double)p.n / p.rate_hz;
        air += (double)p.n / p.rate_hz;
    }
    assert_in_range(beacons, 57, 59);
    assert_true(fabs(air / 6 - 0.3) < 0.05);
    tx_wifi.drop(m);
    a.mode = "11";
    assert_int_equal(tx_wifi.make(&m, &a, &rng, why), -22);
    assert_non_null(strstr(why, "54"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fcs),  cmocka_unit_test(test_signal), cmocka_unit_test(test_data),
        cmocka_unit_test(test_head), cmocka_unit_test(test_rates),  cmocka_unit_test(test_ht),
        cmocka_unit_test(test_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
