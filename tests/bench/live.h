// SPDX-License-Identifier: GPL-3.0-or-later
// Of bench_live: its scene, and what of the latency is waiting for samples.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define LIVE_UID       5001     // of the first aircraft
#define LIVE_STEP_S    0.1      // between two: within 3.2 s no two send at once, the period is 0.64
#define LIVE_BEGIN_S   4.0      // of the first
#define LIVE_RATE_HZ   12.5e6
#define LIVE_CENTRE_HZ 2444.0e6

// n aircraft that come on the air one after the other, each for stay_s; length 0: without end.
void live_scene(FILE *f, unsigned n, bool crowd, double length_s, double stay_s);

// Prints a row: how much later than a frame's last sample the block ends that lets it be told.
void live_waiting(const char *name, bool crowd, double length_s);
