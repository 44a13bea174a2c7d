// SPDX-License-Identifier: GPL-3.0-or-later
// Written times against known seconds since 1970; everything else is refused.
#include "base/utc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void reads_times_or_refuses(void **state)
{
    (void)state;
    static const struct { const char *s; int64_t ns, err_ns; } t[] = {
        { "1970-01-01T00:00:01Z", 1000000000, 1000000000 },
        { "2000-02-29T12:00:00Z", 951825600000000000, 1000000000 },
        { "2038-01-19T03:14:08.123456789Z", 2147483648123456789, 1 },
        { "2038-01-19T03:14:08.12345678999Z", 2147483648123456789, 1 },
        { "2001-02-29T12:00:00Z", 0, 0 }, { "2001-13-01T00:00:00Z", 0, 0 },
        { "2001-00-01T00:00:00Z", 0, 0 }, { "2001-01-01T24:00:00Z", 0, 0 },
        { "2001-01-01T00:60:00Z", 0, 0 }, { "2001-01-01 00:00:00Z", 0, 0 },
        { "2001-01-01T00:00:00", 0, 0 }, { "2001-01-01T00:00:00+01:00", 0, 0 },
        { "2001-01-01T00:00:00.Z ", 0, 0 }, { "+001-01-01T00:00:00Z", 0, 0 },
        { "9999-12-31T23:59:59Z", 0, 0 }, { "", 0, 0 }, { "now", 0, 0 },
    };
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t ns = 0, err_ns = 0;
        int want = t[i].err_ns ? 0 : -EINVAL;
        if (utc_parse(t[i].s, &ns, &err_ns) != want || ns != t[i].ns || err_ns != t[i].err_ns)
            fail_msg("%s gave %lld +- %lld", t[i].s, (long long)ns, (long long)err_ns);
    }
}

static void writes_times(void **state)
{
    (void)state;
    static const struct { int64_t ns; unsigned digits; const char *want; } t[] = {
        { 0, 0, "1970-01-01T00:00:00Z" }, { -5, 3, "1970-01-01T00:00:00.000Z" },
        { 951825600000000000, 0, "2000-02-29T12:00:00Z" },
        { 2147483648123456789, 9, "2038-01-19T03:14:08.123456789Z" },
        { 2147483648123956789, 3, "2038-01-19T03:14:08.123Z" },
        { INT64_MAX, 0, "2261-12-31T23:59:59Z" },
    };
    char s[UTC_LEN];

    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        utc_format(s, t[i].ns, t[i].digits);
        assert_string_equal(s, t[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times_or_refuses), cmocka_unit_test(writes_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
