// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of the receiver's own, told from emitters by retunes and by the gain.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "dsp/self/spur.h"

#define RATE 20e6

static double at_s;
static uint64_t step_shown;     // that what is heard did not follow

static bool hear(struct spurs *s, double freq_hz, double centre_hz, double dbfs, double gain_db)
{
    struct finding f = { .part = BURST_RUN_FIRST, .hyp = HYP_ENERGY, .rate_hz = RATE,
                         .centre_hz = centre_hz, .gain_db = gain_db,
                         .tick = (uint64_t)((at_s += 0.3) * RATE) };
    f.fp.kind = KIND_CW;
    f.fp.freq_hz = (struct meas){ freq_hz, 20 };
    f.fp.bw99_hz = (struct meas){ 1500, 100 };
    f.fp.level_dbfs = dbfs;
    return spurs_finding(s, &f, step_shown);
}

// It moves with the tuner: known at the third centre, and from then on at each.
static void moves_with_the_tuner(void **state)
{
    struct spurs *s = spurs_new();
    (void)state;

    assert_non_null(s);
    assert_false(hear(s, 2410e6 + 1.234e6, 2410e6, -70, 30));
    assert_false(hear(s, 2410e6 + 1.234e6, 2410e6, -70.5, 30));     // the same centre is no news
    assert_false(hear(s, 2427e6 + 1.2341e6, 2427e6, -69.5, 30));
    assert_true(hear(s, 2444e6 + 1.2339e6, 2444e6, -70, 30));
    assert_true(hear(s, 2410e6 + 1.234e6, 2410e6, -70, 30));
    assert_int_equal(spurs_known(s), 1);
    // Louder there, or beside it: somebody's.
    assert_false(hear(s, 2410e6 + 1.234e6, 2410e6, -62, 30));
    assert_false(hear(s, 2410e6 + 1.237e6, 2410e6, -70, 30));
    spurs_free(s);
}

// An emitter stays where it is, whatever the centre.
static void an_emitter_does_not(void **state)
{
    struct spurs *s = spurs_new();
    (void)state;

    for (unsigned round = 0; round < 20; round++)
        for (unsigned k = 0; k < 4; k++)
            assert_false(hear(s, 2420e6, 2412e6 + 4.1e6 * k, -70, 30));
    assert_int_equal(spurs_known(s), 0);
    spurs_free(s);
}

// The gain goes by 3 dB and back: what stays is the receiver's, what follows is not.
static void does_not_hear_the_gain(void **state)
{
    struct spurs *s = spurs_new();
    static const double gain_db[] = { 30, 27, 30, 27, 30 };
    (void)state;

    for (unsigned i = 0; i < 5; i++) {
        bool spur = hear(s, 2431e6, 2440e6, -80.2 + 0.1 * i, gain_db[i]);
        bool emitter = hear(s, 2447e6, 2440e6, -60 + gain_db[i] - 30, gain_db[i]);
        assert_int_equal(spur, i >= 2);
        assert_false(emitter);
    }
    assert_true(hear(s, 2431e6, 2440e6, -80, 30));
    assert_false(hear(s, 2431e6, 2440e6, -70, 30));     // something new over it
    spurs_free(s);
}

// Somebody comes nearer by 3 dB between two changes of the gain by 3 dB: on one level after each.
static void comes_nearer_while_the_gain_falls(void **state)
{
    struct spurs *s = spurs_new();
    double dbfs = -60;
    (void)state;

    for (unsigned change = 0; change < 8; change++, dbfs -= 3)
        for (unsigned i = 0; i < 10; i++, dbfs += 0.3)
            assert_false(hear(s, 2431e6, 2440e6, dbfs, 30 - 3.0 * change));
    // Not heard while it did: nothing is known of it.
    for (unsigned change = 0; change < 8; change++, at_s += 1)
        assert_false(hear(s, 2435e6, 2440e6, -60, 30 - 3.0 * change));
    assert_int_equal(spurs_known(s), 0);
    spurs_free(s);
}

// Two steps of the gain, 3 dB for some milliseconds, that it did not follow.
static void does_not_follow_a_step(void **state)
{
    struct spurs *s = spurs_new();
    (void)state;

    assert_false(hear(s, 2431e6, 2440e6, -80, 30));
    step_shown = 1;
    assert_false(hear(s, 2431e6, 2440e6, -80, 30));
    assert_false(hear(s, 2431e6, 2440e6, -80, 30));     // the same step is no news
    step_shown = 2;
    assert_true(hear(s, 2431e6, 2440e6, -80, 30));
    step_shown = 0;
    assert_true(hear(s, 2431e6, 2440e6, -80, 30));
    assert_false(hear(s, 2435e6, 2440e6, -80, 30));
    spurs_free(s);
}

// Bursts, wide signals and what clipped teach nothing and are never masked.
static void only_lines(void **state)
{
    struct spurs *s = spurs_new();
    struct finding f = { .part = BURST_WHOLE, .rate_hz = RATE, .gain_db = 30 };
    (void)state;

    f.fp.bw99_hz = (struct meas){ 1500, 100 };
    for (unsigned i = 0; i < 10; i++) {
        f.centre_hz = 2410e6 + 17e6 * i;
        f.fp.freq_hz = (struct meas){ f.centre_hz + 1e6, 20 };
        f.part = BURST_WHOLE;
        assert_false(spurs_finding(s, &f, 0));
        f.part = BURST_RUN_MORE;
        f.fp.bw99_hz.v = 2e6;
        assert_false(spurs_finding(s, &f, 0));
        f.fp.bw99_hz.v = 1500;
        f.flags = BURST_CLIPPED;
        assert_false(spurs_finding(s, &f, 0));
        f.flags = 0;
    }
    assert_int_equal(spurs_known(s), 0);
    spurs_free(s);
}

// More lines than there is room for: what is learned stays, nothing is masked for want of room.
static void full(void **state)
{
    struct spurs *s = spurs_new();
    (void)state;

    for (unsigned k = 0; k < 3; k++)
        hear(s, 2410e6 + 17e6 * k - 3e6, 2410e6 + 17e6 * k, -70, 30);
    for (unsigned i = 0; i < 300; i++)
        assert_false(hear(s, 2403e6 + 41e3 * i, 2410e6, -75, 30));
    assert_true(hear(s, 2410e6 - 3e6, 2410e6, -70, 30));
    at_s += 700;                        // not heard for so long: forgotten
    assert_false(hear(s, 2410e6 - 3e6, 2410e6, -70, 30));
    spurs_free(s);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(moves_with_the_tuner), cmocka_unit_test(an_emitter_does_not),
        cmocka_unit_test(does_not_hear_the_gain), cmocka_unit_test(does_not_follow_a_step),
        cmocka_unit_test(comes_nearer_while_the_gain_falls),
        cmocka_unit_test(only_lines),
        cmocka_unit_test(full),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
