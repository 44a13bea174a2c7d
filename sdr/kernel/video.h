// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops of the simulator's composite video (sdr/tx/cvbs.c).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VIDEO_PIXELS 720        // a line; one more value behind them to interpolate to

// Brightness in volts, and the two colour differences in volts.
struct video_line { float y[VIDEO_PIXELS + 1], u[VIDEO_PIXELS + 1], v[VIDEO_PIXELS + 1]; };

struct video_rgb { float r[VIDEO_PIXELS + 1], g[VIDEO_PIXELS + 1], b[VIDEO_PIXELS + 1]; };

// A line of what a racer sees, see cvbs.c.
struct video_flight {
    float    row;               // place of the line, 0 .. 1 from the top
    float    tilt, rise, time_s;
    int      text;              // bits 0, 1: the line crosses the text above, below
    uint32_t seed;
};

struct video_ops {
    void (*flight)(const struct video_flight *f, struct video_rgb *restrict ret);
    // Colours to a line of the signal, with the camera's noise; black_v, white_v: the scale's ends.
    void (*line)(const struct video_rgb *restrict p, float black_v, float white_v, uint32_t line,
                 uint32_t seed, struct video_line *restrict ret);
    // ret[i] += the line at place at + i * step (pixels, 0 .. 720), colour on the subcarrier's
    // phase + i * turn (2^32 is a turn); v: sign of the second colour difference.
    void (*picture)(const struct video_line *restrict l, float at, float step, uint32_t phase,
                    uint32_t turn, float v, float *restrict ret, size_t n);
    // phase + the sum of (volts[0 .. i] + bias) * scale, 2^31 being a turn: to ret; the last one.
    uint32_t (*modulate)(const float *restrict volts, float bias, float scale, uint32_t phase,
                         uint32_t *restrict ret, size_t n);
};

const struct video_ops *video_ops(void);
