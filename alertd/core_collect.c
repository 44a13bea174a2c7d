// SPDX-License-Identifier: GPL-3.0-or-later
// What has changed since the last collect: judged, numbered, written into the batch, and kept as
// changes to be shown once the batch is committed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"
#include "alertd/core_more.h"
#include "alertd/web.h"

void core_work_free(struct core_work *w)
{
    if (!w)
        return;
    batch_free(w->batch);
    for (size_t i = 0; i < w->n_change; i++)
        change_free(w->change[i]);
    for (size_t i = 0; i < w->n_answer; i++)
        web_action_free(w->answer[i]);
    free(w->change);
    free(w->answer);
    free(w->ack);
    free(w);
}

// stored: also a row of the table of things.
static void put(struct core_work *w, struct change *h, bool stored)
{
    if (!h) {
        if (w->batch)
            w->batch->short_of_memory = true;
        return;
    }
    w->change[w->n_change++] = h;
    if (stored)
        batch_thing(w->batch, h->kind, h->id, h->n, h->json, h->len);
}

static void collect_alert(struct core *c, struct core_work *w, struct alert *a)
{
    alert_revise(c, a);
    struct change *h = core_change(c, CHANGE_ALERT, a->id, alert_fields, a);
    put(w, h, true);
    if (!h)
        return;
    h->calls = a->rev == 1 || a->calls != a->told_calls;
    a->told_calls = a->calls;
    batch_rev(w->batch, a->id, a->rev, h->n, c->now_ns, h->json, h->len);
}

// Level and counts of a track are told twice a second and stored every five: after a restart the
// sensor's next word brings them up to date.  What matters goes at once, both ways.
#define TELL_NS  INT64_C(500000000)
#define STORE_NS INT64_C(5000000000)

bool track_due(const struct core *c, const struct track_rec *t)
{
    return t->dirty && (t->matter || c->mono_ns - t->told_mono_ns >= TELL_NS);
}

static void collect_track(struct core *c, struct core_work *w, struct track_rec *t)
{
    bool store = t->matter || c->mono_ns - t->stored_mono_ns >= STORE_NS;
    put(w, core_change(c, CHANGE_TRACK, t->id, track_fields, t), store);
    t->dirty = t->matter = false;
    t->told_mono_ns = c->mono_ns;
    if (store)
        t->stored_mono_ns = c->mono_ns;
}

static bool asked_for(const struct core *c, const struct alert *a)
{
    for (size_t i = 0; i < c->n_pending; i++)
        if (!c->pending[i]->json && !strcmp(c->pending[i]->alert, a->id))
            return true;        // (an answer given before is given again as it was)
    return false;
}

static void collect_progress(struct core *c, struct core_work *w)
{
    char text[SEQS_TEXT];
    for (size_t i = 0; i < c->n_sensors; i++) {
        struct sensor *s = c->sensor[i];
        if (!s->progress_dirty)
            continue;
        s->progress_dirty = false;
        for (unsigned b = 0; b < s->n_boot; b++) {
            if (!seqs_moved(&s->boot[b]) && s->boot[b].boot != s->boot_now)
                continue;
            seqs_text(&s->boot[b], text);
            batch_progress(w->batch, s->z85, s->boot[b].boot, text);
            s->boot[b].told = s->boot[b].next;
            if (!s->boot[b].next)
                continue;
            struct core_ack *k = &w->ack[w->n_ack++];
            snprintf(k->z85, sizeof k->z85, "%s", s->z85);
            k->boot = s->boot[b].boot;
            k->to = s->boot[b].next - 1;
        }
    }
}

// Room for all that is dirty, and one for health.
static struct core_work *room(const struct core *c)
{
    struct core_work *w = calloc(1, sizeof *w);
    size_t changes = 1 + c->n_gone, acks = 0;
    for (size_t i = 0; i < c->n_alerts; i++)
        changes += c->alert[i]->dirty;
    for (size_t i = 0; i < c->n_incidents; i++)
        changes += c->incident[i]->dirty;
    for (size_t i = 0; i < c->n_tracks; i++)
        changes += c->track[i]->dirty;
    for (size_t i = 0; i < c->n_sensors; i++) {
        changes += c->sensor[i]->dirty;
        acks += c->sensor[i]->progress_dirty ? c->sensor[i]->n_boot : 0;
    }
    if (!w)
        return NULL;
    w->change = calloc(changes, sizeof *w->change);
    w->answer = calloc(c->n_pending + 1, sizeof *w->answer);
    w->ack = calloc(acks + 1, sizeof *w->ack);
    if (w->change && w->answer && w->ack)
        return w;
    core_work_free(w);
    return NULL;
}

static void collect_gone(struct core *c, struct core_work *w)
{
    for (size_t i = 0; i < c->n_gone; i++) {
        struct change *h = calloc(1, sizeof *h + 3);
        if (h) {
            *h = (struct change){ .n = ++c->n, .kind = c->gone[i].kind, .gone = true, .len = 2 };
            snprintf(h->id, sizeof h->id, "%.39s", c->gone[i].id);
            memcpy(h->json, "{}", 3);
        }
        put(w, h, false);
    }
    c->n_gone = 0;
}

// Live pictures that need no room in the store.
static void collect_sensors(struct core *c, struct core_work *w)
{
    for (size_t i = 0; i < c->n_sensors; i++) {
        struct sensor *s = c->sensor[i];
        if (!s->dirty)
            continue;
        // Its row only says that it was heard, and when: once in five minutes is enough for that.
        bool store = w->batch && (s->state != s->stored_state ||
                                  c->mono_ns - s->stored_mono_ns > INT64_C(300000000000));
        if (store) {
            s->stored_state = s->state;
            s->stored_mono_ns = c->mono_ns;
        }
        put(w, sensor_change(c, s), store);
        s->dirty = false;
    }
    if (c->health_dirty) {
        put(w, health_change(c), false);
        c->health_dirty = false;
        c->health_mono_ns = c->mono_ns;
    }
}

static void judge_all(struct core *c)
{
    for (size_t i = 0; i < c->n_incidents; i++)
        if (c->incident[i]->touched)
            judge_incident(c, c->incident[i]);
}

struct core_work *core_collect(struct core *c)
{
    judge_all(c);
    struct core_work *w = room(c);
    struct batch *next = batch_new();
    if (!w || !next) {
        free(next);
        core_work_free(w);
        return NULL;            // everything is still dirty: the next one takes it
    }
    w->batch = c->batch;
    c->batch = next;
    for (size_t i = 0; i < c->n_incidents; i++)
        if (c->incident[i]->dirty) {
            put(w, core_change(c, CHANGE_INCIDENT, c->incident[i]->id, incident_fields,
                               c->incident[i]), true);
            c->incident[i]->dirty = false;
        }
    for (size_t i = 0; i < c->n_tracks; i++)
        if (track_due(c, c->track[i]))
            collect_track(c, w, c->track[i]);
    for (size_t i = 0; i < c->n_alerts; i++)
        if (alert_due(c, c->alert[i]) || (c->alert[i]->dirty && asked_for(c, c->alert[i])))
            collect_alert(c, w, c->alert[i]);
    collect_gone(c, w);
    collect_sensors(c, w);
    collect_progress(c, w);
    core_answers(c, w);
    return w;
}

struct core_work *core_glance(struct core *c)
{
    struct core_work *w = room(c);
    if (!w)
        return NULL;
    if (c->mono_ns - c->glance_mono_ns >= INT64_C(1000000000)) {
        c->glance_mono_ns = c->mono_ns;
        c->health_dirty = true;
        for (size_t i = 0; i < c->n_tracks; i++)
            if (c->track[i]->dirty)         // stays dirty: its row is still to come
                w->change[w->n_change++] = core_change(c, CHANGE_TRACK, c->track[i]->id,
                                                       track_fields, c->track[i]);
        collect_sensors(c, w);
    }
    size_t n = 0;
    for (size_t i = 0; i < w->n_change; i++)
        if (w->change[i])
            w->change[n++] = w->change[i];
    w->n_change = n;
    return w;
}

bool core_waiting(const struct core *c)
{
    return c->batch->n || c->n_pending || c->n_gone || c->health_dirty || core_dirty(c);
}

bool core_dirty(const struct core *c)
{
    for (size_t i = 0; i < c->n_incidents; i++)
        if (c->incident[i]->dirty || c->incident[i]->touched)
            return true;
    for (size_t i = 0; i < c->n_alerts; i++)
        if (alert_due(c, c->alert[i]))
            return true;
    for (size_t i = 0; i < c->n_sensors; i++)
        if (c->sensor[i]->dirty || c->sensor[i]->progress_dirty)
            return true;
    for (size_t i = 0; i < c->n_tracks; i++)
        if (track_due(c, c->track[i]))
            return true;
    return false;
}

// ---- The whole picture ------------------------------------------------------------------------

static const struct field point_fields[] = {
    F_NUMBER(struct alertd_point, lat_deg, "lat_deg", 7),
    F_NUMBER(struct alertd_point, lon_deg, "lon_deg", 7), F_END
};
static const struct field zone_fields[] = {
    F_TEXT(struct alertd_zone, id, "id"), F_TEXT(struct alertd_zone, name, "name"),
    F_NUMBER(struct alertd_zone, lat_deg, "lat_deg", 7),
    F_NUMBER(struct alertd_zone, lon_deg, "lon_deg", 7),
    F_NUMBER(struct alertd_zone, radius_m, "radius_m", 1),
    F_LIST(struct alertd_zone, point, n_points, "points", point_fields), F_END
};

size_t core_world(struct core *c, struct change ***ret)
{
    size_t all = c->n_alerts + c->n_incidents + c->n_tracks + c->n_sensors + c->cfg->n_zones + 1;
    struct change **w = calloc(all, sizeof *w);
    size_t n = 0;
    *ret = w;
    if (!w)
        return 0;
    for (unsigned i = 0; i < c->cfg->n_zones; i++)
        n += (w[n] = core_change(c, CHANGE_ZONE, c->cfg->zone[i].id, zone_fields,
                                 &c->cfg->zone[i])) != NULL;
    for (size_t i = 0; i < c->n_sensors; i++)
        n += (w[n] = sensor_change(c, c->sensor[i])) != NULL;
    for (size_t i = 0; i < c->n_tracks; i++)
        n += (w[n] = core_change(c, CHANGE_TRACK, c->track[i]->id, track_fields,
                                 c->track[i])) != NULL;
    for (size_t i = 0; i < c->n_incidents; i++)
        n += (w[n] = core_change(c, CHANGE_INCIDENT, c->incident[i]->id, incident_fields,
                                 c->incident[i])) != NULL;
    for (size_t i = 0; i < c->n_alerts; i++)
        n += (w[n] = core_change(c, CHANGE_ALERT, c->alert[i]->id, alert_fields,
                                 c->alert[i])) != NULL;
    n += (w[n] = health_change(c)) != NULL;
    return n;
}
