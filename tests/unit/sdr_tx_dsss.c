// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11b bits against the worked example of facts/remoteid.md; the waveform by correlation.
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
#include "sdr/tx/wifi_dsss.h"

extern const struct tx_model tx_dsss;

#define BEACON "80000000ffffffffffff020000000001020000000001100000000000000000006400200400045445" \
               "535427b4c633"

static void expect_lsb(const uint8_t *bit, const char *hex)
{
    uint8_t want[128];
    int n = hex_bytes(hex, want, sizeof want);
    assert_true(n > 0);
    for (int i = 0; i < 8 * n; i++)
        if (bit[i] != ((want[i / 8] >> (i % 8)) & 1))
            fail_msg("bit %d of %s", i, hex);
}

static void expect(const uint8_t *bit, const char *want)
{
    for (size_t i = 0; want[i]; i++)
        assert_int_equal(bit[i], want[i] - '0');
}

static void test_header(void **state)
{
    (void)state;
    uint8_t bit[DSSS_HEAD + 8 * 24] = { 0 }, zero[24] = { 0 };
    // The standard's own example: 1 Mb/s, 192 us.
    assert_int_equal(dsss_bits(DSSS_1M, zero, 24, bit), DSSS_HEAD + 192);
    expect(bit + 128, "0000010111001111"            // start
                      "01010000000000000000001100000000" "0101101101010111");
}

static void test_frame(void **state)
{
    (void)state;
    uint8_t psdu[46], bit[DSSS_HEAD + 8 * 46];
    hex_bytes(BEACON, psdu, sizeof psdu);
    size_t n = dsss_bits(DSSS_1M, psdu, sizeof psdu, bit);
    assert_int_equal(n, sizeof bit);
    expect_lsb(bit + 144, "0a0070013dc1");
    dsss_scramble(bit, n);
    expect(bit, "01111110111011001110100010100100");
    expect_lsb(bit, "7e3717259fa931a45741ebc4018fb06c9092ea4bc13d2063");
    expect_lsb(bit + DSSS_HEAD, "47d706b3fd6e2e4a3e53ce5ba8be14aa0d66e5bc857b8a1d7fb8a7492032ba"
                                "36bc85ca3d4d46c3a85d0f20c6b924");
}

// Chips despread to the bits again; 2 Mb/s turns 00 0, 01 1/4, 11 1/2, 10 3/4.
static void test_spread(void **state)
{
    (void)state;
    static const int8_t code[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };
    static float complex chip[11 * (DSSS_HEAD + 8)];
    uint8_t bit[DSSS_HEAD + 8];
    for (size_t i = 0; i < sizeof bit; i++)
        bit[i] = (i * 7 / 3) & 1;
    memcpy(bit + DSSS_HEAD, (uint8_t[]){ 0, 0, 0, 1, 1, 1, 1, 0 }, 8);
    assert_int_equal(dsss_spread(DSSS_2M, bit, sizeof bit, chip), 11 * (DSSS_HEAD + 4));
    float complex last = 1;
    for (size_t s = 0; s < DSSS_HEAD + 4; s++) {
        float complex v = 0;
        for (size_t i = 0; i < 11; i++)
            v += code[i] * chip[11 * s + i];
        float complex turn = v / last;
        if (s < DSSS_HEAD)
            assert_true(s == 0 || (crealf(turn) < 0) == bit[s]);
        else
            assert_true(cabsf(turn - cexpf(I * (float)M_PI / 2 * (s - DSSS_HEAD))) < 1e-5);
        last = v;
    }
}

// Complementary codes: the 64 words of one phase are different, half of a word's energy apart or
// more, and many are orthogonal.
static void test_cck(void **state)
{
    (void)state;
    static float complex word[64][8];
    static float complex chip[11 * DSSS_HEAD + 8];
    uint8_t bit[DSSS_HEAD + 8] = { 0 };
    for (unsigned w = 0; w < 64; w++) {
        for (unsigned k = 0; k < 6; k++)
            bit[DSSS_HEAD + 2 + k] = (w >> k) & 1;
        assert_int_equal(dsss_spread(DSSS_11M, bit, sizeof bit, chip), 11 * DSSS_HEAD + 8);
        memcpy(word[w], chip + 11 * DSSS_HEAD, sizeof word[w]);
    }
    unsigned orthogonal = 0;
    for (unsigned a = 0; a < 64; a++)
        for (unsigned b = 0; b < 64; b++) {
            float complex c = 0;
            for (int i = 0; i < 8; i++)
                c += word[a][i] * conjf(word[b][i]);
            assert_true(a == b ? cabsf(c) > 7.99f : cabsf(c) < 5.7f);   // distance of the code
            orthogonal += cabsf(c) < 0.01f;
        }
    assert_true(orthogonal > 64 * 10);
}

// The shaped signal: mean power 1, nothing beyond 11 MHz (30 dB down), a frame of the right length.
static void test_model(void **state)
{
    (void)state;
    struct tx_args a = { .freq_hz = 2437e6, .until_s = 0.25, .payload_hex = BEACON };
    struct tx_packet p;
    struct rng rng;
    char why[IQ_WHY], mpdu[2 * 42 + 1];
    void *m;
    snprintf(mpdu, sizeof mpdu, "%.84s", BEACON);   // without the check sequence
    a.payload_hex = mpdu;
    rng_init(&rng, 2);
    assert_int_equal(tx_dsss.make(&m, &a, &rng, why), 0);
    assert_int_equal(tx_dsss.next(m, &p), 1);
    assert_true(fabs((double)p.n / p.rate_hz - (192 + 368) * 1e-6) < 1e-12);
    assert_memory_equal(p.payload + 42, "\x27\xb4\xc6\x33", 4);
    double power = 0, out = 0;
    for (size_t i = 0; i < p.n; i++)
        power += pow(cabs(p.iq[i]), 2) / (double)p.n;
    assert_true(fabs(power - 1) < 1e-4);
    for (int k = 0; k < 64; k++) {                  // power at 12 to 20 MHz, bin by bin
        double complex c = 0;
        double f = (12 + k / 8.0) / 44;
        for (int i = 0; i < 1024; i++)
            c += p.iq[4000 + i] * cexp(-I * 2 * M_PI * f * i) * (1 - cos(2 * M_PI * i / 1024));
        out = fmax(out, pow(cabs(c), 2) / 1024 / 1.5);
    }
    assert_true(out < 1e-3);
    double t_s = p.t_s;
    assert_int_equal(tx_dsss.next(m, &p), 1);
    assert_true(fabs(p.t_s - t_s - 0.1024) < 1e-9);
    tx_dsss.drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header), cmocka_unit_test(test_frame), cmocka_unit_test(test_spread),
        cmocka_unit_test(test_cck),    cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
