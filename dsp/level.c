// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/level.h"

#include <math.h>

#define NO_FLOOR_DBFS (-150.0f) // no candidate is so weak: where no floor is known yet, the front
                                // says -290 dBFS/Hz (front.c, tell_noise)

float level_noise(const struct noise_shape *s, double rate_hz, double f_hz)
{
    double k = (f_hz / rate_hz + 0.5) * NOISE_POINTS;
    int i = k > 0 ? (int)fmin(k, NOISE_POINTS - 1) : 0;     // of a NaN, too
    return s->dbfs_hz[i];
}

float level_of(const struct noise_shape *s, double rate_hz, const struct cand *c)
{
    return (float)(level_noise(s, rate_hz, (c->f_lo_hz + c->f_hi_hz) / 2) +
                   10 * log10(c->f_hi_hz - c->f_lo_hz) + c->snr_db);
}

void level_late(const struct noise_shape *s, double rate_hz, struct cand *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (c[i].hyp & (HYP_LORA | HYP_BLE) && c[i].level_dbfs < NO_FLOOR_DBFS)
            c[i].level_dbfs = level_of(s, rate_hz, &c[i]);
}
