// SPDX-License-Identifier: GPL-3.0-or-later
// One stretch of a confuser, 2.6 ms, is looked at in many places:
//
//     x   |----------------------------- 23.04 MS/s -----------------------------|
//     y   |--- the same, its centre moved, 15.36 MS/s: some centres a stretch ---|
//             ^  ^    ^  ^     ^   places: where root 600 of a candidate would be
//
// The verifier's search for root 147 (rx_coarse(), the first thing it does) runs at each.  A place
// that has not GATE of it there is refused, whatever root 600 has: the search loses 1.5 dB at most,
// so 0.06 shows as 0.042.  All others, and every 16th to see whether that holds, are made whole:
// root 600 raised to what a candidate has, all of the receiver.  Raising root 600 changes nothing
// under root 147, which lies 1096 samples behind its end.
#include "tests/bench/bulk.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/ddc.h"
#include "dsp/droneid/rx.h"

#define LEN     60000
#define ROOM    (LEN - FORCE_LEN)
#define LEN_Y   (LEN * 2 / 3)
#define GATE    0.03                    // half of what structure.c asks
#define ASKED   0.06
#define EVERY   16
#define BIN_HZ  80e3

struct run {
    struct force    f;
    float complex  *x, *y, *own;        // own: the receiver's samples while y stands in for them
    struct cut      cut;
    struct iq_block blk;
    int64_t         n0;
    double          centre, hz;
};

static void spread(enum conf_class cls, enum bulk_where where, unsigned *centres, unsigned *places)
{
    *centres = 4;
    *places = where == BULK_ANY ? 32 : 16;              // 1.6 symbols apart: no symbol twice
    if (where == BULK_PILOT && cls == CONF_LTE_TDD) {
        *centres = 32;                  // two pilots in 5 ms
        *places = 1;
    } else if (where == BULK_PILOT) {
        *centres = 10;
        *places = 6;                    // four symbols apart
    } else if (where == BULK_GRID && cls == CONF_NEAR) {
        *centres = 24;                  // one frame in 0.67 ms
        *places = 2;
    }
}

static void stretch(struct run *r, enum bulk_where where)
{
    struct rng *g = &r->f.rng;
    conf_seed(r->f.conf, rng_u64(g) >> 8);
    r->n0 = (int64_t)(rng_uniform(g) * 3e7);
    if (where == BULK_PILOT)
        r->n0 = conf_pilot_near(r->f.conf, 0, r->n0 + LEN / 2) - LEN / 2;
    conf_make(r->f.conf, r->n0, LEN, r->x);
    r->blk = (struct iq_block){ .n = LEN, .rate_hz = FORCE_HZ, .format = IQ_CF32, .data = r->x };
    r->cut = (struct cut){ .n = LEN, .n_blk = 1, .blk = { &r->blk } };
    r->centre = conf_emitters(r->f.conf) ? conf_centre_hz(r->f.conf, 0) : 0;
}

static void centre(struct run *r, enum bulk_where where, unsigned k)
{
    struct rng *g = &r->f.rng;
    r->hz = r->centre;
    if (where == BULK_ANY)
        r->hz += rng_between(g, -4.5e6, 4.5e6);
    else if (k)                         // the confuser's own once
        r->hz += DID_SPACING_HZ * ((int)rng_below(g, 401) - 200);
    ddc_run(&r->cut, FORCE_HZ, r->hz, 0, DID_RATE_HZ, 12.3e6, r->y, LEN_Y);
}

// Where root 600 of the m-th place of `of` begins, in x: a whole sample of y too.
static int place(struct run *r, enum bulk_where where, unsigned m, unsigned of)
{
    int gap = did_symbol_at[DID_SYM_B] * (int)r->f.n / DID_N, step = ROOM / (int)of;
    int64_t at = FORCE_AT + (int)m * step;
    if (where == BULK_ANY)
        at += rng_below(&r->f.rng, (uint64_t)step);
    else if (where == BULK_GRID)
        at = conf_symbol_near(r->f.conf, 0, r->n0 + at) - r->n0;
    else
        at = conf_pilot_near(r->f.conf, 0, r->n0 + (of == 1 ? LEN / 2 - 9 : at + gap)) - r->n0 -
             gap;
    at = at < FORCE_AT ? FORCE_AT : at > FORCE_AT + ROOM ? FORCE_AT + ROOM : at;
    return (int)(at / 3 * 3);
}

static void whole(struct run *r, int at, double coarse, bool sample, struct bulk *b)
{
    struct force_place p = { .at = FORCE_AT, .hz = r->hz, .draw = { rng_cnormal(&r->f.rng) } };
    memcpy(r->f.x, r->x + at - FORCE_AT, FORCE_LEN * sizeof(*r->x));
    struct force_result got = force_judge(&r->f, &p, FORCE_A);
    b->made++;
    b->verified += got.verified;
    b->over += got.rho_b >= ASKED;
    b->most = fmax(b->most, got.rho_b);
    b->sample += sample;
    b->seen += sample && got.seen;
    if (sample && coarse < GATE)
        b->behind = fmax(b->behind, got.rho_b);
    int bin = (int)floor((got.hz - r->hz) / BIN_HZ + BULK_BINS / 2.0);
    if (sample && got.seen && bin >= 0 && bin < BULK_BINS) {
        b->off[bin]++;
        b->pairs++;
    }
}

static void look(struct run *r, int at, struct bulk *b)
{
    r->own = r->f.rx->x;
    r->f.rx->x = r->y + at / 3 * 2 - RX_ZERO;
    double coarse = rx_coarse(r->f.rx);
    r->f.rx->x = r->own;
    bool sample = b->n++ % EVERY == 0;
    if (coarse >= GATE || sample)
        whole(r, at, coarse, sample, b);
}

int bulk_run(enum conf_class cls, enum bulk_where where, unsigned n, uint64_t seed, struct bulk *b)
{
    struct run r = { .x = dft_alloc(LEN), .y = dft_alloc(LEN_Y) };
    unsigned centres, places, end = b->n + n;
    spread(cls, where, &centres, &places);
    int e = !r.x || !r.y || force_init(&r.f, cls, seed) < 0 ? -ENOMEM : 0;
    while (!e && b->n < end) {
        stretch(&r, where);
        for (unsigned k = 0; k < centres; k++) {
            centre(&r, where, k);
            for (unsigned m = 0; m < places; m++)
                look(&r, place(&r, where, m, places), b);
        }
    }
    if (!e)
        force_done(&r.f);
    free(r.x);
    free(r.y);
    return e;
}

double bulk_one_centre(const struct bulk *b)
{
    unsigned most = 1;
    for (int i = 0; i + 1 < BULK_BINS; i++)
        most = b->off[i] + b->off[i + 1] > most ? b->off[i] + b->off[i + 1] : most;
    return b->pairs ? fmin((double)most / b->pairs, 1) : 1;
}
