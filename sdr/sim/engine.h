// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: the simulator.  A scene and a seed in, samples and truth out.
#pragma once

#include "sdr/sim/scene.h"

struct sim;

// The scene is borrowed.  0, or -errno and a sentence.
int  sim_new(struct sim **ret_sim, const struct scene *s, uint64_t seed, char why[IQ_WHY]);
void sim_free(struct sim *m);   // NULL is fine

// Up to n samples of the scene's format to dst, any n: how many; 0 at the end; -ENOMEM.
int64_t sim_read(struct sim *m, void *dst, size_t n);

// Tunes the receiver inside the scene's band, between two steps: sim_may_tune says whether now is
// the time.  How many samples fell away by it, or -errno.
bool    sim_may_tune(const struct sim *m);
int64_t sim_tune(struct sim *m, double centre_hz);

// Its gain against the scene's, from the next step on; when sim_may_tune.
void sim_gain(struct sim *m, double gain_db);

// Transmissions whose start lies before sample `upto` of those read, in order of start.
const struct iq_truth *sim_truth(struct sim *m, uint64_t upto, size_t *ret_n);

// Hands over, and forgets, what is known for good: transmissions that have ended, or all of them
// once the scene is read.  order: their place by start.  For scenes too long to keep them all.
int sim_truth_take(struct sim *m, int (*fn)(uint64_t order, const struct iq_truth *t, void *arg),
                   void *arg);
