// SPDX-License-Identifier: GPL-3.0-or-later
// Radio profiles: those we ship, and what is refused on which line.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hw/profile.h"

#define GOOD "name: x\ntitle: An X\ndriver: xd\npackage: p\nformat: ci8\n" \
             "freq_lo_hz: {v: 1e6, from: data sheet}\nfreq_hi_hz: {v: 2e6, from: measured}\n" \
             "rates_hz: [1e6, 2e6]\ngain_db: 12.5\nhardware_time: true\n" \
             "usb: [\"0bda:2838\", \"1d50:60a1\"]\n"

static void all_shipped_ones_load(void **state)
{
    (void)state;
    const char *want[] = { "airspy", "b2xx", "bladerf2", "hackrf", "remote", "rtlsdr", "tyto" };
    struct hw_profile p;
    char why[HW_WHY];
    size_t n = 0;
    for (const char *name; (name = hw_profile_name(n)); n++) {
        assert_true(n < 7);
        assert_string_equal(name, want[n]);
        if (hw_profile_load(&p, name, why) < 0)
            fail_msg("%s", why);
        assert_string_equal(p.name, name);
        assert_string_equal(hw_profile_for_driver(p.driver), name);
    }
    assert_int_equal(n, 7);
    assert_null(hw_profile_for_driver("no-such"));
    assert_int_equal(hw_profile_load(&p, "hackrf", why), 0);
    assert_true(p.rate_hi_hz.v > 19.9e6 && p.rate_hi_hz.v < 20.1e6);
    assert_int_equal(p.rate_hi_hz.evidence, HW_DATA_SHEET);
    assert_string_equal(hw_evidence_name(p.settle_s.evidence), "driver source");
    assert_true(isnan(p.clock_ppm.v));
    assert_false(p.hardware_time);
    assert_non_null(strstr(p.udev, "1d50:6089"));
    assert_int_equal(hw_profile_load(&p, "remote", why), 0);
    assert_true(p.remote);
}

static void a_good_one_is_read(void **state)
{
    (void)state;
    struct hw_profile p;
    char why[HW_WHY];
    if (hw_profile_parse(&p, GOOD, strlen(GOOD), "f", why) < 0)
        fail_msg("%s", why);
    assert_string_equal(p.title, "An X");
    assert_int_equal(p.freq_hi_hz.evidence, HW_MEASURED);
    assert_int_equal(p.n_rates, 2);
    assert_true(p.rates_hz[1] > 1.9e6 && p.gain_db > 12.4 && p.hardware_time && !p.remote);
    assert_string_equal(p.udev, "0bda:2838 1d50:60a1");
}

static void bad_ones_are_refused_with_the_line(void **state)
{
    (void)state;
    static const struct { const char *from, *to, *line, *word; } bad[] = {
        { "ci8", "cs8", "f:5: ", "cs8" },
        { "1e6, from", "1 MHz, from", "f:6: ", "1 MHz" },
        { "data sheet", "hearsay", "f:6: ", "hearsay" },
        { "v: 2e6", "v: 5e5", "f:7: ", "below" },
        { "v: 2e6", "v: nan", "f:7: ", "nan" },
        { "v: 2e6", "w: 2e6", "f:7: ", "w" },
        { "gain_db", "gain_dbm", "f:9: ", "gain_dbm" },
        { "12.5", "1e9", "f:9: ", "1e9" },
        { "true", "perhaps", "f:10: ", "" },
        { "0bda:2838", "0BDA:2838", "f:11: ", "0BDA" },
        { "1d50:60a1", "1d50-60a1", "f:11: ", "1d50-60a1" },
        { "name: x\n", "", "f:", "name" },
        { "[1e6, 2e6]", "[1e6, 2e6, 3e99]", "f:8: ", "3e99" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hw_profile p;
        char why[HW_WHY] = "", text[1024];
        const char *at = strstr(GOOD, bad[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, bad[i].to,
                 at + strlen(bad[i].from));
        assert_int_equal(hw_profile_parse(&p, text, strlen(text), "f", why), -EINVAL);
        if (strncmp(why, bad[i].line, strlen(bad[i].line)) || !strstr(why, bad[i].word))
            fail_msg("%zu: \"%s\"", i, why);
    }
}

static void strange_files_are_refused(void **state)
{
    (void)state;
    struct hw_profile p;
    char why[HW_WHY] = "";
    assert_int_equal(hw_profile_parse(&p, "", 0, "f", why), -EINVAL);
    assert_int_equal(hw_profile_parse(&p, "a: &x [*x]\n", 11, "f", why), -EINVAL);
    assert_int_equal(hw_profile_parse(&p, "\0\xff\xfe", 3, "f", why), -EINVAL);
    assert_int_equal(hw_profile_load(&p, "nosuch", why), -ENOENT);
    assert_non_null(strstr(why, "nosuch"));
    assert_int_equal(hw_profile_load(&p, "/dev/zero", why), -EFBIG);
    assert_true(hw_profile_load(&p, "..", why) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_shipped_ones_load),
        cmocka_unit_test(a_good_one_is_read),
        cmocka_unit_test(bad_ones_are_refused_with_the_line),
        cmocka_unit_test(strange_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
