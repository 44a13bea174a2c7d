// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11's short training field: the first 8 us of every OFDM frame of 20 MHz, twelve carriers
// 1.25 MHz apart, whose signs are known.
#pragma once

#include <stdbool.h>

#include "dsp/fft.h"
#include "dsp/stand/comb_ops.h"
#include "dsp/stand/stand.h"
#include "dsp/stand/wide.h"

#define COMB_POINTS   64        // of a line's transform: 360 to 600 kHz
#define COMB_HOP      (COMB_POINTS / WIDE_PARTS * WIDE_HOP)
#define COMB_TAKEN    80        // bins a line's filter reaches over
#define COMB_AT_ONCE  8         // transforms
#define COMB_BEFORE   12        // samples kept of the block before
#define COMB_ROW      (COMB_BEFORE + COMB_HOP)
#define COMB_CHANNELS 24        // what a capture of 125 MHz holds, 5 MHz apart
#define COMB_LINES    (13 + 4 * (COMB_CHANNELS - 1))
#define COMB_ROWS     (COMB_LINES + COMB_LINES / 2)
#define COMB_WINDOW   4         // samples in 8 us, at most
#define COMB_PHASES   32        // of 0.8 us

struct comb_hit {
    double n0, f_hz, power, metric, snr_db;
    bool   told;
};

#define COMB_HITS 64
struct comb {
    const struct stand_ops *op;
    const struct comb_ops  *sums;
    double         rate_hz;
    unsigned       n, per, window;      // capture samples per sample; samples in 8 us
    struct dft    *inv;                 // COMB_AT_ONCE of COMB_POINTS
    float         *filter;              // over COMB_TAKEN bins, each twice
    float complex *taken, *bins, *out;
    float complex *x;                   // rows of COMB_ROW: lines, then gaps between them
    float         *p;                   // their power
    float          on_share, limit;     // of power on lines; of what is told
    unsigned       channels, lines, rows;
    double         f0_hz;               // centre of the first channel
    int            k0[COMB_ROWS];       // bins of rows
    double         f_hz[COMB_ROWS];     // their centres
    float complex  back[COMB_ROWS][COMB_WINDOW + 8];    // turning of a line's tone by a sample
    float complex  turn[COMB_POINTS], phase[COMB_PHASES];
    struct comb_hit hit[COMB_HITS];
    unsigned       hits;
    uint64_t       tried, screened;
    void         (*on_try)(void *arg, double metric);   // a measurement's; NULL
    void          *on_try_arg;
};

int  comb_init(struct comb *c, double rate_hz, unsigned n);     // 0 or -ENOMEM
void comb_done(struct comb *c);
void comb_tune(struct comb *c, double centre_hz);
void comb_restart(struct comb *c);
void comb_spec(struct comb *c, const struct wide_spec *s, struct stand_list *out);
void comb_end(struct comb *c, struct stand_list *out);
void comb_rows(struct comb *c, const struct wide_spec *s);      // comb.c
// What Beta(a, b) exceeds with probability p.
double comb_share_limit(unsigned a, unsigned b, double p);
