// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/same.h"

#include <math.h>

#define SAME_LEVEL_DB 6.0       // two boxes of one burst
#define SAME_SHARE   0.5        // of the union, in time and in frequency: the same burst
#define SURE_METRIC  0.3        // normalised correlation that is hardly anything else
#define INSIDE_SHARE 0.8
#define DENSER_DB    5.0
#define DRONEID_EDGE 32         // of its length: 20 us, as exactly as boxes know their edges
#define BLE_EDGE_S   60e-6      // boxes begin up to a row of the grid early or late
#define BLE_WIDER    3.0        // its box, filters and all; Wi-Fi is wider
#define LORA_EDGE_S  150e-6     // boxes end up to a row of the grid late
#define LORA_SIDE    0.25       // of its width, to either side
#define LORA_OVER_DB 4.0        // no fragment of it is stronger than all of it

// A DroneID burst around its root-600 symbol, in seconds (9 symbols, see facts: 3368 samples before
// the useful symbol, 9880 in all, at 15.36 MS/s), and its width.
#define DRONEID_LEAD_S  (3368 / 15.36e6)
#define DRONEID_LEN_S   (9880 / 15.36e6)
#define DRONEID_BW_HZ   9.015e6

static double share(double a0, double a1, double b0, double b1)
{
    double in = fmin(a1, b1) - fmax(a0, b0), all = fmax(a1, b1) - fmin(a0, b0);
    return in > 0 && all > 0 ? in / all : 0;
}

// A box of energy on the air just as long as a DroneID burst that lies in its band, and somewhat
// wider: the burst and a piece of a neighbour.
static bool holds_droneid(const struct cand *x, const struct cand *y)
{
    const struct cand *d = x->hyp == HYP_DRONEID ? x : y, *e = x->hyp == HYP_DRONEID ? y : x;
    double wide = d->f_hi_hz - d->f_lo_hz;

    return d->metric > SURE_METRIC && e->hyp == HYP_ENERGY && e->part == BURST_WHOLE &&
           share((double)d->n0, (double)d->n1, (double)e->n0, (double)e->n1) >= 0.95 &&
           fmin(d->f_hi_hz, e->f_hi_hz) - fmax(d->f_lo_hz, e->f_lo_hz) > INSIDE_SHARE * wide &&
           e->f_hi_hz - e->f_lo_hz < 3 * wide;
}

// An advertisement and the energy it is: both begin there, and no wider signal has that place.  By
// its energy's box another that follows it closely may be one with it.
static bool same_ble(const struct cand *x, const struct cand *y, double rate_hz)
{
    const struct cand *b = x->hyp == HYP_BLE ? x : y, *e = x->hyp == HYP_BLE ? y : x;
    double f = (b->f_lo_hz + b->f_hi_hz) / 2, wide = b->f_hi_hz - b->f_lo_hz;

    if (e->hyp == HYP_BLE ? fabs((e->f_lo_hz + e->f_hi_hz) / 2 - f) > wide / 2
                          : e->hyp != HYP_ENERGY || e->part != BURST_WHOLE || f < e->f_lo_hz ||
                            f > e->f_hi_hz || e->f_hi_hz - e->f_lo_hz > BLE_WIDER * wide)
        return false;
    return fabs((double)b->n0 - (double)e->n0) < BLE_EDGE_S * rate_hz;
}

bool cand_same(const struct cand *x, const struct cand *y, double rate_hz)
{
    if (x->hyp == HYP_BLE || y->hyp == HYP_BLE)
        return same_ble(x, y, rate_hz);

    if (x->hyp == HYP_ENERGY && y->hyp == HYP_ENERGY)
        return x->part == BURST_WHOLE && y->part == BURST_WHOLE && x->n0 < y->n1 && y->n0 < x->n1 &&
               fabsf(x->level_dbfs - y->level_dbfs) < SAME_LEVEL_DB &&
               share(x->f_lo_hz, x->f_hi_hz, y->f_lo_hz, y->f_hi_hz) >= SAME_SHARE;
    if (holds_droneid(x, y))
        return true;
    // what LoRa's detector sees beside another's claim is another transmission
    if ((x->hyp == HYP_LORA && y->hyp == HYP_DRONEID) ||
        (x->hyp == HYP_DRONEID && y->hyp == HYP_LORA))
        return false;
    return share((double)x->n0, (double)x->n1, (double)y->n0, (double)y->n1) >= SAME_SHARE &&
           share(x->f_lo_hz, x->f_hi_hz, y->f_lo_hz, y->f_hi_hz) >= SAME_SHARE;
}

bool cand_part_of_lora(const struct cand *x, const struct cand *y, double rate_hz)
{
    double tol = LORA_EDGE_S * rate_hz, wide = LORA_SIDE * (y->f_hi_hz - y->f_lo_hz);

    return y->ends && (double)x->n0 > (double)y->n0 - tol && (double)x->n1 < (double)y->n1 + tol &&
           x->f_lo_hz > y->f_lo_hz - wide && x->f_hi_hz < y->f_hi_hz + wide &&
           x->level_dbfs < y->level_dbfs + LORA_OVER_DB;
}

bool cand_part_of_droneid(const struct cand *x, const struct cand *y, double rate_hz)
{
    uint64_t tol = (y->n1 - y->n0) / DRONEID_EDGE;

    return y->metric > SURE_METRIC && !cand_same(x, y, rate_hz) && x->n0 + tol > y->n0 &&
           x->n1 < y->n1 + tol && x->f_lo_hz > y->f_lo_hz - 0.5e6 &&
           x->f_hi_hz < y->f_hi_hz + 0.5e6;
}

bool cand_same_run(const struct cand *x, const struct cand *y)
{
    double in = fmin(x->f_hi_hz, y->f_hi_hz) - fmax(x->f_lo_hz, y->f_lo_hz);
    double wx = x->f_hi_hz - x->f_lo_hz, wy = y->f_hi_hz - y->f_lo_hz;

    return y->run != x->run && in > INSIDE_SHARE * wx &&
           x->level_dbfs - 10 * log10(wx) < y->level_dbfs - 10 * log10(wy) + DENSER_DB;
}

struct cand cand_joined(const struct cand *x, const struct cand *y)
{
    struct cand r = y->n1 - y->n0 > x->n1 - x->n0 ? *y : *x;

    r.n0 = x->n0 < y->n0 ? x->n0 : y->n0;
    r.n1 = x->n1 > y->n1 ? x->n1 : y->n1;
    r.flags = x->flags | y->flags;
    r.run_n0 = r.n0;
    return r;
}

void claim_join(struct claim *c, const struct cand *y)
{
    if (y->hyp == HYP_DRONEID && (!c->has_droneid || y->metric > c->droneid.metric)) {
        c->droneid = *y;
        c->has_droneid = true;
    } else if (y->hyp == HYP_LORA && (!c->has_lora || y->metric > c->lora.metric)) {
        c->lora = *y;
        c->has_lora = true;
    } else if (y->hyp == HYP_BLE && (!c->has_ble || y->metric > c->ble.metric)) {
        c->ble = *y;
        c->has_ble = true;
    } else if (y->hyp == HYP_ENERGY) {          // energy knows edges best
        c->first = c->first.hyp == HYP_ENERGY ? cand_joined(&c->first, y) : *y;
    }
}

uint32_t claim_hyps(const struct claim *c)
{
    return (c->has_droneid ? HYP_DRONEID : 0u) | (c->has_lora ? HYP_LORA : 0u) |
           (c->has_ble ? HYP_BLE : 0u);
}

bool claim_surely_droneid(const struct claim *c)
{
    return c->has_droneid && c->droneid.metric > SURE_METRIC;
}

bool claim_other_droneid(const struct claim *c, const struct cand *y, double rate_hz)
{
    return claim_surely_droneid(c) && y->hyp == HYP_DRONEID &&
           y->metric > SURE_METRIC && fabs(c->droneid.zc_n - y->zc_n) > CAND_SAME_S * rate_hz;
}

bool claim_same(const struct claim *c, const struct cand *y, double rate_hz)
{
    return cand_same(&c->first, y, rate_hz) ||
           (c->has_droneid && cand_same(&c->droneid, y, rate_hz)) ||
           (c->has_lora && cand_same(&c->lora, y, rate_hz)) ||
           (c->has_ble && cand_same(&c->ble, y, rate_hz));
}

void claim_settle(struct claim *c, bool crowded)
{
    struct cand *f = &c->first;
    if (f->run)
        return;
    if (crowded)
        *f = c->droneid;                // the box is of both, its edges of neither
    if (claim_surely_droneid(c)) {
        // its first symbol may lie under another, or its band be cut: the receiver wants all of it
        f->n0 = f->run_n0 = f->n0 < c->droneid.n0 ? f->n0 : c->droneid.n0;
        f->n1 = f->n1 > c->droneid.n1 ? f->n1 : c->droneid.n1;
    }
    if (c->has_lora && c->lora.ends) {  // it has counted the symbols
        f->n0 = f->run_n0 = c->lora.n0;
        f->n1 = c->lora.n1;
    }
}

void cand_droneid_extent(struct cand *c, double rate_hz)
{
    double n0 = c->zc_n - DRONEID_LEAD_S * rate_hz;

    if (c->n1 <= c->n0) {
        c->n0 = n0 > 0 ? (uint64_t)n0 : 0;
        c->n1 = (uint64_t)fmax(c->zc_n, n0 + DRONEID_LEN_S * rate_hz) + 1;
    }
    if (c->f_hi_hz <= c->f_lo_hz) {
        c->f_lo_hz = c->zc_f_hz - DRONEID_BW_HZ / 2;
        c->f_hi_hz = c->zc_f_hz + DRONEID_BW_HZ / 2;
    }
}

void cands_merge_droneid(struct cand *open, unsigned n, unsigned i, double rate_hz)
{
    struct cand *x = &open[i];

    for (unsigned k = 0; k < n; k++) {
        struct cand *y = &open[k];
        if (y == x || !y->n1 || y->hyp != HYP_DRONEID || !cand_same(x, y, rate_hz))
            continue;
        bool better = !x->ahead && (y->ahead || y->metric > x->metric);
        if (better)
            *x = *y;
        y->n1 = 0;
        if (better)
            k = (unsigned)-1;           // it may be the same as some that x was not
    }
}

int cand_by_start(const void *x, const void *y)
{
    const struct cand *a = x, *b = y;

    if (a->n0 != b->n0)
        return a->n0 < b->n0 ? -1 : 1;
    if (a->f_lo_hz != b->f_lo_hz)
        return a->f_lo_hz < b->f_lo_hz ? -1 : 1;
    if (a->hyp != b->hyp)
        return a->hyp < b->hyp ? -1 : 1;
    return (a->n1 > b->n1) - (a->n1 < b->n1);
}
