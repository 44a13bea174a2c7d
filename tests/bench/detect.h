// SPDX-License-Identifier: GPL-3.0-or-later
// What the two parts of `make bench BENCH=detect` share.
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/rng.h"

static inline bool bench_quick(void)
{
    const char *q = getenv("QUICK");
    return q && *q;
}

// A share and its 95 % interval (Wilson).
struct range { double p, lo, hi; };

static inline struct range range_of(unsigned k, unsigned n)
{
    double z = 1.96, p = (double)k / n, d = 1 + z * z / n;
    double mid = (p + z * z / (2 * n)) / d;
    double half = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n)) / d;
    return (struct range){ p, mid - half, mid + half };
}

// detect_floor.c: bias of the floor under signals, how it follows, its first millisecond.
void bench_floor(double seconds);
