// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: aircraft that say who they are by DJI DroneID.
#pragma once

#include "classifier/link.h"

#define DJI_SEEN 64             // sightings without checks remembered, for pairs 640 ms apart

struct dji_sight { double t_s, freq_hz, level_dbfs; uint64_t id; bool taken; };

struct dji {                    // of one aircraft
    struct dji_sight last;
    char     session[12];       // of encrypted frames; empty: none
    uint64_t frames, assisted, encrypted, verified, pairs;
};

struct dji_memory {
    struct dji_sight seen[DJI_SEEN];
    unsigned         n;         // ever
};

// A finding with f->droneid.seen.  d is what was decoded of it (its own or with help), or NULL.
// true: it belongs to an aircraft; false: it proves nothing yet.
bool dji_push(struct links *s, struct dji_memory *m, const struct sigs *sigs,
              const struct finding *f, const struct decode *d);
// The burst of a finding that was pushed ahead of it: did that belong to an aircraft?
bool dji_took(const struct dji_memory *m, uint64_t id);
// Energy within a frame that was received: a piece of it, nobody's own transmission.
bool dji_covers(const struct dji_memory *m, const struct obs *o);
void dji_judge(struct link *l, const struct sigs *sigs, double p_drone_threshold);
