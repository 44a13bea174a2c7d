// SPDX-License-Identifier: GPL-3.0-or-later
// The room's second door: FFTW's plans, measured once on this machine and kept.
//
//     tyto doctor --tune  --measures-->  <spool>/plans  --read at start-->  tyto-sensord
//
// Without such a file plans are estimated.  Measured again they would come out differently, and
// with them the last bits of every result; a file makes them constant: same file, same bits.
#pragma once

#include <stddef.h>

#define PLANS_WHY  512          // room for one sentence
#define PLANS_FILE "plans"
#define PLANS_MOST (1 << 20)    // bytes; a file has some tens of thousands

// Measures what chains at these rates transform with, and writes it: whole or not at all.  Takes
// from half a minute to minutes.  0, or -errno.
int plans_tune(const char *path, const double *rate_hz, unsigned n, char why[PLANS_WHY]);

// From now on chains are made with what was measured; before the first of them, on the main thread.
// 0; -ENOENT: there is no such file; else -errno: it is damaged, or not for this machine, and says
// nothing to anybody.
int plans_load(const char *path, char why[PLANS_WHY]);

// The same of a file's bytes.
int plans_read(const char *text, size_t n, char why[PLANS_WHY]);
