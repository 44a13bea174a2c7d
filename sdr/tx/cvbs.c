// SPDX-License-Identifier: GPL-3.0-or-later
// Composite video after ITU-R BT.1700 (625 lines PAL, 525 lines NTSC): pulses by half lines,
// picture by lines of 720 pixels (sdr/kernel/video.c), colour on a subcarrier that runs through.
#include "sdr/tx/cvbs.h"

#include <math.h>
#include <string.h>

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

// 75 % bars: white yellow cyan green magenta red blue black.
static void draw_bars(struct video_rgb *p)
{
    for (unsigned k = 0; k <= VIDEO_PIXELS; k++) {
        unsigned i = 7 - (unsigned)((float)k / VIDEO_PIXELS * 7.999f);
        p->r[k] = i & 2 ? 0.75f : 0;
        p->g[k] = i & 4 ? 0.75f : 0;
        p->b[k] = i & 1 ? 0.75f : 0;
    }
}

void cvbs_init(struct cvbs *c, const struct cvbs_standard *s, enum cvbs_content content,
               uint32_t seed, double rate_hz, double t0_s)
{
    *c = (struct cvbs){ .std = s, .content = content, .seed = seed, .line = -1,
                        .rate_hz = rate_hz, .t0_s = t0_s, .ops = video_ops() };
    for (unsigned i = 0; i <= 1024; i++)
        c->sine[i] = (float)sin(2 * M_PI * i / 1024);
    for (unsigned i = 0; i < 2 * s->lines; i++)
        c->half[i] = (uint8_t)cvbs_half(s, i);
    if (content == CVBS_BARS)
        draw_bars(&c->rgb);
}

// ---- picture ---------------------------------------------------------------------------------

// Seen from a racer: a tilting horizon, ground that rushes by, some white on-screen text.
static void draw_flight(struct cvbs *c, float row, double t_s)
{
    double t = fmod(t_s, 600);
    struct video_flight f = {
        .row = row, .tilt = 0.4f * cvbs_sin(c, 0.9 / (2 * M_PI) * t),
        .rise = 0.45f + 0.1f * cvbs_sin(c, 1.3 / (2 * M_PI) * t), .time_s = (float)t,
        .text = (row > 0.06f && row < 0.1f ? 1 : 0) | (row > 0.9f && row < 0.94f ? 2 : 0),
        .seed = c->seed,
    };
    c->ops->flight(&f, &c->rgb);
}

static void draw_line(struct cvbs *c, int row, double t_s)
{
    const struct cvbs_standard *s = c->std;
    if (c->content == CVBS_FLIGHT)
        draw_flight(c, (float)row / (float)s->lines, t_s);
    c->ops->line(&c->rgb, (float)s->black_v, (float)s->white_v, (uint32_t)c->line, c->seed,
                 &c->picture);
}

// ---- signal ----------------------------------------------------------------------------------

// Samples of half a line at most: the first at x behind the sync's edge (or the half's), t of all.
struct stretch { double x, t_s; size_t n; float *v; };

static float edge(double x) { return x <= 0 ? 0 : x >= EDGE_S ? 1 : (float)(x / EDGE_S); }

// Pulse between the middles of two edges.
static float pulse(double x, double from, double to)
{
    return edge(x - from + EDGE_S / 2) - edge(x - to + EDGE_S / 2);
}

// The first of its samples not before x.
static size_t index_of(const struct cvbs *c, const struct stretch *s, double x)
{
    double i = ceil((x - s->x) * c->rate_hz);
    return i <= 0 ? 0 : i < (double)s->n ? (size_t)i : s->n;
}

static void add_pulse(const struct cvbs *c, const struct stretch *s, double from, double to)
{
    size_t end = index_of(c, s, to + EDGE_S);
    for (size_t i = index_of(c, s, from - EDGE_S); i < end; i++)
        s->v[i] += (float)c->std->sync_v * pulse(s->x + (double)i / c->rate_hz, from, to);
}

// Row of the picture in this line of the frame, -1 for none.
static int row_of(const struct cvbs_standard *s, unsigned line)
{
    for (int f = 0; f < 2; f++)
        if (line >= s->first_row[f] && line <= s->last_row[f])
            return 2 * (int)(line - s->first_row[f]) + f;
    return -1;
}

static void add_burst(const struct cvbs *c, const struct stretch *s, float sign)
{
    const struct cvbs_standard *std = c->std;
    size_t end = index_of(c, s, std->burst_to_s + EDGE_S);
    for (size_t i = index_of(c, s, std->burst_from_s - EDGE_S); i < end; i++) {
        double at = (double)i / c->rate_hz, turns = std->subcarrier_hz * (s->t_s + at);
        float high = pulse(s->x + at, std->burst_from_s, std->burst_to_s);
        s->v[i] += (float)std->burst_v * high *
                   cvbs_sin(c, turns + (std->v_switch ? sign * 0.375 : 0.5));
    }
}

static void add_picture(const struct cvbs *c, const struct stretch *s, float sign)
{
    const struct cvbs_standard *std = c->std;
    double width_s = std->picture_to_s - std->picture_from_s, pixel_s = width_s / VIDEO_PIXELS;
    size_t i = index_of(c, s, std->picture_from_s);
    size_t end = index_of(c, s, std->picture_to_s - 0.01 * pixel_s);    // floats round
    double x = s->x + (double)i / c->rate_hz - std->picture_from_s;
    double turns = std->subcarrier_hz * (s->t_s + (double)i / c->rate_hz);
    if (i < end)
        c->ops->picture(&c->picture, (float)(x / pixel_s), (float)(1 / (c->rate_hz * pixel_s)),
                        (uint32_t)((turns - floor(turns)) * 0x1p32),
                        (uint32_t)(std->subcarrier_hz / c->rate_hz * 0x1p32 + 0.5), sign,
                        s->v + i, end - i);
}

// half: since the first frame's start.
static void add_half(struct cvbs *c, int64_t half, struct stretch *s)
{
    const struct cvbs_standard *std = c->std;
    unsigned h = (unsigned)(half % (2 * std->lines));
    int row = row_of(std, h / 2);
    float sign = std->v_switch && half / 2 & 1 ? -1 : 1;
    if (c->half[h] != CVBS_LINE) {
        add_pulse(c, s, 0, c->half[h] == CVBS_BROAD ? std->broad_s : std->equalise_s);
        return;
    }
    if (h & 1 && c->half[h - 1] != CVBS_LINE)       // half a line, no picture
        return;
    if (h & 1)
        s->x += 0.5 / std->line_hz;
    if (half / 2 != c->line) {
        c->line = half / 2;
        if (row >= 0)
            draw_line(c, row, s->t_s);
    }
    add_pulse(c, s, 0, std->sync_s);
    add_burst(c, s, sign);
    if (row >= 0)
        add_picture(c, s, sign);
}

void cvbs_run(struct cvbs *c, uint64_t first, size_t n, float *ret_v)
{
    double half_s = 0.5 / c->std->line_hz;
    memset(ret_v, 0, n * sizeof *ret_v);
    for (size_t i = 0; i < n;) {
        double t_s = c->t0_s + (double)(first + i) / c->rate_hz, halves = t_s / half_s;
        int64_t half = (int64_t)halves;
        struct stretch s = { .x = (halves - (double)half) * half_s, .t_s = t_s, .v = ret_v + i };
        double left = ceil((half_s - s.x) * c->rate_hz);
        s.n = left < 1 ? 1 : left < (double)(n - i) ? (size_t)left : n - i;
        i += s.n;
        add_half(c, half, &s);
    }
}
