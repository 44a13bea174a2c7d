// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over the samples of a look.  Compiled once per instruction set.
#include "dsp/kernel/look.h"

#include <math.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

#define LANES 16

static void fold(const float *restrict x_re, const float *restrict x_im, size_t lag, size_t n,
                 float *restrict c_re, float *restrict c_im, float *restrict e)
{
    for (size_t k = 0; k < n; k++) {
        float a = x_re[k], b = x_im[k], u = x_re[k + lag], v = x_im[k + lag];
        c_re[k] += u * a + v * b;
        c_im[k] += v * a - u * b;
        e[k] += 0.5f * ((a * a + b * b) + (u * u + v * v));
    }
}

static void window_add(const float *restrict r, size_t w, size_t n, float *restrict s)
{
    for (size_t k = 0; k < n; k++)
        s[k] += r[k + w] - r[k];
}

static inline float rise_one(float d, float inv)
{
    return d > 0 ? d * d * inv : 0;
}

static float rise(const float *restrict r, const float *restrict inv, size_t n)
{
    float m[LANES] = { 0 }, most = 0;
    size_t j = 1;
    for (; j + LANES <= n; j += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float g = rise_one(r[j + k] - r[0], inv[j + k]);
            m[k] = g > m[k] ? g : m[k];
        }
    for (; j < n; j++) {
        float g = rise_one(r[j] - r[0], inv[j]);
        most = g > most ? g : most;
    }
    for (size_t k = 0; k < LANES; k++)
        most = m[k] > most ? m[k] : most;
    return most;
}

static void power(const float *restrict x, size_t n, float *restrict p)
{
    for (size_t k = 0; k < n; k++)
        p[k] = x[2 * k] * x[2 * k] + x[2 * k + 1] * x[2 * k + 1];
}

static void power_add(const float *restrict x, size_t n, float *restrict p)
{
    for (size_t k = 0; k < n; k++)
        p[k] += x[2 * k] * x[2 * k] + x[2 * k + 1] * x[2 * k + 1];
}

static void window(const float *restrict x, const float *restrict w, size_t n, float *restrict y)
{
    for (size_t k = 0; k < n; k++) {
        y[2 * k] = x[2 * k] * w[k];
        y[2 * k + 1] = x[2 * k + 1] * w[k];
    }
}

static double sum(const float *restrict p, size_t n)
{
    double acc[LANES] = { 0 }, s = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            acc[k] += p[i + k];
    for (; i < n; i++)
        s += p[i];
    for (size_t k = 0; k < LANES; k++)
        s += acc[k];
    return s;
}

static void sum_blocks(const float *restrict p, size_t blocks, float *restrict s)
{
    for (size_t i = 0; i < blocks; i++, p += LOOK_BLOCK) {
        float v = 0;
        for (size_t k = 0; k < LOOK_BLOCK; k++)
            v += p[k];
        s[i] = v;
    }
}

static double sum_root(const float *restrict p, size_t n)
{
    double acc[LANES] = { 0 }, s = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            acc[k] += sqrtf(p[i + k]);
    for (; i < n; i++)
        s += sqrtf(p[i]);
    for (size_t k = 0; k < LANES; k++)
        s += acc[k];
    return s;
}

static void limit(const float *restrict x, const float *restrict p, float most, size_t n,
                  float *restrict y_re, float *restrict y_im)
{
    for (size_t k = 0; k < n; k++) {
        float g = p[k] > most ? sqrtf(most / p[k]) : 1;
        y_re[k] = x[2 * k] * g;
        y_im[k] = x[2 * k + 1] * g;
    }
}

static void lagged(const float *restrict x_re, const float *restrict x_im, size_t lag, size_t n,
                   float *restrict ret)
{
    float re[LANES] = { 0 }, im[LANES] = { 0 }, r = 0, j = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float a = x_re[i + k], b = x_im[i + k], u = x_re[i + k + lag], v = x_im[i + k + lag];
            re[k] += u * a + v * b;
            im[k] += v * a - u * b;
        }
    for (; i < n; i++) {
        r += x_re[i + lag] * x_re[i] + x_im[i + lag] * x_im[i];
        j += x_im[i + lag] * x_re[i] - x_re[i + lag] * x_im[i];
    }
    for (size_t k = 0; k < LANES; k++) {
        r += re[k];
        j += im[k];
    }
    ret[0] = r;
    ret[1] = j;
}

static void likeness(const float *restrict x, const float *restrict z, size_t n,
                     float *restrict ret)
{
    float re[LANES] = { 0 }, im[LANES] = { 0 }, r = 0, j = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const float *a = x + 2 * (i + k), *b = z + 2 * (i + k);
            re[k] += a[0] * b[0] + a[1] * b[1];
            im[k] += a[1] * b[0] - a[0] * b[1];
        }
    for (; i < n; i++) {
        const float *a = x + 2 * i, *b = z + 2 * i;
        r += a[0] * b[0] + a[1] * b[1];
        j += a[1] * b[0] - a[0] * b[1];
    }
    for (size_t k = 0; k < LANES; k++) {
        r += re[k];
        j += im[k];
    }
    ret[0] = r;
    ret[1] = j;
}

static void times(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        float a = y[2 * k], b = y[2 * k + 1], u = x[2 * k], v = x[2 * k + 1];
        y[2 * k] = a * u - b * v;
        y[2 * k + 1] = a * v + b * u;
    }
}

static void add_times(float *restrict y, const float *restrict x, float re, float im, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        float u = x[2 * k], v = x[2 * k + 1];
        y[2 * k] += u * re - v * im;
        y[2 * k + 1] += u * im + v * re;
    }
}

static struct look_moments moments(const float *restrict p, size_t n)
{
    double s1[LANES] = { 0 }, s2[LANES] = { 0 };
    float top[LANES] = { 0 };
    struct look_moments r = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double v = p[i + k];
            s1[k] += v;
            s2[k] += v * v;
            top[k] = p[i + k] > top[k] ? p[i + k] : top[k];
        }
    for (; i < n; i++) {
        r.sum += p[i];
        r.sum2 += (double)p[i] * p[i];
        r.top = p[i] > r.top ? p[i] : r.top;
    }
    for (size_t k = 0; k < LANES; k++) {
        r.sum += s1[k];
        r.sum2 += s2[k];
        r.top = top[k] > r.top ? top[k] : r.top;
    }
    return r;
}

static void conj_times(const float *restrict x, const float *restrict z, size_t n,
                       float *restrict y)
{
    for (size_t k = 0; k < n; k++) {
        float a = x[2 * k], b = x[2 * k + 1], u = z[2 * k], v = z[2 * k + 1];
        y[2 * k] = a * u + b * v;
        y[2 * k + 1] = b * u - a * v;
    }
}

static void squares(const float *restrict x, const float *restrict t, size_t n,
                    float *restrict ret)
{
    float re[LANES] = { 0 }, im[LANES] = { 0 };
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = 0; k < LANES && i + k < n; k++) {
            const float *a = x + 2 * (i + k), *w = t + 2 * (i + k);
            float u = a[0] * a[0] - a[1] * a[1], v = 2 * a[0] * a[1];
            re[k] += u * w[0] - v * w[1];
            im[k] += u * w[1] + v * w[0];
        }
    ret[0] = ret[1] = 0;
    for (size_t k = 0; k < LANES; k++) {
        ret[0] += re[k];
        ret[1] += im[k];
    }
}

// atan2 to 2e-4 rad: a fifth-order fit on an eighth of the circle.
static inline float angle(float x, float y)
{
    float ax = fabsf(x), ay = fabsf(y);
    float big = ax > ay ? ax : ay, small = ax > ay ? ay : ax;
    float a = small / (big > 1e-30f ? big : 1e-30f), q = a * a;
    float r = 0.180141f + q * (-0.085133f + q * 0.0208351f);
    r = a * (0.999866f + q * (-0.3302995f + q * r));
    r = ay > ax ? 1.57079637f - r : r;
    r = x < 0 ? 3.14159274f - r : r;
    return y < 0 ? -r : r;
}

static void turns(const float *restrict x, size_t n, float scale, float most, float *restrict s)
{
    for (size_t k = 0; k < n; k++) {
        float a = x[2 * k + 2], b = x[2 * k + 3], u = x[2 * k], v = x[2 * k + 1];
        float w = angle(a * u + b * v, b * u - a * v) * scale;
        w = w > most ? most : w;
        s[k] = w < -most ? -most : w;
    }
}

static void split(const float *restrict s, size_t n, float mid, double *restrict ret)
{
    double up[LANES] = { 0 }, all[LANES] = { 0 }, count[LANES] = { 0 };
    size_t i = 0;
    ret[0] = ret[1] = ret[2] = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double v = s[i + k];
            all[k] += v;
            up[k] += s[i + k] > mid ? v : 0;
            count[k] += s[i + k] > mid ? 1 : 0;
        }
    for (; i < n; i++) {
        ret[0] += s[i] > mid ? s[i] : 0;
        ret[1] += s[i] > mid;
        ret[2] += s[i];
    }
    for (size_t k = 0; k < LANES; k++) {
        ret[0] += up[k];
        ret[1] += count[k];
        ret[2] += all[k];
    }
}

static void match(const float *restrict d_re, const float *restrict d_im,
                  const float *restrict ref_re, const float *restrict ref_im, size_t n, size_t refs,
                  float *restrict v)
{
    for (size_t r = 0; r < refs; r++, ref_re += n, ref_im += n, v += LOOK_SHIFTS) {
        float re[LOOK_SHIFTS] = { 0 }, im[LOOK_SHIFTS] = { 0 };
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < LOOK_SHIFTS; j++) {
                re[j] += d_re[k + j] * ref_re[k] - d_im[k + j] * ref_im[k];
                im[j] += d_re[k + j] * ref_im[k] + d_im[k + j] * ref_re[k];
            }
        for (size_t j = 0; j < LOOK_SHIFTS; j++)
            v[j] = re[j] * re[j] + im[j] * im[j];
    }
}

extern const struct look_ops PASTE(look_ops, ISA);
const struct look_ops PASTE(look_ops, ISA) = {
    .fold = fold, .window_add = window_add, .rise = rise, .power = power, .power_add = power_add,
    .window = window,
    .sum = sum, .sum_blocks = sum_blocks, .sum_root = sum_root, .limit = limit,
    .likeness = likeness, .lagged = lagged, .times = times,
    .add_times = add_times, .moments = moments, .conj_times = conj_times, .squares = squares,
    .turns = turns, .split = split, .match = match,
};
