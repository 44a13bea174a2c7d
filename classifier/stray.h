// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: energy of no known kind that is a piece or a skirt of something of a
// known kind, on the air at the same time and place.
#pragma once

#include "classifier/group.h"

#define STRAY_HELD  128         // wait until what overlaps them has been heard
#define STRAY_SOLID 256         // transmissions of a known kind, newest

struct stray_solid { double t0_s, t1_s, lo_hz, hi_hz, level_dbfs; };

struct stray {
    struct obs         held[STRAY_HELD];        // in order of arrival
    unsigned           n_held;
    struct stray_solid solid[STRAY_SOLID];      // a ring
    unsigned           n_solid;                 // ever
};

// A kind that pieces and skirts of others are taken for.
bool stray_could(const struct obs *o);
// Everything else that was heard goes here.
void stray_solid(struct stray *s, const struct obs *o);
// false: no room, take one first.
bool stray_hold(struct stray *s, const struct obs *o);
// The next held that ended before now_s (INFINITY: any), or the oldest when all places are taken.
bool stray_take(struct stray *s, double now_s, struct obs *ret);
bool stray_explained(const struct stray *s, const struct obs *o);
