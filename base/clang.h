// SPDX-License-Identifier: GPL-3.0-or-later
// Read before every file (-include): C11's CMPLX, which Debian 12's C library offers to gcc only.
#pragma once

#if defined __clang__ && !defined CMPLX
#define CMPLX(x, y)  __builtin_complex((double)(x), (double)(y))
#define CMPLXF(x, y) __builtin_complex((float)(x), (float)(y))
#endif
