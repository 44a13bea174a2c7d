// SPDX-License-Identifier: GPL-3.0-or-later
// Tracks to incidents: what belongs together, why, and back again.
//
//     track --serial S--> incident of S             "same serial", whoever heard it
//     track --the link it heard a minute ago-->     "same link again", of the same sensor and radio
//     track --one emitter, other sensor or radio--> "same family and mode, ..." (core_same.c)
//     track --> its own incident                    "first"
//
// A track moves when what it claims changes: its old incident then is merged into the new one (when
// nothing is left in it) or is what the new one was split from.  Every member says why it is there.
// Two tracks that may be one aircraft, but need not, stay two: what is not known is not claimed.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define AGAIN_NS (120 * S_NS)   // a link that paused: a battery change takes longer
#define KEEP_NS  (600 * S_NS)   // ended tracks and idle incidents stay for ten minutes
#define TURNS    16             // incidents begun by one track: it claims one thing, then another
#define STEP     64             // dropped a tick at most

void incident_touch(struct incident *i) { i->touched = true; }

// Only what may be a drone is an incident; Wi-Fi and the rest are tracks and stay that.
static bool notable(const struct track_rec *t)
{
    return !strcmp(t->w.verdict, "drone") || t->claim.protocol[0];
}

static struct incident *incident_new(struct core *c, const struct track_rec *t)
{
    struct incident *i = NULL;
    char id[CORE_ID];
    // One that was merged stays that; a track that leaves again begins its next one.
    for (uint64_t k = 0; k < TURNS; k++) {
        core_id(c, id, t->id, "incident", "", k);
        if (!(i = map_get(&c->incidents, id)))
            break;
        if (!i->merged_into[0] && !i->n_members && !i->serial[0])
            return i;
    }
    if (i) {
        c->dropped[CHANGE_INCIDENT]++;
        return NULL;
    }
    if (c->n_incidents == CORE_INCIDENTS || !(i = calloc(1, sizeof *i))) {
        c->dropped[CHANGE_INCIDENT]++;
        return NULL;
    }
    snprintf(i->id, sizeof i->id, "%s", id);
    if (map_put(&c->incidents, i->id, i) < 0) {
        free(i);
        return NULL;
    }
    i->first_ns = t->w.first_ns;
    i->occurrence = 1;
    i->at = c->n_incidents;
    c->incident[c->n_incidents++] = i;
    return i;
}

void incident_drop(struct core *c, struct incident *i)
{
    core_gone(c, CHANGE_INCIDENT, i->id);
    batch_gone(c->batch, CHANGE_INCIDENT, i->id);
    map_del(&c->incidents, i->id);
    if (i->serial[0] && map_get(&c->serials, i->serial) == i)
        map_del(&c->serials, i->serial);
    c->incident[i->at] = c->incident[--c->n_incidents];
    c->incident[i->at]->at = i->at;
    free(i);
}

// Members of tracks long gone make place for new ones; the alert keeps what they told.
static void join(struct core *c, struct incident *i, struct track_rec *t, const char *reason)
{
    if (i->n_members == CORE_MEMBERS) {
        unsigned k = 0;
        for (unsigned m = 0; m < i->n_members; m++)
            if (!map_get(&c->tracks, i->member[m].track)) {
                k = m;
                break;
            }
        struct track_rec *old = map_get(&c->tracks, i->member[k].track);
        if (old)
            old->incident = NULL;
        memmove(&i->member[k], &i->member[k + 1], (i->n_members - k - 1) * sizeof i->member[0]);
        i->n_members--;
    }
    struct member *m = &i->member[i->n_members++];
    *m = (struct member){ .track = "" };
    snprintf(m->track, sizeof m->track, "%s", t->id);
    snprintf(m->sensor, sizeof m->sensor, "%s", t->sensor);
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    if (t->w.first_ns && (!i->first_ns || t->w.first_ns < i->first_ns))
        i->first_ns = t->w.first_ns;
    t->incident = i;
    i->dirty = i->touched = true;
}

static void leave(struct incident *i, struct track_rec *t)
{
    for (unsigned m = 0; m < i->n_members; m++)
        if (!strcmp(i->member[m].track, t->id)) {
            memmove(&i->member[m], &i->member[m + 1],
                    (i->n_members - m - 1) * sizeof i->member[0]);
            i->n_members--;
            break;
        }
    t->incident = NULL;
    i->dirty = i->touched = true;
}

static void name_it(struct core *c, struct incident *i, const char *serial)
{
    if (i->serial[0] || map_get(&c->serials, serial))
        return;
    snprintf(i->serial, sizeof i->serial, "%s", serial);
    map_put(&c->serials, i->serial, i);
    i->dirty = i->touched = true;
}

// The same sensor and radio heard the same link here a moment ago, and it is the only one: it went
// silent and came back.  Two candidates: no claim is made.
static struct incident *again(struct core *c, const struct track_rec *t)
{
    struct incident *found = NULL;
    const struct sensor *s = map_get(&c->by_name, t->sensor);
    if (!s || !s->track_ended_ns || c->mono_ns - s->track_ended_ns > KEEP_NS)
        return NULL;            // nothing of it has ended: the usual case, at once
    for (size_t k = 0; k < c->n_tracks; k++) {
        const struct track_rec *o = c->track[k];
        if (o == t || !o->incident || !o->ended_mono_ns || o->incident == found ||
            strcmp(o->sensor, t->sensor) || strcmp(o->w.radio, t->w.radio) ||
            strcmp(o->w.family, t->w.family) || strcmp(o->w.link, t->w.link) ||
            strcmp(o->w.role, t->w.role) || track_serial(o)[0] ||
            t->w.first_ns - o->w.last_ns > AGAIN_NS || t->w.first_ns < o->w.last_ns ||
            t->w.freq_lo_hz > o->w.freq_hi_hz || t->w.freq_hi_hz < o->w.freq_lo_hz)
            continue;
        if (found)
            return NULL;
        found = o->incident;
    }
    return found;
}

// What had not ended: a new alert, and it calls.
void incident_split(struct core *c, struct track_rec *t)
{
    struct incident *from = t->incident, *to = from ? incident_new(c, t) : NULL;
    if (!to || to == from)
        return;                 // no room: it stays where it is heard
    leave(from, t);
    snprintf(to->split_from, sizeof to->split_from, "%s", from->id);
    join(c, to, t, "heard apart");
}

void incident_merge(struct core *c, struct incident *from, struct incident *to, const char *reason)
{
    while (from->n_members) {
        struct member m = from->member[0];
        struct track_rec *t = map_get(&c->tracks, m.track);
        bool kept = !t || (strcmp(m.reason, "first") && strcmp(m.reason, "heard apart"));
        if (t) {
            leave(from, t);
            join(c, to, t, kept ? m.reason : reason);
        } else {
            memmove(&from->member[0], &from->member[1], --from->n_members * sizeof m);
        }
    }
    if (from->serial[0] && map_get(&c->serials, from->serial) == from)
        map_del(&c->serials, from->serial);
    snprintf(from->merged_into, sizeof from->merged_into, "%s", to->id);
    if (from->serial[0] && !to->serial[0])
        name_it(c, to, from->serial);
    from->dirty = from->touched = to->dirty = to->touched = true;
}

static void fold_serial(struct core *c, struct track_rec *t, const char *serial)
{
    struct incident *to = map_get(&c->serials, serial), *from = t->incident;
    if (to && to == from)
        return;
    if (from && !to && !from->serial[0]) {
        name_it(c, from, serial);
        return;
    }
    if (!to && (to = incident_new(c, t))) {
        name_it(c, to, serial);
        if (from && from->n_members > 1)
            snprintf(to->split_from, sizeof to->split_from, "%s", from->id);
    }
    if (!to)
        return;                 // no room: better where it is than nowhere
    if (from)
        leave(from, t);
    join(c, to, t, to->n_members ? "same serial" : "first");
    if (from && from != to && !from->n_members) {
        snprintf(from->merged_into, sizeof from->merged_into, "%s", to->id);
        if (from->serial[0] && map_get(&c->serials, from->serial) == from)
            map_del(&c->serials, from->serial);
    }
}

void fold_track(struct core *c, struct track_rec *t)
{
    const char *serial = track_serial(t);
    if (!t->incident && !notable(t))
        return;
    if (serial[0]) {
        fold_serial(c, t, serial);
        if (t->incident)
            return;
    }
    if (t->incident)
        return;
    char reason[96];
    struct incident *i = again(c, t);
    if (i)
        join(c, i, t, "same link again");
    else if ((i = same_find(c, t, reason)))
        join(c, i, t, reason);
    else if ((i = incident_new(c, t)))
        join(c, i, t, "first");
}

// ---- What is over -----------------------------------------------------------------------------

static bool over(const struct core *c, const struct incident *i)
{
    if (i->alert && (strcmp(i->alert->work, "closed") ||
                     c->mono_ns - i->alert->closed_mono_ns < KEEP_NS))
        return false;
    for (unsigned m = 0; m < i->n_members; m++)
        if (map_get(&c->tracks, i->member[m].track))
            return false;
    return true;
}

void fold_tick(struct core *c)
{
    unsigned n = 0;
    same_tick(c);
    for (size_t k = c->n_tracks; k-- > 0 && n < STEP;) {
        struct track_rec *t = c->track[k];
        if (!t->ended_mono_ns || c->mono_ns - t->ended_mono_ns < KEEP_NS || t->dirty)
            continue;
        if (t->incident)
            incident_touch(t->incident);
        track_drop(c, t);
        n++;
    }
    for (size_t k = c->n_incidents; k-- > 0 && n < STEP;)
        if (!c->incident[k]->touched && !c->incident[k]->dirty && over(c, c->incident[k])) {
            incident_drop(c, c->incident[k]);
            n++;
        }
}
