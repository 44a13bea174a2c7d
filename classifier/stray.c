// SPDX-License-Identifier: GPL-3.0-or-later
// Pieces and skirts.  Beside a strong burst of a known kind lies more energy than its model says:
//
//      f ^   .---- skirt ----.          level under the burst's, and its time overlaps
//        |   |=====burst=====|
//        |   '---piece--'
//        +---------------------> t
//
// And a packet that a strong burst falls onto loses its kind.  Such energy proves nobody.  It is
// counted, and a group made mostly of it is not told.  Anything with a modulation of its own
// (chirps, FSK) is never taken for a piece here.
#include "classifier/stray.h"

#include <math.h>
#include <string.h>

#define SLACK_S   60e-6         // edges of both are this uncertain
#define BESIDE    0.75          // skirts reach this share of the width to either side
#define OVER_DB   3.0           // two pieces' levels are known to this
#define COLLIDED  0.1           // of its time: what was measured of it is spoiled
#define RIM       0.49          // of the rate, from the middle
#define WAIT_S    0.010         // what overlaps begins earlier, or is told within this

bool stray_could(const struct obs *o)
{
    switch (group_kind_of(o)) {
    case GROUP_UNKNOWN:
    case GROUP_AM:
    case GROUP_FM:
    case GROUP_CW:
    case GROUP_OFDM:
    case GROUP_DSSS: return o->part == BURST_WHOLE;
    default:         return false;
    }
}

void stray_solid(struct stray *s, const struct obs *o)
{
    // one part of a run stands for the time until the next
    double len = o->part == BURST_RUN_FIRST || o->part == BURST_RUN_MORE
                     ? fmax(o->dur_s, DSP_RUN_STEP_S) : o->dur_s;
    double half = o->bw_hz * (0.5 + BESIDE);

    s->solid[s->n_solid++ % STRAY_SOLID] = (struct stray_solid){
        o->t_s - SLACK_S, o->t_s + len + SLACK_S, o->freq_hz - half, o->freq_hz + half,
        o->level_dbfs };
}

bool stray_hold(struct stray *s, const struct obs *o)
{
    if (s->n_held == STRAY_HELD)
        return false;
    s->held[s->n_held++] = *o;
    return true;
}

bool stray_take(struct stray *s, double now_s, struct obs *ret)
{
    for (unsigned i = 0; i < s->n_held; i++) {
        const struct obs *o = &s->held[i];
        if (s->n_held < STRAY_HELD && o->t_s + o->dur_s + WAIT_S > now_s)
            continue;
        *ret = *o;
        memmove(&s->held[i], &s->held[i + 1], (--s->n_held - i) * sizeof s->held[0]);
        return true;
    }
    return false;
}

bool stray_explained(const struct stray *s, const struct obs *o)
{
    unsigned n = s->n_solid < STRAY_SOLID ? s->n_solid : STRAY_SOLID;

    if (o->rate_hz > 0 && fabs(o->freq_hz - o->centre_hz) + o->bw_hz / 2 > RIM * o->rate_hz)
        return true;            // the capture's edge cuts it: a part of something has no kind
    for (unsigned i = 0; i < n; i++) {
        const struct stray_solid *y = &s->solid[i];
        double in = fmin(y->t1_s, o->t_s + o->dur_s) - fmax(y->t0_s, o->t_s);
        if (in > COLLIDED * o->dur_s && o->freq_hz > y->lo_hz && o->freq_hz < y->hi_hz &&
            o->level_dbfs < y->level_dbfs + OVER_DB)
            return true;
    }
    return false;
}
