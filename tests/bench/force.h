// SPDX-License-Identifier: GPL-3.0-or-later
// Forces candidates on the DroneID verifier: a place in a confuser's signal where the root-600
// symbol is raised to what the standing correlator lets pass.
#pragma once

#include <stdbool.h>

#include "base/rng.h"
#include "dsp/fft.h"
#include "tests/bench/confuser.h"

#define FORCE_LEN 20000                 // samples at FORCE_HZ, 868 us: a burst and some room
#define FORCE_AT  9000                  // about here the planted symbol begins
#define FORCE_HZ  23.04e6               // the verifier sees 12.3 MHz, whatever the capture's rate

enum force_plant {
    FORCE_A,                            // root 600: what a candidate is
    FORCE_AB,                           // both roots, just over what the structure asks of them
};

struct force_place {                    // one forced candidate; all else is in the confuser
    uint64_t seed;                      // of the confuser
    int64_t  n0;                        // capture index of the first sample
    int      at;                        // of them is the first useful one of the planted symbol
    double   hz;
    float complex draw[2];              // its |.|^2 / 601 goes on top of either root's threshold
};

struct force {
    struct rng         rng;
    enum conf_class    cls;
    struct conf       *conf;
    struct droneid_rx *rx;
    struct dft        *fwd, *inv;
    float complex     *x, *spec, *chirp[2];
    unsigned           n;               // points of a symbol
};

struct force_result {
    bool   seen, verified;
    double rho_b, hz;                   // root 147's |rho|^2, at best; the carrier found, if seen
};

int force_init(struct force *f, enum conf_class cls, uint64_t seed);    // 0 or -ENOMEM
void force_done(struct force *f);
// Draws a place; grid: on the signal's own symbols and carriers, where prefixes and equal powers
// prove nothing.
struct force_place force_draw(struct force *f, bool grid);
// Sets the confuser to a place's seed (salts all 0), then runs it as it is.
void force_set(struct force *f, const struct force_place *p);
struct force_result force_run(struct force *f, const struct force_place *p, enum force_plant plant);
// The same with FORCE_LEN samples of the caller's in f->x.
struct force_result force_judge(struct force *f, const struct force_place *p,
                                enum force_plant plant);
