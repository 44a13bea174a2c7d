// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/self/self.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "dsp/self/image.h"
#include "hw/hw.h"

#define GAIN_STEP_ERR 0.05      // dB for each dB off the calibration's gain: steps are no rulers

struct self { struct image *image; };

struct self *self_new(const struct iq_info *info)
{
    struct self *s = calloc(1, sizeof *s);
    (void)info;
    if (s && !(s->image = image_new())) {
        free(s);
        return NULL;
    }
    return s;
}

void self_free(struct self *s)
{
    if (!s)
        return;
    image_free(s->image);
    free(s);
}

void self_block(struct self *s, struct iq_block *b) { image_block(s->image, b); }

struct dsp_self self_known(const struct self *s)
{
    struct image_view v = image_view(s->image);
    double k = cabs((double complex)v.k);

    return (struct dsp_self){
        .image_dbc = k > 0 ? 20 * log10(k) : 0, .image_changes = v.changes,
        .image_err_db = k > 0 ? 20 * log10(1 + v.err / k) : 0,
    };
}

struct meas self_level_dbm(const struct hw_profile *p, double level_dbfs, double gain_db)
{
    if (!p || isnan(p->full_dbm.v) || !isfinite(gain_db) || !isfinite(level_dbfs))
        return MEAS_NONE;
    double off = gain_db - p->gain_db;
    return (struct meas){ level_dbfs + p->full_dbm.v - off,
                          hypot(p->full_err_db.v, GAIN_STEP_ERR * off) };
}

double self_clock_hz(const struct hw_profile *p)
{
    return p && p->clock_hz.v > 0 ? p->clock_hz.v : 0;
}
