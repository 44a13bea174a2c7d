// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator behind a live receiver: without end, and tuned while it runs.
#include <complex.h>
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/sdr.h"

static struct iq_source *open_text(const char *yaml)
{
    struct iq_source *s;
    char why[IQ_WHY];
    if (iq_open_sim(&s, &(struct iq_sim_cfg){ .text = yaml, .pool_blocks = 4 }, why) < 0)
        fail_msg("%s", why);
    return s;
}

static void run_s(struct iq_source *s, double seconds)
{
    uint64_t n = (uint64_t)(seconds * iq_info(s).rate_hz);
    for (struct iq_block *b; n && (b = iq_next(s)); iq_unref(b))
        n -= b->n < n ? b->n : n;
    assert_int_equal(n, 0);
}

// Some 3000 transmissions would be 1.5 MB of truth.
static void a_scene_without_end_keeps_its_size(void **state)
{
    (void)state;
    struct iq_source *s = open_text(
        "rate_hz: 0.25e6\ncentre_hz: 868e6\nduration_s: 0\nemitters:\n"
        "    - {model: fsk, mode: 50000/25000, freq_hz: 868e6, snr_db: 10, period_s: 0.01,\n"
        "       duration_s: 0.002, count: 4}\n"
        "    - {model: cw, freq_hz: 868.05e6, snr_db: 10}\n");
    assert_int_equal(iq_info(s).total, 0);
    run_s(s, 2);
    struct mallinfo2 before = mallinfo2();
    run_s(s, 8);
    struct mallinfo2 after = mallinfo2();
    assert_true(after.uordblks < before.uordblks + 65536);
    size_t n;
    iq_truth(s, &n);
    assert_int_equal(n, 0);
    iq_close(s);
}

static void a_scene_without_end_is_no_file(void **state)
{
    (void)state;
    char why[IQ_WHY];
    struct iq_sim_cfg c = { .text = "rate_hz: 1e6\ncentre_hz: 1e8\nduration_s: 0\n" };
    assert_int_equal(iq_sim_write(&c, "/nowhere/x.sigmf-meta", NULL, NULL, why), -EINVAL);
    assert_non_null(strstr(why, "without end"));
}

static double share(const struct iq_block *b, double offset_hz)
{
    static float complex x[131072];
    double complex sum = 0;
    double all = 0;
    iq_to_cf32(b, 0, b->n, x);
    for (uint32_t i = 0; i < b->n; i++) {
        sum += (double complex)x[i] * cexp(CMPLX(0, -2 * M_PI * offset_hz / b->rate_hz * i));
        all += pow((double)cabsf(x[i]), 2);
    }
    return pow(cabs(sum), 2) / b->n / all;
}

// From the block that says so on, what is heard is heard from the new centre.
static void tune_check(const char *receiver, uint64_t lost)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "rate_hz: 2e6\ncentre_hz: 100e6\nduration_s: 0\n"
             "tune_lo_hz: 90e6\ntune_hi_hz: 110e6\nreceiver: {noise_dbfs: -60%s}\nemitters:\n"
             "    - {model: cw, freq_hz: 100.2e6, level_dbfs: -10}\n"
             "    - {model: cw, freq_hz: 105.3e6, level_dbfs: -10}\n", receiver);
    struct iq_source *s = open_text(yaml);
    struct iq_block *b;
    const double to_hz[] = { 105e6, 100.5e6, 95e6, 100e6 }, at_hz[] = { 3e5, -3e5, 0, 2e5 };
    for (int k = 0; k < 4; k++) {
        uint64_t next = 0, fell = 0;
        unsigned blocks = 0;
        run_s(s, 0.05);
        assert_int_equal(iq_tune(s, to_hz[k]), 0);
        // A cw's voice begins within one of its pieces (4 ms) of the change.
        for (int good = 0; good < 20; blocks++) {
            assert_non_null(b = iq_next(s));
            assert_true(!next || b->n0 == next + b->lost);
            next = b->n0 + b->n;
            bool there = fabs(b->centre_hz - to_hz[k]) < 1;
            assert_true(blocks < 40);
            fell += there ? b->lost : 0;
            bool loud = share(b, at_hz[k]) > 0.9;
            good = there && loud == (k != 2) ? good + 1 : 0;
            iq_unref(b);
        }
        assert_int_equal(fell, lost);
    }
    assert_int_equal(iq_tune(s, 89e6), -ERANGE);
    assert_int_equal(iq_tune(s, NAN), -ERANGE);
    iq_close(s);
}

static void a_scene_can_be_tuned(void **state)
{
    (void)state;
    tune_check("", 0);
    tune_check(", rolloff: 0.1", 8192);     // one step of the old centre is thrown away
}

static void a_scene_of_one_centre_cannot(void **state)
{
    (void)state;
    struct iq_source *s = open_text("rate_hz: 1e6\ncentre_hz: 1e8\nduration_s: 0\n");
    assert_int_equal(iq_tune(s, 1.001e8), -ENOTSUP);
    iq_close(s);
}

// Models that send all the time or in bursts, tuned to and fro: nothing breaks, memory stays.
static void every_model_survives_tuning(void **state)
{
    (void)state;
    struct iq_source *s = open_text(
        "rate_hz: 4e6\ncentre_hz: 2440e6\nduration_s: 0\ntune_lo_hz: 2402e6\ntune_hi_hz: 2480e6\n"
        "emitters:\n"
        "    - {model: fmvideo, freq_hz: 2441e6, snr_db: 10}\n"
        "    - {model: lte, mode: 1.4, freq_hz: 2450e6, snr_db: 10}\n"
        "    - {model: ble, snr_db: 10, count: 4}\n"
        "    - {model: bluetooth, snr_db: 10}\n"
        "    - {model: elrs, mode: 250Hz, snr_db: 10}\n"
        "    - {model: ocusync, mode: 10MHz, freq_hz: 2444.5e6, snr_db: 10}\n");
    size_t used = 0;
    for (int k = 0; k < 26; k++) {
        run_s(s, 0.01);
        assert_int_equal(iq_tune(s, 2402e6 + k * 13 % 78 * 1e6), 0);
        if (k == 13)
            used = mallinfo2().uordblks;
    }
    assert_true(mallinfo2().uordblks < used + 4000000);
    iq_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scene_without_end_keeps_its_size),
        cmocka_unit_test(a_scene_without_end_is_no_file),
        cmocka_unit_test(a_scene_can_be_tuned),
        cmocka_unit_test(a_scene_of_one_centre_cannot),
        cmocka_unit_test(every_model_survives_tuning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
