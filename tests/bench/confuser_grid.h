// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the confusers: what 15 kHz symbols hold.
#pragma once

#include <stdbool.h>

#include "dsp/fft.h"
#include "tests/bench/confuser.h"

struct emitter {
    double   f_hz;
    int      k0;                        // its centre in whole carriers
    int64_t  shift;                     // samples: its time 0 lies so far before the capture's
    unsigned cell;
    float    gain;
    bool     wide;                      // 1200 carriers, else 600
};

uint64_t conf_mix(uint64_t z);
// The random word of part (0..63) of unit of emitter e.
uint64_t conf_draw(const struct conf *c, unsigned e, int64_t unit, unsigned part);
float complex conf_qam(uint64_t h, unsigned per_axis);     // 2, 4 or 8 levels; mean power 1
enum conf_class conf_class(const struct conf *c);

struct grid;
struct grid *grid_new(void);
void grid_free(struct grid *g);
// Fills the n bins (all 0 before) of symbol `unit`, power 1 when all carriers of the emitter are in
// use; returns by how many carriers the symbol lies off the raster.
double grid_fill(struct grid *g, const struct conf *c, const struct emitter *e, unsigned i,
                 int64_t unit, float complex *bins, unsigned n);
bool grid_pilot(const struct conf *c, int64_t unit);     // of SC-FDMA
