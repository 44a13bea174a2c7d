// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/tx: a composite colour video signal, sample by sample.
//
//      V  0.7  white            ______
//                              /      \__  picture
//         0    ___   ~~~~  ___/          \___   ___
//              |  \ burst                 |  \ /
//        -0.3  |   sync 4.7 us            |   next line, 64.0 us (PAL) or 63.6 us (NTSC) later
#pragma once

#include <stdbool.h>
#include <stdint.h>

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

#define CVBS_PIXELS 720

struct cvbs {
    const struct cvbs_standard *std;
    enum cvbs_content content;
    uint32_t seed;
    int64_t  line;                      // whose picture the buffers hold
    float    y[CVBS_PIXELS + 1], u[CVBS_PIXELS + 1], v[CVBS_PIXELS + 1];
    float    sine[1025];
    uint8_t  half[1250];                // enum cvbs_half of each half line of a frame
};

void  cvbs_init(struct cvbs *c, const struct cvbs_standard *s, enum cvbs_content content,
                uint32_t seed);
// Volts at time t >= 0 (0 = start of a frame); t must not fall.
float cvbs_at(struct cvbs *c, double t_s);
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
