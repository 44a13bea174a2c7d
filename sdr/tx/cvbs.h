// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: a composite colour video signal, line by line.
//
//      V  0.7  white            ______
//                              /      \__  picture
//         0    ___   ~~~~  ___/          \___   ___
//              |  \ burst                 |  \ /
//        -0.3  |   sync 4.7 us            |   next line, 64.0 us (PAL) or 63.6 us (NTSC) later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/kernel/video.h"

struct cvbs_standard {
    const char *name;
    double   line_hz, subcarrier_hz;
    unsigned lines;                     // a frame of two fields
    double   sync_s, equalise_s, broad_s;       // pulse widths
    double   burst_from_s, burst_to_s, picture_from_s, picture_to_s;   // from the sync's edge
    double   sync_v, burst_v, black_v, white_v;
    unsigned first_row[2], last_row[2]; // lines that carry picture, counted from 0, by field
    bool     v_switch;                  // PAL: V and burst change sign with each line
};

extern const struct cvbs_standard cvbs_pal, cvbs_ntsc;

// What happens in a half line (counted from the frame's start).
enum cvbs_half { CVBS_LINE, CVBS_EQUALISE, CVBS_BROAD };
enum cvbs_half cvbs_half(const struct cvbs_standard *s, unsigned half);

enum cvbs_content { CVBS_FLIGHT, CVBS_BARS, CVBS_BLACK };

struct cvbs {
    const struct cvbs_standard *std;
    const struct video_ops *ops;
    enum cvbs_content content;
    uint32_t seed;
    double   rate_hz, t0_s;
    int64_t  line;                      // whose picture the buffers hold
    struct video_rgb  rgb;
    struct video_line picture;
    float    sine[1025];
    uint8_t  half[1250];                // enum cvbs_half of each half line of a frame
};

// t0_s >= 0: of sample 0; at 0 a frame starts.
void cvbs_init(struct cvbs *c, const struct cvbs_standard *s, enum cvbs_content content,
               uint32_t seed, double rate_hz, double t0_s);
// Volts of n samples; `first` must not fall from call to call.
void cvbs_run(struct cvbs *c, uint64_t first, size_t n, float *ret_v);
// sin(2 pi turns) from the table, error below 5e-6.
static inline float cvbs_sin(const struct cvbs *c, double turns)
{
    double x = turns * 1024;
    int64_t whole = (int64_t)x;         // towards zero; no floor(), which older machines call
    whole -= (double)whole > x;
    float f = (float)(x - (double)whole);
    unsigned i = (unsigned)whole & 1023;
    return c->sine[i] + f * (c->sine[i + 1] - c->sine[i]);
}
