// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: the falling edges of a receiver's band, as decimation filters leave them.
#pragma once

#include <complex.h>
#include <stddef.h>

struct edge;

// rolloff: share of the band that is not flat, both edges together.  NULL: no memory.
struct edge *edge_new(double rolloff, size_t step);
void         edge_free(struct edge *e);     // NULL is fine
int          edge_half(const struct edge *e);

// Where samples go: edge_half of them before the first step (noise, or nothing), the first step
// and, before each run, the step behind the present one.
float complex *edge_past(struct edge *e);
float complex *edge_present(struct edge *e);
float complex *edge_next(struct edge *e);

// The present step, filtered, to x; the next becomes the present.
void edge_run(struct edge *e, float complex *x);
