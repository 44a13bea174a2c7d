// SPDX-License-Identifier: GPL-3.0-or-later
// How a sensor is, as a state.  It comes from what was measured and
// received, never from a process being there:
//
//     unknown    enrolled, not heard since this alertd runs
//     ok         health is fresh, every radio gives samples, nothing below is wrong
//     degraded   heard, and something is wrong: it is named
//     silent     heard, but no radio of it gives samples: it is deaf
//     lost       was heard, and is not any more
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define LOST_NS  (15 * S_NS)    // three health messages of 5 s missed
#define DEAF_S   5.0            // no samples for so long: a retune is 0.2 s, a restart of a radio 3
#define WATCH_NS (60 * S_NS)

static bool radio_hears(const struct wire_radio *r)
{
    // Not known when the last sample came: that is no proof that any came.
    return !strcmp(r->state, "running") && r->last_sample_s <= DEAF_S;
}

// What a sensor said that is not heard any more says nothing of now.
void radio_now(const struct core *c, const struct sensor *s, unsigned i, struct wire_radio *ret)
{
    double age_s = (double)(c->mono_ns - s->health_mono_ns) / 1e9;
    *ret = s->health.radio[i];
    bool known = s->state != SENSOR_LOST && s->state != SENSOR_UNKNOWN &&
                 c->mono_ns - s->health_mono_ns <= LOST_NS;
    if (!known || (!strcmp(ret->state, "running") && !radio_hears(ret)))
        snprintf(ret->state, sizeof ret->state, known ? "silent" : "unknown");
    ret->last_sample_s += age_s;
    ret->since_s += age_s;
    ret->clipping = ret->clipping && known;
}

static unsigned radios_hearing(const struct sensor *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->health.n_radios && i < WIRE_RADIOS; i++)
        n += radio_hears(&s->health.radio[i]);
    return n;
}

static bool lost(const struct core *c, const struct sensor *s)
{
    return s->heard_mono_ns && c->mono_ns - s->heard_mono_ns > LOST_NS;
}

// Marks what is wrong just now; equip_tick makes alerts of what stays wrong.
void sensor_mark(struct core *c, struct sensor *s, enum trouble t, bool bad, const char *what)
{
    if (bad != (s->bad_since_ns[t] != 0)) {
        s->bad_since_ns[t] = bad ? c->mono_ns : 0;
        s->good_since_ns[t] = bad ? 0 : c->mono_ns;
        s->dirty = true;
    }
    if (bad)
        snprintf(s->bad_what[t], sizeof s->bad_what[t], "%s", what);
}

// A counter that grew is bad for a minute from then.
void sensor_mark_count(struct core *c, struct sensor *s, enum trouble t, uint64_t count,
                       const char *said)
{
    char what[24];
    bool grew = count > s->bad_seen[t];
    if (grew) {
        s->bad_seen[t] = count;
        snprintf(what, sizeof what, "%llu", (unsigned long long)count);
        sensor_mark(c, s, t, true, said ? said : what);
        s->good_since_ns[t] = c->mono_ns;       // of a counter: when it last grew
    } else if (s->bad_since_ns[t] && c->mono_ns - s->good_since_ns[t] > WATCH_NS) {
        sensor_mark(c, s, t, false, "");
    }
}

static void judge_radios(struct core *c, struct sensor *s)
{
    unsigned hear = radios_hearing(s), n = s->health.n_radios;
    const struct wire_radio *bad = NULL;
    char what[96] = "";
    for (unsigned i = 0; i < n && i < WIRE_RADIOS; i++)
        if (!radio_hears(&s->health.radio[i]))
            bad = &s->health.radio[i];
    if (bad)
        snprintf(what, sizeof what, "%.31s", bad->name);
    sensor_mark(c, s, TROUBLE_DEAF, s->have_health && !hear, what);
    sensor_mark(c, s, TROUBLE_RADIO, bad && hear, what);
}

static void judge_loss(struct core *c, struct sensor *s)
{
    if (c->mono_ns - s->loss_looked_ns < S_NS && s->loss_looked_ns >= s->health_mono_ns)
        return;                 // five times a second of a thousand sensors would be work
    s->loss_looked_ns = c->mono_ns + 1;
    struct loss_news n = loss_look(c, s, s->bad_since_ns[TROUBLE_LOSS] != 0,
                                   s->bad_since_ns[TROUBLE_CLIP] != 0);
    s->loss_share = n.share;
    s->ripe[TROUBLE_LOSS] = n.lost_ripe;
    s->ripe[TROUBLE_CLIP] = n.clip_ripe;
    sensor_mark(c, s, TROUBLE_LOSS, n.lost, n.what);
    sensor_mark(c, s, TROUBLE_CLIP, n.clip != NULL, n.clip ? n.clip : "");
}

// Of each side the worst place; one that was left two minutes ago says nothing of now.
static void judge_floor(struct core *c, struct sensor *s)
{
    const struct floor_log *worst[2] = { NULL, NULL };
    char what[96];
    for (unsigned k = 0; s->floor && k < FLOOR_PLACES; k++) {
        const struct floor_log *f = &s->floor[k];
        if (!f->side || c->mono_ns - f->off_mono_ns < WATCH_NS ||
            c->mono_ns - f->seen_mono_ns > 2 * WATCH_NS)
            continue;
        const struct floor_log **w = &worst[f->side < 0];
        if (!*w || fabs(f->now_dbfs - f->usual_dbfs) > fabs((*w)->now_dbfs - (*w)->usual_dbfs))
            *w = f;
    }
    for (int low = 0; low < 2; low++) {
        const struct floor_log *f = worst[low];
        if (f)
            snprintf(what, sizeof what, "of radio %.31s at %.1f MHz %.0f dB", f->radio,
                     f->centre_hz / 1e6, fabs(f->now_dbfs - f->usual_dbfs));
        sensor_mark(c, s, low ? TROUBLE_FLOOR_LOW : TROUBLE_FLOOR_HIGH, f != NULL, f ? what : "");
    }
}

// What an enrolled sensor sends passed CURVE: it is not the line that spoils it.
#define FAULTS   5
#define FAULT_NS (300 * S_NS)

static void judge_faults(struct core *c, struct sensor *s)
{
    char what[96];
    bool bad = s->bad_since_ns[TROUBLE_FAULTS] ? c->mono_ns - s->fault_mono_ns < FAULT_NS
                                               : s->fault_level >= FAULTS;
    snprintf(what, sizeof what, "%llu, %.30s", (unsigned long long)s->faults,
             s->fault ? s->fault : "");
    sensor_mark(c, s, TROUBLE_FAULTS, bad, what);
}

// Wrong now, or a radio's trouble whose alert still stands: one that comes and goes between two
// looks is not well while it comes.
static bool trouble_stands(const struct sensor *s, enum trouble t)
{
    bool radio = t == TROUBLE_DEAF || t == TROUBLE_RADIO || t == TROUBLE_LOSS;
    return s->bad_since_ns[t] || (radio && s->trouble[t]);
}

static enum sensor_state state_of(const struct core *c, const struct sensor *s)
{
    if (!s->heard_mono_ns)
        return s->bad_since_ns[TROUBLE_LOST] ? SENSOR_LOST : SENSOR_UNKNOWN;
    if (lost(c, s))
        return SENSOR_LOST;
    if (!s->have_health || c->mono_ns - s->health_mono_ns > LOST_NS)
        return SENSOR_DEGRADED;         // speaks, but not of its radios
    if (!radios_hearing(s))
        return SENSOR_SILENT;
    for (int t = 0; t < TROUBLES; t++)
        if (trouble_stands(s, (enum trouble)t))
            return SENSOR_DEGRADED;
    return SENSOR_OK;
}

// Below this the spool and the recordings have minutes left.
#define DISK_LOW 200e6

void sensor_judge(struct core *c, struct sensor *s)
{
    bool away = lost(c, s) || !s->heard_mono_ns;
    // Enrolled and never heard since the start counts as lost after a minute: it was wanted here.
    sensor_mark(c, s, TROUBLE_LOST, lost(c, s) || (!s->heard_mono_ns &&
                                            c->mono_ns - c->start_mono_ns > 4 * LOST_NS), "");
    judge_faults(c, s);         // also of one that has not sent one message yet
    if (!away) {
        judge_radios(c, s);
        clock_judge(c, s);
        judge_loss(c, s);
        judge_floor(c, s);
        sensor_mark(c, s, TROUBLE_DISK, s->have_health && s->health.disk_free_bytes < DISK_LOW, "");
        sensor_mark_count(c, s, TROUBLE_SPOOL, s->lost, NULL);
        sensor_mark_count(c, s, TROUBLE_ORIGIN, s->refused_origin, NULL);
        sensor_mark_count(c, s, TROUBLE_FLOOD, s->throttled, NULL);
        sensor_mark_count(c, s, TROUBLE_FOREIGN, s->foreign, NULL);
    }
    enum sensor_state now = state_of(c, s);
    if (now == s->state)
        return;
    s->state = now;
    s->since_ns = c->now_ns;
    s->dirty = c->health_dirty = true;
    if (now == SENSOR_LOST)
        for (size_t i = 0; i < c->n_tracks; i++)
            if (!strcmp(c->track[i]->sensor, s->name) && c->track[i]->incident)
                incident_touch(c->track[i]->incident);
}

// ---- What was watched -------------------------------------------------------------------------

// Seconds of the ledger in which [lo, hi] was watched, weighed by how much of it was.  Of two
// radios on one frequency the one that watched longer counts: both may have heard the same.
static double ledger_watched(const struct wire_ledger *l, double lo_hz, double hi_hz)
{
    double span_s = (double)(l->to_ns - l->from_ns) / 1e9, sum = 0;
    for (double at_hz = lo_hz, next_hz; at_hz < hi_hz; at_hz = next_hz) {
        double most_s = 0;
        next_hz = hi_hz;            // the next edge of any band
        for (unsigned b = 0; b < l->n_bands && b < WIRE_BANDS; b++) {
            const struct wire_band *w = &l->band[b];
            if (w->lo_hz <= at_hz && w->hi_hz > at_hz)
                most_s = fmax(most_s, w->watched_s);
            if (w->lo_hz > at_hz)
                next_hz = fmin(next_hz, w->lo_hz);
            if (w->hi_hz > at_hz)
                next_hz = fmin(next_hz, w->hi_hz);
        }
        sum += fmin(most_s, span_s) * (next_hz - at_hz);
    }
    return sum / (hi_hz - lo_hz);
}

// Share of the last minute for which [lo, hi] was watched: a band counts by how much it covers.
// What no ledger tells of was not watched, but for the newest few seconds, whose ledger is on its
// way, and the time before this post was up.
#define LEDGER_LAG_NS (15 * S_NS)       // a ledger every 10 s, and the way here
double sensor_watched(const struct core *c, const struct sensor *s, double lo_hz, double hi_hz)
{
    double watched_s = 0, seen_s = 0;
    int64_t newest_ns = 0, up_ns = c->mono_ns - c->start_mono_ns;
    for (unsigned i = 0; i < CORE_LEDGERS && i < s->n_ledger; i++) {
        const struct wire_ledger *l = &s->ledger[i];
        if (l->to_ns < c->now_ns - WATCH_NS || l->to_ns > c->now_ns + WATCH_NS)
            continue;
        seen_s += (double)(l->to_ns - l->from_ns) / 1e9;
        newest_ns = l->to_ns > newest_ns ? l->to_ns : newest_ns;
        watched_s += ledger_watched(l, lo_hz, hi_hz);
    }
    int64_t lag_ns = newest_ns < c->now_ns ? c->now_ns - newest_ns : 0;
    int64_t due_ns = (up_ns < WATCH_NS ? up_ns : WATCH_NS) -
                     (lag_ns < LEDGER_LAG_NS ? lag_ns : LEDGER_LAG_NS);
    seen_s = fmax(seen_s, (double)due_ns / 1e9);
    return watched_s > 0 && seen_s > 0 ? fmin(1, watched_s / seen_s) : 0;
}
