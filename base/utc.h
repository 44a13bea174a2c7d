// SPDX-License-Identifier: GPL-3.0-or-later
// Times as people and files write them: RFC 3339 in UTC, "2024-05-01T12:34:56.789Z".
#pragma once

#include <stdint.h>

// Nanoseconds since 1970 and what the last digit written is worth; 0, or -EINVAL for anything that
// is not exactly such a time between 1970 and 2261.  Digits beyond nanoseconds are dropped.
int utc_parse(const char *s, int64_t *ret_ns, int64_t *ret_err_ns);

// The other way, with `digits` (0..9) behind the second; UTC_LEN bytes are enough.  Times outside
// 1970 to 2261 give the nearest of those.
#define UTC_LEN 32
void utc_format(char ret[UTC_LEN], int64_t ns, unsigned digits);

int64_t utc_now_ns(void);       // the system's clock: for daemons' edges, never in the chain
int64_t mono_now_ns(void);      // CLOCK_MONOTONIC
