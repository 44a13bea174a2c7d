// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers as people type them, 61.44e6 or 2440400000: nothing before, nothing behind, no
// hexadecimal, no "nan" or "inf" (all of which strtod would take).
#include "classifier/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int args_number(const char *text, double lo, double hi, double *ret)
{
    char *end;

    if (!text[0] || strspn(text, "0123456789.eE+-") != strlen(text))
        return -EINVAL;
    double v = strtod(text, &end);
    if (*end || end == text || !isfinite(v) || v < lo || v > hi)
        return -EINVAL;
    *ret = v;
    return 0;
}

bool args_endpoint(const char *s)
{
    const char *port = strrchr(s, ':');     // of an IPv6 address it stands behind its ]

    if (strncmp(s, "tcp://", 6) || port < s + 7)
        return false;
    size_t digits = strspn(++port, "0123456789");
    unsigned long n = strtoul(port, NULL, 10);
    return digits && digits <= 5 && !port[digits] && n >= 1 && n <= 65535;
}
