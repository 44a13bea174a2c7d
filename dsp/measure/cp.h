// SPDX-License-Identifier: GPL-3.0-or-later
// Between cp.c, which finds cyclic prefixes, and cp_fine.c, which measures them.
#pragma once

#include "dsp/measure/fold.h"

struct cp_kind {
    enum ofdm_numerology num;
    double useful_s, cp_s;
    double width_hz;                    // narrower than this it would not show
    double slot_s;                      // 0: every symbol alike
    unsigned per_slot;                  // symbols per slot, the first with extra_s more prefix
    double extra_s;
};

// Best window of one fold.
struct cp_fit {
    const struct cp_kind *k;
    size_t lag;
    double at;                          // start of the prefix, samples from i0
    double rho, contrast, neff, t;      // t = rho^2 neff, ln of odds against chance
    float complex sum;
    double period;                      // samples
};

size_t cp_end(const struct look *l);        // what is folded ends here
// Length of the prefix, seconds.
double cp_plateau(struct measurer *m, const struct look *l, const struct cp_fit *fit,
                  double *ret_err);
// The lag, seconds: a parabola through |C| at lag - 1, lag, lag + 1 over the same windows.
double cp_lag(const struct measurer *m, const struct look *l, const struct cp_fit *fit);
