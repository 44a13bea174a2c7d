// SPDX-License-Identifier: GPL-3.0-or-later
// Carriers of OFDM symbols: taken in ofdm.c, searched for known sequences in sync.c.
#pragma once

#include "dsp/measure/measure.h"

struct grid {
    size_t lag, symbols;            // carriers looked at; symbols taken
    size_t samples, most;           // of one symbol; symbols at most
    const struct cp_place *cp;
    const struct look *l;
    double level, noise;            // per carrier
    int lo, hi, mid;                // outermost used carriers, relative to bin lag/2; middle
    bool dc_hole;
};

// Symbol s on the carrier grid into y, lowest first; false past the end.
bool grid_symbol(struct measurer *m, const struct grid *g, size_t s, float complex *y);

void zc_measure(struct measurer *m, const struct grid *g, struct fingerprint *fp);
void pss_measure(struct measurer *m, const struct grid *g, struct fingerprint *fp);
