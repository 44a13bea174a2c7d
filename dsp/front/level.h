// SPDX-License-Identifier: GPL-3.0-or-later
// The power of noise in a group of channels, whatever share of the time something else is on there.
//
//   windows ^      _
//           |    _/ \                        a histogram of the group's windows, each four rows
//           |  _/   |\                       long, shorter than a busy channel's pauses: noise is
//           | /     | \___        ______     the lowest hill, and the mean of what lies below the
//           +---------|-----------------> dB cut tells where it stands, however small its share
//                    cut                     of the windows is
//
// A fixed quantile would not do: the share of the windows that hold noise alone is not known, and
// from the twentieth to the median of them is 2 dB.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LEVEL_ROWS 4            // of a window

struct levels;

// per_s: windows a second; dof: degrees of freedom of a window's power in noise.
struct levels *levels_new(unsigned groups, double per_s, double dof);
void levels_free(struct levels *l);
void levels_forget(struct levels *l);
// One window: a power per group.
void levels_add(struct levels *l, const float *power);
bool levels_known(const struct levels *l);      // has there been any window?
// Mean power of noise in a group.
double levels_of(const struct levels *l, unsigned group);
