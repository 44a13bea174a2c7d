// SPDX-License-Identifier: GPL-3.0-or-later
// A radio's noise floor against its own history: what rises or falls without anybody having touched
// the radio is a jammer, a loose antenna, a cable that is off.
//
//     value a minute ... |---usual (median)---|      now
//     ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~/~~~~  off for a minute: a trouble
//
// Of each centre, rate and gain its own history: another gain moves the floor and is no trouble.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define MINUTE_NS INT64_C(60000000000)
#define OFF_DB   6.0            // a jammer worth the name; crowds of Wi-Fi move it by 2 to 3
#define BACK_DB  4.0            // and back: not flapping at the edge
#define ENOUGH   10             // minutes before there is a usual
#define FAR_STEP 4              // while off, one minute in four is learnt: usual after 6 hours

static int by_value(const void *a, const void *b)
{
    return *(const int16_t *)a - *(const int16_t *)b;
}

static void learn(struct floor_log *f, double dbfs)
{
    int16_t v[FLOOR_MINUTES];
    f->value[f->next] = (int16_t)lrint(10 * fmax(-3000, fmin(3000, dbfs)));
    f->next = (f->next + 1) % FLOOR_MINUTES;
    f->n += f->n < FLOOR_MINUTES;
    memcpy(v, f->value, f->n * sizeof v[0]);
    qsort(v, f->n, sizeof v[0], by_value);
    f->usual_dbfs = f->n >= ENOUGH ? v[f->n / 2] / 10.0 : NAN;
}

static bool same_number(double a, double b, double within)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= within;
}

static struct floor_log *place_of(struct sensor *s, const struct wire_radio *r)
{
    struct floor_log *oldest = &s->floor[0];
    for (unsigned k = 0; k < FLOOR_PLACES; k++) {
        struct floor_log *f = &s->floor[k];
        if (!strcmp(f->radio, r->name) && same_number(f->centre_hz, r->centre_hz, 1e3) &&
            same_number(f->rate_hz, r->rate_hz, 1) && same_number(f->gain_db, r->gain_db, 0.05))
            return f;
        if (f->seen_mono_ns < oldest->seen_mono_ns)
            oldest = f;
    }
    *oldest = (struct floor_log){ .centre_hz = r->centre_hz, .rate_hz = r->rate_hz,
                                  .gain_db = r->gain_db, .usual_dbfs = NAN };
    memcpy(oldest->radio, r->name, sizeof oldest->radio);
    return oldest;
}

static void take(struct core *c, struct floor_log *f, double dbfs)
{
    double d_db = dbfs - f->usual_dbfs;             // NAN: no usual yet
    int side = d_db > OFF_DB ? 1 : d_db < -OFF_DB ? -1 : 0;
    if (!side && f->side && d_db * f->side > BACK_DB)
        side = f->side;
    if (side != f->side)
        f->off_mono_ns = c->mono_ns;
    f->side = side;
    f->now_dbfs = dbfs;
    f->seen_mono_ns = c->mono_ns;
    if (f->n && c->mono_ns - f->taken_mono_ns < MINUTE_NS)
        return;
    f->taken_mono_ns = c->mono_ns;
    f->far_minutes = side ? f->far_minutes + 1 : 0;
    if (!side || f->far_minutes % FAR_STEP == 0)
        learn(f, dbfs);
}

// ---- Over a restart of the post ---------------------------------------------------------------

// A jammer that is there while the post restarts must not become the usual, nor its trouble end.
#define KEPT_NS  (60 * MINUTE_NS)   // heard within the hour: it has hardly been carried elsewhere
#define KEPT_MOST 30                // minutes it counts for: what is true is learnt within as long

unsigned floor_kept_of(const struct sensor *s, struct floor_kept ret[FLOOR_PLACES])
{
    unsigned n = 0;
    for (unsigned k = 0; s->floor && k < FLOOR_PLACES; k++) {
        const struct floor_log *f = &s->floor[k];
        if (!isfinite(f->usual_dbfs) || !f->n)
            continue;
        ret[n] = (struct floor_kept){ .centre_hz = f->centre_hz, .rate_hz = f->rate_hz,
                                      .gain_db = f->gain_db, .usual_dbfs = f->usual_dbfs,
                                      .minutes = f->n };
        memcpy(ret[n++].radio, f->radio, sizeof f->radio);
    }
    return n;
}

void floor_back(struct core *c, struct sensor *s, const struct floor_kept *k, unsigned n)
{
    if (!n || c->now_ns - s->heard_ns > KEPT_NS ||
        (!s->floor && !(s->floor = calloc(FLOOR_PLACES, sizeof *s->floor))))
        return;
    for (unsigned i = 0; i < n && i < FLOOR_PLACES; i++) {
        struct floor_log *f = &s->floor[i];
        if (!isfinite(k[i].usual_dbfs) || !isfinite(k[i].centre_hz) || k[i].minutes < ENOUGH)
            continue;
        *f = (struct floor_log){ .centre_hz = k[i].centre_hz, .rate_hz = k[i].rate_hz,
                                 .gain_db = k[i].gain_db, .usual_dbfs = NAN,
                                 .seen_mono_ns = c->mono_ns, .taken_mono_ns = c->mono_ns };
        memcpy(f->radio, k[i].radio, sizeof f->radio);
        for (unsigned m = 0; m < k[i].minutes && m < KEPT_MOST; m++)
            learn(f, k[i].usual_dbfs);
    }
}

// Its health tells of one window of many, another each time: its ledger tells of the bands.
static bool scans(const struct sensor *s, const char *radio)
{
    const struct wire_ledger *l = &s->ledger[(s->n_ledger + CORE_LEDGERS - 1) % CORE_LEDGERS];

    for (unsigned b = 0; s->n_ledger && b < l->n_bands && b < WIRE_BANDS; b++)
        if (l->band[b].windows && !strcmp(l->band[b].radio, radio))
            return true;
    return false;
}

void floor_bands(struct core *c, struct sensor *s, const struct wire_ledger *l)
{
    if (!s->floor && !(s->floor = calloc(FLOOR_PLACES, sizeof *s->floor)))
        return;
    for (unsigned b = 0; b < l->n_bands && b < WIRE_BANDS; b++) {
        const struct wire_band *w = &l->band[b];
        struct wire_radio r = { .centre_hz = (w->lo_hz + w->hi_hz) / 2,
                                .rate_hz = w->hi_hz - w->lo_hz, .gain_db = w->gain_db };
        memcpy(r.name, w->radio, sizeof r.name);
        if (w->windows && w->watched_s > 0 && isfinite(w->floor_dbfs))
            take(c, place_of(s, &r), w->floor_dbfs);
    }
}

void floor_take(struct core *c, struct sensor *s)
{
    if (!s->floor && !(s->floor = calloc(FLOOR_PLACES, sizeof *s->floor)))
        return;                 // no memory: no history, all else goes on
    for (unsigned i = 0; i < s->health.n_radios && i < WIRE_RADIOS; i++) {
        const struct wire_radio *r = &s->health.radio[i];
        if (isfinite(r->floor_dbfs) && isfinite(r->centre_hz) && !strcmp(r->state, "running") &&
            !scans(s, r->name))
            take(c, place_of(s, r), r->floor_dbfs);
    }
}
