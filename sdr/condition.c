// SPDX-License-Identifier: GPL-3.0-or-later
// Values no radio sends, and a converter at its stops.
//
// Two passes.  The first is branch-free and finds the block's lowest and highest value (and, for
// floats, how many are absurd); nearly always that settles it.  Only where an extreme lies at a
// full scale that converters have (the rails) a second pass counts the samples that sit there:
//
//      rail  ------*--***------*----        a sample at a rail: I or Q exactly there
//                  |  run of 3              IQ_CLIPPED: a run of 3, or more than 1 in 10 000
//
// A true extreme of integer formats counts each time.  At a rail that only may be one (12 bits
// carried in 16, floats made from integers) a lone extreme is no evidence: only runs count there.
#include "sdr/condition.h"

#include <math.h>
#include <string.h>

#define STEP 32                 // values per vectorised step, as in format.c
#define RUN  3                  // band-limited noise meets one code of 2000 three times running by
                                // chance about never; a clipped peak does so at once
#define SHARE 10000
#define ABSURD 1e9f             // 180 dB above full scale (sdr.h)

struct span { double lo, hi; };
struct rails { double lo, hi; bool only_runs; };

#define SPAN(name, type)                                                        \
    static struct span name(const type *p, size_t n)                            \
    {                                                                           \
        type lo[STEP], hi[STEP];                                                \
        size_t i = n < STEP ? 0 : n % STEP;                                     \
        for (unsigned k = 0; k < STEP; k++)                                     \
            lo[k] = hi[k] = p[k < n ? k : 0];                                   \
        for (; i + STEP <= n; i += STEP)                                        \
            for (unsigned k = 0; k < STEP; k++) {                               \
                lo[k] = p[i + k] < lo[k] ? p[i + k] : lo[k];                    \
                hi[k] = p[i + k] > hi[k] ? p[i + k] : hi[k];                    \
            }                                                                   \
        for (unsigned k = 1; k < STEP; k++) {                                   \
            lo[0] = lo[k] < lo[0] ? lo[k] : lo[0];                              \
            hi[0] = hi[k] > hi[0] ? hi[k] : hi[0];                              \
        }                                                                       \
        return (struct span){ (double)lo[0], (double)hi[0] };                   \
    }

SPAN(span_f32, float)
SPAN(span_i16, int16_t)
SPAN(span_i8, int8_t)
SPAN(span_u8, uint8_t)

// Samples where I or Q stands at a rail; *ret_run: some run is long enough.
#define COUNT(name, type)                                                       \
    static uint32_t name(const type *p, uint32_t n, struct rails r, bool *ret_run) \
    {                                                                           \
        uint32_t count = 0, run = 0;                                            \
        for (uint32_t i = 0; i <= n; i++) {                                     \
            double a = i < n ? (double)p[2 * i] : NAN;                          \
            double b = i < n ? (double)p[2 * i + 1] : NAN;                      \
            if (a <= r.lo || a >= r.hi || b <= r.lo || b >= r.hi) {             \
                run++;                                                          \
                continue;                                                       \
            }                                                                   \
            if (run >= RUN || !r.only_runs)                                     \
                count += run;                                                   \
            *ret_run |= run >= RUN;                                             \
            run = 0;                                                            \
        }                                                                       \
        return count;                                                           \
    }

COUNT(count_f32, float)
COUNT(count_i16, int16_t)
COUNT(count_i8, int8_t)
COUNT(count_u8, uint8_t)

// Where this block's rails are, given its extremes; infinite where none is reached.
static struct rails rails_i16(struct span s)
{
    // 12 and 14 bits, low or high in the word.
    static const double tops[] = { 2047, 8191, 32752, 32764 };
    struct rails r = { -INFINITY, INFINITY, false };

    if (s.hi == INT16_MAX || s.lo == INT16_MIN || s.lo == -INT16_MAX)
        return (struct rails){ -INT16_MAX, INT16_MAX, false };
    for (unsigned i = 0; i < sizeof tops / sizeof *tops; i++)
        if (s.hi <= tops[i] && s.lo >= -tops[i] - 1 && (s.hi == tops[i] || s.lo <= -tops[i]))
            r = (struct rails){ -tops[i], tops[i], true };
    return r;
}

// Floats made from integers, scaled to 1.0 (127/128 = 0.992 and up) or not scaled at all.  Their
// extremes repeat bit for bit; a quiet recording of few codes lies below.
static struct rails rails_f32(struct span s)
{
    static const double tops[] = { 127, 128, 2047, 2048, 8191, 8192, 32767, 32768 };
    double top = fmax(s.hi, -s.lo);
    bool full = top >= 0.99 && top <= 1.01;

    for (unsigned i = 0; i < sizeof tops / sizeof *tops; i++)
        full |= top == tops[i];
    return (struct rails){ full && s.lo < -0.99 * top ? s.lo : -INFINITY,
                           full && s.hi > 0.99 * top ? s.hi : INFINITY, true };
}

// A whole block of one value (a constant test signal) is no clipping.
static bool is_flat(struct span s) { return s.lo == s.hi; }

static uint32_t absurd_count(const float *p, size_t n)
{
    uint32_t bad[STEP] = { 0 }, sum = 0;
    size_t i = 0;

    for (; i + STEP <= n; i += STEP)
        for (unsigned k = 0; k < STEP; k++)
            bad[k] += !(fabsf(p[i + k]) <= ABSURD);     // true for NaN as well
    for (; i < n; i++)
        sum += !(fabsf(p[i]) <= ABSURD);
    for (unsigned k = 0; k < STEP; k++)
        sum += bad[k];
    return sum;
}

static struct condition condition_f32(float *p, uint32_t n)
{
    struct condition c = { .nonfinite = absurd_count(p, 2 * (size_t)n) };
    bool run = false;

    for (size_t i = 0; c.nonfinite && i < 2 * (size_t)n; i++)
        if (!(fabsf(p[i]) <= ABSURD))
            p[i] = 0;
    struct span s = span_f32(p, 2 * (size_t)n);
    struct rails r = rails_f32(s);
    c.peak = (float)fmax(s.hi, -s.lo);
    if (!is_flat(s) && (isfinite(r.lo) || isfinite(r.hi)))
        c.clipped = count_f32(p, n, r, &run);
    c.flags = (c.nonfinite ? IQ_NONFINITE : 0) | (run ? IQ_CLIPPED : 0);
    return c;
}

#define CONDITION(name, type, span_fn, count_fn, rails_expr, mid, full)         \
    static struct condition name(const type *p, uint32_t n)                     \
    {                                                                           \
        struct span s = span_fn(p, 2 * (size_t)n);                              \
        struct rails r = rails_expr;                                            \
        struct condition c = {                                                  \
            .peak = (float)(fmax(s.hi - (mid), (mid) - s.lo) / (full)) };       \
        bool run = false;                                                       \
        if (s.lo <= r.lo || s.hi >= r.hi)                                       \
            c.clipped = count_fn(p, n, r, &run);                                \
        if (run || c.clipped > n / SHARE + 1)                                   \
            c.flags = IQ_CLIPPED;                                               \
        return c;                                                               \
    }

#define FIXED(lo, hi) ((struct rails){ lo, hi, false })
CONDITION(condition_i16, int16_t, span_i16, count_i16, rails_i16(s), 0.0, 32768)
CONDITION(condition_i8, int8_t, span_i8, count_i8, FIXED(-127, 127), 0.0, 128)
CONDITION(condition_u8, uint8_t, span_u8, count_u8, FIXED(0, 255), 127.5, 128)

struct condition iq_condition(enum iq_format f, void *data, uint32_t n)
{
    switch (f) {
    case IQ_CF32: return condition_f32(data, n);
    case IQ_CI16: return condition_i16(data, n);
    case IQ_CI8:  return condition_i8(data, n);
    default:      return condition_u8(data, n);
    }
}

void iq_narrow(const void *restrict cf64, void *restrict cf32, uint32_t n)
{
    const double *restrict p = cf64;
    float *restrict d = cf32;
    size_t i = 0, values = 2 * (size_t)n;

    for (; i + STEP <= values; i += STEP)
        for (unsigned k = 0; k < STEP; k++)
            d[i + k] = (float)p[i + k];
    for (; i < values; i++)
        d[i] = (float)p[i];
}
