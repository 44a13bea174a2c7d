// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's eyes: a made-up bus, listings of devices, a folder of keys.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "classifier/doctor.h"
#include "hw/hw.h"
#include "hw/keys.h"

static struct { unsigned n; enum doctor_state state[16]; char what[16][300], mend[16][300]; } told;

static void tell(void *arg, const char *check, enum doctor_state s, const char *what,
                 const char *mend)
{
    (void)arg;
    assert_non_null(check);
    assert_true(told.n < 16 && *what && (s != DOCTOR_WRONG || (mend && *mend)));
    told.state[told.n] = s;
    snprintf(told.what[told.n], 300, "%s", what);
    snprintf(told.mend[told.n++], 300, "%s", mend ? mend : "");
}

static char home[32];

static struct doctor doctor(const char *check)
{
    told.n = 0;
    return (struct doctor){ .keys = home, .spool = "/", .seconds = 1, .tell = tell,
                            .gps_port = "1", .check = check };
}

static int make_home(void **state)
{
    (void)state;
    int n = snprintf(home, sizeof home - 7, "/tmp/tyto-test-");
    memset(home + n, 'X', 6);                       // mkdtemp wants these
    home[n + 6] = 0;
    return mkdtemp(home) ? 0 : -1;
}

static int drop_home(void **state)
{
    char line[64];
    (void)state;
    snprintf(line, sizeof line, "rm -r %s", home);
    return system(line);
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", home, dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && !fclose(f));
}

static void device(const char *name, const char *vendor, const char *product, const char *number)
{
    char path[256];
    snprintf(path, sizeof path, "%s/sys/%s", home, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "sys/%s", name);
    put(path, "idVendor", vendor);
    put(path, "idProduct", product);
    put(path, "busnum", "2\n");
    put(path, "devnum", number);
}

static void radios_on_the_bus_are_known_by_their_ids(void **state)
{
    (void)state;
    char path[256], sys[64], dev[64];
    const char *dirs[] = { "sys", "dev", "dev/002" };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", home, dirs[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    device("1-1", "0bda\n", "2838\n", "7\n");       // an RTL-SDR whose node is there
    put("dev/002", "007", "");
    device("1-2", "1d50\n", "6089\n", "8\n");       // a HackRF whose node is not
    device("1-3", "046d\n", "c52b\n", "9\n");       // a mouse
    device("1-4", "", "\n", "x\n");
    device("1-5", "0bda0bda0bda0bda0bda", "2838", "7");
    snprintf(sys, sizeof sys, "%s/sys", home);
    snprintf(dev, sizeof dev, "%s/dev", home);
    struct doctor d = doctor("drivers");
    doctor_usb(&d, sys, dev);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.state[0], DOCTOR_OK);
    assert_non_null(strstr(told.what[0], "RTL-SDR"));
    assert_int_equal(told.state[1], DOCTOR_WRONG);
    assert_non_null(strstr(told.what[1], "002/008"));
    assert_non_null(strstr(told.mend[1], "udev"));
    doctor_usb(&d, "/nowhere", "/nowhere");
    assert_int_equal(told.n, 2);
}

static void listings_become_arguments(void **state)
{
    (void)state;
    static const struct { const char *line, *driver, *args; } good[] = {
        { "driver=rtlsdr, label=Generic RTL2832U :: 00000001, serial=00000001\n", "rtlsdr",
          "driver=rtlsdr,serial=00000001" },
        { "label=a, b, driver=hackrf, part_id=a000cb3c\n", "hackrf", "driver=hackrf" },
        { "driver=uhd, name=, product=B210, serial=30F, type=b200", "uhd",
          "driver=uhd,serial=30F" },
        { "driver=x, serial=\n", "x", "driver=x" },
    };
    char driver[32], args[64];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(doctor_args(good[i].line, driver, sizeof driver, args, sizeof args));
        assert_string_equal(driver, good[i].driver);
        assert_string_equal(args, good[i].args);
    }
    assert_false(doctor_args("", driver, sizeof driver, args, sizeof args));
    assert_false(doctor_args("xdriver=a\n", driver, sizeof driver, args, sizeof args));
    assert_false(doctor_args("driver=\n", driver, sizeof driver, args, sizeof args));
    assert_false(doctor_args("driver=0123456789012345678901234567890123456789\n", driver,
                             sizeof driver, args, sizeof args));
}

static const struct doctor_check *named(const char *name)
{
    const struct doctor_check *c = doctor_checks;
    while (strcmp(c->name, name))
        c++;
    return c;
}

static void keys_are_looked_at(void **state)
{
    (void)state;
    char why[KEYS_WHY], dir[64];
    struct keys_own own;
    struct doctor d = doctor("keys");
    snprintf(dir, sizeof dir, "%s/keys", home);
    d.keys = dir;
    doctor_run(&d, named("keys"));
    assert_true(told.n == 1 && told.state[0] == DOCTOR_WRONG);
    assert_non_null(strstr(told.mend[0], "tyto keys make"));
    if (keys_make(dir, why) < 0)
        fail_msg("%s", why);
    doctor_run(&d, named("keys"));
    assert_true(told.n == 2 && told.state[1] == DOCTOR_WRONG);
    assert_non_null(strstr(told.mend[1], "enrol"));
    assert_int_equal(keys_load(dir, &own, why), 0);
    assert_null(strstr(told.what[1], own.secret_z85));
    char other[64], post[KEYS_Z85];
    snprintf(other, sizeof other, "%s/other", home);
    assert_int_equal(keys_make(other, why), 0);
    assert_int_equal(keys_public(other, post, why), 0);
    assert_int_equal(keys_enrol(dir, "post", post, why), 0);
    doctor_run(&d, named("keys"));
    assert_true(told.n == 3 && told.state[2] == DOCTOR_OK);
}

static void each_keeper_of_the_clock_is_told_apart(void **state)
{
    (void)state;
    static const struct { struct hw_keepers k; enum doctor_state s; const char *what; } cases[] = {
        { { .timesyncd_age_s = -1 }, DOCTOR_WRONG, "nothing keeps the clock" },
        { { .timesyncd = true, .timesyncd_age_s = -1 }, DOCTOR_WRONG, "has not set" },
        { { .timesyncd = true, .timesyncd_age_s = 40, .kernel = true }, DOCTOR_OK, "timesyncd" },
        { { .timesyncd = true, .timesyncd_age_s = 7200, .kernel = true }, DOCTOR_WRONG, "120 min" },
        { { .chrony = true }, DOCTOR_NOTE, "does not answer" },
        { { .chrony = true, .chrony_answers = true }, DOCTOR_WRONG, "no source" },
        { { .chrony = true, .chrony_answers = true, .chrony_synchronised = true,
            .chrony_source = "192.0.2.1", .chrony_err_s = 0.004 }, DOCTOR_OK, "192.0.2.1" },
        { { .chrony = true, .chrony_answers = true, .chrony_synchronised = true,
            .chrony_gnss = true, .chrony_source = "GPS" }, DOCTOR_OK, "GPS (a receiver)" },
        { { .chrony = true, .chrony_answers = true, .chrony_synchronised = true,
            .chrony_err_s = 0.4 }, DOCTOR_WRONG, "0.4 s" },
        { { .chrony = true, .chrony_answers = true, .chrony_synchronised = true,
            .chrony_age_s = 1e4 }, DOCTOR_WRONG, "went silent" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct doctor d = doctor("clock");
        doctor_keepers(&d, &cases[i].k);
        assert_true(told.n >= 1);
        if (told.state[0] != cases[i].s || !(strstr(told.what[0], cases[i].what) ||
                                             strstr(told.mend[0], cases[i].what)))
            fail_msg("%zu: %d %s -> %s", i, told.state[0], told.what[0], told.mend[0]);
    }
}

static void each_check_of_the_box_says_something(void **state)
{
    (void)state;
    static const char *const names[] = { "processor", "clock", "place", "disk", "sandbox",
                                         "service" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct doctor d = doctor("");
        doctor_run(&d, named(names[i]));
        assert_true(told.n >= 1 && d.count[0] + d.count[1] + d.count[2] == told.n);
        assert_string_equal(d.check, names[i]);
    }
    struct doctor d = doctor("disk");
    d.spool = "/nowhere/at/all/yet";
    assert_null(d.cfg);
    doctor_run(&d, named("disk"));
    assert_non_null(strstr(told.what[0], "free at /"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(radios_on_the_bus_are_known_by_their_ids, make_home,
                                        drop_home),
        cmocka_unit_test(listings_become_arguments),
        cmocka_unit_test_setup_teardown(keys_are_looked_at, make_home, drop_home),
        cmocka_unit_test(each_keeper_of_the_clock_is_told_apart),
        cmocka_unit_test(each_check_of_the_box_says_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
