// SPDX-License-Identifier: GPL-3.0-or-later
// The floor's shape over frequency: from the quietest group of channels outwards it follows what
// rises gently, the device's own shape, and goes straight under what rises like a signal.  So a
// quiet channel vouches for the busy ones beside it.
#pragma once

// low: level of noise in each of n groups, dB.  spread: how much a group's power spreads over time,
// 1 for noise, less than 0: not known.  noise: by how many dB a level may be off by luck.
void shape_of(const double *low, const double *spread, unsigned n, double noise, double *ret);
