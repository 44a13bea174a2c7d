// SPDX-License-Identifier: GPL-3.0-or-later
// Holds the place of dsp/measure until measurer_new, _free and measure_burst land: delete this file
// in the commit that brings them.
#include <math.h>
#include <stdlib.h>

#include "dsp/burst.h"

struct measurer { double rate_hz; };

struct measurer *measurer_new(double rate_hz)
{
    struct measurer *m = calloc(1, sizeof *m);
    if (m)
        m->rate_hz = rate_hz;
    return m;
}

void measurer_free(struct measurer *m) { free(m); }

void measure_burst(struct measurer *m, const struct burst *b, struct finding *f)
{
    (void)m;
    f->fp.t_s = (struct meas){ (double)b->run_n0 / b->rate_hz, 20e-6 };
    f->fp.dur_s = (struct meas){ (double)(b->n1 - b->run_n0) / b->rate_hz, 20e-6 };
    f->fp.freq_hz = (struct meas){ b->centre_hz + (b->f_lo_hz + b->f_hi_hz) / 2, 1e4 };
    f->fp.bw_hz = f->fp.bw99_hz = (struct meas){ b->f_hi_hz - b->f_lo_hz, 1e4 };
    f->fp.snr_db = (struct meas){ b->snr_db, 1 };
    f->fp.level_dbfs = b->level_dbfs;
}
