// SPDX-License-Identifier: GPL-3.0-or-later
// Random numbers that are the same on every machine: xoshiro256++ (Blackman and Vigna, public
// domain algorithm), seeded by splitmix64.  For simulation and tests, never for keys.
#pragma once

#include <complex.h>
#include <stdint.h>

struct rng { uint64_t s[4]; };

void     rng_init(struct rng *r, uint64_t seed);
void     rng_fork(struct rng *child, const struct rng *r, uint64_t stream);  // independent stream
uint64_t rng_u64(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);     // 0 .. n-1, unbiased
double   rng_uniform(struct rng *r);               // [0, 1)
double   rng_between(struct rng *r, double lo, double hi);
double   rng_normal(struct rng *r);                // mean 0, variance 1
float complex rng_cnormal(struct rng *r);          // E|x|^2 = 1
