// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over stretches of packed power cells.  Compiled once per instruction set.
#include "dsp/kernel/band.h"

#include <math.h>
#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

#define LINE  32                // packed values in a cache line
#define AHEAD 16                // rows fetched ahead: a band in a ring too large for the caches

static inline float unpack(uint16_t v)
{
    union { uint32_t u; float f; } x = { .u = (uint32_t)v << 16 };
    return x.f;
}

INLINE vec_int load_bits(const float *x)
{
    vec_int r;
    memcpy(&r, x, sizeof r);
    return r;
}

// Lanes of four vectors summed, as vec_sum does it.
INLINE void sum_four(const vec s[4], float minus, float *ret)
{
    float x[4][VEC];

    memcpy(x, s, sizeof x);
    for (size_t n = VEC / 2; n >= 4; n /= 2)
        for (size_t j = 0; j < 4; j++)
            for (size_t k = 0; k < n; k++)
                x[j][k] += x[j][k + n];
    for (size_t j = 0; j < 4; j++)
        ret[j] = (x[j][0] + x[j][2]) + (x[j][1] + x[j][3]) - minus;
}

// What lies behind the last of n counts as zero, in whole vectors: bands are often that narrow.
// Four rows (hops) at a time: there are eight in a call.
static void sums(const uint16_t *x, size_t stride, size_t rows, size_t n, float minus, float *ret)
{
    size_t whole = n / VEC * VEC, j = 0;
    uint16_t k[VEC];

    for (size_t i = 0; i < VEC; i++)
        k[i] = i < n - whole ? 0xffff : 0;
    vec_half keep = vec_load_half(k);
    for (; j + 4 <= rows; j += 4, x += 4 * stride) {
        vec s[4];
        for (size_t r = 0; r < 4; r++) {
            const uint16_t *y = x + r * stride;
            for (size_t i = 0; i <= whole; i += LINE)
                __builtin_prefetch(y + AHEAD * stride + i);
            s[r] = vec_unpack(vec_load_half(y + whole) & keep);
            for (size_t i = 0; i < whole; i += VEC)
                s[r] += vec_unpack(vec_load_half(y + i));
        }
        sum_four(s, minus, ret + j);
    }
    for (; j < rows; j++, x += stride) {
        vec s = vec_unpack(vec_load_half(x + whole) & keep);
        for (size_t i = 0; i < whole; i += VEC)
            s += vec_unpack(vec_load_half(x + i));
        ret[j] = vec_sum(s) - minus;
    }
}

static void means(const double *restrict sum, size_t n, size_t by, float *restrict ret)
{
    size_t after = by / 2 + 1, before = by - after, i = 0;
    double share = 1 / (double)by;

    for (; i < n && (i < before || i + after > n); i++) {
        size_t a = i < before ? 0 : i - before, b = i + after < n ? i + after : n;
        ret[i] = (float)((sum[b] - sum[a]) / (double)(b - a));
    }
    for (; i + after <= n; i++)
        ret[i] = (float)((sum[i + after] - sum[i - before]) * share);
    for (; i < n; i++)
        ret[i] = (float)((sum[n] - sum[i - before]) / (double)(n - (i - before)));
}

// by: a multiple of 4.
static void means_of(const float *restrict x, size_t n, size_t by, float rows,
                     float *restrict ret_group, float *restrict ret)
{
    for (size_t i = 0; i < n; i++, x += by, ret += by) {
        double s[4] = { 0 };
        for (size_t k = 0; k < by; k += 4)
            for (size_t j = 0; j < 4; j++)
                s[j] += x[k + j];
        ret_group[i] = (float)(((s[0] + s[1]) + (s[2] + s[3])) / ((double)rows * (double)by));
        for (size_t k = 0; k < by; k++)
            ret[k] = x[k] / rows;
    }
}

static void add(float *restrict sum, const uint16_t *restrict x, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += scale * unpack(x[i]);
}

static void bins(const uint16_t *restrict x, const float *restrict floor,
                 const float *restrict inverse, size_t n, float *restrict ret_power,
                 float *restrict ret_density)
{
    for (size_t i = 0; i < n; i++) {
        float p = 0, d = 0;
        for (size_t k = 0; k < 8; k++) {
            float v = unpack(x[8 * i + k]);
            p += v - floor[8 * i + k];
            d += v * inverse[8 * i + k];
        }
        ret_power[i] = p;
        ret_density[i] = d / 8;
    }
}

static float means3(const float *restrict x, size_t n, float *restrict ret)
{
    vec top = vec_splat(0), third = vec_splat(1.0f / 3);
    float r = 0;
    size_t i = 1;

    if (n < 2) {
        ret[0] = x[0];
        return x[0];
    }
    for (; i + VEC < n; i += VEC) {
        vec m = (vec_load(x + i - 1) + vec_load(x + i) + vec_load(x + i + 1)) * third;
        top = vec_max(top, m);
        vec_store(ret + i, m);
    }
    for (; i + 1 < n; i++)
        ret[i] = (x[i - 1] + x[i] + x[i + 1]) * (1.0f / 3);
    ret[0] = (x[0] + x[1]) / 2;
    ret[n - 1] = (x[n - 2] + x[n - 1]) / 2;
    for (i = n > VEC ? n - VEC : 0; i < n; i++)
        r = ret[i] > r ? ret[i] : r;
    r = ret[0] > r ? ret[0] : r;
    float t = vec_top(top);
    return t > r ? t : r;
}

#define RANK_DROP 6            // bits of the mantissa nobody needs

// Bits of a float that is not negative rise with it: the answer is found bit by bit from the
// highest, counting what is smaller, all columns and both ranks at once.
INLINE void rank_columns(const float *x, size_t stride, size_t n, const unsigned k[2], float *ret0,
                         float *ret1)
{
    vec_int zero = { 0 }, a0 = zero, a1 = zero, b0 = zero, b1 = zero, all = zero;
    vec_int ka = zero + (int32_t)k[0], kb = zero + (int32_t)k[1];
    int32_t top = 0, set[VEC];

    for (size_t j = 0; j < n; j++)
        all |= load_bits(x + j * stride) | load_bits(x + j * stride + VEC);
    memcpy(set, &all, sizeof set);
    for (size_t i = 0; i < VEC; i++)
        top |= set[i];
    for (int32_t bit = 1 << 30; bit > 1 << RANK_DROP; bit >>= 1) {
        if (!(top & bit))
            continue;
        vec_int ta0 = a0 | bit, ta1 = a1 | bit, tb0 = b0 | bit, tb1 = b1 | bit;
        vec_int na0 = zero, na1 = zero, nb0 = zero, nb1 = zero;     // true is -1
        for (size_t j = 0; j < n; j++) {
            vec_int v0 = load_bits(x + j * stride), v1 = load_bits(x + j * stride + VEC);
            na0 -= v0 < ta0;
            na1 -= v1 < ta1;
            nb0 -= v0 < tb0;
            nb1 -= v1 < tb1;
        }
        a0 |= (na0 <= ka) & bit;
        a1 |= (na1 <= ka) & bit;
        b0 |= (nb0 <= kb) & bit;
        b1 |= (nb1 <= kb) & bit;
    }
    memcpy(ret0, &a0, sizeof a0);
    memcpy(ret0 + VEC, &a1, sizeof a1);
    memcpy(ret1, &b0, sizeof b0);
    memcpy(ret1 + VEC, &b1, sizeof b1);
}

static void ranks(const float *x, size_t stride, size_t n, const unsigned k[2], float *ret0,
                  float *ret1)
{
    for (size_t c = 0; c < BAND_COLUMNS; c += 2 * VEC)
        rank_columns(x + c, stride, n, k, ret0 + c, ret1 + c);
}

// Bits as a whole number that rises with the value, of either sign; and back.
INLINE vec_int in_order(vec_int v) { return v ^ (v >> 31 & 0x7fffffff); }

// Half by half between the least and the largest: how many are no larger than the middle?
static float nth(float *x, size_t n, size_t k)
{
    size_t whole = (n + VEC - 1) / VEC * VEC;
    vec_int least = (vec_int){ 0 } + INT32_MAX, most = -least;
    int32_t lo = INT32_MAX, hi = INT32_MIN, c[VEC], far = INT32_MAX;
    float r;

    for (size_t i = n; i < whole; i++)
        x[i] = x[0];
    for (size_t i = 0; i < whole; i += VEC) {
        vec_int v = in_order(load_bits(x + i)), less = v < least, more = v > most;
        least = (less & v) | (~less & least);
        most = (more & v) | (~more & most);
        memcpy(x + i, &v, sizeof v);
    }
    for (size_t i = n; i < whole; i++)          // none of them: larger than any
        memcpy(x + i, &far, sizeof far);
    memcpy(c, &least, sizeof c);
    for (size_t i = 0; i < VEC; i++)
        lo = c[i] < lo ? c[i] : lo;
    memcpy(c, &most, sizeof c);
    for (size_t i = 0; i < VEC; i++)
        hi = c[i] > hi ? c[i] : hi;
    while (lo < hi) {
        int32_t mid = (int32_t)((int64_t)lo + ((int64_t)hi - lo) / 2);
        vec_int count = { 0 }, middle = count + mid;
        for (size_t i = 0; i < whole; i += VEC)
            count -= load_bits(x + i) <= middle;
        memcpy(c, &count, sizeof c);
        for (size_t i = 1; i < VEC; i++)
            c[0] += c[i];
        if ((size_t)c[0] > k)
            hi = mid;
        else
            lo = mid + 1;
    }
    lo ^= lo >> 31 & 0x7fffffff;
    memcpy(&r, &lo, sizeof r);
    return r;
}

extern const struct band_ops PASTE(band_ops, ISA);
const struct band_ops PASTE(band_ops, ISA) = {
    .sums = sums, .means = means, .means_of = means_of, .add = add, .bins = bins, .means3 = means3,
    .nth = nth, .ranks = ranks,
};
