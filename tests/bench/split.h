// SPDX-License-Identifier: GPL-3.0-or-later
// Rare outcomes of forced candidates, by splitting.
#pragma once

#include "tests/bench/force.h"

#define SPLIT_LEVELS 24
#define SPLIT_DRAWN  2000

struct split_levels { double at[SPLIT_LEVELS]; unsigned n; };
struct split_effort { unsigned drawn, particles, moves; double enough; };   // at most SPLIT_DRAWN

// Chance that a forced candidate gets to the last of l's levels; every other one is forced on the
// confuser's own grid where it has one.  A pilot run, for which l has no levels yet, fills it: what
// one of sixty reaches, then one of eight of those, and so on until the chance is below `enough` or
// a verified one is among them.  It gives no estimate.
double split_run(struct force *f, const struct split_effort *e, struct split_levels *l);
