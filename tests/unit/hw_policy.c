// SPDX-License-Identifier: GPL-3.0-or-later
// A policy narrows, never widens, and what of it cannot be understood forbids.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/hw.h"

// This machine may have a policy of its own; the cases below then narrow further or not at all.
static int least(int a)
{
    char where[HW_WHERE], why[HW_WHY];
    int own = hw_policy_droneid(NULL, where, why);
    return own < 0 || own > a ? a : own;
}

static int with(const char *text, char where[HW_WHERE], char why[HW_WHY])
{
    char path[] = "/tmp/tyto-policy-" "XX" "XX" "XX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int r = hw_policy_droneid(path, where, why);
    unlink(path);
    return r;
}

static void narrows(void **state)
{
    (void)state;
    char where[HW_WHERE], why[HW_WHY];
    assert_int_equal(with("droneid: decode\n", where, why), least(HW_DRONEID_DECODE));
    assert_int_equal(with("record: never\ndroneid: recognise\n", where, why),
                     least(HW_DRONEID_RECOGNISE));
    assert_non_null(strstr(where, ":2"));
    assert_int_equal(with("droneid: off\n", where, why), HW_DRONEID_OFF);
    assert_int_equal(with("record: never\n", where, why), least(HW_DRONEID_RECOGNISE));
    assert_int_equal(with("", where, why), least(HW_DRONEID_RECOGNISE));
    assert_int_equal(hw_policy_droneid("/nonexistent/policy", where, why),
                     least(HW_DRONEID_DECODE));
}

static void forbids_what_it_does_not_understand(void **state)
{
    (void)state;
    static const char *const texts[] = { "droneid: yes\n", "droneid: [decode]\n", "- droneid\n",
        "droneid: decode\ndroneid: off\n", "droneid: \"decode\n", "\tdroneid: decode\n" };
    char where[HW_WHERE], why[HW_WHY];
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(with(texts[i], where, why), -EINVAL);
        assert_non_null(strstr(why, "tyto-policy-"));
    }
    assert_int_equal(hw_policy_droneid("/", where, why), -EINVAL);      // a folder
}

static void keeping_is_off_unless_all_say_so(void **state)
{
    (void)state;
    static const struct { const char *text; int want; } cases[] = {
        { "keep: evidence\n", 1 }, { "record: bounded\nkeep: evidence\n", 1 },
        { "", 0 }, { "droneid: decode\n", 0 }, { "keep: off\n", 0 },
        { "record: never\nkeep: evidence\n", 0 }, { "keep: evidence\nrecord: never\n", 0 },
        { "keep: yes\n", -EINVAL }, { "keep:\n", -EINVAL }, { "keep: [evidence]\n", -EINVAL },
        { "keep: evidence\nkeep: evidence\n", -EINVAL }, { "- keep\n", -EINVAL },
        { "keep: [\n", -EINVAL },
    };
    char where[HW_WHERE], why[HW_WHY], path[64];

    assert_int_equal(hw_policy_keep("/nonexistent/policy", where, why), 0);
    if (access(HW_POLICY_PATH, F_OK) == 0)
        skip();                     // this machine's own narrows further
    snprintf(path, sizeof path, "/tmp/tyto-keep-policy-%d", getpid());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *f = fopen(path, "w");
        assert_true(f && fputs(cases[i].text, f) >= 0 && fclose(f) == 0);
        int r = hw_policy_keep(path, where, why);
        if (r != cases[i].want)
            fail_msg("case %zu: %d, expected %d", i, r, cases[i].want);
        assert_non_null(strstr(r < 0 ? why : where, path));
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeping_is_off_unless_all_say_so),
        cmocka_unit_test(narrows),
        cmocka_unit_test(forbids_what_it_does_not_understand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
