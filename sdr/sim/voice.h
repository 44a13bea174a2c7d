// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: one transmission on its way from the model's samples to the receiver's.
#pragma once

#include "sdr/kernel/interp.h"
#include "sdr/sim/interp.h"
#include "sdr/sim/osc.h"
#include "sdr/sim/scene.h"

// A transmission as this receiver sees it.
struct voice_cfg {
    double   start;             // place of its first sample, in receiver samples
    double   step;              // model samples per receiver sample
    double   turns;             // centre against the capture's, cycles per receiver sample
    double   carrier_hz;        // true carrier: what a delay turns
    double   rate;              // true rate of the receiver, for Doppler
    double   level_db;          // mean power, dBFS
    double   ramp;              // rise and fall, model samples
    uint64_t phase;             // 2^64 is a turn
    const struct scene_fading *fading;  // or NULL
};

struct voice_table { struct interp *interp; double edge; int units; unsigned users; };
// Interpolation tables of an emitter, shared by its voices.
struct voice_tables { struct voice_table *t; size_t n; };
void voice_tables_done(struct voice_tables *t);

struct voice_ray {
    int64_t    first;           // receiver sample at which pos0 is
    interp_pos pos0;
    struct osc osc;
};

struct voice {
    struct voice *next;
    // set by the emitter
    uint64_t key;
    bool     noted;
    struct iq_truth truth;
    // for its reading
    double   start, step;
    uint64_t total;             // model samples so far
    bool     closed;
    // own
    const struct interp_ops *ops;
    struct voice_tables *tables;
    size_t   table;             // of tables, or SIZE_MAX
    unsigned n_rays;
    struct voice_ray ray[2];
    interp_pos pos_step;
    double   ramp;
    struct osc mix;             // shifts the model's samples so that the wanted part is around 0
    float   *re, *im;           // samples base .. base + len - 1 of the transmission
    int64_t  base, keep;        // keep: nothing before it is needed any more
    size_t   len, cap;
};

// How many receiver samples before its first sample a transmission begins to show.
#define VOICE_LEAD(step) (INTERP_TAPS / 2 * ((step) < 1 ? 1 / (step) : 2) + 2)

struct voice *voice_new(void);
void voice_free(struct voice *v);
int  voice_start(struct voice *v, const struct voice_cfg *c, struct voice_tables *tables);
int  voice_append(struct voice *v, const float complex *iq, size_t n, bool ends);
bool voice_wants(const struct voice *v, uint64_t end);  // needs more for samples before end
bool voice_add(struct voice *v, uint64_t n0, size_t n, float complex *x);   // false: it is over
