// SPDX-License-Identifier: GPL-3.0-or-later
// Composite video after ITU-R BT.1700 (625 lines PAL, 525 lines NTSC): pulses by half lines,
// picture by lines of 720 pixels, colour on a subcarrier that runs through.
#include "sdr/tx/cvbs.h"

#include <math.h>

#define EDGE_S 0.2e-6           // rise of sync edges, 10 to 90 % within 200 +- 100 ns

const struct cvbs_standard cvbs_pal = {
    .name = "pal", .line_hz = 15625, .subcarrier_hz = 4433618.75, .lines = 625,
    .sync_s = 4.7e-6, .equalise_s = 2.35e-6, .broad_s = 27.3e-6,
    .burst_from_s = 5.6e-6, .burst_to_s = 7.85e-6,
    .picture_from_s = 10.5e-6, .picture_to_s = 62.35e-6,
    .sync_v = -0.3, .burst_v = 0.15, .black_v = 0, .white_v = 0.7,
    .first_row = { 22, 335 }, .last_row = { 309, 621 }, .v_switch = true,
};

const struct cvbs_standard cvbs_ntsc = {
    .name = "ntsc", .line_hz = 4.5e6 / 286, .subcarrier_hz = 315e6 / 88, .lines = 525,
    .sync_s = 4.7e-6, .equalise_s = 2.3e-6, .broad_s = 27.1e-6,
    .burst_from_s = 5.3e-6, .burst_to_s = 7.82e-6,
    .picture_from_s = 9.4e-6, .picture_to_s = 62.05e-6,
    .sync_v = -0.2857, .burst_v = 0.1429, .black_v = 0.0536, .white_v = 0.7143,   // 140 IRE = 1 V
    .first_row = { 20, 283 }, .last_row = { 262, 524 },
};

// 625 lines: 5 half lines each of broad pulses, equalising before and after them.
// 525 lines: 6 each, and the frame starts with the equalising ones.
enum cvbs_half cvbs_half(const struct cvbs_standard *s, unsigned half)
{
    unsigned per = s->lines == 625 ? 5 : 6, h = half % (2 * s->lines) % s->lines;
    unsigned from = s->lines == 625 ? s->lines - per : 0;      // of the first equalising one
    unsigned at = (h + s->lines - from) % s->lines;
    return at >= 3 * per ? CVBS_LINE : at / per == 1 ? CVBS_BROAD : CVBS_EQUALISE;
}

void cvbs_init(struct cvbs *c, const struct cvbs_standard *s, enum cvbs_content content,
               uint32_t seed)
{
    *c = (struct cvbs){ .std = s, .content = content, .seed = seed, .line = -1 };
    for (unsigned i = 0; i <= 1024; i++)
        c->sine[i] = (float)sin(2 * M_PI * i / 1024);
    for (unsigned i = 0; i < 2 * s->lines; i++)
        c->half[i] = (uint8_t)cvbs_half(s, i);
}

// ---- picture ---------------------------------------------------------------------------------

static float hash01(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t h = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    h ^= h >> 15;
    return (float)(h >> 8) * 0x1p-24f;
}

struct rgb { float r, g, b; };

// 75 % bars: white yellow cyan green magenta red blue black.
static struct rgb bars_at(float u)
{
    unsigned i = 7 - (unsigned)(u * 7.999f);
    return (struct rgb){ i & 2 ? 0.75f : 0, i & 4 ? 0.75f : 0, i & 1 ? 0.75f : 0 };
}

// Seen from a racer: a tilting horizon, ground that rushes by, some white on-screen text.
static struct rgb flight_at(const struct cvbs *c, float u, float v, float tilt, float rise, float t)
{
    if ((v > 0.06f && v < 0.1f && u > 0.08f && u < 0.3f) ||
        (v > 0.9f && v < 0.94f && u > 0.6f && u < 0.9f))
        if (hash01((uint32_t)(u * 90), (uint32_t)(v * 110), c->seed) > 0.5f)
            return (struct rgb){ 1, 1, 1 };
    float d = v - rise + (u - 0.5f) * tilt;
    if (d < 0) {
        float s = 0.75f + 0.5f * d;
        return (struct rgb){ 0.6f * s + 0.2f, 0.8f * s + 0.1f, s };
    }
    float far = 1 / (d + 0.03f);
    float n = hash01((uint32_t)(int32_t)floorf((u - 0.5f) * far * 6),
                     (uint32_t)(int32_t)floorf(far * 4 + t * 12), c->seed);
    return (struct rgb){ 0.15f + 0.35f * n, 0.25f + 0.4f * n, 0.1f + 0.2f * n };
}

static float lift(const struct cvbs_standard *s, float luma)
{
    return (float)(s->black_v + (s->white_v - s->black_v) * luma);
}

static void draw_line(struct cvbs *c, float v, double t_s)
{
    float t = (float)fmod(t_s, 600);
    float tilt = 0.4f * sinf(0.9f * t), rise = 0.45f + 0.1f * sinf(1.3f * t);
    for (unsigned i = 0; i <= CVBS_PIXELS; i++) {
        float u = (float)i / CVBS_PIXELS;
        struct rgb p = { 0, 0, 0 };
        if (c->content == CVBS_BARS)
            p = bars_at(u);
        else if (c->content == CVBS_FLIGHT)
            p = flight_at(c, u, v, tilt, rise, t);
        float noise = 0.03f * (hash01(i, (uint32_t)c->line, c->seed) - 0.5f);   // of the camera
        float y = 0.299f * p.r + 0.587f * p.g + 0.114f * p.b;
        c->y[i] = lift(c->std, fminf(fmaxf(y + noise, 0), 1));
        c->u[i] = 0.7f * 0.493f * (p.b - y);
        c->v[i] = 0.7f * 0.877f * (p.r - y);
    }
    // Colour has about 1.3 MHz, a tenth of the pixel rate: one pole each way.
    for (unsigned i = 1; i <= CVBS_PIXELS; i++) {
        c->u[i] = c->u[i - 1] + 0.4f * (c->u[i] - c->u[i - 1]);
        c->v[i] = c->v[i - 1] + 0.4f * (c->v[i] - c->v[i - 1]);
    }
}

// ---- signal ----------------------------------------------------------------------------------

static float edge(double x) { return x <= 0 ? 0 : x >= EDGE_S ? 1 : (float)(x / EDGE_S); }

// Pulse between the middles of two edges.
static float pulse(double x, double from, double to)
{
    return edge(x - from + EDGE_S / 2) - edge(x - to + EDGE_S / 2);
}

// Row of the picture in this line of the frame, -1 for none.
static int row_of(const struct cvbs_standard *s, unsigned line)
{
    for (int f = 0; f < 2; f++)
        if (line >= s->first_row[f] && line <= s->last_row[f])
            return 2 * (int)(line - s->first_row[f]) + f;
    return -1;
}

static float colour(const struct cvbs *c, double t_s, double x, float u, float v)
{
    const struct cvbs_standard *s = c->std;
    double turns = s->subcarrier_hz * t_s;
    float sign = s->v_switch && c->line & 1 ? -1 : 1;
    float burst = x > s->picture_from_s ? 0
                : (float)s->burst_v * pulse(x, s->burst_from_s, s->burst_to_s);
    float out = 0;
    if (burst > 0)
        out += burst * cvbs_sin(c, turns + (s->v_switch ? sign * 0.375 : 0.5));
    if (u > 0 || u < 0 || v > 0 || v < 0)
        out += u * cvbs_sin(c, turns) + sign * v * cvbs_sin(c, turns + 0.25);
    return out;
}

static float line_at(struct cvbs *c, double t_s, double x, unsigned line)
{
    const struct cvbs_standard *s = c->std;
    float luma = 0, u = 0, v = 0;
    int row = row_of(s, line);
    double at = (x - s->picture_from_s) / (s->picture_to_s - s->picture_from_s) * CVBS_PIXELS;
    if (row >= 0 && at >= 0 && at < CVBS_PIXELS) {
        unsigned i = (unsigned)at;
        float f = (float)(at - i);
        luma = c->y[i] + f * (c->y[i + 1] - c->y[i]);
        u = c->u[i];
        v = c->v[i];
    }
    return luma + colour(c, t_s, x, u, v);
}

float cvbs_at(struct cvbs *c, double t_s)
{
    const struct cvbs_standard *s = c->std;
    double halves = t_s * 2 * s->line_hz;
    int64_t n = (int64_t)halves;
    unsigned half = (unsigned)(n % (2 * s->lines));
    double half_s = 0.5 / s->line_hz, x = (halves - (double)n) * half_s;
    if (n / 2 != c->line) {
        int row = row_of(s, half / 2);
        c->line = n / 2;
        if (row >= 0)
            draw_line(c, (float)row / (float)s->lines, t_s);
    }
    enum cvbs_half kind = c->half[half];
    if (kind != CVBS_LINE)
        return (float)s->sync_v * pulse(x, 0, kind == CVBS_BROAD ? s->broad_s : s->equalise_s);
    double in_line = half & 1 ? x + half_s : x;
    float sync = in_line > 2 * s->sync_s ? 0 : (float)s->sync_v * pulse(in_line, 0, s->sync_s);
    if (half & 1 && c->half[half - 1] != CVBS_LINE)        // half a line, no picture
        return 0;
    return sync + line_at(c, t_s, in_line, half / 2);
}
