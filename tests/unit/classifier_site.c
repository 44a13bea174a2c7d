// SPDX-License-Identifier: GPL-3.0-or-later
// What is usual at a place: learnt, fixed, kept without identities, and never a veil over the new.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "classifier/site.c"        // learn and fix, without a classifier around them

static struct track wifi(double mid_hz, double level_dbfs)
{
    return (struct track){ .id = "t0001", .state = TRACK_NAMED, .family = "wifi",
        .verdict = VERDICT_NOT_DRONE, .freq_lo_hz = mid_hz - 8e6, .freq_hi_hz = mid_hz + 8e6,
        .level_dbfs = level_dbfs, .claimed_serial = "SECRET", .claimed = true };
}

static void learn_hour(struct site *s, const struct track *t, unsigned n, unsigned minutes)
{
    for (unsigned m = 0; m < 60; m++) {
        for (unsigned k = 0; k < 120; k++)
            site_time(s, 60 * m + k * 0.5, 0.5, 0, 0.25);
        for (unsigned i = 0; m < minutes && i < n; i++)
            learn(s, &t[i]);
    }
}

static void new_is_never_usual(void **state)
{
    (void)state;
    static struct site s;
    char why[IQ_WHY], path[64];
    struct track here[] = { wifi(2412e6, -50), wifi(2437e6, -40) };

    snprintf(path, sizeof path, "/tmp/tyto-site-%d.json", getpid());
    assert_int_equal(site_load(&s, path, 3600, why), 0);        // none yet
    assert_false(site_usual(&s, &here[0]));
    learn_hour(&s, here, 2, 40);
    struct track rare = wifi(2462e6, -60);
    learn(&s, &rare);                                           // once
    assert_true(site_fixed(&s));
    fix(&s);
    assert_int_equal(s.n, 2);
    assert_true(site_usual(&s, &here[0]) && site_usual(&s, &here[1]));
    assert_false(site_usual(&s, &rare));
    struct track t = wifi(2437e6, -33);                         // 7 dB louder than ever
    assert_false(site_usual(&s, &t));
    t = wifi(2450e6, -50);                                      // elsewhere
    assert_false(site_usual(&s, &t));
    t = wifi(2412e6, -50);
    t.family = "unknown-ofdm";                                  // of another kind
    assert_false(site_usual(&s, &t));
    t = wifi(2412e6, -50);
    t.verdict = VERDICT_DRONE;
    assert_false(site_usual(&s, &t));
    t = wifi(2412e6, -50);
    t.level_dbfs = NAN;
    assert_false(site_usual(&s, &t));
    // Fixed is fixed: who stays long does not become usual.
    assert_int_equal(site_time(&s, 1e6, 0.5, 0, 0.9), 0);
    assert_true(fabs(site_busy(&s, 0) - 0.25) < 1e-9 && isnan(site_busy(&s, 1)));

    // Over a restart, and nothing in the file says whose they are.
    static struct site back;
    char text[4096] = "";
    assert_int_equal(site_save(&s, path), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_true(strstr(text, "wifi") && !strstr(text, "SECRET") && !strstr(text, "t0001"));
    assert_int_equal(site_load(&back, path, 3600, why), 0);
    assert_true(site_fixed(&back) && back.n == 2 && site_usual(&back, &here[1]));
    assert_true(fabs(site_busy(&back, 0) - 0.25) < 1e-4);
    unlink(path);
}

// Spectra come at no whole part of a minute: learning ends within one, and is fixed all the same.
static void what_was_rare_goes_when_learning_ends(void **state)
{
    (void)state;
    static struct site s;
    char why[IQ_WHY];
    const double step_s = 0.49992;      // some whole number of blocks, near half a second
    struct track often = wifi(2412e6, -50), rare = wifi(2462e6, -60);
    struct cls *c = NULL;
    unsigned ended = 0;

    assert_int_equal(cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig" }, why), 0);
    assert_int_equal(site_load(&s, "/nonexistent/site.json", 3600, why), 0);
    learn(&s, &rare);
    for (unsigned i = 1; i * step_s < 3700 && !site_fixed(&s); i++) {   // as a chain does
        if (!site_time(&s, i * step_s, step_s, 0, 0.25))
            continue;
        if (!site_fixed(&s))
            learn(&s, &often);
        ended += site_fixed(&s);
        site_minute(&s, c, i * step_s);
    }
    assert_true(site_fixed(&s));
    assert_int_equal(ended, 1);
    assert_true(site_usual(&s, &often));
    assert_false(site_usual(&s, &rare));
    assert_int_equal(s.n, 1);
    cls_free(c);
}

static void a_full_table_hides_nothing(void **state)
{
    (void)state;
    static struct site s;
    char why[IQ_WHY];
    assert_int_equal(site_load(&s, "/nonexistent/site.json", 60, why), 0);
    for (unsigned i = 0; i < SITE_EMITTERS + 10; i++)
        for (unsigned k = 0; k < 5; k++) {
            struct track t = wifi(1e9 + 20e6 * i, -50);
            learn(&s, &t);
        }
    s.learnt_s = 60;
    fix(&s);
    struct track last = wifi(1e9 + 20e6 * (SITE_EMITTERS + 5), -50), first = wifi(1e9, -50);
    assert_int_equal(s.n, SITE_EMITTERS);
    assert_true(site_usual(&s, &first) && !site_usual(&s, &last));
    assert_true(site_save(&s, "/nonexistent/site.json") < 0);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "{", "[]", "{\"learnt_s\":-1}", "{\"learnt_s\":1}",
        "{\"learnt_s\":1,\"emitters\":[{}]}", "{\"learnt_s\":1,\"emitters\":[7]}",
        "{\"learnt_s\":1,\"emitters\":[{\"family\":\"wifi\",\"lo_hz\":2,\"hi_hz\":1,"
        "\"level_dbfs\":0,\"minutes\":1}]}", "{\"learnt_s\":1,\"learnt_s\":1,\"emitters\":[]}" };
    static struct site s;
    char why[IQ_WHY], path[64];

    snprintf(path, sizeof path, "/tmp/tyto-site-%d.json", getpid());
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FILE *f = fopen(path, "w");
        assert_true(f && fputs(wrong[i], f) >= 0 && fclose(f) == 0);
        assert_int_equal(site_load(&s, path, 60, why), -EINVAL);
        assert_non_null(strstr(why, path));
    }
    unlink(path);
    assert_true(site_load(&s, "/", 60, why) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_is_never_usual), cmocka_unit_test(a_full_table_hides_nothing),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(what_was_rare_goes_when_learning_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
