// SPDX-License-Identifier: GPL-3.0-or-later
// The standing correlator's second half: candidates in the slices (see corr.c).
//
//     common time ------------------------->
//     slice 4  ....|....      each slice's buffer lags the one below by KAPPA * 1.8 MHz (13 us), so
//     slice 3  ...|....       one moment of common time stands at another place in each
//     slice 2  ..|....
#include "dsp/droneid/corr.h"

#include <math.h>
#include <string.h>

static void pend_add(struct dcorr *d, const struct pend *c)
{
    for (unsigned i = 0; i < d->n_pend; i++) {
        struct pend *o = &d->pend[i];
        if (fabs(o->out - c->out) > MERGE_S * d->slice_rate_hz || fabs(o->f - c->f) > SLICE_HZ / 4)
            continue;
        if (c->score > o->score)
            *o = *c;
        return;
    }
    if (d->n_pend < PENDING) {
        d->pend[d->n_pend++] = *c;
        return;
    }
    struct pend *weakest = &d->pend[0];         // a flood: the strongest stay
    for (unsigned i = 1; i < PENDING; i++)
        if (d->pend[i].score < weakest->score)
            weakest = &d->pend[i];
    d->dropped++;
    if (c->score > weakest->score)
        *weakest = *c;
}

// Whether o explains c: the same burst seen from another centre, or one of the two weak ghosts a
// symbol's length away that come of the chirp being cyclic.
static bool explains(const struct dcorr *d, const struct pend *o, const struct pend *c)
{
    double dt = fabs(o->out - c->out) / d->slice_rate_hz, df = fabs(o->f - c->f);
    if (o->score <= c->score || df > DID_BW_HZ + SLICE_HZ)
        return false;
    if (dt <= MERGE_S)
        return df < 0.6 * DID_BW_HZ || c->score < 0.5 * o->score;
    return fabs(dt - SYMBOL_S) < GHOST_S && c->score < GHOST * o->score;
}

// Some signals, analog video above all, sweep like the preamble again and again: faint candidates
// are told at a bounded rate, so that neither workers nor chance pairs of false ones drown us.
static bool may_tell(struct dcorr *d, const struct pend *c)
{
    double dt = (c->at - d->told_at) / d->rate_hz;
    if (c->metric >= FAINT)
        return true;
    if (dt > 0) {
        d->room = fmin(d->room + dt * d->faint_per_s, FAINT_MOST);
        d->told_at = c->at;
    }
    if (d->room < 1)
        return false;
    d->room -= 1;
    return true;
}

static void pend_tell(struct dcorr *d, const struct pend *c, struct cand_list *out)
{
    double per = d->rate_hz / DID_RATE_HZ, n0 = c->at + DID_START_9 * per;
    if (!(c->at >= 0) || !may_tell(d, c))
        return;
    if (out->n == CAND_MAX) {
        out->dropped++;
        return;
    }
    out->c[out->n++] = (struct cand){
        .hyp = HYP_DRONEID, .part = BURST_WHOLE, .n0 = n0 > 0 ? (uint64_t)n0 : 0,
        .n1 = (uint64_t)(c->at + DID_END * per) + 1,
        .f_lo_hz = c->f - DID_BW_HZ / 2, .f_hi_hz = c->f + DID_BW_HZ / 2,
        .snr_db = (float)(10 * log10(c->metric / fmax(1 - c->metric, 0.01))),
        .zc_n = c->at, .zc_f_hz = c->f, .metric = (float)c->metric,
    };
}

static bool saw_same(const struct pend *o, const struct pend *c)
{
    return fabs(o->out - c->out) <= 1 && fabs(o->f - c->f) <= 0.6 * DID_BW_HZ;
}

// The centre of all groups that saw what c saw, weighted by how much of it they saw.  In noise the
// best single group may be one that misses a slice or two, and the one that stands out most may do
// so because it avoids a neighbour.
static struct pend centred(const struct dcorr *d, const struct pend *c)
{
    double sum = 0, weights = 0, most = c->power;
    struct pend r = *c;
    for (unsigned i = 0; i < d->n_pend; i++)
        if (saw_same(&d->pend[i], c))
            most = fmax(most, d->pend[i].power);
    for (unsigned i = 0; i < d->n_pend; i++) {
        const struct pend *o = &d->pend[i];
        double w = o->power - CENTRE_MIN * most;
        if (w <= 0 || !saw_same(o, c))
            continue;
        sum += w * o->f;
        weights += w;
    }
    r.f = weights > 0 ? sum / weights : c->f;
    r.at = (r.out / d->slice_rate_hz - KAPPA * r.f) * d->rate_hz + (double)d->base;
    return r;
}

void corr_settle(struct dcorr *d, double limit, struct cand_list *out)
{
    double old = limit - 2 * (SYMBOL_S + MERGE_S) * d->slice_rate_hz;
    unsigned kept = 0;
    for (unsigned i = 0; i < d->n_pend; i++) {
        struct pend *c = &d->pend[i];
        bool told = c->told || c->out >= limit;
        for (unsigned k = 0; k < d->n_pend && !told; k++)
            told = explains(d, &d->pend[k], c);
        if (!told) {
            struct pend r = centred(d, c);
            pend_tell(d, &r, out);
        }
        c->told |= c->out < limit;
    }
    for (unsigned i = 0; i < d->n_pend; i++)        // told ones still explain what comes soon
        if (d->pend[i].out >= old)
            d->pend[kept++] = d->pend[i];
    d->n_pend = kept;
    out->dropped += d->dropped;
    d->dropped = 0;
}

// One group of slices summed as amplitudes around sample v of its lowest slice.
struct group { unsigned low, count; double middle; };   // middle: slice number of its centre

// Mean power of the group's slices over a symbol's time around sample v.
static double level(const struct dcorr *d, const struct group *g, int v)
{
    double sum = 0;
    for (unsigned k = 0; k < g->count; k++) {
        unsigned j = g->low + k;
        const float *p = d->p + (size_t)j * CAP + v - (d->delay[j] - d->delay[g->low]);
        for (int i = -SIDE; i < SIDE; i++)
            sum += p[i];
    }
    return sum / (2 * SIDE);
}

struct sum { float re[CORR_READS], im[CORR_READS]; };

// Adds slice j of a group around sample v of its lowest slice.
static void sum_add(const struct dcorr *d, const struct group *g, unsigned j, int v, struct sum *a)
{
    int at = v - (d->delay[j] - d->delay[g->low]) - (TAPS / 2 - 1);
    // place of the oldest block that is kept: the newest ends at d->have
    unsigned from = (unsigned)(at + KEPT * HOP - (int)d->have);
    uint64_t block = d->blocks + 1 + from / HOP;
    const float complex *s = d->s + (size_t)j * KEPT * M, *x;
    float complex joined[TAPS];
    unsigned head = HOP - from % HOP;
    x = s + block % KEPT * M + GUARD + from % HOP;
    if (head < TAPS) {
        memcpy(joined, x, head * sizeof *x);
        memcpy(joined + head, s + (block + 1) % KEPT * M + GUARD, (TAPS - head) * sizeof *x);
        x = joined;
    }
    d->op->read_off(x, d->read[j][0], d->read[j][1], a->re, a->im);
}

// v0: common time of buffer place 0 of the group's lowest slice; rough: the level, roughly; e: sum
// of five slices' powers at v.
static void judge(struct dcorr *d, const struct group *g, const struct sum *a, int v, double v0,
                  double rough, double e)
{
    double y[STEPS + 1];
    int best = 0;
    for (int m = 0; m <= STEPS; m++) {
        y[m] = a->re[m] * a->re[m] + a->im[m] * a->im[m];
        best = y[m] > y[best] ? m : best;
    }
    if (!(y[best] > 0.5 * d->pass * rough) || !(y[best] > TOGETHER * g->count * e))
        return;
    double mean = level(d, g, v), frac = 0;
    if (!(y[best] > d->pass * mean))
        return;
    if (best > 0 && best < STEPS) {
        double bend = y[best - 1] - 2 * y[best] + y[best + 1];
        frac = bend < 0 ? 0.5 * (y[best - 1] - y[best + 1]) / bend : 0;
    }
    struct pend c = { .out = v0 + v + (best + frac) / STEPS - 0.5, .score = y[best] / mean,
                      .power = y[best] };
    c.f = slice_middle(d, g->middle);
    c.at = (c.out / d->slice_rate_hz - KAPPA * c.f) * d->rate_hz + (double)d->base;
    // energy in a symbol's time and the burst's width is 601 * mean
    c.metric = fmin(c.score / DID_ZC_LEN, 1);
    pend_add(d, &c);
}

static void step2(struct dcorr *d, const struct group *g, int v, double v0, double rough, double e)
{
    struct sum a = { 0 };
    for (unsigned k = 0; k < g->count; k++)
        sum_add(d, g, g->low + k, v, &a);
    judge(d, g, &a, v, v0, rough, e);
    if (g->count == SLICES && g->low + SLICES < d->slices) {
        struct group six = { g->low, SLICES + 1, g->middle + 0.5 };
        sum_add(d, g, g->low + SLICES, v, &a);
        judge(d, &six, &a, v, v0, rough, e);
    }
}

// Looks at one piece of CORR_LEVEL samples from v on in which some pass.
static void piece_scan(struct dcorr *d, const struct group *g, int v, double v0, float mean,
                       float limit, int *left)
{
    float e[CORR_LEVEL + 2] = { 0 };            // one to either side
    for (unsigned k = 0; k < g->count; k++) {
        const float *p = d->p + (size_t)(g->low + k) * CAP + v - 1 -
                         (d->delay[g->low + k] - d->delay[g->low]);
        for (int i = 0; i < CORR_LEVEL + 2; i++)
            e[i] += p[i];
    }
    for (int i = 1; i <= CORR_LEVEL && *left > 0; i++)
        if (e[i] > limit && e[i] >= e[i - 1] && e[i] > e[i + 1]) {
            step2(d, g, v + i - 1, v0, mean, e[i]);
            --*left;
        }
}

// Step 1 over the newest HOP samples of a group, then step 2 where it passes.
//
//     level  |<- LEVELS kept ->|<- FRESH ->|
//                     |<- looked at ->|        with SIDE samples' levels to either side
static void group_scan(struct dcorr *d, const struct group *g, struct corr_level *l, float pass,
                       int v_first, double v0)
{
    const float *p[SLICES + 1];
    const float factor = pass / (2 * SIDE + CORR_LEVEL);
    float limit[ROOM];
    int left = PER_BLOCK;
    for (unsigned k = 0; k < g->count; k++)
        p[k] = d->p + (size_t)(g->low + k) * CAP + v_first + SIDE -
               (d->delay[g->low + k] - d->delay[g->low]);
    if (!d->op->combine(p, g->count, factor, l, limit))
        return;
    for (int b = 0; b < FRESH; b++)
        if (limit[b] > 0 && l->top[LEVELS / 2 + b] > limit[b])
            piece_scan(d, g, v_first + b * CORR_LEVEL, v0, limit[b] / pass, limit[b], &left);
}

void corr_scan(struct dcorr *d)
{
    // the level wants SIDE samples behind, reading off TAPS / 2
    int v_first = (int)d->have - HOP - SIDE - TAPS;
    double zero = (double)(int64_t)(d->blocks * HOP + GUARD) - d->have + HOP;   // of buffer place 0
    for (unsigned low = 0; low + SLICES <= d->slices; low++) {
        struct group g = { low, SLICES, low + 2 };
        group_scan(d, &g, d->level + low, PASS_1, v_first, zero + d->delay[low]);
    }
    // bursts of which one slice lies outside the capture
    struct group first = { 0, SLICES - 1, 1 }, last = { d->slices - SLICES + 1, SLICES - 1,
                                                        d->slices - 2.0 };
    struct corr_level *l = d->level + d->slices - SLICES + 1;   // what whole groups leave
    group_scan(d, &first, l, PASS_1 * 1.07f, v_first, zero + d->delay[first.low]);
    group_scan(d, &last, l + 1, PASS_1 * 1.07f, v_first, zero + d->delay[last.low]);
}
