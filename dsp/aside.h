// SPDX-License-Identifier: GPL-3.0-or-later
// What the detectors of 802.11's preambles say, beside the boxes of energy.
//
// Wi-Fi is dense and nearly all of it has its box: such a claim only adds what it knows to the box
// that begins where it does.  One that no box begins with, and that is no later frame in one box
// with another, is a burst of its own: a frame within another's time, or below the energy detector.
// Of these so many a second are told and no more.
#pragma once

#include "dsp/burst.h"

#define ASIDE_MAX   512
#define ASIDE_BOXES 64

struct aside {
    struct cand c[ASIDE_MAX];           // waiting for their box, by time of arrival
    unsigned    n;
    struct cand found;                  // the last that had its box
    struct { uint64_t n0, n1, run; double f_hz; } box[ASIDE_BOXES];      // boxes that had a claim
    unsigned    n_box;
    double      credit;                 // bursts of their own that may be told
    uint64_t    at;                     // sample up to which credit is counted
    uint64_t    dropped;                // for want of it, or of room
};

void aside_take(struct aside *a, const struct cand *c);
// The claim that a box (n1 > n0, energy) begins with; it and others of that place are done with.
// NULL: none.  Valid until the next call.
const struct cand *aside_of_box(struct aside *a, const struct cand *box, double rate_hz);
// The next one that is a burst of its own, now that all energy that ends before `done` is known and
// has been asked for or stands in open[n].
bool aside_due(struct aside *a, uint64_t done, const struct cand *open, unsigned n, double rate_hz,
               struct cand *ret);
uint64_t aside_first(const struct aside *a);        // start of the first that waits, or UINT64_MAX
void aside_clear(struct aside *a);
