// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: strict reading of numbers on the command line.
#pragma once

#include <stdbool.h>

// The whole of text as a decimal number in [lo, hi]; 0, or -EINVAL (junk, NaN, out of range).
int args_number(const char *text, double lo, double hi, double *ret);
// tcp://HOST:PORT
bool args_endpoint(const char *s);
