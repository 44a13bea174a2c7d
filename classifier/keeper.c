// SPDX-License-Identifier: GPL-3.0-or-later
// Whose samples are kept: on the chain's thread, from findings and tracks.
//
//     findings  |box|  |box||box|     |box|   remembered for some seconds, with when and where
//     track becomes a drone's, or named and unknown:  its bursts of before, 200 ms around its last,
//                                                     and from then on a burst every quarter second
#include "classifier/keep.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define CUT_EVERY_S 0.25
#define CUT_S       0.004       // before and behind a burst: noise to judge it by
#define CUT_MOST_S  0.04        // of a burst
#define SETTLED_S   0.1         // behind a span all bursts that began in it have been told
#define EARLIER     10          // cut-outs from before the trigger, at most
#define SLACK_HZ    100e3
#define BLE_MOST_S  400e-6      // an advertisement: 376 us, of which 128 are told (stand/ble.c)
#define EDGE_S      100e-6      // keep_mask.c takes out so much before and behind a burst

static bool between(struct meas m, double lo, double hi)
{
    return meas_ok(m) && m.v >= lo && m.v <= hi;
}

// Wi-Fi, Bluetooth, BLE: by what was measured, whoever sent it.  In doubt it is one.
bool keeper_bystander(const struct fingerprint *p)
{
    bool fsk = p->kind == KIND_FSK || p->kind == KIND_MSK;

    return p->kind == KIND_UNKNOWN || p->kind == KIND_DSSS || p->numerology == OFDM_WIFI ||
           p->numerology == OFDM_WIFI_AX || between(p->wifi_stf, 0.5, 1e9) ||
           between(p->barker_corr, 0.5, 1e9) ||
           (p->kind == KIND_OFDM && p->numerology == OFDM_OTHER) ||
           (fsk && (!meas_ok(p->symbol_rate_bd) || between(p->symbol_rate_bd, 0.8e6, 1.2e6) ||
                    between(p->symbol_rate_bd, 1.7e6, 3.3e6)));
}

// ---- Bursts ----------------------------------------------------------------------------------

// The oldest box makes room, unless its run is still on the air.  Noted is until when bursts are
// forgotten: of a cut that reaches further back nobody knows whose bursts are in it.
static struct keep_box *box_free(struct keeper *k, double now_s)
{
    struct keep_box *b;
    unsigned tries = 0;

    do
        b = &k->box[k->next_box++ % KEEP_BOXES];
    while (b->t1_s == INFINITY && ++tries < KEEP_BOXES);
    // All of them on the air: the next part of a run that lost its box makes it anew.
    k->forgotten_s = fmax(k->forgotten_s, b->t1_s == INFINITY ? now_s : b->t1_s);
    return b;
}

static struct keep_box *box_of(struct keeper *k, const struct finding *f)
{
    for (unsigned i = 0; f->part != BURST_WHOLE && i < KEEP_BOXES; i++)
        if (k->box[i].id == f->id && k->box[i].t1_s > 0)
            return &k->box[i];
    struct keep_box *b = box_free(k, f->fp.t_s.v);
    // An end alone does not say what its run was: in doubt a bystander's.
    *b = (struct keep_box){ .id = f->id, .t0_s = INFINITY, .lo_hz = INFINITY, .hi_hz = -INFINITY,
                            .plain = f->part != BURST_RUN_END };
    return b;
}

static bool own(const struct kept_track *t, const struct keep_box *b)
{
    double mid = (b->lo_hz + b->hi_hz) / 2;
    return b->plain && mid >= t->lo_hz - SLACK_HZ && mid <= t->hi_hz + SLACK_HZ;
}

static void want(struct keeper *k, unsigned track, unsigned number, double at_s, double t0_s,
                 double t1_s)
{
    for (unsigned i = 0; i < sizeof k->wait / sizeof k->wait[0]; i++)
        if (!k->wait[i].used) {
            k->wait[i].used = true;
            k->wait[i].track = track;
            k->wait[i].number = number;
            k->wait[i].at_s = at_s;
            k->wait[i].t0_s = t0_s;
            k->wait[i].t1_s = t1_s;
            return;
        }
    keep_refuse(k->keep);
}

static void cut(struct keeper *k, unsigned i, const struct keep_box *b)
{
    struct kept_track *t = &k->track[i];
    double end_s = fmin(b->t1_s, b->t0_s + CUT_MOST_S);

    if (t->cuts >= KEEP_CUTS || fabs(b->t0_s - t->last_cut_s) < CUT_EVERY_S)
        return;
    t->last_cut_s = b->t0_s;
    want(k, i, ++t->cuts, b->t0_s, b->t0_s - CUT_S, end_s + CUT_S);
}

void keeper_finding(struct keeper *k, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;

    if (!k->keep || f->reject || !meas_ok(p->freq_hz))
        return;
    bool run = f->part != BURST_WHOLE;
    struct keep_box *b = box_of(k, f);
    double half = (meas_ok(p->bw99_hz) ? p->bw99_hz.v : meas_ok(p->bw_hz) ? p->bw_hz.v : 1e6) / 2;
    double end_s = p->t_s.v + (meas_ok(p->dur_s) ? p->dur_s.v : 0.001);

    if (f->hyp & HYP_BLE)
        end_s = fmax(end_s, p->t_s.v + BLE_MOST_S);

    b->t0_s = fmin(b->t0_s, p->t_s.v);
    b->t1_s = run && f->part != BURST_RUN_END ? INFINITY : end_s;
    b->lo_hz = fmin(b->lo_hz, p->freq_hz.v - half);
    b->hi_hz = fmax(b->hi_hz, p->freq_hz.v + half);
    // An end that was told without its samples has no kind; what it was is known from its parts.
    if (f->part != BURST_RUN_END)
        b->plain = b->plain && (f->droneid.seen || !keeper_bystander(p));
    for (unsigned i = 0; i < k->n_tracks; i++)
        if (!k->track[i].ended && own(&k->track[i], b) && f->part != BURST_RUN_END)
            cut(k, i, b);
}

// ---- Tracks ----------------------------------------------------------------------------------

static void describe(struct kept_track *o, const struct track *t)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct json j;

    o->lo_hz = t->freq_lo_hz;
    o->hi_hz = t->freq_hi_hz;
    snprintf(o->family, sizeof o->family, "%s", t->family);
    snprintf(o->verdict, sizeof o->verdict, "%s", verdict_name(t->verdict));
    if (!f)
        return;
    json_init(&j, f);
    line_track(&j, t);
    if (!fclose(f) && n && n < sizeof o->line) {
        text[n - 1] = 0;                        // its newline
        memcpy(o->line, text, n);
    }
    free(text);
}

static void earlier(struct keeper *k, unsigned i, double from_s)
{
    from_s = fmax(from_s, k->forgotten_s + CUT_S + EDGE_S);
    for (unsigned n = 0; n < KEEP_BOXES && k->track[i].cuts < EARLIER; n++) {
        const struct keep_box *b = &k->box[(k->next_box - 1 - n) % KEEP_BOXES];
        if (b->t1_s > 0 && b->t0_s > from_s && own(&k->track[i], b))
            cut(k, i, b);
    }
}

// The first place whose track has ended and of which nothing is to be asked for any more, or a new
// one; KEEPER_TRACKS: none.
static unsigned track_free(struct keeper *k)
{
    uint32_t waits = 0;                         // bit i: of track i
    unsigned i = 0;

    static_assert(KEEPER_TRACKS <= 32, "a bit for each track");
    for (unsigned n = 0; n < sizeof k->wait / sizeof k->wait[0]; n++)
        waits |= k->wait[n].used ? UINT32_C(1) << k->wait[n].track : 0;
    while (i < k->n_tracks && (!k->track[i].ended || (waits >> i & 1)))
        i++;
    k->n_tracks += i == k->n_tracks && i < KEEPER_TRACKS;
    return i;
}

// It turned out to be somebody's own business: nothing more, nor what waits to be asked for.
static void let_go(struct keeper *k, unsigned track)
{
    k->track[track].cuts = KEEP_CUTS;
    for (unsigned i = 0; i < sizeof k->wait / sizeof k->wait[0]; i++)
        k->wait[i].used = k->wait[i].used && k->wait[i].track != track;
}

void keeper_track(struct keeper *k, const struct track *t, double ring_s)
{
    bool wanted = t->verdict == VERDICT_DRONE ||
                  (t->verdict == VERDICT_UNKNOWN && t->state == TRACK_NAMED);
    unsigned i = 0;

    if (!k->keep)
        return;
    while (i < k->n_tracks && strcmp(k->track[i].id, t->id))
        i++;
    if (i < k->n_tracks) {
        if (t->verdict == VERDICT_NOT_DRONE)
            let_go(k, i);
        k->track[i].ended = t->state == TRACK_ENDED;
        describe(&k->track[i], t);
        return;
    }
    if (!wanted || t->state == TRACK_ENDED)
        return;
    if ((i = track_free(k)) == KEEPER_TRACKS) {
        keep_refuse(k->keep);
        return;
    }
    k->track[i] = (struct kept_track){ .last_cut_s = -1e9 };
    snprintf(k->track[i].id, sizeof k->track[i].id, "%s", t->id);
    describe(&k->track[i], t);
    want(k, i, 0, t->last_s, t->last_s - 0.75 * KEEP_WIDE_S, t->last_s + 0.25 * KEEP_WIDE_S);
    earlier(k, i, t->last_s - ring_s);
}

// ---- Asking ----------------------------------------------------------------------------------

static void ask(struct keeper *k, unsigned i, int64_t utc_ns)
{
    bool forgotten = k->forgotten_s > fmax(0, k->wait[i].t0_s - EDGE_S);
    struct keep_want *w = forgotten ? NULL : calloc(1, sizeof *w);
    const struct kept_track *t = &k->track[k->wait[i].track];

    if (!w) {
        keep_refuse(k->keep);
        return;
    }
    memcpy(w->track, t->id, sizeof w->track);
    memcpy(w->family, t->family, sizeof w->family);
    memcpy(w->verdict, t->verdict, sizeof w->verdict);
    memcpy(w->line, t->line, sizeof w->line);
    w->number = k->wait[i].number;
    w->at_s = k->wait[i].at_s;
    w->t0_s = k->wait[i].t0_s;
    w->t1_s = k->wait[i].t1_s;
    w->utc_ns = utc_ns;
    for (unsigned n = 0; n < KEEP_BOXES; n++) {
        const struct keep_box *b = &k->box[n];
        if (b->t1_s > w->t0_s && b->t0_s < w->t1_s) {
            w->box[w->n_boxes] = *b;
            w->box[w->n_boxes++].plain = own(t, b);
        }
    }
    keep_ask(k->keep, w);
}

void keeper_tick(struct keeper *k, double now_s, int64_t (*utc)(void *arg, double t_s), void *arg)
{
    for (unsigned i = 0; k->keep && i < sizeof k->wait / sizeof k->wait[0]; i++)
        if (k->wait[i].used && now_s > k->wait[i].t1_s + SETTLED_S) {
            k->wait[i].used = false;
            ask(k, i, utc(arg, k->wait[i].t0_s));
        }
}
