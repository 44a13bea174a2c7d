// SPDX-License-Identifier: GPL-3.0-or-later
// Tracks as sensors tell them, with what checked frames claim.
//
// A table of a stated size.  When it is full, what goes is in this order: ended, not a drone,
// quiet and unproven, unproven.  Proven (a checked frame, or a drone's verdict with confidence of
// 0.5) is never driven out by what is not.  One sensor may fill a quarter of it.
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define SHARE   (CORE_TRACKS / 4)
#define LATE_NS INT64_C(30000000000)
#define TREND_NS INT64_C(10000000000)

static bool proven(const struct track_rec *t)
{
    return t->w.decodes || t->claim.protocol[0] ||
           (!strcmp(t->w.verdict, "drone") && t->w.confidence >= 0.5);
}

// How readily it goes: 0 never.
static int worthless(const struct track_rec *t)
{
    if (t->ended_mono_ns)
        return proven(t) ? 3 : 5;
    if (proven(t))
        return 0;
    if (!strcmp(t->w.verdict, "not-drone"))
        return 4;
    return !strcmp(t->w.state, "quiet") ? 2 : 1;
}

void track_drop(struct core *c, struct track_rec *t)
{
    struct sensor *s = map_get(&c->by_name, t->sensor);
    if (s && s->n_tracks)
        s->n_tracks--;
    core_gone(c, CHANGE_TRACK, t->id);
    batch_gone(c->batch, CHANGE_TRACK, t->id);
    map_del(&c->tracks, t->id);
    c->track[t->at] = c->track[--c->n_tracks];
    c->track[t->at]->at = t->at;
    free(t);
}

// Makes room for one that is worth `worth` (0: proven); of one sensor, or of all when NULL.
static bool make_room(struct core *c, const char *sensor, int worth)
{
    struct track_rec *victim = NULL;
    int most = worth;           // only what is worth less goes
    for (size_t i = 0; i < c->n_tracks; i++) {
        struct track_rec *t = c->track[i];
        int w = worthless(t);
        if (w > most && (!sensor || !strcmp(t->sensor, sensor))) {
            victim = t;
            most = w;
            if (w == 5)
                break;
        }
    }
    if (victim)
        track_drop(c, victim);
    return victim != NULL;
}

static struct track_rec *find(struct core *c, const struct sensor *s, uint64_t boot,
                              const char *sensor_track, char id[CORE_ID])
{
    core_id(c, id, s->z85, "track", sensor_track, boot);
    return map_get(&c->tracks, id);
}

static struct track_rec *add(struct core *c, struct sensor *s, const struct wire_head *h,
                             const char *id, int worth)
{
    bool crowded = s->n_tracks >= SHARE;
    if ((crowded || c->n_tracks == CORE_TRACKS) &&
        !make_room(c, crowded ? s->name : NULL, worth)) {
        c->dropped[CHANGE_TRACK]++;
        return NULL;
    }
    struct track_rec *t = calloc(1, sizeof *t);
    if (!t || (snprintf(t->id, sizeof t->id, "%s", id), map_put(&c->tracks, t->id, t)) < 0) {
        free(t);
        return NULL;
    }
    snprintf(t->sensor, sizeof t->sensor, "%s", s->name);
    snprintf(t->boot, sizeof t->boot, "%016" PRIx64, h->boot);
    snprintf(t->origin, sizeof t->origin, "%s", h->origin);
    t->claim = (struct claim){ .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN, .height_m = NAN,
                               .speed_mps = NAN, .track_deg = NAN };
    t->received_ns = c->now_ns;
    t->late = true;
    t->level_was_dbfs = NAN;
    t->level.newest_s = INT64_MIN / 2;
    t->at = c->n_tracks;
    c->track[c->n_tracks++] = t;
    s->n_tracks++;
    return t;
}

// Live word of it, whatever it says.
static void proved(struct track_rec *t, const struct wire_head *h)
{
    if (!t->unproven || h->late)
        return;
    t->unproven = false;
    if (t->incident)
        incident_touch(t->incident);
}

static void changed(struct core *c, struct track_rec *t, const struct wire_head *h)
{
    // News, or history: a message that waited less than half a minute is still news.
    if (!(h->late && c->now_ns - h->t_ns > LATE_NS))
        t->late = false;
    t->dirty = true;
    fold_track(c, t);
    if (t->incident)
        incident_touch(t->incident);
}

static void take_orphan(struct core *c, struct sensor *s, struct track_rec *t)
{
    for (unsigned i = 0; i < 4; i++)
        if (s->orphan[i].mono_ns && (!strcmp(s->orphan[i].track, t->w.id) ||
            (t->w.claimed_serial[0] && !strcmp(s->orphan[i].claim.serial, t->w.claimed_serial)))) {
            t->claim = s->orphan[i].claim;
            s->orphan[i].mono_ns = 0;
        }
    (void)c;
}

void track_take(struct core *c, struct sensor *s, const struct wire_msg *m)
{
    const struct wire_track *w = &m->track;
    struct track_rec new = { .w = *w };
    char id[CORE_ID];
    struct track_rec *t = find(c, s, m->head.boot, w->id, id);
    if (!t && !(t = add(c, s, &m->head, id, proven(&new) ? 0 : worthless(&new))))
        return;
    proved(t, &m->head);
    // Live goes before late: an older revision may come behind a newer one.
    if (t->w.revision && w->revision <= t->w.revision)
        return;
    if (!(m->head.t_ns - t->level_was_ns < TREND_NS)) {
        t->level_was_dbfs = t->w.revision ? t->w.level_dbfs : w->level_dbfs;
        t->level_was_ns = m->head.t_ns;
    }
    t->matter = t->matter || strcmp(t->w.state, w->state) || strcmp(t->w.family, w->family) ||
                strcmp(t->w.verdict, w->verdict) || strcmp(t->w.role, w->role) ||
                strcmp(t->w.claimed_serial, w->claimed_serial);
    int64_t last_ns = t->w.last_ns;             // a frame may have been later than this says
    t->w = *w;
    if (t->w.last_ns < last_ns)
        t->w.last_ns = last_ns;
    level_note(t);
    for (t->n_alternatives = 0; t->n_alternatives < 4 &&
         t->w.link_alternatives[t->n_alternatives][0];)
        t->n_alternatives++;
    // Of a start of the sensor that is over: whatever it was, it is not heard any more.
    if (s->boot_now && m->head.boot != s->boot_now)
        snprintf(t->w.state, sizeof t->w.state, "ended");
    bool ended = !strcmp(t->w.state, "ended");
    if (ended && !t->ended_mono_ns)
        t->ended_mono_ns = s->track_ended_ns = c->mono_ns;
    else if (!ended)
        t->ended_mono_ns = 0;
    take_orphan(c, s, t);
    changed(c, t, &m->head);
}

const char *track_serial(const struct track_rec *t)
{
    return t->claim.serial[0] ? t->claim.serial : t->w.claimed_serial;
}

// ---- Checked frames ---------------------------------------------------------------------------

static double num(const struct wire_decode *d, const char *key)
{
    for (unsigned i = 0; i < d->n_fields && i < WIRE_FIELDS; i++)
        if (d->field[i].type == WIRE_F_NUM && !strcmp(d->field[i].key, key))
            return d->field[i].num;
    return NAN;
}

static void str(const struct wire_decode *d, const char *key, char *ret, size_t size)
{
    for (unsigned i = 0; i < d->n_fields && i < WIRE_FIELDS; i++)
        if (d->field[i].type == WIRE_F_STR && !strcmp(d->field[i].key, key) && d->field[i].str[0])
            snprintf(ret, size, "%s", d->field[i].str);
}

static bool on_earth(double lat_deg, double lon_deg)
{
    return fabs(lat_deg) <= 90 && fabs(lon_deg) <= 180;     // false for NaN
}

// A frame heard just now that is much older than the last one: the sensor's clock was set back.
// It counts, or the aircraft would stand still on screens until the clock is where it was.
#define SET_BACK_NS INT64_C(10000000000)

static bool newer(const struct wire_head *h, int64_t than_ns)
{
    return h->t_ns >= than_ns || (!h->late && than_ns - h->t_ns > SET_BACK_NS);
}

// Positions of aircraft and person as this frame claims them; what it does not say stays as it was.
static void claim_frame(struct claim *k, const struct wire_decode *d, const struct wire_head *h)
{
    int64_t t_ns = h->t_ns;
    double lat = num(d, "lat_deg"), lon = num(d, "lon_deg");
    snprintf(k->protocol, sizeof k->protocol, "%s", d->protocol);
    str(d, "serial", k->serial, sizeof k->serial);
    str(d, "product", k->model, sizeof k->model);
    str(d, "operator_id", k->operator_id, sizeof k->operator_id);
    if (on_earth(lat, lon) && newer(h, k->at_ns)) {
        k->lat_deg = lat;
        k->lon_deg = lon;
        k->alt_m = num(d, "alt_hae_m");
        k->height_m = num(d, "height_m");
        k->speed_mps = num(d, "speed_mps");
        k->track_deg = num(d, "track_deg");
        k->at_ns = t_ns;
    }
    lat = num(d, "operator_lat_deg");
    lon = num(d, "operator_lon_deg");
    if (on_earth(lat, lon) && newer(h, k->person_at_ns)) {
        // Which kind it is decides where a patrol goes: without a word of it, it is not shown.
        char kind[12] = "";
        str(d, "operator_position", kind, sizeof kind);
        if (strcmp(kind, "takeoff") && strcmp(kind, "live") && strcmp(kind, "fixed"))
            return;
        snprintf(k->person_kind, sizeof k->person_kind, "%s", kind);
        k->person_lat_deg = lat;
        k->person_lon_deg = lon;
        k->person_at_ns = t_ns;
    }
}

static struct track_rec *track_of(struct core *c, struct sensor *s, const struct wire_msg *m)
{
    char id[CORE_ID], serial[48] = "";
    struct track_rec *t = m->decode.track[0] ? find(c, s, m->head.boot, m->decode.track, id) : NULL;
    str(&m->decode, "serial", serial, sizeof serial);
    const struct incident *i = !t && serial[0] ? map_get(&c->serials, serial) : NULL;
    for (unsigned k = 0; i && !t && k < i->n_members; k++)
        if (!strcmp(i->member[k].sensor, s->name)) {
            t = map_get(&c->tracks, i->member[k].track);
            t = t && !t->ended_mono_ns ? t : NULL;
        }
    return t;
}

void decode_take(struct core *c, struct sensor *s, const struct wire_msg *m)
{
    struct track_rec *t = track_of(c, s, m);
    if (t) {
        proved(t, &m->head);
        t->matter = t->matter || !t->claim.protocol[0];
        claim_frame(&t->claim, &m->decode, &m->head);
        if (m->head.t_ns > t->w.last_ns)        // its track's next word may be seconds away
            t->w.last_ns = m->head.t_ns;
        changed(c, t, &m->head);
        friend_frame(s, t, m);
        return;
    }
    // The frame is there before its track is told: kept for it, the oldest of four gives way.
    unsigned at = 0;
    for (unsigned i = 1; i < 4; i++)
        if (s->orphan[i].mono_ns < s->orphan[at].mono_ns)
            at = i;
    s->orphan[at].claim = (struct claim){ .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN,
                                          .height_m = NAN, .speed_mps = NAN, .track_deg = NAN };
    snprintf(s->orphan[at].track, sizeof s->orphan[at].track, "%s", m->decode.track);
    claim_frame(&s->orphan[at].claim, &m->decode, &m->head);
    s->orphan[at].mono_ns = c->mono_ns;
}

// The sensor began anew or is no longer ours: what it tracked has ended as far as is known here.
void sensor_gone(struct core *c, struct sensor *s, uint64_t now)
{
    char boot[sizeof c->track[0]->boot];
    snprintf(boot, sizeof boot, "%016" PRIx64, now);
    for (size_t i = 0; i < c->n_tracks; i++) {
        struct track_rec *t = c->track[i];
        if (strcmp(t->sensor, s->name) || t->ended_mono_ns || !strcmp(t->boot, boot))
            continue;
        snprintf(t->w.state, sizeof t->w.state, "ended");
        t->ended_mono_ns = s->track_ended_ns = c->mono_ns;
        t->dirty = t->matter = true;
        if (t->incident)
            incident_touch(t->incident);
    }
}
