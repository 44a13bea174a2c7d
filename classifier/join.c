// SPDX-License-Identifier: GPL-3.0-or-later
// Near the detector's threshold a packet fades in and out and is told as several bursts:
//
//     sent      |========================|
//     told      |-----|  |----||----|  |-|      overlapping or less than JOIN_GAP_S apart
//     joined    |========================|
//
// Pieces belong together when they are of one waveform on one centre.  A piece too short to be
// recognised (kind unknown) may fill a packet but never begins one.
#include "classifier/join.h"

#include <math.h>
#include <string.h>

// Shorter than any pause between packets of the links we know (415 us: ELRS 500 Hz).
#define JOIN_GAP_S 200e-6
// Pieces overlap by an energy cell or two; whole packets of two senders on one channel by more.
#define OVERLAP_S  600e-6

static bool fsk_like(enum sig_kind k)
{
    return k == KIND_FSK || k == KIND_MSK;
}

bool join_wants(const struct obs *o)
{
    return o->part == BURST_WHOLE && (o->fp.kind == KIND_LORA || fsk_like(o->fp.kind));
}

static double end_of(const struct obs *o)
{
    return o->t_s + o->dur_s;
}

static bool alike(const struct obs *a, const struct obs *b)
{
    const struct fingerprint *p = &a->fp, *q = &b->fp;

    if (fabs(a->freq_hz - b->freq_hz) > 0.25 * a->bw_hz)
        return false;
    if (q->kind == KIND_UNKNOWN)
        return b->bw_hz < 1.5 * a->bw_hz;
    if (p->kind == KIND_LORA)
        return q->kind == KIND_LORA && p->sf == q->sf && fabs(a->bw_hz - b->bw_hz) < 0.1 * a->bw_hz;
    return fsk_like(q->kind) && meas_ok(p->symbol_rate_bd) && meas_ok(q->symbol_rate_bd) &&
           fabs(p->symbol_rate_bd.v - q->symbol_rate_bd.v) < 0.05 * p->symbol_rate_bd.v;
}

bool join_piece(struct join *j, const struct obs *o)
{
    for (unsigned i = 0; i < j->n; i++) {
        struct obs *a = &j->o[i];
        double gap = o->t_s - end_of(a);
        if (gap > JOIN_GAP_S || o->part != BURST_WHOLE || !alike(a, o) ||
            (o->fp.kind != KIND_UNKNOWN && fmin(-gap, o->dur_s) > OVERLAP_S &&
             a->dur_s > OVERLAP_S))
            continue;
        double end = fmax(end_of(a), end_of(o)), t = fmin(a->t_s, o->t_s);
        if (o->dur_s > a->dur_s && o->fp.kind != KIND_UNKNOWN)
            a->freq_hz = o->freq_hz;            // the longer piece is measured better
        a->level_dbfs = fmax(a->level_dbfs, o->level_dbfs);
        a->flags |= o->flags;
        a->t_s = t;
        a->dur_s = end - t;
        return true;
    }
    return false;
}

bool join_shadows(const struct join *j, const struct obs *o)
{
    const double edge_s = 100e-6, skirt_hz = 3e6;
    enum sig_kind k = o->fp.kind;

    if (k != KIND_UNKNOWN && k != KIND_CW && k != KIND_AM && k != KIND_FM)
        return false;
    for (unsigned i = 0; i < j->n; i++) {
        const struct obs *a = &j->o[i];
        if (o->t_s >= a->t_s - edge_s && end_of(o) <= end_of(a) + edge_s &&
            fabs(o->freq_hz - a->freq_hz) < skirt_hz && o->level_dbfs < a->level_dbfs - 3)
            return true;
    }
    return false;
}

bool join_put(struct join *j, const struct obs *o)
{
    if (j->n == JOIN_MAX)
        return false;
    j->o[j->n++] = *o;
    return true;
}

bool join_take(struct join *j, double now_s, struct obs *ret)
{
    for (unsigned i = 0; i < j->n; i++)
        if (end_of(&j->o[i]) + JOIN_GAP_S < now_s) {
            *ret = j->o[i];
            memmove(&j->o[i], &j->o[i + 1], (--j->n - i) * sizeof j->o[0]);
            return true;
        }
    return false;
}
