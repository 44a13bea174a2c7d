// SPDX-License-Identifier: GPL-3.0-or-later
// Times as people and files write them: RFC 3339 in UTC, "2024-05-01T12:34:56.789Z".
#pragma once

#include <stdint.h>

// Nanoseconds since 1970 and what the last digit written is worth; 0, or -EINVAL for anything that
// is not exactly such a time between 1970 and 2261.  Digits beyond nanoseconds are dropped.
int utc_parse(const char *s, int64_t *ret_ns, int64_t *ret_err_ns);
