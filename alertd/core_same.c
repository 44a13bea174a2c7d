// SPDX-License-Identifier: GPL-3.0-or-later
// Two tracks without a serial: one emitter heard twice, or two?  Only what is heard at two places
// (another sensor, or another radio of one sensor) can be one; one radio's two tracks are two.
//
//     may be:  sure family, mode and role the same; same channel or hop band; both on the air;
//              clocks that can be compared; no two serials, no two tracks of one radio
//     proof:   both saw it begin within 2 s      north  ____|~~~~~~     or  levels change alike
//                                                tower  _____|~~~~~
//     and it is the only pair of these two radios with such a proof.
//
// Band and mode alone prove nothing: two racers fly the same mode.  Levels that change against each
// other outweigh a common beginning.  In doubt two incidents: a drone must not hide behind another.
// Identification broadcasts are folded by serial only, and a DroneID is not tied to a video link by
// its band: a track carries no times of single bursts that could prove it.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define START_NS  (2 * S_NS)    // two sensors see one beginning: their sweep and decision, 1 s each
#define AIR_NS    (5 * S_NS)    // last heard so close together: both on the air
#define SETTLED_S 5.0           // a radio younger than this saw no beginning, it began itself
#define CLEAR_DB  10.0          // over the noise: no fade of a second ends such a link
#define END_NS    (10 * S_NS)   // one goes on so long after the other ended
#define WATCHED   0.9           // of that time its sensor listened: else it is there and unheard
#define LISTEN_S  5.0
#define CANDIDATES 256          // of one pass; a flood of tracks is not folded at all
#define CHANGES   8             // of level, at least, before they say something
#define AGAINST   20            // and before they may speak against a common beginning
#define LIVELY_DB 1.0           // standard deviation of the changes; less is measuring noise
#define ALIKE_R   0.7           // by chance with 8 changes: 3 %, and only one pair may have it
#define AGAINST_R (-0.7)        // by chance with 20: below 0.1 %

// ---- Levels -----------------------------------------------------------------------------------

void level_note(struct track_rec *t)
{
    struct level_log *l = &t->level;
    int64_t s = t->w.last_ns / S_NS;
    if (t->w.last_ns <= 0 || !isfinite(t->w.level_dbfs) || fabs(t->w.level_dbfs) > 1000 ||
        s <= l->newest_s - LEVEL_SECONDS)
        return;
    if (s >= l->newest_s + LEVEL_SECONDS)
        for (int k = 0; k < LEVEL_SECONDS; k++)
            l->value[k] = LEVEL_NONE;
    else
        for (int64_t k = l->newest_s + 1; k <= s; k++)
            l->value[k % LEVEL_SECONDS] = LEVEL_NONE;
    l->value[s % LEVEL_SECONDS] = (int16_t)lrint(10 * t->w.level_dbfs);
    l->newest_s = s > l->newest_s ? s : l->newest_s;
}

static double level_at(const struct level_log *l, int64_t s)
{
    bool in = s > 0 && s <= l->newest_s && s > l->newest_s - LEVEL_SECONDS;
    return in && l->value[s % LEVEL_SECONDS] != LEVEL_NONE ? l->value[s % LEVEL_SECONDS] / 10.0
                                                           : NAN;
}

// Correlation of the changes from second to second; NAN where too few or too small.
static double alike(const struct track_rec *a, const struct track_rec *b, unsigned *ret_n)
{
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    int64_t to = a->level.newest_s < b->level.newest_s ? a->level.newest_s : b->level.newest_s;
    unsigned n = 0;
    for (int64_t s = to - LEVEL_SECONDS + 2; s <= to; s++) {
        double x = level_at(&a->level, s) - level_at(&a->level, s - 1);
        double y = level_at(&b->level, s) - level_at(&b->level, s - 1);
        if (!isfinite(x + y))
            continue;
        n++;
        sx += x, sy += y, sxx += x * x, syy += y * y, sxy += x * y;
    }
    *ret_n = n;
    if (n < CHANGES)
        return NAN;
    double vx = sxx / n - sx / n * (sx / n), vy = syy / n - sy / n * (sy / n);
    if (vx < LIVELY_DB * LIVELY_DB || vy < LIVELY_DB * LIVELY_DB)
        return NAN;
    return (sxy / n - sx / n * (sy / n)) / sqrt(vx * vy);
}

// ---- May they be one? -------------------------------------------------------------------------

static bool is(const char *a, const char *b) { return !strcmp(a, b); }

static bool fit_alone(const struct core *c, const struct track_rec *t)
{
    const struct sensor *s = map_get(&c->by_name, t->sensor);
    return !t->late && !t->ended_mono_ns && is(t->w.verdict, "drone") && t->w.confidence >= 0.5 &&
           strncmp(t->w.family, "unknown", 7) && (is(t->w.state, "named")) &&
           !is(t->w.role, "identification") && s && !s->clock_bad && s->clock.locked &&
           t->w.freq_hi_hz > t->w.freq_lo_hz;
}

static bool hops(const char *family)
{
    static const char *const name[] = { "expresslrs", "mlrs", "crossfire", "tracer", "ghost",
        "microhard", "sik", "openlrs", "frsky-d8", "frsky-d16", "frsky-r9", "frsky-access",
        "dsmx", "dsm2", "flysky-afhds", "flysky-afhds2a", "futaba-sfhss", "futaba-fasst" };
    for (unsigned i = 0; i < sizeof name / sizeof name[0]; i++)
        if (is(family, name[i]))
            return true;
    return false;
}

// One channel: centres within a quarter of the narrower width and what two clocks may be off.  A
// hopper: the same mode (which names its grid), and half of the narrower hop band in common.
static bool same_band(const struct wire_track *a, const struct wire_track *b)
{
    double wa = a->freq_hi_hz - a->freq_lo_hz, wb = b->freq_hi_hz - b->freq_lo_hz;
    double narrow = fmin(wa, wb), mid = (a->freq_lo_hz + a->freq_hi_hz) / 2;
    if (hops(a->family))
        return a->link[0] && fmin(a->freq_hi_hz, b->freq_hi_hz) -
                             fmax(a->freq_lo_hz, b->freq_lo_hz) >= narrow / 2;
    return fmax(wa, wb) <= 2 * narrow &&
           fabs(mid - (b->freq_lo_hz + b->freq_hi_hz) / 2) <= narrow / 4 + 50e-6 * mid;
}

static bool same_place(const struct track_rec *a, const struct track_rec *b)
{
    return is(a->sensor, b->sensor) && is(a->w.radio, b->w.radio);
}

static bool two_serials(const struct track_rec *a, const struct track_rec *b)
{
    const char *sa = track_serial(a), *sb = track_serial(b);
    return *sa && *sb && !is(sa, sb);
}

static bool may_be_one(const struct track_rec *a, const struct track_rec *b)
{
    return !same_place(a, b) && is(a->origin, b->origin) && is(a->w.family, b->w.family) &&
           is(a->w.link, b->w.link) && is(a->w.role, b->w.role) && !two_serials(a, b) &&
           llabs(a->w.last_ns - b->w.last_ns) <= AIR_NS && same_band(&a->w, &b->w);
}

// Its radio had listened for a while when the track began: the beginning is the emitter's.
static bool saw_begin(const struct core *c, const struct track_rec *t)
{
    const struct sensor *s = map_get(&c->by_name, t->sensor);
    for (unsigned i = 0; s && s->have_health && i < s->health.n_radios && i < WIRE_RADIOS; i++) {
        const struct wire_radio *r = &s->health.radio[i];
        double up_s = isfinite(r->since_s) ? r->since_s : s->health.uptime_s;
        double ago_s = (double)(c->now_ns - t->w.first_ns) / 1e9;
        if (is(r->name, t->w.radio))
            return up_s + (double)(c->mono_ns - s->health_mono_ns) / 1e9 - ago_s >= SETTLED_S;
    }
    return false;
}

static bool proven_one(const struct core *c, const struct track_rec *a, const struct track_rec *b,
                       char reason[96])
{
    unsigned n;
    double r = alike(a, b, &n);
    const char *band = hops(a->w.family) ? "hop band" : "channel";
    if (r <= AGAINST_R && n >= AGAINST)
        return false;
    if (r >= ALIKE_R) {
        snprintf(reason, 96, "same family and mode, same %s, levels change alike (%.2f)", band, r);
        return true;
    }
    int64_t apart = llabs(a->w.first_ns - b->w.first_ns);
    if (apart > START_NS || !saw_begin(c, a) || !saw_begin(c, b))
        return false;
    snprintf(reason, 96, "same family and mode, same %s, heard within %.1f s", band,
             (double)apart / 1e9);
    return true;
}

// ---- Incidents --------------------------------------------------------------------------------

static bool person_closed(const struct incident *i)
{
    return i->alert && is(i->alert->work, "closed");
}

// All that is on the air in both stays possible as one; none was split off the other before.
static bool incidents_fit(struct core *c, const struct incident *a, const struct incident *b)
{
    if (a == b || is(a->split_from, b->id) || is(b->split_from, a->id) || a->merged_into[0] ||
        b->merged_into[0] || a->n_members + b->n_members > CORE_MEMBERS ||
        (a->serial[0] && b->serial[0]) || person_closed(a) || person_closed(b))
        return false;
    for (unsigned m = 0; m < a->n_members; m++)
        for (unsigned k = 0; k < b->n_members; k++) {
            const struct track_rec *x = map_get(&c->tracks, a->member[m].track);
            const struct track_rec *y = map_get(&c->tracks, b->member[k].track);
            if (x && y && (two_serials(x, y) || same_place(x, y)))
                return false;
        }
    return true;
}

// How many tracks of o's radio prove to be t; two say enough.
static unsigned rivals(struct core *c, struct track_rec *const *all, size_t n,
                       const struct track_rec *t, const struct track_rec *o)
{
    unsigned found = 0;
    char reason[96];
    for (size_t k = 0; k < n && found < 2; k++)
        found += same_place(all[k], o) && fit_alone(c, all[k]) && may_be_one(t, all[k]) &&
                 proven_one(c, t, all[k], reason);
    return found;
}

static bool only_pair(struct core *c, struct track_rec *const *all, size_t n,
                      const struct track_rec *a, const struct track_rec *b)
{
    return rivals(c, all, n, a, b) == 1 && rivals(c, all, n, b, a) == 1;
}

// A track just come, before it has an incident: no second alarm for what is known already.
struct incident *same_find(struct core *c, struct track_rec *t, char reason[96])
{
    if (!fit_alone(c, t))
        return NULL;
    for (size_t k = 0; k < c->n_tracks; k++) {
        struct track_rec *o = c->track[k];
        struct incident *i = o->incident;
        if (!i || !is(o->w.family, t->w.family) || !fit_alone(c, o) || !may_be_one(t, o) ||
            !proven_one(c, t, o, reason) || person_closed(i) ||
            i->n_members == CORE_MEMBERS)
            continue;
        if (!only_pair(c, c->track, c->n_tracks, t, o))
            return NULL;
        bool fits = !(i->serial[0] && track_serial(t)[0]);
        for (unsigned m = 0; fits && m < i->n_members; m++) {
            const struct track_rec *x = map_get(&c->tracks, i->member[m].track);
            fits = !x || (!same_place(x, t) && !two_serials(x, t));
        }
        if (fits)
            return i;
    }
    return NULL;
}

// Its sensor has listened there since: its ledgers of the time after say so.
static bool listened(const struct sensor *s, const struct wire_track *w)
{
    double span_s = 0, watched_s = 0;
    for (unsigned i = 0; i < CORE_LEDGERS && i < s->n_ledger; i++) {
        const struct wire_ledger *l = &s->ledger[i];
        if (l->from_ns < w->last_ns)
            continue;
        span_s += (double)(l->to_ns - l->from_ns) / 1e9;
        for (unsigned b = 0; b < l->n_bands && b < WIRE_BANDS; b++) {
            double both_hz = fmin(w->freq_hi_hz, l->band[b].hi_hz) -
                             fmax(w->freq_lo_hz, l->band[b].lo_hz);
            if (both_hz > 0 && l->band[b].watched_s > 0)
                watched_s += l->band[b].watched_s * both_hz / (w->freq_hi_hz - w->freq_lo_hz);
        }
    }
    return span_s >= LISTEN_S && watched_s >= WATCHED * span_s;
}

// It was clear, its sensor still listens there, and it is gone while the other goes on.
static bool went_alone(struct core *c, const struct track_rec *gone, const struct track_rec *on)
{
    const struct sensor *s = map_get(&c->by_name, gone->sensor);
    if (!s || (s->state != SENSOR_OK && s->state != SENSOR_DEGRADED) ||
        gone->w.snr_db < CLEAR_DB || on->w.snr_db < CLEAR_DB || is(gone->w.state, "named") ||
        !is(on->w.state, "named") || on->w.last_ns - gone->w.last_ns <= END_NS)
        return false;
    char boot[17];
    snprintf(boot, sizeof boot, "%016" PRIx64, s->boot_now);
    return is(boot, gone->boot) && gone->w.freq_hi_hz > gone->w.freq_lo_hz &&
           listened(s, &gone->w);
}

static bool turned(struct core *c, const struct track_rec *t, const struct track_rec *o)
{
    unsigned n;
    double r = alike(t, o, &n);
    return two_serials(t, o) || (r <= AGAINST_R && n >= AGAINST) || went_alone(c, t, o) ||
           went_alone(c, o, t);
}

static void check_members(struct core *c, struct incident *i)
{
    for (unsigned m = 0; m < i->n_members; m++) {
        struct track_rec *t = map_get(&c->tracks, i->member[m].track);
        if (!t || strncmp(i->member[m].reason, "same family", 11))
            continue;
        for (unsigned k = 0; k < i->n_members; k++) {
            const struct track_rec *o = map_get(&c->tracks, i->member[k].track);
            if (o && o != t && !same_place(o, t) && is(o->w.family, t->w.family) &&
                !(track_serial(t)[0] && is(track_serial(t), track_serial(o))) && turned(c, t, o)) {
                incident_split(c, t);
                return;         // one a second: the rest is looked at anew
            }
        }
    }
}

// The older incident stays; of two of one moment the lower id: the order of messages is nothing.
static void fold_pair(struct core *c, struct track_rec *a, struct track_rec *b, const char *reason)
{
    struct incident *x = a->incident, *y = b->incident;
    bool x_stays = x->first_ns != y->first_ns ? x->first_ns < y->first_ns
                                              : strcmp(x->id, y->id) < 0;
    incident_merge(c, x_stays ? y : x, x_stays ? x : y, reason);
}

void same_tick(struct core *c)
{
    struct track_rec *fit[CANDIDATES];
    size_t n = 0;
    char reason[96];
    if (c->now_ns / S_NS == c->same_s)
        return;
    c->same_s = c->now_ns / S_NS;
    for (size_t k = 0; k < c->n_incidents; k++)
        if (c->incident[k]->n_members > 1)
            check_members(c, c->incident[k]);
    for (size_t k = 0; k < c->n_tracks; k++)
        if (c->track[k]->incident && fit_alone(c, c->track[k])) {
            if (n == CANDIDATES)
                return;
            fit[n++] = c->track[k];
        }
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (may_be_one(fit[a], fit[b]) &&
                incidents_fit(c, fit[a]->incident, fit[b]->incident) &&
                proven_one(c, fit[a], fit[b], reason) &&
                only_pair(c, fit, n, fit[a], fit[b]))
                fold_pair(c, fit[a], fit[b], reason);
}
