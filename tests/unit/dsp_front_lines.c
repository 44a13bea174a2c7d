// SPDX-License-Identifier: GPL-3.0-or-later
// Steady lines (a receiver's DC, a spur) beside packets: each packet is told by itself and whole.
#include "tests/unit/front_made.h"

// How many whole bursts lie at t for dur, and are some `width` wide around f.
static unsigned whole_at(const struct found *f, double rate, double t, double dur, double at_hz,
                         double width)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++) {
        const struct cand *b = &f->c[i];
        double w = b->f_hi_hz - b->f_lo_hz, mid = (b->f_hi_hz + b->f_lo_hz) / 2;
        n += b->part == BURST_WHOLE && b->snr_db > 10 && fabs((double)b->n0 / rate - t) < 60e-6 &&
             fabs((double)b->n1 / rate - t - dur) < 60e-6 && fabs(mid - at_hz) < 0.1 * width &&
             w > 0.7 * width && w < 1.3 * width;
    }
    return n;
}

// Parts of runs no wider than a narrow channel or two at a frequency.
static unsigned parts_at(const struct found *f, double at_hz)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++)
        n += f->c[i].part != BURST_WHOLE && f->c[i].f_hi_hz - f->c[i].f_lo_hz < 60e3 &&
             fabs((f->c[i].f_hi_hz + f->c[i].f_lo_hz) / 2 - at_hz) < 10e3;
    return n;
}

// A receiver's offset and a spur, `line_db` over the noise of 15 kHz, among packets on both sides
// and under a wide burst: everything is told as if the others were not there.
static void lines_at(double rate, double line_db)
{
    const double ts = 64 / 812.5e3, dur = 42 * ts, spur = 0.23 * rate, bw = 812.5e3;
    const double at_hz[] = { -0.3 * rate, -1.1e6, spur - 0.9e6, 0.35 * rate };
    struct scene c = scene_new(rate, 0.070, NOISE);

    add_cw(&c, 0, 1, 0, amp(&c, line_db, 15e3));
    add_cw(&c, 0, 1, spur, amp(&c, line_db, 15e3));
    for (unsigned i = 0; i < 16; i++)
        add_lora(&c, 1e-3 + 4e-3 * i, 42, 6, bw, at_hz[i % 4], amp(&c, 12, bw));
    add_flat(&c, 66e-3, 0.7e-3, 0, 0.5 * rate, amp(&c, 15, 0.5 * rate));
    struct found *f = run(&c, 16384, 0, 0);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(whole_at(f, rate, 1e-3 + 4e-3 * i, dur, at_hz[i % 4], bw), 1);
    assert_int_equal(whole_at(f, rate, 66e-3, 0.7e-3, 0, 0.5 * rate), 1);
    assert_true(parts_at(f, 0) > 0);
    assert_true(parts_at(f, spur) > 0);
    done(&c, f);
}

static void test_lines(void **state)
{
    (void)state;
    lines_at(12.5e6, 19);
    lines_at(12.5e6, 38);
    lines_at(20e6, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
