// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: long transmissions told in parts become one finding each.
#pragma once

#include "dsp/dsp.h"

#define RUNS_MAX 256            // runs on the air at once; one above that is told by its end alone

struct runs {
    struct finding run[RUNS_MAX];   // merged so far; no owned pointers inside
    unsigned       n;
};

// Takes in one part.  1: *ret is the whole transmission (f ended it, or f was never a part);
// 0: it goes on.  *ret owns nothing and stays valid as long as f does.
int runs_push(struct runs *r, const struct finding *f, struct finding *ret);
// At the end of the source: the oldest run still open into *ret and 1; 0 when none is left.
int runs_drain(struct runs *r, struct finding *ret);
