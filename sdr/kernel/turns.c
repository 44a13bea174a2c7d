// SPDX-License-Identifier: GPL-3.0-or-later
// Phases to complex values (turns.h).  Compiled once per instruction set; all give the same bits.
#include "sdr/kernel/turns.h"

#include "sdr/kernel/sincos.h"

static void run(const uint32_t *restrict phase, float complex *restrict ret, size_t n)
{
    float *restrict x = (float *)ret;
    for (size_t i = 0; i < n; i++) {
        struct cos_sin t = cos_sin_of(phase[i]);
        x[2 * i] = t.c;
        x[2 * i + 1] = t.s;
    }
}

extern const struct turns_ops KERNEL(turns_ops);
const struct turns_ops KERNEL(turns_ops) = { .run = run };
