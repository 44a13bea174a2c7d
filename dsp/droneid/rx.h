// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the DroneID receiver: the steps from a candidate to soft bits.
//
//     cut-out --ddc--> x, 15.36 MS/s --sync--> carrier error and start --carriers--> Y[9][600]
//        --channel (symbols 3, 5, 0)--> H, noise --demap--> LLRs --turbo--> block
//                    ^------------ re-estimated from what the decoder believes ------'
//
//     x    |<- MARGIN ->| 9-symbol burst, if the candidate is right |<- MARGIN ->|
//                                   ^ RX_ZERO: useful symbol of root 600
#pragma once

#include "dsp/burst.h"
#include "dsp/droneid/droneid.h"
#include "dsp/droneid/hot.h"
#include "dsp/fft.h"

// The candidate's centre is at most half a slice (0.45 MHz) off when the signal is clear, but in
// noise a neighbour 1.35 MHz off, which still sees 85 % of the band, may win.  1.62 MHz move root
// 600's peak by 184 samples (1.7038 per 15 kHz); some more for the candidate's own error.
#define RX_MARGIN  208
#define RX_ZERO    (-DID_START_9 + RX_MARGIN)
#define RX_LEN     (RX_ZERO + DID_END + RX_MARGIN)
#define RX_ADVANCE 8                    // windows begin so much inside the prefix: early echoes
#define RX_RANGE   109                  // carriers, 1.63 MHz
#define RX_HALF    (DID_CARRIERS / 2 + RX_RANGE)        // carriers looked at to either side
#define RX_FRACTIONS 4                  // of a carrier, tried first: 0.22 dB between them at worst
#define RX_FINE    4                    // steps per sample of the exact timing

#define RX_CAND_MIN 0.05                // a candidate's metric, if it is to be told alone

struct rx_sync {
    double t;                           // first useful sample of symbol 3 in x, fractional
    double f_hz;                        // carrier error against x's centre
    double rho_a, rho_b;                // normalised |correlation|^2 of both roots, 0..1
    double score;                       // to compare places with: both, and how alike they are
};

// How far the last candidate got; nothing is decided by it, it is there to be measured.
struct rx_trace {
    double coarse_b;                    // best of root 147 over all hypotheses, |rho|^2
    double rho_a, rho_b;                // of the pair; 0: none found
    double margin;                      // of the structure: its least test, 1 passes; 0: no pair
};

// What is known of the burst, and gets better from pass to pass.
struct rx_state {
    float complex y[DID_SYMBOLS][DID_CARRIERS];         // carriers, start and carrier error removed
    float complex ref[DID_SYMBOLS][DID_CARRIERS];       // what was sent, as far as believed
    float complex h[DID_CARRIERS];
    float         noise[DID_CARRIERS];                  // variance
    float         weight[DID_SYMBOLS];                  // 0: missing; else 1 / relative noise
    float         intruder[DID_SYMBOLS][DID_CARRIERS];  // power of somebody else's signal
    float         clear[DID_SYMBOLS][DID_CARRIERS];     // noise / (noise + intruder): 1 is clean
    int           width;                                // of the smoothing over carriers
};

struct droneid_rx {
    double              rate_hz;
    struct did_tables   tables;
    struct did_turbo   *turbo;
    const struct did_hot *hot;
    struct dft         *fwd, *inv;      // of DID_N points
    struct dft         *fine;           // of RX_FINE times as many: delays between samples
    float complex       zc[2][DID_CARRIERS];
    float complex       pilot0[DID_CARRIERS];           // symbol 0
    float complex      *x;              // RX_LEN
    float complex      *w, *v;          // DID_N each: transforms
    float complex      *y;              // 2 RX_HALF + 1 carriers of one window
    float complex      *pad;            // DID_N: those behind the first 601 stay 0
    float complex      *fraction[RX_FRACTIONS];         // DID_N: turns by rx_fraction()
    float complex      *root_b;         // 601: conjugate of root 147, 0 in the middle
    float complex      *wide[2];        // RX_FINE * DID_N
    struct shelf       *decodes, *softs;                // what a finding takes along
    struct rx_state     now, saved;
    struct rx_trace     trace;
    bool                use[DID_CARRIERS];              // inside the capture
    float               prior[2][DID_BITS];             // of both kinds of record
    float               air[DID_CODED];
    float               llr[3][DID_STREAM], soft[3][DID_STREAM], first[3][DID_STREAM];
};

// Fractions of a carrier that the search tries, 0 .. RX_FRACTIONS - 1.
static inline double rx_fraction(int q) { return (q + 0.5) / RX_FRACTIONS - 0.5; }

// sync.c: x is filled; 0 and *ret, or -ENOENT when there is no pair.
int rx_find(struct droneid_rx *rx, struct rx_sync *ret);
// Its first step: the best of root 147 over all hypotheses, |rho|^2; under RX_COARSE_MIN rx_find()
// finds no pair.
double rx_coarse(struct droneid_rx *rx);
#define RX_COARSE_MIN 0.017             // 1.5 dB under what the pair must have of root 147 (sync.c)

// carriers.c
void rx_carriers(struct droneid_rx *rx, const struct rx_sync *s);

// channel.c: from the preambles; from them and symbol 0; from everything believed (rx->ref).
void rx_channel_pilots(struct droneid_rx *rx);
// Evidence for symbol 0, in nats (log-likelihood), and what it would be on average if it is there.
double rx_symbol0(struct droneid_rx *rx, double *ret_expect);
void rx_channel_all(struct droneid_rx *rx);
double rx_snr(const struct droneid_rx *rx);     // mean |h|^2 over mean noise

// |y - h ref|^2 expected over what was sent, as far as believed.
float rx_left_over(const struct droneid_rx *rx, int s, int i);

// cells.c: intruders, before anything is known; clear from them; intruders from what is left over
void rx_cells_power(struct droneid_rx *rx);
void rx_cells_settle(struct droneid_rx *rx);
void rx_cells_residual(struct droneid_rx *rx);
float rx_median(float *v, int n);               // disorders v

// structure.c: whether the whole burst holds together (1 and more): the least of its tests, each
// over what it must reach; cover: share of each symbol received; metric: the candidate's.
double rx_structure(const struct droneid_rx *rx, const struct rx_sync *s, const double *cover,
                    bool nine, double metric);
// Its first test: both roots over what each and both together must have.
double rx_pair_margin(const struct rx_sync *s);

// demap.c
void rx_demap(struct droneid_rx *rx);           // y -> air
void rx_remap(struct droneid_rx *rx);           // soft -> ref of the data symbols
