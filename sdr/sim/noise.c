// SPDX-License-Identifier: GPL-3.0-or-later
// Gaussian noise, fast enough that noise is never what a bench waits for, and exact in the tails,
// which false-alarm figures live on.
//
//     stream r --seeds--> 8 generators --a word in turn each--> r^2 and angle --> x += I + jQ
//        '------ words whose bits did not reach: once in 131072, one by one ------^
//
// A value's size comes from a uniform number U = 2^-zeros (1 - t/2).  17 bits of a word say how
// many zeros; where all of them are zero this file draws on, so that no value is too large to
// occur: the tail ends where 2^-81 does, at 10.6 sigma, and would be met once in 10^17 s.
#include "sdr/sim/noise.h"

#include <math.h>
#include <stdbool.h>

// The words of n samples in which k is 0: k becomes 1, 16 zeros, and what lies beyond them a lift.
static void lift_rare(struct rng *r, uint64_t *w, float *lift, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        lift[i] = 0;
        if (w[i] & NOISE_K)
            continue;
        uint64_t more = rng_u64(r) | 1;
        lift[i] = (float)((1 + __builtin_clzll(more)) * M_LN2);
        w[i] |= NOISE_K & -NOISE_K;
    }
}

static void seed_lanes(struct rng *r, uint64_t s[4][NOISE_LANES])
{
    for (unsigned l = 0; l < NOISE_LANES; l++) {
        struct rng lane;
        rng_init(&lane, rng_u64(r));
        for (unsigned i = 0; i < 4; i++)
            s[i][l] = lane.s[i];
    }
}

void noise_add(const struct noise_ops *ops, struct rng *r, double power, float complex *x,
               size_t n)
{
    uint64_t s[4][NOISE_LANES], w[NOISE_BLOCK];
    float lift[NOISE_BLOCK];

    seed_lanes(r, s);
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < NOISE_BLOCK ? n - at : NOISE_BLOCK;
        ops->words(s, w, (m + NOISE_LANES - 1) / NOISE_LANES * NOISE_LANES);
        if (!ops->any_rare(w, m)) {
            ops->add(w, (float)power, (float *)(x + at), m);
        } else {
            lift_rare(r, w, lift, m);
            ops->add_lifted(w, lift, (float)power, (float *)(x + at), m);
        }
    }
}
