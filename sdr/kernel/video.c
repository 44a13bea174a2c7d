// SPDX-License-Identifier: GPL-3.0-or-later
// Composite video (video.h), pixel by pixel and sample by sample.  Compiled once per instruction
// set; all give the same bits (kernel.h).
#include "sdr/kernel/video.h"

#include "sdr/kernel/sincos.h"

#define N (VIDEO_PIXELS + 1)

KERNEL_INLINE float hash01(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t h = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    h ^= h >> 15;
    return (float)(int32_t)(h >> 8) * 0x1p-24f;
}

KERNEL_INLINE int32_t floor_of(float x)
{
    int32_t k = (int32_t)x;
    return k - ((float)k > x);
}

// Sky above a tilted horizon, below it ground whose squares grow towards the camera.
static void flight(const struct video_flight *f, struct video_rgb *restrict ret)
{
    struct video_flight o = *f;
    float square[N];
    for (int i = 0; i < N; i++) {
        float u = (float)i * (1.0f / VIDEO_PIXELS), d = o.row - o.rise + (u - 0.5f) * o.tilt;
        float far = 1 / ((d > 0 ? d : 0) + 0.03f);
        square[i] = hash01((uint32_t)floor_of((u - 0.5f) * far * 6),
                           (uint32_t)floor_of(far * 4 + o.time_s * 12), o.seed);
    }
    for (int i = 0; i < N; i++) {
        float u = (float)i * (1.0f / VIDEO_PIXELS), d = o.row - o.rise + (u - 0.5f) * o.tilt;
        float s = 0.75f + 0.5f * d, n = square[i];
        ret->r[i] = d < 0 ? 0.6f * s + 0.2f : 0.15f + 0.35f * n;
        ret->g[i] = d < 0 ? 0.8f * s + 0.1f : 0.25f + 0.4f * n;
        ret->b[i] = d < 0 ? s : 0.1f + 0.2f * n;
    }
    if (!o.text)
        return;
    for (int i = 0; i < N; i++) {
        float u = (float)i * (1.0f / VIDEO_PIXELS);
        int here = ((o.text & 1) && u > 0.08f && u < 0.3f) ||
                   ((o.text & 2) && u > 0.6f && u < 0.9f);
        if (here && hash01((uint32_t)(int32_t)(u * 90), (uint32_t)(int32_t)(o.row * 110),
                           o.seed) > 0.5f)
            ret->r[i] = ret->g[i] = ret->b[i] = 1;
    }
}

#define POLE 0.6f
#define BACK 32                 // POLE^32 = 8e-8: what lies further back is nothing

// One pole, y[i] = 0.6 y[i - 1] + 0.4 x[i], begun as if x[0] had lasted.  Not one value after the
// other but all at once: sums of 2, 4, 8, 16 and 32 values back, each from two of the one before.
KERNEL_INLINE void smooth(float *restrict x)
{
    float a[BACK + N], b[BACK + N], w = POLE;
    float *from = a, *to = b;
    for (int i = 0; i < BACK; i++)
        a[i] = (1 - POLE) * x[0];
    for (int i = 0; i < N; i++)
        a[BACK + i] = (1 - POLE) * x[i];
    for (int back = 1, first = 1; back < BACK; back *= 2, first += back, w *= w) {
        for (int i = first; i < BACK + N; i++)
            to[i] = from[i] + w * from[i - back];
        float *was = from;
        from = to;
        to = was;
    }
    memcpy(x, from + BACK, N * sizeof *x);
}

static void line(const struct video_rgb *restrict p, float black_v, float white_v, uint32_t at,
                 uint32_t seed, struct video_line *restrict ret)
{
    for (int i = 0; i < N; i++) {
        float noise = 0.03f * (hash01((uint32_t)i, at, seed) - 0.5f);
        float y = 0.299f * p->r[i] + 0.587f * p->g[i] + 0.114f * p->b[i], n = y + noise;
        n = n < 0 ? 0 : n > 1 ? 1 : n;
        ret->y[i] = black_v + (white_v - black_v) * n;
        ret->u[i] = 0.7f * 0.493f * (p->b[i] - y);
        ret->v[i] = 0.7f * 0.877f * (p->r[i] - y);
    }
    smooth(ret->u);             // colour has about 1.3 MHz, a tenth of the pixel rate
    smooth(ret->v);
}

static void picture(const struct video_line *restrict l, float at, float step, uint32_t phase,
                    uint32_t turn, float v, float *restrict ret, size_t n)
{
    for (int32_t i = 0; i < (int32_t)n; i++) {
        float x = at + (float)i * step;
        int32_t k = (int32_t)x;
        float f = x - (float)k, y = l->y[k];
        struct cos_sin t = cos_sin_of(phase + (uint32_t)i * turn);
        ret[i] += (y + f * (l->y[k + 1] - y)) + (l->u[k] * t.s + v * l->v[k] * t.c);
    }
}

static uint32_t modulate(const float *restrict volts, float bias, float scale, uint32_t phase,
                         uint32_t *restrict ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint32_t)(int32_t)((volts[i] + bias) * scale) << 1;
    for (size_t i = 0; i < n; i++)
        ret[i] = phase += ret[i];
    return phase;
}

extern const struct video_ops KERNEL(video_ops);
const struct video_ops KERNEL(video_ops) = { .flight = flight, .line = line, .picture = picture,
                                             .modulate = modulate };
