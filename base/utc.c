// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool two_digits(const char *s, int *ret)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *ret = (s[0] - '0') * 10 + s[1] - '0';
    return true;
}

// ".123456Z" or "Z": nanoseconds and what the last digit is worth.
static bool fraction(const char *s, int64_t *ret_ns, int64_t *ret_err_ns)
{
    int64_t ns = 0, unit = 1000000000;

    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++)
            if (unit > 1) {
                unit /= 10;
                ns += (*s - '0') * unit;
            }
    *ret_ns = ns;
    *ret_err_ns = unit;
    return s[0] == 'Z' && !s[1];
}

int utc_parse(const char *s, int64_t *ret_ns, int64_t *ret_err_ns)
{
    struct tm tm = { 0 }, same;
    int century, year, month;
    int64_t ns, err_ns;

    if (strlen(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' ||
        s[16] != ':' || !two_digits(s, &century) || !two_digits(s + 2, &year) ||
        !two_digits(s + 5, &month) || !two_digits(s + 8, &tm.tm_mday) ||
        !two_digits(s + 11, &tm.tm_hour) || !two_digits(s + 14, &tm.tm_min) ||
        !two_digits(s + 17, &tm.tm_sec) || !fraction(s + 19, &ns, &err_ns))
        return -EINVAL;
    tm.tm_year = century * 100 + year - 1900;
    tm.tm_mon = month - 1;
    if (tm.tm_year < 70 || tm.tm_year > 361)    // int64 nanoseconds end in 2262
        return -EINVAL;
    same = tm;
    time_t t = timegm(&same);                   // moves 31 April to 1 May: not the same
    if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday || same.tm_hour != tm.tm_hour ||
        same.tm_min != tm.tm_min)
        return -EINVAL;
    *ret_ns = t * INT64_C(1000000000) + ns;
    *ret_err_ns = err_ns;
    return 0;
}

void utc_format(char ret[UTC_LEN], int64_t ns, unsigned digits)
{
    static const int64_t end_ns = INT64_C(9214646399999999999);    // 2261-12-31T23:59:59.99...
    int64_t unit = 1;
    struct tm tm;

    ns = ns < 0 ? 0 : ns > end_ns ? end_ns : ns;
    time_t t = (time_t)(ns / 1000000000);
    gmtime_r(&t, &tm);
    size_t n = strftime(ret, UTC_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
    for (unsigned i = digits; i < 9; i++)
        unit *= 10;
    if (digits)
        n += (size_t)snprintf(ret + n, UTC_LEN - n, ".%0*lld", (int)(digits > 9 ? 9 : digits),
                              (long long)(ns % 1000000000 / unit));
    snprintf(ret + n, UTC_LEN - n, "Z");
}

static int64_t now_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t utc_now_ns(void)  { return now_ns(CLOCK_REALTIME); }
int64_t mono_now_ns(void) { return now_ns(CLOCK_MONOTONIC); }
