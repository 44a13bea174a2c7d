// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: an oscillator by sample index.  Its phase is a 64-bit fraction of a turn,
// so it is exact after hours; every OSC samples sine and cosine are computed, a table does between.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OSC 64

struct osc {
    uint64_t phase, inc;        // at sample 0, per sample
    float    re[OSC], im[OSC];  // amplitude times turns of k * inc
};

uint64_t osc_of(double turns);  // the part of a turn as 2^-64ths
void     osc_init(struct osc *o, uint64_t phase, uint64_t inc, double amp);

// How far from `at` up to the next multiple of OSC, at most to end.
size_t osc_run(uint64_t at, uint64_t end);
// The turns of samples at, at + 1, ... up to the next multiple of OSC: t.c + j t.s times those of
// the table from t.re, t.im on.
struct osc_turns { const float *re, *im; float c, s; };
struct osc_turns osc_at(const struct osc *o, uint64_t at);
