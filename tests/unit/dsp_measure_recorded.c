// SPDX-License-Identifier: GPL-3.0-or-later
// measure_burst on recordings nobody here made (../shared/captures): what the published facts about
// them say.  Where the folder is absent each test is skipped, saying so.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "dsp/measure/measure.h"

#define CAPTURES "../shared/captures/"
#define QUIET NAN               // noise density not told: the margins say

// A stretch of a recording as one burst; times in s, frequencies as offsets from its centre.
struct part { const char *file; double t0, t1, lo, hi, noise_dbfs_hz; enum burst_part part; };

static struct fingerprint measure_part(const struct part *p)
{
    char path[256], why[IQ_WHY];
    struct iq_source *s;
    struct iq_block *k;
    struct burst b = { .id = 1, .hyp = HYP_ENERGY, .part = p->part, .origin = IQ_RECORDING };

    snprintf(path, sizeof path, CAPTURES "%s.sigmf-meta", p->file);
    if (access(path, R_OK)) {
        print_message("no %s: skipped\n", path);
        skip();
    }
    assert_int_equal(0, iq_open_file(&s, &(struct iq_file_cfg){ .path = path,
                                                                .pool_blocks = 200 }, why));
    struct iq_info in = iq_info(s);
    double margin = ARBITER_MARGIN_S * in.rate_hz;
    double n0 = p->t0 * in.rate_hz, n1 = p->t1 * in.rate_hz, end = 0;
    while ((k = iq_next(s))) {
        end = (double)(k->n0 + k->n);
        if (end > n0 - margin && (double)k->n0 < n1 + margin && b.cut.n_blk < CUT_BLOCKS)
            b.cut.blk[b.cut.n_blk++] = k;
        else
            iq_unref(k);
    }
    n1 = fmin(n1, end);
    b.rate_hz = in.rate_hz;
    b.n0 = b.run_n0 = (uint64_t)n0;
    b.n1 = (uint64_t)n1;
    b.cut.n0 = (uint64_t)fmax(0, n0 - margin);
    b.cut.n = (uint32_t)(fmin(end, n1 + margin) - (double)b.cut.n0);
    b.f_lo_hz = p->lo;
    b.f_hi_hz = p->hi;
    b.noise_dbfs_hz = (float)p->noise_dbfs_hz;
    b.flags = (n0 <= 0 ? BURST_AT_START : 0) | (n1 >= end ? BURST_AT_END : 0);

    struct measurer *m = measurer_new(b.rate_hz);
    struct finding f = { 0 };
    assert_non_null(m);
    measure_burst(m, &b, &f);
    measurer_free(m);
    cut_drop(&b.cut);
    iq_close(s);
    return f.fp;
}

static void assert_near(struct meas m, double want, double tol)
{
    if (!meas_ok(m) || fabs(m.v - want) > tol)
        print_error("%g +- %g, expected %g +- %g\n", m.v, m.err, want, tol);
    assert_true(meas_ok(m) && fabs(m.v - want) <= tol);
}

// Three whole DroneID bursts and one cut at three quarters; 9 symbols of 15 kHz: 643 us; roots 600
// and 147 over 601 carriers.
static void test_droneid(void **state)
{
    (void)state;
    static const struct part t[] = {
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00182, 0.00255, -3e6, 7e6, -105, BURST_WHOLE },
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00254, 0.00323, -2.5e6, 6e6, -105, BURST_WHOLE },
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00328, 0.00397, -17e6, -8e6, -105, BURST_WHOLE },
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00400, 0.00460, -17e6, -8e6, -105, BURST_WHOLE },
    };
    for (int i = 0; i < 4; i++) {
        struct fingerprint fp = measure_part(&t[i]);
        assert_int_equal(fp.kind, KIND_OFDM);
        assert_int_equal(fp.numerology, OFDM_15K);
        assert_int_equal(fp.zc_len, 601);
        assert_int_equal(fp.zc_root[0], 600);
        assert_int_equal(fp.zc_root[1], 147);
        assert_near(fp.freq_hz, i < 2 ? 2.007e6 : -12.470e6, 1e3);
        assert_near(fp.dur_s, i < 3 ? 643e-6 : 484e-6, 2e-6);
        assert_near(fp.useful_symbol_s, 1 / 15e3, 0.05e-6);
        assert_near(fp.cp_s, 72 / 15.36e6, 0.8e-6);    // 80 in the first and last
        assert_near(fp.bw99_hz, 9.015e6, 0.1e6);
    }
}

// The narrow bursts in the same recording are 15 kHz OFDM of 1.1 MHz, half a millisecond: its
// control link.
static void test_narrow_link(void **state)
{
    (void)state;
    static const struct part t[] = {
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00004, 0.0006, 2e6, 3.1e6, -105, BURST_WHOLE },
        { "dji_mavic_air_2_50M_2457.5MHz.cf32", 0.00066, 0.0012, -8.1e6, -7e6, -105, BURST_WHOLE },
    };
    for (int i = 0; i < 2; i++) {
        struct fingerprint fp = measure_part(&t[i]);
        assert_int_equal(fp.kind, KIND_OFDM);
        assert_int_equal(fp.numerology, OFDM_15K);
        assert_near(fp.bw99_hz, 1.09e6, 0.05e6);
        assert_near(fp.dur_s, 500e-6, 5e-6);
    }
}

static void test_video(void **state)
{
    (void)state;
    struct fingerprint fp = measure_part(&(struct part){ "fpv_ntsc_10M_5925MHz.cf32", 0, 1, -4e6,
                                                         4e6, QUIET, BURST_RUN_FIRST });
    assert_int_equal(fp.kind, KIND_FM);
    assert_int_equal(fp.video, VIDEO_NTSC);
    assert_near(fp.line_rate_hz, 15734.27, 1);
}

static void test_short_range(void **state)
{
    (void)state;
    struct fingerprint fp = measure_part(&(struct part){ "ble_data_10M.cf32", 0.0003, 0.00145,
                                                         -0.6e6, 0.7e6, QUIET, BURST_WHOLE });
    assert_true(fp.kind == KIND_FSK || fp.kind == KIND_MSK);
    assert_near(fp.symbol_rate_bd, 1e6, 100);
    assert_near(fp.deviation_hz, 250e3, 20e3);
    assert_near(fp.dur_s, 1.1e-3, 20e-6);

    // O-QPSK with half-sine chips is MSK at 2 Mchip/s.
    fp = measure_part(&(struct part){ "zigbee_10M.cf32", 0.00065, 0.0036, -1.3e6, 1.3e6, QUIET,
                                      BURST_WHOLE });
    assert_int_equal(fp.kind, KIND_MSK);
    assert_near(fp.symbol_rate_bd, 2e6, 100);
    assert_near(fp.deviation_hz, 500e3, 25e3);
}

static void test_metering(void **state)
{
    (void)state;
    struct fingerprint fp = measure_part(&(struct part){ "homematic_fsk_1M_868.3MHz.ci16", 0.0177,
                                                         0.0379, -50e3, 30e3, QUIET, BURST_WHOLE });
    assert_int_equal(fp.kind, KIND_FSK);
    assert_near(fp.symbol_rate_bd, 10e3, 30);
    // Preamble of alternating bits, however it begins.
    assert_true((uint32_t)(fp.fsk_head >> 36) == 0xaaaaaaau ||
                (uint32_t)(fp.fsk_head >> 36) == 0x5555555u);

    // Wireless M-Bus T1: 100 kchip/s, +-12 % by its standard, deviation 40 to 80 kHz.
    fp = measure_part(&(struct part){ "wmbus_1.6M_868.95MHz.cu8", 0.2393, 0.246, -200e3, 200e3, -85,
                                      BURST_WHOLE });
    assert_int_equal(fp.kind, KIND_FSK);
    assert_near(fp.symbol_rate_bd, 100e3, 3e3);
    assert_near(fp.deviation_hz, 50e3, 10e3);
}

static void test_wifi(void **state)
{
    (void)state;
    static const struct part t[] = {
        { "wifi_11a_24M_20M.ci16", 0.000288, 0.000358, -8.5e6, 8.5e6, -140, BURST_WHOLE },
        { "wifi_11a_6M_20M.ci16", 0.000472, 0.000518, -8.5e6, 8.5e6, -140, BURST_WHOLE },
        { "wifi_11a_6M_20M.ci16", 0.000520, 0.000778, -8.5e6, 8.5e6, -140, BURST_WHOLE },
        { "wifi_11n_65M_20M.ci16", 0.000302, 0.000392, -8.5e6, 8.5e6, -140, BURST_WHOLE },
    };
    for (int i = 0; i < 4; i++) {
        struct fingerprint fp = measure_part(&t[i]);
        assert_int_equal(fp.kind, KIND_OFDM);
        assert_int_equal(fp.numerology, OFDM_WIFI);
        assert_near(fp.useful_symbol_s, 3.2e-6, 0.02e-6);
        assert_near(fp.symbol_period_s, 4e-6, 0.1e-6);
        assert_near(fp.bw_hz, 16.25e6, 1);
        assert_true(fp.wifi_stf.v > 0.8);
        assert_true(fp.lte_pss.v < 0.4 && fp.zc_len == 0);
    }
}

static void test_lte(void **state)
{
    (void)state;
    static const struct part t[] = {
        { "lte_tdd_1.92M_1890MHz.cu8", 0.3, 0.32, -0.96e6, 0.96e6, -105, BURST_RUN_MORE },
        { "lte_tdd_clipped_1.92M_2585MHz.cu8", 0.0, 0.02, -0.96e6, 0.96e6, -85, BURST_RUN_MORE },
        { "ltev2x_cmw500_11.52M_5920MHz.cf32", 0.0, 0.001, -5e6, 5e6, -120, BURST_WHOLE },
        { "ltev2x_uxm_15.36M.cf32", 0.001, 0.0019, -7e6, 5e6, -120, BURST_WHOLE },
    };
    for (int i = 0; i < 4; i++) {
        struct fingerprint fp = measure_part(&t[i]);
        assert_int_equal(fp.kind, KIND_OFDM);
        assert_int_equal(fp.numerology, OFDM_15K);
        assert_near(fp.useful_symbol_s, 1 / 15e3, 0.1e-6);
        assert_int_equal(fp.zc_len, 0);             // nothing of DroneID's kind in it
        if (i < 2)
            assert_true(fp.lte_pss.v > 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_droneid),     cmocka_unit_test(test_narrow_link),
        cmocka_unit_test(test_video),       cmocka_unit_test(test_short_range),
        cmocka_unit_test(test_metering),    cmocka_unit_test(test_wifi),
        cmocka_unit_test(test_lte),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
