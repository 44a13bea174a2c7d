// SPDX-License-Identifier: GPL-3.0-or-later
// Findings as a chain would tell them, made up: what the classifier's tests push.
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "classifier/classifier.h"

#define FEED_MAX 20000

struct feed {                       // one capture
    double         rate_hz, centre_hz;
    struct rng     rng;
    struct finding f[FEED_MAX];
    unsigned       n;
};

static inline void feed_init(struct feed *d, double rate_hz, double centre_hz, uint64_t seed)
{
    memset(d, 0, sizeof *d);
    d->rate_hz = rate_hz;
    d->centre_hz = centre_hz;
    rng_init(&d->rng, seed);
}

// The next finding to fill in, at t_s, or NULL when its centre lies outside the capture.
static inline struct finding *feed_add(struct feed *d, double t_s, double dur_s, double freq_hz,
                                       double bw_hz)
{
    const struct meas none = MEAS_NONE;

    if (fabs(freq_hz - d->centre_hz) > 0.475 * d->rate_hz - bw_hz / 2 || t_s < 0 ||
        d->n == FEED_MAX)
        return NULL;
    struct finding *f = &d->f[d->n++];
    struct fingerprint *p = &f->fp;
    struct meas *all[] = { &p->env_cv, &p->papr_db, &p->on_fraction, &p->symbol_rate_bd,
        &p->deviation_hz, &p->mod_index, &p->chirp_hz_per_s, &p->sweep_hz, &p->lora_symbols,
        &p->useful_symbol_s, &p->cp_s, &p->cp_corr, &p->symbol_period_s, &p->long_cp_every,
        &p->lte_pss, &p->wifi_stf, &p->chip_rate_hz, &p->barker_corr, &p->line_rate_hz,
        &p->line_corr };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = none;
    *f = (struct finding){ .part = BURST_WHOLE, .hyp = HYP_ENERGY, .origin = IQ_SIMULATION,
                           .rate_hz = d->rate_hz, .centre_hz = d->centre_hz, .fp = *p };
    p->kind_p = 0.9;
    p->t_s = (struct meas){ t_s, 5e-6 };
    p->dur_s = (struct meas){ dur_s, 10e-6 };
    p->freq_hz = (struct meas){ freq_hz, 2e3 };
    p->bw_hz = p->bw99_hz = (struct meas){ bw_hz, 0.02 * bw_hz };
    p->snr_db = (struct meas){ 15, 0.5 };
    p->level_dbfs = -40;
    return f;
}

static inline void feed_lora(struct feed *d, double t_s, double freq_hz, int sf, double bw_hz,
                             double dur_s)
{
    struct finding *f = feed_add(d, t_s, dur_s, freq_hz, bw_hz);
    if (!f)
        return;
    f->fp.kind = KIND_LORA;
    f->fp.sf = sf;
    f->fp.sweep_hz = (struct meas){ bw_hz, 0.02 * bw_hz };
    f->fp.chirp_hz_per_s = (struct meas){ bw_hz * bw_hz / exp2(sf), 1e6 };
}

static inline struct finding *feed_fsk(struct feed *d, double t_s, double freq_hz, double rate_bd,
                                       double index, double dur_s)
{
    struct finding *f = feed_add(d, t_s, dur_s, freq_hz, rate_bd * (1 + index));
    if (!f)
        return NULL;
    f->fp.kind = fabs(index - 0.5) < 0.05 ? KIND_MSK : KIND_FSK;
    f->fp.symbol_rate_bd = (struct meas){ rate_bd, 0.002 * rate_bd };
    f->fp.mod_index = (struct meas){ index, 0.01 };
    f->fp.deviation_hz = (struct meas){ index * rate_bd / 2, 0.01 * rate_bd };
    return f;
}

static inline int feed_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    return (x->fp.t_s.v > y->fp.t_s.v) - (x->fp.t_s.v < y->fp.t_s.v);
}

// Pushes all in order of start and finishes.
static inline void feed_push(struct feed *d, struct cls *c)
{
    qsort(d->f, d->n, sizeof d->f[0], feed_order);
    for (unsigned i = 0; i < d->n; i++) {
        struct decode helped;
        d->f[i].id = i + 1;
        d->f[i].tick = (uint64_t)(d->f[i].fp.t_s.v * d->rate_hz);
        cls_push(c, &d->f[i], &helped);
    }
    cls_finish(c);
}

// A hopper on a packet grid, as firmware would run it.
struct feed_hopper {
    int      sf;                        // 0: FSK of symbol_bd, index
    double   bw_hz, symbol_bd, index;
    double   burst_s, period_s;
    unsigned per_hop, channels;
    double   start_hz, step_hz;
    double   ppm, jitter_s, hole;       // clock and carrier error, start jitter, share not sent
    double   t0_s, until_s;
    double   freq_sigma_hz;             // of the measurement
};

static inline void feed_hop(struct feed *d, const struct feed_hopper *h)
{
    double p = h->period_s * (1 - h->ppm * 1e-6);
    unsigned order[256], at = 0;

    for (unsigned k = 0; h->t0_s + k * p < h->until_s; k++) {
        if (k % h->per_hop == 0) {
            if (at % h->channels == 0)          // a fresh shuffle: each channel once a round
                for (unsigned i = 0; i < h->channels; i++) {
                    unsigned j = rng_below(&d->rng, i + 1);
                    order[i] = order[j];
                    order[j] = i;
                }
            at++;
        }
        double f = (h->start_hz + order[(at - 1) % h->channels] * h->step_hz) * (1 + h->ppm * 1e-6)
                 + h->freq_sigma_hz * rng_normal(&d->rng);
        double t = h->t0_s + k * p + h->jitter_s * rng_normal(&d->rng);
        if (rng_uniform(&d->rng) < h->hole)
            continue;
        if (h->sf)
            feed_lora(d, t, f, h->sf, h->bw_hz, h->burst_s);
        else
            feed_fsk(d, t, f, h->symbol_bd, h->index, h->burst_s);
    }
}

// ---- A classifier to push them to, and what it then holds (include cmocka first) ----

static inline struct cls *feed_classifier(enum droneid_mode mode)
{
    char why[IQ_WHY];
    struct cls *c;
    if (cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig", .droneid = mode }, why) < 0)
        fail_msg("%s", why);
    return c;
}

static inline unsigned feed_count(const struct cls *c, const char *family)
{
    const struct track *t;
    unsigned n = 0;
    for (size_t i = 0; (t = cls_track(c, i)); i++)
        n += !family || !strcmp(t->family, family);
    return n;
}

static inline unsigned feed_drones(const struct cls *c)
{
    const struct track *t;
    unsigned n = 0;
    for (size_t i = 0; (t = cls_track(c, i)); i++)
        n += t->verdict == VERDICT_DRONE;
    return n;
}
