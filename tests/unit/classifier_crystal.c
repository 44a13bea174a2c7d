// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's frequency error from crowds of known crystals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "classifier/crystal.h"

// A frame of Wi-Fi, Bluetooth or LTE on its channel, sent by a crystal off by ppm, received by one
// off by mine.
static struct finding frame(int kind, double channel_hz, double ppm, double mine, double err_hz)
{
    struct finding f = { .hyp = HYP_ENERGY };
    f.fp = (struct fingerprint){
        .kind = kind == 1 ? KIND_FSK : KIND_OFDM, .t_s = { 1, 1e-6 }, .lte_pss = MEAS_NONE,
        .freq_hz = { channel_hz * (1 + ppm * 1e-6) / (1 + mine * 1e-6), err_hz },
        .bw_hz = { kind ? 1e6 : 16.25e6, 1e3 }, .symbol_rate_bd = { 1e6, 100 },
        .mod_index = { 0.5, 0.01 }, .wifi_stf = MEAS_NONE, .barker_corr = MEAS_NONE,
        .numerology = kind == 0 ? OFDM_WIFI : kind == 2 ? OFDM_15K : OFDM_NONE,
    };
    if (kind == 2)
        f.fp.lte_pss = (struct meas){ 0.8, 0.01 };
    return f;
}

static void crowd(void **state)
{
    static const double mine[] = { 0, -7.3, 18 };
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        struct crystal c = { .n = 0 };
        struct rng r;
        rng_init(&r, 3 + k);
        for (unsigned i = 0; i < 200; i++) {
            double ppm = rng_between(&r, -20, 20);      // of one sender, three frames
            double ch = i % 2 ? 2402e6 + 1e6 * (i % 79) : 2412e6 + 5e6 * (i % 13);
            for (unsigned n = 0; n < 3; n++) {
                struct finding f = frame(i % 2, ch, ppm, mine[k], 1000);
                f.fp.freq_hz.v += 1000 * rng_normal(&r);
                crystal_hear(&c, &f);
            }
        }
        // what 100 spread by 11.5 ppm allow, 11.5 / sqrt(100) x 1.25, and some hoppers: those of
        // one offset are one
        assert_true(c.now.err > 0.5 && c.now.err < 1.8);
        assert_true(fabs(c.now.v - mine[k]) < 3 * c.now.err);
        struct crystal_fix x = crystal_at(&c, 2440e6);
        assert_true(x.err_hz > 0 && x.err_hz < 2440 * (k ? 1.8 : 6));
        if (k)          // what stood at 2440 MHz was received lower by mine
            assert_true(fabs(2440e6 / (1 + mine[k] * 1e-6) + x.shift_hz - 2440e6) < 3 * x.err_hz);
        else
            assert_true(x.shift_hz <= 0 && x.shift_hz >= 0);
    }
}

// Two frames of one sender are one witness; a few witnesses say nothing.
static void few(void **state)
{
    struct crystal c = { .n = 0 };
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct finding f = frame(0, 2437e6, 15, 0, 500);
        crystal_hear(&c, &f);
    }
    assert_int_equal(c.n, 1);
    assert_true(c.now.err > 5);
    assert_true(crystal_at(&c, 2437e6).err_hz < 0);
    assert_true(crystal_at(&c, NAN).err_hz < 0);
    // clipped, cut, of no channel: nothing
    struct finding f = frame(0, 2412e6, 0, 0, 500);
    f.flags = BURST_CLIPPED;
    crystal_hear(&c, &f);
    f.flags = 0;
    f.fp.freq_hz.v = 2414.5e6;
    crystal_hear(&c, &f);
    f.fp.freq_hz.v = NAN;
    crystal_hear(&c, &f);
    assert_int_equal(c.n, 1);
}

// Two cells, once the crowd has said which of their channels it must be, settle it.
static void cells(void **state)
{
    struct crystal c = { .n = 0 };
    struct finding cell = frame(2, 1890e6, 0.02, 9, 20);
    struct rng r;
    (void)state;
    rng_init(&r, 5);
    crystal_hear(&c, &cell);
    assert_int_equal(c.n, 0);           // 100 kHz are 53 ppm there, and nothing else is known
    for (unsigned i = 0; i < 13; i++) {
        struct finding f = frame(0, 2412e6 + 5e6 * i, rng_between(&r, -15, 15), 9, 500);
        crystal_hear(&c, &f);
    }
    for (unsigned i = 0; i < 2; i++) {
        cell = frame(2, 1890e6 + 1e7 * i, 0.02, 9, 20);
        crystal_hear(&c, &cell);
    }
    assert_true(fabs(c.now.v - 9) < 0.3 && c.now.err < 0.15);
}

static void sample_clock(void **state)
{
    struct crystal c = { .n = 0 };
    (void)state;
    crystal_clock(&c, NAN, 1);
    crystal_clock(&c, 3, 0);
    assert_true(c.now.err <= 0);
    crystal_clock(&c, -12.4, 0.1);
    assert_true(fabs(c.now.v + 12.4) < 0.01 && c.now.err < 0.2);
    assert_true(fabs(crystal_at(&c, 1e9).shift_hz + 12400) < 1);
}

// More senders than fit, and anything measured: finite, and no more than the table.
static void full(void **state)
{
    struct crystal c = { .n = 0 };
    struct rng r;
    (void)state;
    rng_init(&r, 6);
    for (unsigned i = 0; i < 2000; i++) {
        struct finding f = frame((int)(i % 3), 2402e6 + 5e6 * (i % 15), rng_between(&r, -50, 50), 0,
                                 i % 7 ? 300 : 0);
        f.fp.t_s.v = i;
        crystal_hear(&c, &f);
    }
    assert_true(c.n <= CRYSTAL_SENDERS && isfinite(c.now.v) && c.now.err > 0);
}

int main(void)
{
    const struct CMUnitTest t[] = { cmocka_unit_test(crowd), cmocka_unit_test(few),
                                    cmocka_unit_test(cells), cmocka_unit_test(sample_clock),
                                    cmocka_unit_test(full) };
    return cmocka_run_group_tests(t, NULL, NULL);
}
