// SPDX-License-Identifier: GPL-3.0-or-later
// All that the receiver does to a sample, in one pass (receiver.h).  Compiled once per instruction
// set; all give the same bits (kernel.h).
#include "sdr/kernel/receiver.h"

#include <stdbool.h>

#include "sdr/kernel/kernel.h"

KERNEL_INLINE float clip(float v) { return v > 1 ? 1 : v < -1 ? -1 : v; }

// Round to nearest, to even from the middle: the sum pushes the fraction out of a float's mantissa.
KERNEL_INLINE float round_even(float v) { return (v + 0x1.8p23f) - 0x1.8p23f; }

struct iq { float i, q; };

KERNEL_INLINE struct iq marked(const struct receiver_marks *m, float i, float q)
{
    return (struct iq){ clip(i + m->dc_i), clip((m->q * q + m->i * i) + m->dc_q) };
}

KERNEL_INLINE void cf32_as(const struct receiver_marks *m, float *restrict x, size_t n, bool steps)
{
    float full = m->full, step = 1 / full;
    for (size_t k = 0; k < n; k++) {
        struct iq s = marked(m, x[2 * k], x[2 * k + 1]);
        x[2 * k] = steps ? round_even(s.i * full) * step : s.i;
        x[2 * k + 1] = steps ? round_even(s.q * full) * step : s.q;
    }
}

static void cf32(const struct receiver_marks *m, float *restrict x, size_t n)
{
    struct receiver_marks own = *m;
    if (own.full > 0)
        cf32_as(&own, x, n, true);
    else
        cf32_as(&own, x, n, false);
}

KERNEL_INLINE int16_t wide(float v) { return (int16_t)(int32_t)round_even(v * 32767); }

static void ci16(const struct receiver_marks *m, const float *restrict x, int16_t *restrict ret,
                 size_t n)
{
    struct receiver_marks own = *m;
    float full = own.full, step = 1 / full;
    for (size_t k = 0; k < n; k++) {
        struct iq s = marked(&own, x[2 * k], x[2 * k + 1]);
        ret[2 * k] = wide(round_even(s.i * full) * step);
        ret[2 * k + 1] = wide(round_even(s.q * full) * step);
    }
}

extern const struct receiver_ops KERNEL(receiver_ops);
const struct receiver_ops KERNEL(receiver_ops) = { .cf32 = cf32, .ci16 = ci16 };
