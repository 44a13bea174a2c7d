// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what a sensor keeps of what it alarms for (docs/RADIOS.md, Evidence).
//
//     [source]  --blocks, by reference--> ring of the last seconds ------.
//     [chain]   findings, tracks -> keeper: whose burst is it, what else was on the air
//                                     |  a want: from when to when, and what to take out
//     [keep]    cut from the ring, others' bursts taken out, analysed anew, sealed, written
//
// Kept are spans of samples around bursts of a track that is a drone's or unknown: once 200 ms, and
// up to twenty shorter.  While any other burst was on the air, and whatever looks like Wi-Fi or
// Bluetooth, whoever sent it, only the track's own bursts are left.
#pragma once

#include "base/queue.h"
#include "classifier/classifier.h"

#define KEEP_CUTS   20
#define KEEP_WIDE_S 0.2
#define KEEP_LINE   4096            // a track as JSON: eight reasons of 160, escaped, and the rest
#define KEEP_BOXES  2048            // bursts remembered: some seconds of a busy band

struct keep_cfg {
    char     dir[256], radio[32];
    uint8_t  key[32];               // who may open it
    double   seconds;               // before the trigger
    double   max_bytes, max_s;      // of all files; their age
    enum droneid_mode droneid;
    struct queue *turn;             // FFTW's planner takes one at a time
};

struct keep_box {                   // a burst: where on the air
    uint64_t id;
    double   t0_s, t1_s, lo_hz, hi_hz;
    bool     plain;                 // its kind is known and no bystander's; in a want: to be kept
};

struct keep_want {
    char     track[24], family[24], verdict[12], line[KEEP_LINE];
    unsigned number;                // 0: the wide one
    double   at_s, t0_s, t1_s;      // around at_s
    int64_t  utc_ns;                // of t0_s
    unsigned n_boxes;
    struct keep_box box[KEEP_BOXES];    // plain: to be kept; all others to be taken out
};

struct keep_counts { uint64_t kept, refused, expired; };    // files

// ---- The thread that keeps (keep.c) ----------------------------------------------------------

struct keep;
struct keep *keep_new(const struct keep_cfg *cfg);      // NULL: no memory
unsigned keep_pool(const struct keep_cfg *cfg);         // blocks the source's pool needs besides
int  keep_start(struct keep *k, struct iq_source *src); // before its first block; 0 or -errno
bool keep_ask(struct keep *k, struct keep_want *w);     // takes w; false: too much to do
void keep_refuse(struct keep *k);                       // counts what was not even asked for
void keep_free(struct keep *k);                         // NULL is fine; before the source is closed
struct keep_counts keep_counts(const struct keep *k);

// ---- Who is to be kept, on the chain's thread (keeper.c) -------------------------------------

#define KEEPER_TRACKS 32
struct kept_track {
    char   id[24], family[24], verdict[12], line[KEEP_LINE];
    double lo_hz, hi_hz, last_cut_s;
    unsigned cuts;
    bool   ended;                   // its place may be another's once nothing of it is waited for
};
struct keeper {
    struct keep *keep;              // NULL: nothing is kept
    unsigned n_tracks, next_box;
    double   forgotten_s;           // bursts that ended before it may have lost their box
    struct kept_track track[KEEPER_TRACKS];
    struct keep_box box[KEEP_BOXES];
    struct { bool used; unsigned track, number; double at_s, t0_s, t1_s; } wait[64];
};
void keeper_finding(struct keeper *k, const struct finding *f);
void keeper_track(struct keeper *k, const struct track *t, double ring_s);
// Asks for what is over by now; utc: of a sample time.
void keeper_tick(struct keeper *k, double now_s, int64_t (*utc)(void *arg, double t_s), void *arg);
bool keeper_bystander(const struct fingerprint *p);

// ---- Taking out (keep_mask.c) ----------------------------------------------------------------

struct mask;
struct mask *mask_new(double rate_hz);                  // plans: the caller holds the turn
void mask_free(struct mask *m);
// Takes the boxes that are not plain out of n samples from t0_s on, at centre_hz; how many lay in
// it, or -ENOMEM.
int  mask_apply(struct mask *m, float complex *x, size_t n, double t0_s, double centre_hz,
                const struct keep_box *box, unsigned n_boxes);
