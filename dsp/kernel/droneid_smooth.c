// SPDX-License-Identifier: GPL-3.0-or-later
// Smoothing of channel estimates over carriers: a Hann window on three rows at once (see
// dsp/droneid/channel.c, which weighs and divides).
#include "dsp/droneid/hot.h"

#include <math.h>
#include <string.h>

#define CAT2(a, b) a##_##b
#define CAT(a, b)  CAT2(a, b)

void CAT(droneid_smooth, ISA)(const struct smooth_in *restrict in, int width,
                              struct smooth_out *restrict out)
{
    memset(out, 0, sizeof(*out));
    for (int j = 1 - width; j < width; j++) {
        float w = 0.5f + 0.5f * cosf((float)M_PI * (float)j / (float)width);
        for (int r = 0; r < 3; r++) {
            const float *restrict x = in->row[r] + SMOOTH_MAX + j;
            float *restrict y = out->row[r];
            for (int g = 0; g < SMOOTH_LEN; g++)
                y[g] += w * x[g];
        }
    }
}
