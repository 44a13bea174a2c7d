// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the kernels: sine and cosine without a branch, by polynomials over an eighth of a turn
// either side of a quarter.
#pragma once

#include <stdint.h>
#include <string.h>

#include "sdr/kernel/kernel.h"

KERNEL_INLINE float as_float(int32_t v)
{
    float f;
    memcpy(&f, &v, sizeof f);
    return f;
}

KERNEL_INLINE int32_t as_int(float v)
{
    int32_t i;
    memcpy(&i, &v, sizeof i);
    return i;
}

// sin(pi/4 y) / y and cos(pi/4 y) over -1 .. 1 by z = y^2, relative error 2e-7 (at Chebyshev's
// points).
KERNEL_INLINE float sin_part(float z)
{
    return ((-3.595034371e-05f * z + 2.490000860e-03f) * z - 8.074543247e-02f) * z +
           7.853981609e-01f;
}

KERNEL_INLINE float cos_part(float z)
{
    return ((-3.187263237e-04f * z + 1.584968183e-02f) * z - 3.084241647e-01f) * z +
           9.999999673e-01f;
}

struct cos_sin { float c, s; };

// Of a phase in 2^-32 turns.
KERNEL_INLINE struct cos_sin cos_sin_of(uint32_t phase)
{
    uint32_t quarter = (phase + 0x20000000u) >> 30;
    float y = (float)(int32_t)(phase - (quarter << 30)) * 0x1p-29f, z = y * y;
    int32_t s = as_int(y * sin_part(z)), c = as_int(cos_part(z));
    int32_t both = (c ^ s) & -(int32_t)(quarter & 1);       // odd quarters exchange them
    int32_t sign_c = (int32_t)((quarter + 1) << 30) & INT32_MIN;
    int32_t sign_s = (int32_t)(quarter << 30) & INT32_MIN;
    return (struct cos_sin){ as_float(c ^ both ^ sign_c), as_float(s ^ both ^ sign_s) };
}
