// SPDX-License-Identifier: GPL-3.0-or-later
// What strong transmissions leave around them is not a transmission of its own: skirts beside them,
// a carrier before and after, a second box over the same place.  (What the receiver makes of them
// elsewhere: dsp/self/product.h.)
#pragma once

#include "dsp/burst.h"

// Is x (an energy candidate, whole) only a shadow of y?  Levels, times and widths decide; y must be
// an energy candidate too.
bool cand_is_shadow(const struct cand *x, const struct cand *y, double rate_hz);

// Is x, while y is on the air, only what of y lies beyond the capture's other edge and is folded
// back (bit k: in the k-th of 32 equal slices of x's time)?  x is nothing else when most bits are
// set by all the y there are.
#define FOLD_MOST 16
uint32_t cand_folded(const struct cand *x, const struct cand *y, double rate_hz);
// The same of what any detector claims.
bool cand_shadow_of(const struct cand *x, const struct cand *y, double rate_hz);
