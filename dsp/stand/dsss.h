// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11b's long preamble: 128 symbols of 1 us on Barker's code, scrambled ones whose signs are
// known.
#pragma once

#include <stdbool.h>

#include "dsp/stand/chan.h"
#include "dsp/stand/dsss_ops.h"
#include "dsp/stand/stand.h"
#include "dsp/stand/walk.h"

#define DSSS_CHANNELS 13
#define DSSS_STREAMS  (DSSS_CHANNELS + 1)
#define DSSS_STEPS    127
#define DSSS_FEW      48        // of them that are tried everywhere
#define DSSS_DELAY    2         // samples: near a symbol
#define DSSS_HITS     8
#define DSSS_AT_ONCE  4         // channels
#define DSSS_HOP_MAX  512       // samples a block: 2.3 MHz in 180 us, rounded up

struct dsss_stream {
    struct chan    c;
    float complex *x;           // samples, the last of the block before in front
    float         *re, *im;     // steps, likewise
    float         *few_re, *few_im;
};

struct dsss_hit {
    double n0, f_hz, metric, snr_db;
};

struct dsss {
    double         rate_hz, chan_hz;    // of the capture, of streams
    unsigned       n, points, hop, kept;
    struct dft    *inv;
    float         *window;
    const struct walk_ops *op;
    const struct dsss_ops *sums;
    short          at[DSSS_STEPS];      // samples from the first step to each
    signed char    sign[DSSS_STEPS];
    short          plus[DSSS_FEW], minus[DSSS_FEW];
    unsigned       n_plus, n_minus;
    double         few_limit, limit;    // of power of a pair's sums over steps^2
    struct dsss_stream stream[DSSS_STREAMS];
    unsigned       streams;
    unsigned       first, last;         // of those at work: their turn
    int64_t        turn;
    unsigned       home;                // turn of channel 6, which comes every second time
    struct dsss_hit hit[DSSS_HITS];     // the largest of late, not told yet
    unsigned       hits;
    uint64_t       tried, screened;
    void         (*on_try)(void *arg, double rho);      // a measurement's; NULL
    void          *on_try_arg;
};

int  dsss_init(struct dsss *d, double rate_hz, unsigned n);     // 0 or -ENOMEM
void dsss_done(struct dsss *d);
int  dsss_tune(struct dsss *d, double centre_hz);               // likewise
void dsss_restart(struct dsss *d);
void dsss_turn(struct dsss *d, int64_t turn);   // dsss.c: whose it is
void dsss_spec(struct dsss *d, const struct wide_spec *s, struct stand_list *out);
void dsss_end(struct dsss *d, struct stand_list *out);
// Bits of the scrambled preamble, as sent.
void dsss_preamble(unsigned char bit[DSSS_STEPS + 1]);
