// SPDX-License-Identifier: GPL-3.0-or-later
// Carriers of OFDM symbols: taken in ofdm.c, searched for known sequences in sync.c.
#pragma once

#include "dsp/kernel/fir.h"
#include "dsp/measure/measure.h"

struct grid {
    size_t lag, symbols;            // carriers looked at; symbols taken
    size_t samples, most;           // of one symbol; symbols at most
    const struct cp_place *cp;
    const struct look *l;
    double level, noise;            // per carrier
    int lo, hi, mid;                // outermost used carriers, relative to bin lag/2; middle
    bool dc_hole;
    const struct fir_ops *fir;
    float turn[2 * FIR_TURN];       // of the carrier offset
    const float complex *carriers;  // lag of each symbol, lowest first
};

void zc_measure(struct measurer *m, const struct grid *g, struct fingerprint *fp);
void pss_measure(const struct measurer *m, const struct grid *g, struct fingerprint *fp);
