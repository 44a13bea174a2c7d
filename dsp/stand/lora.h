// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the LoRa detector: lora_new.c makes it, lora.c screens, judge.c verifies and measures,
// follow.c finds the end, told.c keeps the books.
#pragma once

#include "dsp/stand/narrow.h"
#include "dsp/stand/raster.h"
#include "dsp/stand/stand.h"

#define SCREEN_STEP  2          // one window of a symbol's length every so many symbols ...
#define SCREEN_SUM   4          // ... so many added: a preamble of eight
#define SCREEN_ROWS  3          // see struct lane_sums
#define REGION       24         // symbols looked at around a hit
#define REGION_BACK  16         // of them before the hit's last window ends
#define COHERENT     8          // symbols added as amplitudes
#define PARTS        8          // of a symbol
#define KEPT         32         // symbols of the longest kind kept in a group's streams
#define WINDOWS      (2 * SCREEN_SUM - 1)    // of steps 2 and 3
#define QUARTERS     4
#define ROUGH_PSIS   16         // of a turn, in step 3
#define BANDS_MAX    8
#define PENDING_MAX  128
#define PACKETS_MAX  128

struct chirps {                 // of one spreading factor
    unsigned       n;           // 2^sf samples; 0: not used
    float complex *ref[2];      // up, down, from the lower (upper) edge
    float complex *turns;       // of stand_ops.spread
    uint16_t      *bin;         // its rows' bins
    struct dft    *fwd;
    float          limit, limit_all, rough, pass;
};

struct screen {                 // of one group, spreading factor and direction
    float   *p;                 // SCREEN_ROWS of n rows: the last, pairs of even and odd windows
    uint64_t windows;           // seen
};

struct group {
    struct narrow s;
    unsigned      use[2];       // bit sf: up, down
    double        work;         // samples a second, times what is done with each
    bool          active, next, ended;      // ended: nothing more comes, what is missing is silence
    struct screen screen[2][RASTER_SF_MAX + 1];
};

struct hit { unsigned group, lane, sf, down, bin; int64_t end; float sum; };

struct packet {
    struct hit    h;
    int64_t       q;            // stream sample at which the preamble's first whole symbol starts
    unsigned      preamble;     // symbols
    double        tau, nu;      // start after q, carrier off the channel's (samples, bins)
    double        rho2;         // |rho|^2 over COHERENT symbols
    double        energy;       // of a symbol of the preamble, median
    bool          open, placed;
    unsigned      symbols;      // of the payload looked at
    int           last;         // the last that counts, -1: none
    double        score, best, low;     // low: since best
    int           before;       // what last was before a dip, -1: none
    double        n0, n1, f_hz; // as told
};

struct lora {
    struct group  *group;
    unsigned       groups;
    struct raster_channel *channel;             // work
    double         rate_hz;
    unsigned       n;           // points of the wideband transform
    struct dft    *inv[BANDS_MAX];              // of raster_bandwidths
    struct chirps  chirps[RASTER_SF_MAX + 1];
    float complex  psi[ROUGH_PSIS];             // turns
    struct dft    *fine;        // transforms over symbols
    float         *w;           // work: rows of the longest window
    float complex *y, *z;       // work: REGION symbols; one symbol
    struct hit     pending[PENDING_MAX];
    unsigned       n_pending;
    struct packet  packet[PACKETS_MAX];         // open ones and those told last
    unsigned       n_packet;
    double         p_one;       // false alarms per sample (a measurement may raise it)
    double         budget;      // of work at a time; beyond it groups take turns
    int64_t        turn;
    unsigned       first;       // of the next turn
    uint64_t       hits, judged, passed, dropped;
    float          top;         // largest coherent statistic seen, in units of noise
    void         (*on_judge)(void *arg, double t);      // a measurement's; NULL
    void          *on_judge_arg;
};

int  lora_init(struct lora *l, double rate_hz, unsigned n);     // n: points of the wideband
                                                                // transform; 0 or -ENOMEM
void lora_done(struct lora *l);
// The channels at a centre.  Allocates, but plans no transform.  0 or -ENOMEM (and no channels).
int  lora_tune(struct lora *l, double centre_hz);
void lora_restart(struct lora *l);
void group_restart(struct group *g, int64_t at);        // at: capture index of the next block
void lora_spec(struct lora *l, const struct wide_spec *s, struct stand_list *out);
// The stream ends: judges and tells what waits, with silence behind.
void lora_end(struct lora *l, struct stand_list *out);
void lora_limits(struct lora *l, double p_one);

// lora.c: screens what is new in a group.  told.c: a hit waits to be judged.
void screen_group(struct lora *l, unsigned group);
void hit_wait(struct lora *l, const struct hit *h);
// judge.c: whether the hit holds; fills *ret.
bool judge_hit(struct lora *l, const struct hit *h, struct packet *ret);
// follow.c: goes on with p as far as there are samples; true when its end is known.
bool follow_packet(struct lora *l, struct packet *p);
