// SPDX-License-Identifier: GPL-3.0-or-later
// A radio whose process dies after it was asked for a place that it refuses: the next ones open
// where samples came from last, and say so.  (Else each opens at that place and dies, for ever.)
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdr/sdr.h"
#include "tests/unit/radio_child.h"

#define LAST_S 12.0             // of samples and outages; back-off is 0.5 and 1 s

static void comes_back(const char *args, unsigned restarts)
{
    struct iq_live_cfg c = { .name = "roof", .args = args, .rate_hz = RATE, .centre_hz = 1e9,
                             .gain_db = NAN, .program = "/proc/self/exe", .silence_s = 60 };
    struct iq_source *s = NULL;
    struct iq_radio r = { 0 };
    char why[IQ_WHY];
    double t_s = 0;
    unsigned blocks = 0;

    if (iq_open_live(&s, &c, why))
        fail_msg("%s: %s", args, why);
    while (t_s < LAST_S) {
        struct iq_block *b = iq_next(s);
        assert_non_null(b);
        assert_true(b->centre_hz == 1e9);
        t_s = (double)b->n0 / RATE;
        iq_unref(b);
        iq_radio(s, &r);
        if (++blocks == 5)
            assert_int_equal(iq_tune(s, 2e9), 0);
        if (r.restarts && r.state == RADIO_RUNNING && strstr(r.what, "back to 1000 MHz"))
            break;
    }
    assert_true(t_s < LAST_S);
    assert_int_equal(r.restarts, restarts);
    // There it stays, and can be asked for another place.
    assert_int_equal(iq_tune(s, 1.2e9), 0);
    for (blocks = 0; blocks < 2000; blocks++) {
        struct iq_block *b = iq_next(s);
        bool there = b->centre_hz == 1.2e9;
        iq_unref(b);
        if (there)
            break;
    }
    assert_true(blocks < 2000);
    iq_close(s);
}

static void of_a_place_it_refuses(void **state)
{
    (void)state;
    comes_back("driver=fake,picky=1", 2);
}

static void of_a_place_it_dies_of(void **state)
{
    (void)state;
    comes_back("driver=fake,picky=2", 3);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        play();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_place_it_refuses), cmocka_unit_test(of_a_place_it_dies_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
