// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the dsp room: what the front and the standing correlators tell the arbiter, and what the
// arbiter hands to the workers.  (Not a door: nothing outside dsp/ includes this.)
//
//     front thread --cand--.
//                           arbiter --burst, cut-out--> worker: measure, demodulate --> finding
//     correlator   --cand--/
#pragma once

#include "dsp/dsp.h"

// ---- Cut-out: a stretch of the capture as references to the source's blocks ------------------
// Nothing is copied: the blocks are the history ring.  Samples in a gap read as zero.

#define CUT_BLOCKS 96

struct cut {
    uint64_t         n0;        // index of the first sample
    uint32_t         n;         // samples; 0: none kept
    unsigned         n_blk;
    struct iq_block *blk[CUT_BLOCKS];
};

// Samples [off, off+n) of the cut as complex float; off may be negative and off+n past the end:
// what is outside reads as zero.
void cut_read(const struct cut *c, int64_t off, size_t n, float complex *dst);
void cut_drop(struct cut *c);           // unrefs its blocks

#define HYP_WIFI (HYP_STF | HYP_DSSS)

// ---- Candidates ------------------------------------------------------------------------------

// One detector's claim.  Times are sample indices of the capture, frequencies offsets from its
// centre.
struct cand {
    enum burst_hyp  hyp;
    enum burst_part part;
    uint32_t        flags;
    uint64_t        run;        // energy runs: number of the run (from 1), 0 else
    uint64_t        n0, n1;     // first sample, one past the last (of this part)
    uint64_t        run_n0;     // first sample of the whole run
    double          f_lo_hz, f_hi_hz;
    float           snr_db;     // over noise in [f_lo, f_hi]
    float           level_dbfs; // mean power in [f_lo, f_hi], noise removed
    // HYP_DRONEID
    double          zc_n;       // index (fractional) at which the root-600 useful symbol begins
    double          zc_f_hz;    // centre of the grid point that saw it, offset
    float           metric;     // normalised |rho|^2, 0..1
    // HYP_LORA; its metric is that of the preamble
    int             sf;
    bool            down;       // the preamble's chirps
    bool            ends;       // n1 is where it ends, not only where its preamble does
    uint64_t        ahead;      // the arbiter's: id under which it was told ahead, 0 not
};

#define CAND_MAX 256
struct cand_list {
    struct cand c[CAND_MAX];
    unsigned    n;
    uint64_t    dropped;        // did not fit
    uint64_t    done;           // every candidate that ends before this index has been told
};

// ---- Bursts ----------------------------------------------------------------------------------

// Something that a burst could be of what stronger ones leave in the receiver (dsp/self/product.h):
// their bands, as offsets.
#define SUSPECTS 4
struct suspect {
    enum product kind;
    bool         same_time;             // starts and ends with the stronger one
    double       a_lo_hz, a_hi_hz, b_lo_hz, b_hi_hz;
};

struct burst {
    uint64_t        id;
    bool            ahead;              // of a standing detector alone, before the front's answer
    bool            again;              // the burst of one told ahead: same id
    enum burst_part part;
    uint32_t        hyp, flags;         // enum burst_hyp, enum burst_flags
    enum iq_origin  origin;
    double          rate_hz, centre_hz;
    uint64_t        n0, n1;             // the burst (of a part: the part)
    uint64_t        run_n0;             // start of the whole run
    double          f_lo_hz, f_hi_hz;   // offsets
    float           snr_db, level_dbfs;
    double          gain_db;            // of its first block
    float           noise_dbfs_hz;      // noise density at its place: dBFS per Hz
    struct cand     droneid;            // valid when hyp & HYP_DRONEID
    struct cand     lora;               // valid when hyp & HYP_LORA
    struct cand     ble;                // valid when hyp & HYP_BLE
    struct cand     wifi;               // valid when hyp & HYP_WIFI: its preamble
    struct suspect  suspect[SUSPECTS];
    unsigned        n_suspects;
    struct cut      cut;                // covers [n0 - margin, n1 + margin): see ARBITER_MARGIN_S
    uint64_t        tick;
};

// Samples kept around a burst, for noise and filters, where the capture has them.
#define ARBITER_MARGIN_S 100e-6

// ---- Standing correlator: DroneID root 600 on a grid of centres ------------------------------
// dsp/droneid/corr.c.  One thread; blocks in order; plans are made in _new only.

struct dcorr;
struct dcorr *dcorr_new(double rate_hz);        // NULL: no memory; a rate too low for DroneID gives
                                                // an object that answers "nothing" at once
void dcorr_free(struct dcorr *d);
// Appends candidates and moves out->done forward.  A gap or a new centre restarts the filters.
void dcorr_block(struct dcorr *d, const struct iq_block *b, struct cand_list *out);
void dcorr_flush(struct dcorr *d, struct cand_list *out);       // end of the source
// Instead, where somebody else has the forward transform (dsp/stand/wide.h) already: its blocks,
// dcorr_lag more of silence behind the last, and the end of them.
struct wide_spec;
bool dcorr_wants(const struct dcorr *d);        // false: the rate is too low
void dcorr_spec(struct dcorr *d, const struct wide_spec *s, struct cand_list *out);
unsigned dcorr_lag(const struct dcorr *d);
void dcorr_end(struct dcorr *d, struct cand_list *out);

// ---- All standing detectors of the chain on one forward transform: dsp/standing.c --------------

struct standing;
// droneid: whether that is looked for.  NULL: no memory.
struct standing *standing_new(const struct iq_info *info, bool droneid);
void standing_free(struct standing *s);
void standing_block(struct standing *s, const struct iq_block *b, struct cand_list *out);
void standing_flush(struct standing *s, struct cand_list *out);

// ---- Workers ---------------------------------------------------------------------------------
// One object per worker: plans and scratch, made before the threads start; no memory across bursts.

// dsp/measure/: fills f->fp from the cut-out.
struct measurer;
struct measurer *measurer_new(double rate_hz);
void measurer_free(struct measurer *m);
void measure_burst(struct measurer *m, const struct burst *b, struct finding *f);

// dsp/droneid/: follows a HYP_DRONEID candidate.  Fills f->droneid; with DRONEID_DECODE also
// f->decode or f->soft.  With DRONEID_RECOGNISE no payload bit is ever computed.  When the
// candidate does not hold, f->droneid.seen stays false.
struct droneid_rx;
struct droneid_rx *droneid_rx_new(double rate_hz);
void droneid_rx_free(struct droneid_rx *rx);
void droneid_receive(struct droneid_rx *rx, const struct burst *b, enum droneid_mode mode,
                     struct finding *f);
void finding_done(struct finding *f);   // gives decode and soft back
