// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: one emitter of a scene, from its model's packets to the receiver's samples.
#pragma once

#include "sdr/sim/interp.h"
#include "sdr/sim/scene.h"

// How the receiver's clock sees the world; all emitters share it.
struct view {
    double   rate_hz, centre_hz;    // as stated (nominal)
    double   scale;                 // 1 + the receiver's own clock error
    double   noise_dbfs_hz;
    double   lo_hz, hi_hz;          // all that it can be tuned to hear
    uint64_t samples;               // of the scene
};

// A transmission to be told as truth: at its start, and again (same key) when its end is known.
struct emitter_news {
    uint64_t        key;        // of the transmission, unique in the emitter, counts up
    uint64_t        start;      // receiver's sample at or after its first
    bool            again;      // told before
    bool            closed;     // dur_s is final
    struct iq_truth truth;
};

struct emitter;

// copy: 0.. of the scene's count.  NULL and a sentence in why, err in *ret_err.
struct emitter *emitter_new(const struct scene_emitter *s, unsigned copy, const struct view *v,
                            const struct rng *rng, int *ret_err, char why[IQ_WHY]);
void            emitter_free(struct emitter *e);

// Adds the emitter's samples n0 .. n0+n-1 to x.  Called with n0 going up, without holes.
int emitter_add(struct emitter *e, uint64_t n0, size_t n, float complex *x);

// The view's centre has changed: what is on the air is dropped, what begins or goes on is heard.
int emitter_retune(struct emitter *e);

// News since it was last asked; in no particular order.  NULL: no more.
const struct emitter_news *emitter_news(struct emitter *e);
