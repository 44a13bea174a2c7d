// SPDX-License-Identifier: GPL-3.0-or-later
// Sample formats: names, sizes, and conversion to complex float.
//
// Scales are powers of two, so every integer code has one exact float: ci16 x / 32768, ci8 x / 128,
// cu8 (x - 127.5) / 128 (the same step as ci8; a converter's codes lie symmetrically around the
// middle between 127 and 128).
//
// The inner loops run over a fixed 32 values so that compilers vectorise them at -O2 as well, where
// they otherwise leave out loops with a rest; and twice, for processors with AVX2 too (the values
// are the same).
#include "sdr/sdr.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "hw/hw.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are little-endian");

#define STEP 32

static const struct { const char *name; uint8_t bytes; } formats[IQ_FORMATS] = {
    [IQ_CF32] = { "cf32", 8 },
    [IQ_CF64] = { "cf64", 16 },
    [IQ_CI16] = { "ci16", 4 },
    [IQ_CI8]  = { "ci8", 2 },
    [IQ_CU8]  = { "cu8", 2 },
};

static const char *const origins[] = { "live", "recording", "simulation", "selftest", "exercise" };

const char *iq_format_name(enum iq_format f)  { return formats[f].name; }
size_t      iq_format_bytes(enum iq_format f) { return formats[f].bytes; }
const char *iq_origin_name(enum iq_origin o)  { return origins[o]; }

int iq_format_of(const char *name)
{
    for (int f = 0; f < IQ_FORMATS; f++)
        if (!strcmp(name, formats[f].name))
            return f;
    return -EINVAL;
}

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))
#else
#define WIDE
#endif

// One conversion loop: n values of `type` from p to d, each (p - middle) * scale.
#define CONVERT(name, how, type, middle, scale)                                 \
    how static void name(const type *restrict p, float *restrict d, size_t n)       \
    {                                                                           \
        size_t i = 0;                                                           \
        for (; i + STEP <= n; i += STEP)                                        \
            for (unsigned k = 0; k < STEP; k++)                                 \
                d[i + k] = ((float)p[i + k] - (middle)) * (scale);              \
        for (; i < n; i++)                                                      \
            d[i] = ((float)p[i] - (middle)) * (scale);                          \
    }

CONVERT(from_i16, , int16_t, 0.0f, 1 / 32768.0f)
CONVERT(from_i8, , int8_t, 0.0f, 1 / 128.0f)
CONVERT(from_u8, , uint8_t, 127.5f, 1 / 128.0f)
CONVERT(from_i16_wide, WIDE, int16_t, 0.0f, 1 / 32768.0f)
CONVERT(from_i8_wide, WIDE, int8_t, 0.0f, 1 / 128.0f)
CONVERT(from_u8_wide, WIDE, uint8_t, 127.5f, 1 / 128.0f)

// Asked once: 0 not yet, 1 no, 2 yes.
static bool is_wide(void)
{
    static atomic_int known;
    int k = atomic_load_explicit(&known, memory_order_relaxed);

    if (!k) {
        k = hw_isa() >= HW_ISA_X86_V3 ? 2 : 1;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k == 2;
}

// y = x - k conj(x), for x = y + k conj(y); what is left of y is 1 - |k|^2, so 0.03 dB at worst.
#define UNIMAGE(name, attr)                                                     \
    attr static void name(float *restrict d, size_t n, float a, float b)        \
    {                                                                           \
        size_t i = 0;                                                           \
        for (; i + STEP <= 2 * n; i += STEP)                                    \
            for (unsigned k = 0; k < STEP; k += 2) {                            \
                float re = d[i + k], im = d[i + k + 1];                         \
                d[i + k] = (1 - a) * re - b * im;                               \
                d[i + k + 1] = (1 + a) * im - b * re;                           \
            }                                                                   \
        for (; i < 2 * n; i += 2) {                                             \
            float re = d[i], im = d[i + 1];                                     \
            d[i] = (1 - a) * re - b * im;                                       \
            d[i + 1] = (1 + a) * im - b * re;                                   \
        }                                                                       \
    }

UNIMAGE(unimage, )
UNIMAGE(unimage_wide, WIDE)

void iq_to_cf32(const struct iq_block *b, uint32_t off, uint32_t n, float complex *restrict dst)
{
    const char *p = (const char *)b->data + off * iq_format_bytes(b->format);

    float *d = (float *)dst;
    bool wide = is_wide();

    assert(off <= b->n && n <= b->n - off);
    switch (b->format) {
    case IQ_CF32: memcpy(dst, p, n * sizeof *dst); break;
    case IQ_CI16: (wide ? from_i16_wide : from_i16)((const void *)p, d, 2 * (size_t)n); break;
    case IQ_CI8:  (wide ? from_i8_wide : from_i8)((const void *)p, d, 2 * (size_t)n); break;
    case IQ_CU8:  (wide ? from_u8_wide : from_u8)((const void *)p, d, 2 * (size_t)n); break;
    default:      assert(!"a block is never of this format");
    }
    float a = crealf(b->image), q = cimagf(b->image);
    if (fabsf(a) + fabsf(q) > 0)
        (wide ? unimage_wide : unimage)(d, n, a, q);
}
