// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the channelizer (dsp/front/bank.c).  Compiled once per instruction set.
#include "dsp/kernel/wola.h"

#include <string.h>

#include "dsp/kernel/vec.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

// Windows an even number of hops apart see the same samples under other taps: TOGETHER of them
// are folded at once, each sample read once and each tap once.
//
//     window 0   x0 h0 + x1 h1 + x2 h2 ..        x: stretches of n values
//     window 2   x1 h0 + x2 h1 + x3 h2 ..
//     window 4   x2 h0 + ..
#define TOGETHER 4

// VEC values of the output of each of four windows.  w: their taps, those of the next stretch
// WOLA_TAPS later.
INLINE void fold_four(const float *restrict x, const float *restrict w, size_t n, unsigned folds,
                      size_t stride, float *restrict ret)
{
    vec h = vec_load_twice(w), x0 = vec_load(x), x1 = vec_load(x + n), x2 = vec_load(x + 2 * n);
    vec x3 = vec_load(x + 3 * n), a0 = x0 * h, a1 = x1 * h, a2 = x2 * h, a3 = x3 * h;
    unsigned k = 1;

#define STEP(p, q, r, s)                                                       \
    do {                                                                       \
        h = vec_load_twice(w + k * WOLA_TAPS);                                 \
        s = vec_load(x + (k + 3) * n);                                         \
        a0 = vec_fma(a0, p, h);                                                \
        a1 = vec_fma(a1, q, h);                                                \
        a2 = vec_fma(a2, r, h);                                                \
        a3 = vec_fma(a3, s, h);                                                \
        k++;                                                                   \
    } while (0)
    while (k + 4 <= folds) {            // the stretches change places, not registers
        STEP(x1, x2, x3, x0);
        STEP(x2, x3, x0, x1);
        STEP(x3, x0, x1, x2);
        STEP(x0, x1, x2, x3);
    }
    if (k < folds)
        STEP(x1, x2, x3, x0);
    if (k < folds)
        STEP(x2, x3, x0, x1);
    if (k < folds)
        STEP(x3, x0, x1, x2);
#undef STEP
    vec_store(ret, a0);
    vec_store(ret + 2 * stride, a1);
    vec_store(ret + 4 * stride, a2);
    vec_store(ret + 6 * stride, a3);
}

// Of one window.
INLINE void fold_one(const float *restrict x, const float *restrict w, size_t n, unsigned folds,
                     float *restrict ret)
{
    vec a = vec_load(x) * vec_load_twice(w);

    for (unsigned k = 1; k < folds; k++)
        a = vec_fma(a, vec_load(x + k * n), vec_load_twice(w + k * WOLA_TAPS));
    vec_store(ret, a);
}

// 2 * WOLA_TAPS values of the output of `many` windows, `hop` apart in x; taps `stretch` apart.
INLINE void fold_block(const float *restrict x, const float *restrict w, size_t hop, unsigned folds,
                       unsigned many, size_t stride, float *restrict ret)
{
    for (size_t i = 0; i < 2 * WOLA_TAPS; i += VEC, w += VEC / 2) {
        unsigned j = 0;
        for (; j + 2 * TOGETHER <= many; j += 2 * TOGETHER) {
            fold_four(x + j * hop + i, w, 2 * hop, folds, stride, ret + j * stride + i);
            fold_four(x + (j + 1) * hop + i, w, 2 * hop, folds, stride,
                      ret + (j + 1) * stride + i);
        }
        for (; j < many; j++)
            fold_one(x + j * hop + i, w, 2 * hop, folds, ret + j * stride + i);
    }
}

// Where hops are pages long, all that one value of the output is made of falls into one set of the
// first cache.  Part of each hop is copied beside those of the others and folded there: each value
// is fetched once, for all windows and for both halves of them that see it.
//
//     hop 0 |..PP......|  hop 1 |..PP......|  hop 2 |..PP......|   ->   PP PP PP ..
//
#define PART  64                // values of a hop
#define HOPS  64                // room for so many parts: 16 KiB
#define FAR   512               // values of a hop from which this pays

static void fold_far(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                     unsigned many, size_t stride, float *restrict ret)
{
    _Alignas(64) float near[HOPS * PART];
    size_t hops = 2 * folds + many - 1, half = n / 2;

    for (size_t at = 0; at < half; at += PART) {
        for (size_t m = 0; m < hops; m++)
            memcpy(near + m * PART, x + m * half + at, PART * sizeof *near);
        for (size_t side = 0; side < 2; side++)
            for (size_t i = 0; i < PART; i += 2 * WOLA_TAPS)
                fold_block(near + side * PART + i, h + (at + side * half + i) * folds / 2,
                           PART, folds, many, stride, ret + side * half + at + i);
    }
}

// Two taps, as the product's banks have: what window 0 sees through the second, window 2 sees
// through the first.  many: 1 or 4, in either case no more lines at once than a set has.
INLINE void fold_two(const float *restrict x, const float *restrict h, size_t n, unsigned many,
                     size_t stride, float *restrict ret)
{
    for (size_t at = 0; at < n; at += 2 * WOLA_TAPS, h += 2 * WOLA_TAPS) {
        size_t from = at + 2 * WOLA_TAPS <= n ? at : n - 2 * WOLA_TAPS;
        for (size_t i = 0; i < 2 * WOLA_TAPS; i += VEC) {
            vec h0 = vec_load_twice(h + i / 2), h1 = vec_load_twice(h + WOLA_TAPS + i / 2), v[6];
            v[0] = vec_load(x + from + i);
            v[2] = vec_load(x + from + i + n);
            for (unsigned k = 1; k < 6 && many == 4; k += k == 1 ? 2 : 1)
                v[k] = vec_load(x + from + i + k * n / 2);
            for (unsigned j = 0; j < many; j++)
                vec_store(ret + j * stride + from + i, vec_fma(v[j] * h0, v[j + 2], h1));
        }
    }
}

static void fold(const float *restrict x, const float *restrict h, size_t n, unsigned folds,
                 unsigned many, size_t stride, float *restrict ret)
{
    if (folds == 2) {
        for (; many >= 4; many -= 4, x += 2 * n, ret += 4 * stride)
            fold_two(x, h, n, 4, stride, ret);
        for (; many; many--, x += n / 2, ret += stride)
            fold_two(x, h, n, 1, stride, ret);
        return;
    }
    if (many > 1 && n >= 2 * FAR && n % (2 * PART) == 0 && 2 * folds + many - 1 <= HOPS) {
        fold_far(x, h, n, folds, many, stride, ret);
        return;
    }
    for (size_t at = 0, block = 0; at < n; at += 2 * WOLA_TAPS, block++) {
        size_t from = at + 2 * WOLA_TAPS <= n ? at : n - 2 * WOLA_TAPS;
        fold_block(x + from, h + block * folds * WOLA_TAPS, n / 2, folds, many, stride, ret + from);
    }
}

static void power(const float *restrict x, size_t n, float *restrict ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
}

static inline float unpack(uint16_t v)
{
    union { uint32_t u; float f; } x = { .u = (uint32_t)v << 16 };
    return x.f;
}

static inline uint16_t pack(float v)
{
    union { float f; uint32_t u; } x = { .f = v };
    return (uint16_t)((x.u + 0x8000) >> 16);
}

// Of VEC interleaved complex values.
INLINE vec power_of(const float *x)
{
    vec a = vec_load(x), b = vec_load(x + VEC);
    a *= a;
    b *= b;
    return __builtin_shufflevector(a, b, VEC_EVEN) + __builtin_shufflevector(a, b, VEC_ODD);
}

#if VEC == 8
// Sixteen packed powers.  Sums of neighbours and what packs work within halves of a register; one
// permutation at the end puts all in order.
INLINE void pack_sixteen(const float *restrict x, vec *top, uint16_t *restrict ret)
{
    __m256 a = _mm256_loadu_ps(x), b = _mm256_loadu_ps(x + 8);
    __m256 c = _mm256_loadu_ps(x + 16), d = _mm256_loadu_ps(x + 24);
    __m256i half = _mm256_set1_epi32(0x8000);
    __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);

    a = _mm256_hadd_ps(_mm256_mul_ps(a, a), _mm256_mul_ps(b, b));
    c = _mm256_hadd_ps(_mm256_mul_ps(c, c), _mm256_mul_ps(d, d));
    *top = vec_max(*top, vec_max((vec)a, (vec)c));
    __m256i i = _mm256_srli_epi32(_mm256_add_epi32(_mm256_castps_si256(a), half), 16);
    __m256i j = _mm256_srli_epi32(_mm256_add_epi32(_mm256_castps_si256(c), half), 16);
    i = _mm256_permutevar8x32_epi32(_mm256_packus_epi32(i, j), order);
    _mm256_storeu_si256((__m256i *)(void *)ret, i);
}
#endif

// Of n values; *top: the largest of whole vectors so far; returns that of the rest.
INLINE float pack_half(const float *restrict x, size_t n, vec *top, uint16_t *restrict ret)
{
    float most = 0;
    size_t i = 0;

#if VEC == 8
    for (; i + 16 <= n; i += 16)
        pack_sixteen(x + 2 * i, top, ret + i);
#endif
    for (; i + VEC <= n; i += VEC) {
        vec p = power_of(x + 2 * i);
        vec_half h = vec_pack(p);
        *top = vec_max(*top, p);
        memcpy(ret + i, &h, sizeof h);
    }
    for (; i < n; i++) {
        float p = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
        most = p > most ? p : most;
        ret[i] = pack(p);
    }
    return most;
}

static float power_pack(const float *restrict x, size_t n, unsigned many, size_t stride,
                        uint16_t *restrict ret)
{
    vec top = vec_splat(0);
    float most = 0;

    for (unsigned j = 0; j < many; j++, x += stride, ret += n) {
        float a = pack_half(x + n, n / 2, &top, ret), b = pack_half(x, n / 2, &top, ret + n / 2);
        most = a > most ? a : most;
        most = b > most ? b : most;
    }
    float r = vec_top(top);
    return r > most ? r : most;
}

static void over(const uint16_t *restrict x, const float *restrict floor, float least, size_t n,
                 float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        float fl = floor[i] > least ? floor[i] : least;
        ret[i] = unpack(x[i]) / fl;
    }
}

static float times(const uint16_t *restrict x, const float *restrict inverse, size_t n,
                   float *restrict ret)
{
    vec top = vec_splat(0);
    float most = 0;
    size_t i = 0;

    for (; i + VEC <= n; i += VEC) {
        vec p = vec_unpack(vec_load_half(x + i)) * vec_load(inverse + i);
        top = vec_max(top, p);
        vec_store(ret + i, p);
    }
    for (; i < n; i++) {
        ret[i] = unpack(x[i]) * inverse[i];
        most = ret[i] > most ? ret[i] : most;
    }
    float r = vec_top(top);
    return r > most ? r : most;
}

static void rows_8(const uint16_t *restrict x, const float *restrict inverse, float scale, size_t n,
                   float *restrict ret)
{
    for (size_t i = 0; i < n; i++) {
        float a = unpack(x[i]) + unpack(x[i + n]), b = unpack(x[i + 2 * n]) + unpack(x[i + 3 * n]);
        float c = unpack(x[i + 4 * n]) + unpack(x[i + 5 * n]);
        float d = unpack(x[i + 6 * n]) + unpack(x[i + 7 * n]);
        ret[i] += ((a + b) + (c + d)) * inverse[i] * scale;
    }
}

static void rows(const uint16_t *restrict x, const float *restrict inverse, float scale,
                 unsigned many, size_t n, float *restrict ret)
{
    if (many == 8) {
        rows_8(x, inverse, scale, n, ret);
        return;
    }
    for (unsigned r = 0; r < many; r++)
        for (size_t i = 0; i < n; i++)
            ret[i] += unpack(x[r * n + i]) * inverse[i] * scale;
}

extern const struct wola_ops PASTE(wola_ops, ISA);
const struct wola_ops PASTE(wola_ops, ISA) = {
    .fold = fold, .power = power,
    .power_pack = power_pack, .over = over, .times = times, .rows = rows,
};
