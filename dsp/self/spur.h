// SPDX-License-Identifier: GPL-3.0-or-later
// Lines that the receiver makes of nothing, learned from what it tells.  See spur.c.
#pragma once

#include "dsp/dsp.h"

struct spurs;
struct spurs *spurs_new(void);          // NULL: no memory
void spurs_free(struct spurs *s);       // NULL is fine

// Each finding in order: learns from it, and says whether it is a line known to be the receiver's.
// step: the number of the step of the gain that its level did not follow (self_behind), 0: none.
bool spurs_finding(struct spurs *s, const struct finding *f, uint64_t step);
unsigned spurs_known(const struct spurs *s);
