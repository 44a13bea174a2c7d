// SPDX-License-Identifier: GPL-3.0-or-later
// An emitter turns its model's packets into voices; a voice is one transmission on the air.
//
//     model --packet--> ahead --(the next one known)--> voice: samples at the model's rate
//                                                         |  ray 1, ray 2: interpolate, shift, add
//                                                         v
//                                       x[n0 .. n0+n)   the receiver's block
//
// One packet is always held ahead, because only the next one says whether a transmission goes on
// (`continues`): then it is appended to the voice, and the seam is none.  All phases and places are
// functions of the sample index, kept in 64-bit fractions, so an hour of carrier stays in phase.
#include "sdr/sim/emitter.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/voice.h"

#define NEWS 16
#define LONGEST_S 10.0          // of a packet that is not told in pieces

struct ahead {
    bool   there;
    struct tx_packet p;
    double start;               // receiver samples, jitter included
    size_t cap;
    float complex *iq;
};

struct emitter {
    const struct scene_emitter *scene;
    const struct view *view;
    void        *model;
    struct rng   rng;           // phases
    char         name[32];
    uint64_t     keys;
    struct ahead ahead, then;
    bool         skipping;      // the transmission being read is not for this capture ...
    double       skipped_to;    // the one being read has been read up to this receiver sample
    bool         renewed;       // it is to begin anew with its next piece
    bool         noted;         // it has truth
    struct voice *voices, *spare, *open;    // on the air; for reuse; the one that may go on
    struct voice_tables tables;
    struct emitter_news *news;
    size_t       n_news, cap_news, told;
};

static double scene_end_s(const struct view *v) { return (double)v->samples / v->rate_hz; }

struct emitter *emitter_new(const struct scene_emitter *s, unsigned copy, const struct view *v,
                            const struct rng *rng, int *ret_err, char why[IQ_WHY])
{
    double clock = 1 + s->clock_ppm * 1e-6;
    // A scene's end ends the search for packets too; past it, one may still have begun before.
    double stop_s = fmin(s->stop_s, scene_end_s(v) + LONGEST_S);
    struct tx_args a = {
        .mode = s->mode[0] ? s->mode : NULL, .freq_hz = s->freq_hz,
        .capture_lo_hz = v->lo_hz, .capture_hi_hz = v->hi_hz,
        .period_s = s->period_s, .duration_s = s->duration_s,
        .payload_hex = s->payload_hex[0] ? s->payload_hex : NULL,
        .variant = s->variant[0] ? s->variant : NULL, .duty = s->duty, .value = s->value,
        .uid = s->uid ? s->uid + copy : 0, .until_s = (stop_s - s->start_s) * clock,
    };
    struct emitter *e = calloc(1, sizeof *e);
    *ret_err = -ENOMEM;
    if (!e)
        return NULL;
    e->scene = s;
    e->view = v;
    if (s->copies > 1)
        snprintf(e->name, sizeof e->name, "%.25s/%u", s->name, copy + 1);
    else
        snprintf(e->name, sizeof e->name, "%s", s->name);
    struct rng own;
    rng_fork(&own, rng, 0);
    rng_fork(&e->rng, rng, 1);
    why[0] = 0;
    *ret_err = s->model->make(&e->model, &a, &own, why);
    if (*ret_err < 0) {
        e->model = NULL;
        emitter_free(e);
        return NULL;
    }
    return e;
}

static void voices_free(struct voice *v)
{
    while (v) {
        struct voice *next = v->next;
        voice_free(v);
        v = next;
    }
}

void emitter_free(struct emitter *e)
{
    if (!e)
        return;
    if (e->model && e->scene->model->drop)
        e->scene->model->drop(e->model);
    voices_free(e->voices);
    voices_free(e->spare);
    voice_tables_done(&e->tables);
    free(e->ahead.iq);
    free(e->then.iq);
    free(e->news);
    free(e);
}

// Where a packet starts, in the receiver's samples.
static double start_of(const struct emitter *e, double t_s)
{
    double clock = 1 + e->scene->clock_ppm * 1e-6;
    return (e->scene->start_s + t_s / clock) * e->view->rate_hz * e->view->scale;
}

static double jitter(const struct emitter *e)
{
    return e->scene->jitter_us * 1e-6 * e->view->rate_hz;
}

// The model's next packet, copied: the model owns its samples only until it is asked again.
static int fetch(struct emitter *e, struct ahead *h)
{
    int got = e->scene->model->next(e->model, &h->p);
    h->there = got > 0;
    if (got <= 0)
        return got;
    assert(h->p.n > 0 && h->p.rate_hz > 0 && h->p.iq && h->p.t_s >= 0);
    if (h->p.n > h->cap) {
        float complex *p = realloc(h->iq, h->p.n * sizeof *p);
        if (!p) {
            h->there = false;
            return -ENOMEM;
        }
        h->iq = p;
        h->cap = h->p.n;
    }
    memcpy(h->iq, h->p.iq, h->p.n * sizeof *h->iq);
    h->p.iq = h->iq;
    h->start = start_of(e, h->p.t_s);
    if (e->scene->jitter_us > 0)
        h->start = fmax(0, h->start + jitter(e) * rng_between(&e->rng, -1, 1));
    return 0;
}

static int advance(struct emitter *e)
{
    struct ahead was = e->ahead;
    e->ahead = e->then;
    e->then = was;
    return fetch(e, &e->then);
}

static int news_add(struct emitter *e, const struct voice *v, bool again)
{
    if (e->n_news == e->cap_news) {
        size_t cap = e->cap_news ? 2 * e->cap_news : NEWS;
        struct emitter_news *p = realloc(e->news, cap * sizeof *p);
        if (!p)
            return -ENOMEM;
        e->news = p;
        e->cap_news = cap;
    }
    struct emitter_news *w = &e->news[e->n_news++];
    *w = (struct emitter_news){ .key = v->key, .again = again, .closed = v->closed,
                                .truth = v->truth };
    w->start = (uint64_t)ceil(fmax(v->start - 1e-6, 0));    // rounding is no sample
    double last = (double)e->view->samples / e->view->rate_hz;
    double end_s = v->truth.t_s + (double)v->total / v->step / e->view->rate_hz;
    w->truth.dur_s = (end_s < last ? end_s : last) - v->truth.t_s;
    return 0;
}

static struct iq_truth truth_of(const struct emitter *e, const struct tx_packet *p,
                                const struct voice_cfg *c)
{
    const struct view *v = e->view;
    struct iq_truth t = { .bit_exact = p->bit_exact, .bw_hz = p->bw_hz };
    double noise_db = v->noise_dbfs_hz + 10 * log10(p->bw_hz);
    t.t_s = c->start / v->rate_hz;
    t.freq_hz = v->centre_hz + c->turns * v->rate_hz;
    t.level_dbfs = c->level_db;
    t.snr_db = v->noise_dbfs_hz > SCENE_NO_NOISE ? c->level_db - noise_db : 999;
    snprintf(t.family, sizeof t.family, "%s", e->scene->model->family);
    snprintf(t.link, sizeof t.link, "%s", p->link);
    snprintf(t.emitter, sizeof t.emitter, "%s", e->name);
    t.payload_len = p->payload_len < sizeof t.payload ? p->payload_len : sizeof t.payload;
    memcpy(t.payload, p->payload, t.payload_len);
    return t;
}

// How a packet reaches this receiver.
static struct voice_cfg cfg_of(struct emitter *e, const struct tx_packet *p)
{
    const struct scene_emitter *s = e->scene;
    const struct view *v = e->view;
    double sent_hz = p->freq_hz * (1 + s->carrier_ppm * 1e-6) + s->carrier_hz;
    double lo_hz = v->centre_hz * v->scale, rate = v->rate_hz * v->scale;
    struct voice_cfg c = { .start = e->ahead.start, .carrier_hz = sent_hz,
                           .turns = (sent_hz - lo_hz) / rate, .rate = rate };
    c.step = p->rate_hz * (1 + s->clock_ppm * 1e-6) / rate;
    c.level_db = p->gain_db + s->level_db;
    if (s->by_snr)
        c.level_db += v->noise_dbfs_hz + 10 * log10(p->bw_hz);
    c.ramp = s->ramp_us * 1e-6 * p->rate_hz;
    c.fading = s->faded ? &s->fading : NULL;
    c.phase = rng_u64(&e->rng);
    return c;
}

// A new transmission: a voice, unless nothing of it falls into the capture.
static int begin(struct emitter *e)
{
    const struct tx_packet *p = &e->ahead.p;
    struct voice_cfg c = cfg_of(e, p);
    double rate = e->view->rate_hz * e->view->scale;
    e->open = NULL;
    e->renewed = false;
    e->skipping = fabs(c.turns) >= 0.5 + 0.5 * c.step;
    e->skipped_to = c.start;
    e->noted = fabs(c.turns) < 0.5 + 0.5 * p->bw_hz / rate;
    if (e->skipping)
        return 0;
    struct voice *v = e->spare ? e->spare : voice_new();
    if (!v)
        return -ENOMEM;
    if (v == e->spare)
        e->spare = v->next;
    v->next = e->voices;
    e->voices = e->open = v;
    int err = voice_start(v, &c, &e->tables);
    if (err < 0)
        return err;
    v->key = e->keys++;
    v->noted = e->noted;
    v->truth = truth_of(e, p, &c);
    return 0;
}

// Moves the packet ahead into its voice.
static int take(struct emitter *e)
{
    if (e->ahead.p.continues && e->renewed)
        e->ahead.start = e->skipped_to;
    int err = e->ahead.p.continues && !e->renewed ? 0 : begin(e);
    bool ends = !(e->then.there && e->then.p.continues);
    double clock = (1 + e->scene->clock_ppm * 1e-6) / e->view->scale;
    e->skipped_to += (double)e->ahead.p.n * e->view->rate_hz / (e->ahead.p.rate_hz * clock);
    if (!err && e->open && !e->skipping) {
        bool first = !e->open->total;
        err = voice_append(e->open, e->ahead.iq, e->ahead.p.n, ends);
        if (!err && e->open->noted && (first || ends))
            err = news_add(e, e->open, !first);
    }
    if (ends)
        e->open = NULL;
    return err < 0 ? err : advance(e);
}

// Whether the packet ahead is needed for samples before `end`.
static bool due(const struct emitter *e, uint64_t end)
{
    const struct tx_packet *p = &e->ahead.p;
    if (!e->ahead.there)
        return false;
    if (p->continues && e->open)
        return voice_wants(e->open, end);
    if (p->continues)
        return e->skipped_to < (double)end;
    double start = e->ahead.start - 2 * jitter(e);     // the one behind it may come before it
    return start < (double)e->view->samples &&
           start - VOICE_LEAD(p->rate_hz / e->view->rate_hz) < (double)end;
}

static int prime(struct emitter *e)
{
    const struct scene_emitter *s = e->scene;
    // Never on the air: models take a length of 0 for "without end".
    if (s->stop_s <= s->start_s || s->start_s >= scene_end_s(e->view))
        return 0;
    if (e->ahead.there || e->then.there || e->keys)
        return 0;
    int err = fetch(e, &e->then);
    return err < 0 ? err : advance(e);
}

int emitter_add(struct emitter *e, uint64_t n0, size_t n, float complex *x)
{
    int err = n0 ? 0 : prime(e);
    while (!err && due(e, n0 + n))
        err = take(e);
    if (err < 0)
        return err;
    for (struct voice **at = &e->voices; *at;) {
        struct voice *v = *at;
        if (voice_add(v, n0, n, x)) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        v->next = e->spare;
        e->spare = v;
    }
    return 0;
}

int emitter_retune(struct emitter *e)
{
    int err = 0;
    while (e->voices) {
        struct voice *v = e->voices;
        if (v->noted && !v->closed && !err) {
            v->closed = true;           // its truth ends where it was read to
            err = news_add(e, v, true);
        }
        e->voices = v->next;
        v->next = e->spare;
        e->spare = v;
    }
    e->open = NULL;
    e->renewed = true;
    return err;
}

const struct emitter_news *emitter_news(struct emitter *e)
{
    if (e->told == e->n_news) {
        e->told = e->n_news = 0;
        return NULL;
    }
    return &e->news[e->told++];
}
