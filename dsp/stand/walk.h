// SPDX-License-Identifier: GPL-3.0-or-later
// Hot loops over phase steps (dsp/kernel/stand_walk.c): samples a fixed delay apart, turned back by
// each other, of length one.
//
// In noise whose samples are independent over that delay the steps of one raster are independent
// and uniform on the circle, whatever its level and however it changes: a sum of k of them is a
// random walk in the plane.  A carrier's error turns all alike and leaves the sum's length.
#pragma once

#include <complex.h>
#include <stddef.h>

struct walk_ops {
    // re + j im = x[i + delay] conj x[i] over its length (0 where that is none), i < n.
    void (*steps)(const float complex *restrict x, size_t delay, size_t n, float *restrict re,
                  float *restrict im);
    // p[i] = |sum over k < count of step[i + k delay] times w[k]|^2, i < n (a multiple of 16).
    void (*match)(const float *restrict re, const float *restrict im,
                  const float complex *restrict w, size_t count, size_t delay, size_t n,
                  float *restrict p);
};

const struct walk_ops *walk_ops(void);

// Chernoff's bound on the chance that a walk of k steps ends further than rho k from its start, in
// one direction: exp(-k I(rho)).
double walk_tail(unsigned k, double rho);
