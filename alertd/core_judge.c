// SPDX-License-Identifier: GPL-3.0-or-later
// An incident to an alert: which rule fits best, how urgent it is, what to say and why.
//
//     members --class of each--> best rule --> severity (zone: critical) --> alert of now
//
// Urgency and line only rise while an alert lives; what it is, where and how sure follow the
// newest.  The rules are a table here; later they are data.
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alertd/core_judge.h"

#define S_NS INT64_C(1000000000)
#define FRESH_NS (60 * S_NS)    // a claimed position older than this puts nothing into a zone
#define LULL_NS  (30 * S_NS)    // quiet for so long and heard again is a return
#define MIN_CONFIDENCE 0.5      // contract, section 2: from here up a drone verdict is an alarm

static bool drone(const struct track_rec *t) { return !strcmp(t->w.verdict, "drone"); }
static bool sure(const struct track_rec *t)
{
    return drone(t) && t->w.confidence >= MIN_CONFIDENCE && strncmp(t->w.family, "unknown", 7);
}
static bool role(const struct track_rec *t, const char *r) { return !strcmp(t->w.role, r); }

// A frame whose checks passed, of the aircraft's own radio.  Remote ID is a broadcast anybody's
// phone can make: it never is such a frame.
static bool checked(const struct track_rec *t)
{
    return !strncmp(t->claim.protocol, "dji-droneid", 11) ||
           (t->w.decodes && drone(t) && strcmp(t->w.family, "remote-id"));
}

static bool is_drone(const struct track_rec *t)
{
    return checked(t) || (sure(t) && role(t, "video"));
}
static bool is_control(const struct track_rec *t)   { return sure(t) && role(t, "control"); }
static bool is_telemetry(const struct track_rec *t) { return sure(t) && role(t, "telemetry"); }
static bool is_dji_id(const struct track_rec *t)
{
    return sure(t) && role(t, "identification") && !strcmp(t->w.family, "dji-droneid");
}
static bool is_id(const struct track_rec *t)
{
    return (drone(t) && role(t, "identification")) || !strncmp(t->claim.protocol, "rid-", 4);
}
static bool is_link(const struct track_rec *t)      { return sure(t); }
static bool is_unknown(const struct track_rec *t)   { return drone(t); }

// First fit wins; within one rule the track with the highest p_drone speaks.
static const struct rule rules[] = {
    { "drone",          "drone",          SEV_ALARM, is_drone },
    { "drone-control",  "control",        SEV_ALARM, is_control },
    { "drone-link",     "telemetry",      SEV_ALARM, is_telemetry },
    { "identification", "identification", SEV_ALARM, is_dji_id },
    { "identification", "identification", SEV_WATCH, is_id },
    { "drone-link",     "link",           SEV_ALARM, is_link },
    { "unknown-link",   "unknown",        SEV_WATCH, is_unknown },
};
#define RULES (sizeof rules / sizeof rules[0])

// Its sensor is there and says so: what a restart read from the store is not heard until then.
bool track_heard(const struct core *c, const struct track_rec *t)
{
    const struct sensor *s = map_get(&c->by_name, t->sensor);
    return !t->ended_mono_ns && !t->unproven && strcmp(t->w.state, "quiet") && s &&
           s->state != SENSOR_LOST;
}

static void view_track(struct core *c, struct view *v, struct track_rec *t)
{
    for (const struct rule *r = rules; r < rules + RULES; r++)
        if (r->fits(t)) {
            if (!v->rule || r < v->rule || (r == v->rule && t->w.p_drone > v->best->w.p_drone)) {
                v->rule = r;
                v->best = t;
            }
            break;
        }
    v->member[v->n++] = t;
    v->heard += track_heard(c, t);
    v->quiet += !t->ended_mono_ns;
    v->late = v->late && t->late;
    if (t->w.first_ns && (!v->first_ns || t->w.first_ns < v->first_ns))
        v->first_ns = t->w.first_ns;
    if (t->w.last_ns > v->last_ns)
        v->last_ns = t->w.last_ns;
    if (t->claim.at_ns && (!v->placed || t->claim.at_ns > v->placed->claim.at_ns))
        v->placed = t;
    if (t->claim.person_at_ns &&
        (!v->person || t->claim.person_at_ns > v->person->claim.person_at_ns))
        v->person = t;
}

static void view_of(struct core *c, const struct incident *i, struct view *v)
{
    *v = (struct view){ .late = true };
    for (unsigned m = 0; m < i->n_members; m++) {
        struct track_rec *t = map_get(&c->tracks, i->member[m].track);
        if (t)
            view_track(c, v, t);
    }
    // A position of a zone counts while it is fresh, measured by the sensor's own clock.
    for (unsigned z = 0; v->placed && z < c->cfg->n_zones; z++)
        if (v->last_ns - v->placed->claim.at_ns < FRESH_NS &&
            zone_holds(&c->cfg->zone[z], v->placed->claim.lat_deg, v->placed->claim.lon_deg)) {
            v->zone = &c->cfg->zone[z];
            break;
        }
}

static enum severity severity_now(const struct view *v)
{
    return v->zone || v->contradicted ? SEV_CRITICAL : v->rule->severity;
}

static const char *signal_now(const struct view *v)
{
    return v->heard ? "heard" : v->quiet ? "quiet" : "ended";
}

// ---- The alert's life -------------------------------------------------------------------------

static void raise_to(struct alert *a, const struct view *v)
{
    enum severity now = severity_now(v), was = severity_of(a->severity);
    const char *zone = v->zone ? v->zone->id : "";
    bool entered = *zone && strcmp(zone, a->zone);
    if (now > was) {
        PUT(severity, severity_name(now));
        PUT(rule, v->rule->name);
        PUT(line_key, v->rule->line);
    }
    const char *call = v->contradicted && strncmp(a->friend_state, "conflict", 8) ? "friend"
                     : entered && (was != SEV_NONE || now <= was) ? "zone"
                     : now > was && was != SEV_NONE ? "severity" : NULL;
    if (call && !v->late)
        alert_call(a, call);
    // The same urgency, but more is known: a video link joins a control radio.
    for (const struct rule *r = v->rule; r < rules + RULES; r++)
        if (!strcmp(a->line_key, r->line) && r > v->rule) {
            PUT(rule, v->rule->name);
            PUT(line_key, v->rule->line);
            break;
        }
    PUT(zone, zone);
}

static struct alert *current(struct core *c, struct incident *i, const struct view *v)
{
    struct alert *a = i->alert;
    bool closed = a && !strcmp(a->work, "closed");
    bool heard = !strcmp(signal_now(v), "heard");
    if (a && closed && heard) {
        bool back = a->lull_mono_ns && c->mono_ns - a->lull_mono_ns > LULL_NS;
        bool worse = severity_now(v) > severity_of(a->severity);
        if (!back && !worse)
            return a;
        i->occurrence++;
    } else if (a) {
        return a;
    }
    if (alert_crowded(c, v->best->sensor)) {
        c->dropped[CHANGE_ALERT]++;
        return a;
    }
    struct alert *new = alert_new(c, v->rule->name, i->id, i->occurrence);
    if (!new)
        return a;
    if (a)
        new->known = a->known;  // the emitter is what was vouched for, not the alert
    if (a)
        snprintf(new->previous, sizeof new->previous, "%s", a->id);
    snprintf(new->lane, sizeof new->lane, "drone");
    new->late = v->late;
    new->first_ns = a ? v->last_ns : v->first_ns;
    if (!v->late)
        alert_call(new, "new");
    i->alert = new;
    if (i->n_alerts == sizeof i->alerts / sizeof i->alerts[0])
        memmove(&i->alerts[0], &i->alerts[1], --i->n_alerts * sizeof i->alerts[0]);
    snprintf(i->alerts[i->n_alerts++].id, CORE_ID, "%s", new->id);
    i->dirty = true;
    return new;
}

// What of it a person would call a change.
static bool same_matter(const struct alert *a, const struct alert *b)
{
    return !strcmp(a->severity, b->severity) && !strcmp(a->line_key, b->line_key) &&
           !strcmp(a->family, b->family) && !strcmp(a->model, b->model) &&
           !strcmp(a->serial, b->serial) && !strcmp(a->zone, b->zone) && a->late == b->late &&
           !strcmp(a->known.name, b->known.name) && a->known.until_ns == b->known.until_ns &&
           !strcmp(a->friend_state, b->friend_state) && !strcmp(a->verdict, b->verdict) &&
           !strcmp(a->where.kind, b->where.kind) && !strcmp(a->person.kind, b->person.kind) &&
           a->n_sensors == b->n_sensors && a->calls == b->calls;
}

static void count_drones(struct alert *a, const struct view *v)
{
    unsigned n = incident_drones(v->member, v->n);
    n = v->twice && n < 2 ? 2 : n;      // one serial, two that send it
    if (n > 1 && n > a->drones && !v->late && !v->contradicted)
        alert_call(a, "second");
    a->drones = n > a->drones ? n : a->drones;
}

void judge_incident(struct core *c, struct incident *i)
{
    static _Thread_local struct alert was;      // 30 kB, too much for the stack of a callback
    struct view v;
    i->touched = false;
    if (i->merged_into[0]) {
        incident_merged(c, i);
        return;
    }
    view_of(c, i, &v);
    if (v.last_ns > i->last_ns) {
        i->last_ns = v.last_ns;
        i->dirty = true;
    }
    if (!v.rule) {
        if (i->alert)
            alert_signal(c, i->alert, v.n ? signal_now(&v) : "ended");
        return;
    }
    const char *serial = i->serial[0] ? i->serial : track_serial(v.best);
    friend_look(c, i, &v, serial);
    struct alert *a = current(c, i, &v);
    if (!a)
        return;
    was = *a;
    if (a->late && !v.late) {
        a->late = false;
        alert_call(a, "new");
    }
    raise_to(a, &v);
    count_drones(a, &v);
    say_all(a, &v, serial);
    friend_say(c, a, i, serial);
    known_look(c, a, &v);
    a->last_ns = v.last_ns > a->last_ns ? v.last_ns : a->last_ns;
    alert_signal(c, a, signal_now(&v));
    if (memcmp(&was, a, offsetof(struct alert, dirty)))
        alert_touch(a, !same_matter(&was, a));
}
