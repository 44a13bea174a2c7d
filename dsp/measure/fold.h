// SPDX-License-Identifier: GPL-3.0-or-later
// A delay product c[n] = x[n+lag] conj x[n] and the energy behind it, folded over a period:
//
//     c  |~~row 0~~|~~row 1~~|~~row 2~~|~      bins: a row's samples, added over the rows
//        '--------- added --------'
//
// Kept as running sums that go on around the end, so that any window costs the same: entry j holds
// the sum of the bins under j, entry bins + j a whole turn more.
#pragma once

#include "dsp/measure/measure.h"

struct fold {
    double period;
    size_t bins, over;              // bins said again behind the last
    float *re, *im, *e;
    size_t whole, less, rest;       // rows with all bins, with all but the last; length of the rest
};

// A fold in m->y and m->q for windows of w bins; up to half of LOOK_MAX bins.
struct fold fold_room(struct measurer *m, double period, size_t w);
// Of [from .. to) of the samples in m->z, which must go on for lag more; reals first, imaginaries
// LOOK_MAX on.
void fold_take(const struct measurer *m, size_t lag, size_t from, size_t to, struct fold *f);

#define COMB_MOST 14
// Where a period's windows lie, in bins from the first; w bins each.
struct comb { size_t w, n, at[COMB_MOST]; };

// Windows a symbol apart, all but the first `extra` later.
struct comb fold_comb(size_t w, size_t windows, double symbol, double extra, size_t bins);

struct sums { float re, im, e, v; };                // product, energy, samples
// Over the comb's windows, the first beginning at o, around the end of the fold.
struct sums fold_sums(const struct fold *f, const struct comb *k, size_t o);
// The same for every o under `bins`, in rows of LOOK_MAX / 2 in m->g.
struct combed { const float *re, *im, *e, *v; };
struct combed fold_sums_all(struct measurer *m, const struct fold *f, const struct comb *k);
