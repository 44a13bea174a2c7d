// SPDX-License-Identifier: GPL-3.0-or-later
// The standing detectors as the chain runs them: DroneID's correlator (dsp/droneid/corr.c) and the
// others (dsp/stand/) read the same blocks of one forward transform.  Only DroneID's holds the
// arbiter up: a LoRa packet is known a few of its symbols after its end, long before the front
// answers.
#include <math.h>
#include <stdlib.h>

#include "dsp/burst.h"
#include "dsp/stand/stand.h"
#include "dsp/stand/wide.h"

#define LAST 2                  // blocks of silence behind the last for dsp/stand/

struct standing {
    struct wide      *wide;
    struct dcorr     *dcorr;    // NULL: not looked for
    struct stand     *stand;
    struct stand_list list;
    struct cand_list *out;
    double            centre_hz;
};

struct standing *standing_new(const struct iq_info *info, bool droneid)
{
    struct standing *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->wide = wide_new(info->rate_hz);
    s->stand = stand_new(info->rate_hz, info->centre_hz);
    s->dcorr = droneid ? dcorr_new(info->rate_hz) : NULL;
    s->centre_hz = info->centre_hz;
    if (!s->wide || !s->stand || (droneid && !s->dcorr)) {
        standing_free(s);
        return NULL;
    }
    return s;
}

void standing_free(struct standing *s)
{
    if (!s)
        return;
    wide_free(s->wide);
    stand_free(s->stand);
    dcorr_free(s->dcorr);
    free(s);
}

static bool wants_droneid(const struct standing *s) { return s->dcorr && dcorr_wants(s->dcorr); }

static const enum burst_hyp hyps[STAND_KINDS] = {
    [STAND_LORA] = HYP_LORA, [STAND_BLE] = HYP_BLE, [STAND_STF] = HYP_STF,
    [STAND_DSSS] = HYP_DSSS,
};

// Samples may be anything; what is made of them becomes places in tables.
static bool sane(const struct stand_cand *c)
{
    return fabs(c->n0) < 1e18 && fabs(c->n1) < 1e18 && isfinite(c->f_hz) && isfinite(c->bw_hz) &&
           isfinite(c->snr_db) && isfinite(c->metric);
}

static void pass_on(struct standing *s)
{
    for (unsigned i = 0; i < s->list.n; i++) {
        const struct stand_cand *c = &s->list.c[i];
        if (!sane(c))
            continue;
        if (s->out->n == CAND_MAX) {
            s->out->dropped++;
            continue;
        }
        s->out->c[s->out->n++] = (struct cand){
            .hyp = hyps[c->kind], .part = BURST_WHOLE,
            .n0 = (uint64_t)fmax(c->n0, 0),
            .n1 = (uint64_t)fmax(c->n1, 0) + 1, .f_lo_hz = c->f_hz - c->bw_hz / 2,
            .f_hi_hz = c->f_hz + c->bw_hz / 2, .snr_db = (float)c->snr_db,
            .metric = (float)c->metric, .sf = c->sf, .down = c->down, .ends = c->n1_known,
        };
    }
    s->out->dropped += s->list.dropped;
    s->list.n = 0;
    s->list.dropped = 0;
}

static void told(void *arg, const struct wide_spec *spec)
{
    struct standing *s = arg;
    if (wants_droneid(s))
        dcorr_spec(s->dcorr, spec, s->out);
    stand_spec(s->stand, spec, &s->list);
}

static void end(struct standing *s)
{
    bool both = wants_droneid(s);
    wide_silence(s->wide, both && dcorr_lag(s->dcorr) > LAST ? dcorr_lag(s->dcorr) : LAST, told, s);
    if (both)
        dcorr_end(s->dcorr, s->out);
    stand_flush(s->stand, &s->list);
}

void standing_block(struct standing *s, const struct iq_block *b, struct cand_list *out)
{
    uint64_t last = b->n0 + b->n;
    s->out = out;
    if (wants_droneid(s) || !stand_idle(s->stand, b->centre_hz)) {
        if (wide_breaks(s->wide, b)) {
            end(s);
            wide_restart(s->wide, b);
        }
        wide_block(s->wide, b, told, s);
    }
    pass_on(s);
    if (!wants_droneid(s) && last > out->done)
        out->done = last;
}

void standing_flush(struct standing *s, struct cand_list *out)
{
    s->out = out;
    end(s);
    pass_on(s);
    out->done = UINT64_MAX;
}
