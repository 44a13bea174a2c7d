// SPDX-License-Identifier: GPL-3.0-or-later
// Levels in dBm by a profile's calibration, and a profile that is only half calibrated.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dsp/self/self.h"
#include "hw/hw.h"
#include "hw/profile.h"

#define HEAD "name: x\ntitle: X\ndriver: x\npackage: x\nformat: ci16\n" \
             "gain_db: 40\nhardware_time: false\n"

static int parse(struct hw_profile *p, const char *more, char why[HW_WHY])
{
    char text[600];
    snprintf(text, sizeof text, "%s%s", HEAD, more);
    return hw_profile_parse(p, text, strlen(text), "f", why);
}

static void level(void **state)
{
    struct hw_profile p;
    char why[HW_WHY];
    (void)state;
    assert_int_equal(parse(&p, "clock_hz: {v: 40e6, from: data sheet}\n"
                           "full_dbm: {v: -22, from: measured}\n"
                           "full_err_db: {v: 1.5, from: measured}\n", why), 0);
    assert_true(fabs(self_clock_hz(&p) - 40e6) < 1);
    struct meas m = self_level_dbm(&p, -30, 40);
    assert_true(fabs(m.v + 52) < 1e-9 && fabs(m.err - 1.5) < 1e-9);
    m = self_level_dbm(&p, -30, 60);            // 20 dB more gain: 20 dB less at the socket
    assert_true(fabs(m.v + 72) < 1e-9 && m.err > 1.5 && m.err < 3);
    assert_false(meas_ok(self_level_dbm(&p, NAN, 40)));
    assert_false(meas_ok(self_level_dbm(&p, -30, NAN)));
    assert_false(meas_ok(self_level_dbm(NULL, -30, 40)));
    assert_true(self_clock_hz(NULL) <= 0);
    assert_int_equal(parse(&p, "", why), 0);
    assert_false(meas_ok(self_level_dbm(&p, -30, 40)));
    assert_true(self_clock_hz(&p) <= 0);
    assert_true(parse(&p, "full_dbm: {v: -22, from: measured}\n", why) < 0);
    assert_non_null(strstr(why, "full_err_db"));
}

int main(void)
{
    const struct CMUnitTest t[] = { cmocka_unit_test(level) };
    return cmocka_run_group_tests(t, NULL, NULL);
}
