// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/self/self.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "dsp/self/image.h"

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
