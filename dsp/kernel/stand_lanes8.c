// SPDX-License-Identifier: GPL-3.0-or-later
// Eight streams side by side, where there are no more: half the work.
#define VEC_MOST 8
#define LANES    8
#include "dsp/kernel/stand_lanes.h"
