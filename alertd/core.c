// SPDX-License-Identifier: GPL-3.0-or-later
// What the core is made of and how it starts: from the store, with every radio's state unknown.
#include "alertd/core.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_names[] = { "", "info", "watch", "alarm", "critical" };

const char *severity_name(enum severity s) { return severity_names[s]; }

enum severity severity_of(const char *name)
{
    for (int i = SEV_INFO; i <= SEV_CRITICAL; i++)
        if (!strcmp(name, severity_names[i]))
            return (enum severity)i;
    return SEV_NONE;
}

static const char *const origins[] = { "live", "recording", "simulation", "selftest", "exercise" };

int core_origin(const char *name)
{
    for (unsigned i = 0; i < sizeof origins / sizeof origins[0]; i++)
        if (!strcmp(name, origins[i]))
            return (int)i;
    return -EINVAL;
}

// 96 bits of a keyed hash: the same installation and the same events give the same ids, and nobody
// outside can aim at one.
void core_id(const struct core *c, char ret[CORE_ID], const char *kind, const char *a,
             const char *b, uint64_t k)
{
    unsigned char h[12];
    crypto_generichash_state st;
    uint8_t le[8];
    static_assert(sizeof h * 2 + 1 == CORE_ID, "hex");
    for (int i = 0; i < 8; i++)
        le[i] = (uint8_t)(k >> (8 * i));
    crypto_generichash_init(&st, (const unsigned char *)c->install, KEYS_Z85 - 1, 16);
    crypto_generichash_update(&st, (const unsigned char *)kind, strlen(kind) + 1);
    crypto_generichash_update(&st, (const unsigned char *)a, strlen(a) + 1);
    crypto_generichash_update(&st, (const unsigned char *)b, strlen(b) + 1);
    crypto_generichash_update(&st, le, sizeof le);
    unsigned char full[16];
    crypto_generichash_final(&st, full, sizeof full);
    memcpy(h, full, sizeof h);
    sodium_bin2hex(ret, CORE_ID, h, sizeof h);
}

struct core *core_new(const struct alertd_cfg *cfg, const char install_z85[KEYS_Z85])
{
    struct core *c = calloc(1, sizeof *c);
    if (!c || sodium_init() < 0) {
        free(c);
        return NULL;
    }
    c->cfg = cfg;
    snprintf(c->install, sizeof c->install, "%s", install_z85);
    c->post.store_ok = true;
    c->health_dirty = true;
    if (!(c->batch = batch_new())) {
        free(c);
        return NULL;
    }
    return c;
}

void core_free(struct core *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_sensors; i++) {
        free(c->sensor[i]->floor);
        free(c->sensor[i]->loss);
        free(c->sensor[i]);
    }
    for (size_t i = 0; i < c->n_tracks; i++)
        free(c->track[i]);
    for (size_t i = 0; i < c->n_incidents; i++)
        free(c->incident[i]);
    for (size_t i = 0; i < c->n_alerts; i++)
        free(c->alert[i]);
    for (size_t i = 0; i < c->n_action; i++) {
        free(c->action[i]->json);
        free(c->action[i]);
    }
    for (size_t i = 0; i < c->n_pending; i++) {
        free(c->pending[i]->json);
        free(c->pending[i]);
    }
    struct map *m[] = { &c->by_key, &c->by_name, &c->tracks, &c->incidents, &c->alerts,
                        &c->serials };
    for (unsigned i = 0; i < sizeof m / sizeof m[0]; i++)
        map_done(m[i]);
    batch_free(c->batch);
    free(c->gone);
    free(c);
}

void core_time(struct core *c, int64_t now_ns, int64_t mono_ns)
{
    c->now_ns = now_ns;
    c->mono_ns = mono_ns;
    if (!c->start_mono_ns)
        c->start_mono_ns = mono_ns;
}

// ---- From the store ---------------------------------------------------------------------------

static int load_alert(struct core *c, const char *json, size_t len)
{
    struct alert *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->where = (struct where){ .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN, .height_m = NAN,
                               .error_m = NAN, .age_s = NAN };
    a->known.lat_deg = a->known.lon_deg = NAN;
    a->trend_db = a->level_dbfs = a->snr_db = a->p_drone = a->confidence = NAN;
    a->freq_lo_hz = a->freq_hi_hz = NAN;
    if (c->n_alerts == CORE_ALERTS || fields_read(json, len, alert_fields, a) < 0 ||
        map_get(&c->alerts, a->id) || map_put(&c->alerts, a->id, a) < 0) {
        c->dropped[CHANGE_ALERT]++;
        free(a);
        return 0;
    }
    a->told_calls = a->calls;
    a->at = c->n_alerts;
    c->alert[c->n_alerts++] = a;
    if (!strcmp(a->work, "closed"))
        a->closed_mono_ns = c->mono_ns;
    return 0;
}

static int load_incident(struct core *c, const char *json, size_t len)
{
    struct incident *i = calloc(1, sizeof *i);
    if (!i)
        return -ENOMEM;
    if (c->n_incidents == CORE_INCIDENTS || fields_read(json, len, incident_fields, i) < 0 ||
        map_get(&c->incidents, i->id) || map_put(&c->incidents, i->id, i) < 0) {
        c->dropped[CHANGE_INCIDENT]++;
        free(i);
        return 0;
    }
    i->at = c->n_incidents;
    c->incident[c->n_incidents++] = i;
    if (i->n_alerts)
        i->alert = map_get(&c->alerts, i->alerts[i->n_alerts - 1].id);
    if (i->serial[0] && !i->merged_into[0] && !map_get(&c->serials, i->serial))
        map_put(&c->serials, i->serial, i);
    i->touched = true;
    return 0;
}

static int load_track(struct core *c, const char *json, size_t len)
{
    struct track_rec *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->claim = (struct claim){ .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN, .height_m = NAN,
                               .speed_mps = NAN, .track_deg = NAN };
    t->w.p_drone = t->w.confidence = t->w.level_dbfs = t->w.snr_db = NAN;
    t->w.ends[0].airborne = t->w.ends[1].airborne = -1;
    if (c->n_tracks == CORE_TRACKS || fields_read(json, len, track_fields, t) < 0 ||
        map_get(&c->tracks, t->id) || map_put(&c->tracks, t->id, t) < 0) {
        c->dropped[CHANGE_TRACK]++;
        free(t);
        return 0;
    }
    t->unproven = true;
    t->at = c->n_tracks;
    c->track[c->n_tracks++] = t;
    struct sensor *s = map_get(&c->by_name, t->sensor);
    if (s)
        s->n_tracks++;
    if (!strcmp(t->w.state, "ended"))
        t->ended_mono_ns = c->mono_ns;
    if (s && t->ended_mono_ns)
        s->track_ended_ns = c->mono_ns;
    return 0;
}

static int load_sensor(struct core *c, const char *json, size_t len)
{
    struct sensor_kept old = { .name = "" };
    for (unsigned k = 0; k < FLOOR_PLACES; k++)
        old.floor[k].rate_hz = old.floor[k].gain_db = NAN;
    if (fields_read(json, len, sensor_fields, &old) < 0)
        return 0;
    struct sensor *s = map_get(&c->by_name, old.name);
    if (s) {                    // revoked meanwhile: not there
        s->heard_ns = old.heard_ns;
        s->since_ns = old.since_ns;
        s->lost = old.lost;
        floor_back(c, s, old.floor, old.n_floors);
    }
    return 0;
}

static int on_thing(void *arg, enum change_kind kind, const char *id, uint64_t n, const char *json,
                    size_t len)
{
    struct core *c = arg;
    (void)id;
    c->n = n > c->n ? n : c->n;
    switch (kind) {
    case CHANGE_ALERT:    return load_alert(c, json, len);
    case CHANGE_INCIDENT: return load_incident(c, json, len);
    case CHANGE_TRACK:    return load_track(c, json, len);
    case CHANGE_SENSOR:   return load_sensor(c, json, len);
    default:              return 0;
    }
}

static int on_progress(void *arg, const char *z85, uint64_t boot, const char *state)
{
    struct core *c = arg;
    struct sensor *s = sensor_by_key(c, z85);
    if (!s || !*state || s->n_boot == CORE_BOOTS)
        return 0;
    struct seqs q = { .boot = boot };
    if (seqs_parse(&q, state) == 0)
        s->boot[s->n_boot++] = q;
    return 0;
}

static int on_action(void *arg, struct action *a)
{
    struct core *c = arg;
    size_t cap = sizeof c->action / sizeof c->action[0];
    if (c->n_action == cap) {
        free(a->json);
        free(a);
        return 0;
    }
    c->action[c->n_action++] = a;
    c->next_action = c->n_action % cap;
    return 0;
}

static void tie(struct core *c, struct incident *i)
{
    for (unsigned m = 0; m < i->n_members && !i->merged_into[0]; m++) {
        struct track_rec *t = map_get(&c->tracks, i->member[m].track);
        if (t)
            t->incident = i;
    }
}

int core_load(struct core *c, struct store *s)
{
    static const struct store_reader reader = { on_thing, on_progress, on_action };
    uint64_t last = store_last_n(s);
    int r = store_load(s, &reader, c);
    for (size_t i = 0; i < c->n_incidents; i++)
        tie(c, c->incident[i]);
    for (size_t i = 0; i < c->n_alerts; i++)
        if (!strcmp(c->alert[i]->signal, "heard"))
            alert_signal(c, c->alert[i], "quiet");
    // Health and sensors have numbers too and are not all stored: a restart begins well above what
    // any screen can have seen (2^20 changes are a day of a busy post).
    c->n = (last > c->n ? last : c->n) + (last || c->n ? 1 << 20 : 0);
    return r;
}

void core_gone(struct core *c, enum change_kind kind, const char *id)
{
    if (c->n_gone == c->cap_gone) {
        size_t cap = c->cap_gone ? 2 * c->cap_gone : 256;
        struct gone *g = realloc(c->gone, cap * sizeof *g);
        if (!g)
            return;             // a screen shows it until it is loaded again
        c->gone = g;
        c->cap_gone = cap;
    }
    c->gone[c->n_gone].kind = kind;
    snprintf(c->gone[c->n_gone++].id, KEYS_NAME, "%s", id);
}
