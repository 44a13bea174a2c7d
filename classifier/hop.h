// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: hopping links on a packet grid.
#pragma once

#include "classifier/lattice.h"
#include "classifier/obs.h"

#define HOP_RING 256            // packets a link is judged on
#define HOP_WHY  5

struct hop_obs { double t_s, freq_hz, level_dbfs; int64_t slot; };

struct hop {
    const struct sig      *sig;
    const struct sig_mode *mode;
    struct lattice         grid;
    double                 tol_s;           // how far from its slot a packet may begin
    double                 offset_hz;       // common offset from the raster: both crystals
    double                 raster_tol_hz;
    double                 lo_hz, hi_hz;    // what the capture sees whole
    struct hop_obs         ring[HOP_RING];  // in order of arrival
    unsigned               n;
    uint64_t               packets;         // on the grid, ever
    double                 dur_s;           // their mean length
    struct { uint64_t n; double level_dbfs, cfo_hz; } other;     // the far end, see hop_answers
};

// What the packets in the ring say for and against the mode.
struct hop_evidence {
    unsigned packets, blocks, filled;   // block: slots between two hops; filled: >= 2 packets
    unsigned channels, visible;             // met; of the hop set inside the capture
    double   fill, consistent, spanning;    // shares, see hop_judge
    double   adjacent_same, on_raster, block_ratio;
    double   crystals_ppm;                  // clock against carrier error; 0 when not measurable
    unsigned adjacent, twins;               // twins: slots used on two channels half a set apart
    bool     excluded, enough;
    double   llr;                           // against a hopper nobody knows
    char     why[HOP_WHY][160];
    unsigned n_why;
};

// Looks for a link of this mode among n observations that fit it.  1 and *ret, on[i] true for those
// that belong to it; 0 when there is none.
int  hop_find(struct hop *ret, const struct sig *s, const struct sig_mode *m,
              const struct obs *const *o, size_t n, bool *on);
// How far off the link's grid an observation is; false when it cannot be one of its packets.
bool hop_takes(const struct hop *h, const struct obs *o, double *ret_off_s);
void hop_add(struct hop *h, const struct obs *o);
// The aircraft answers in a slot the pilot leaves free, a fixed time after the packet before: on
// the channel of the block, clear of its packets, but off the grid.  o: older than two blocks.
bool hop_answers(const struct hop *h, const struct obs *o);
void hop_add_answer(struct hop *h, const struct obs *o);
// A piece of a packet or of an answer, because something louder covered the rest or it is weak: on
// the channel of the block, but shorter than a packet.
bool hop_covers(const struct hop *h, const struct obs *o);
void hop_ends(const struct hop *h, struct track *t);    // fills t->ends
void hop_judge(const struct hop *h, struct hop_evidence *ret);
