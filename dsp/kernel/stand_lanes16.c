// SPDX-License-Identifier: GPL-3.0-or-later
// Sixteen streams side by side.
#define LANES 16
#include "dsp/kernel/stand_lanes.h"
