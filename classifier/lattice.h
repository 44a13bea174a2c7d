// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: is there a clock behind these start times?
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATTICE_MAX 512         // times looked at once

struct lattice {
    double  t0_s, period_s;     // slot k begins at t0 + k * period
    double  sigma_s;            // spread of the starts around their slots
    double  ppm;                // period against the nominal one
    size_t  n;                  // times on it
    double  ln_chance;          // log probability of so many by chance
};

// Looks for a clock of nominal_s (off by up to LATTICE_PPM) among n times in any order; a start
// counts when it lies within tol_s of its slot.  on[i] tells which do.  1 found, 0 not.
// Holes, other emitters and strays are expected.
#define LATTICE_PPM 80.0        // a receiver off by 50 and a transmitter off by 30
int lattice_find(const double *t_s, size_t n, double nominal_s, double tol_s, struct lattice *ret,
                 bool *on);

// The slot nearest to t; *ret_off_s = t minus that slot's begin.
int64_t lattice_slot(const struct lattice *l, double t_s, double *ret_off_s);

// Fits t0 and period to slots k and times t by least squares; 0, -EDOM when all k are equal.
int lattice_fit(struct lattice *l, const int64_t *k, const double *t_s, size_t n);
