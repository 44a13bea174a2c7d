// SPDX-License-Identifier: GPL-3.0-or-later
// The equipment lane: what stays wrong becomes an alert, what is well again closes it.  These never
// make the drone's sound, and one trouble that comes and goes is one alert while it does.
//
//     wrong ----hold----> alert, "heard"        well ----clear----> "ended", closed as mended
#include <stdio.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define RIPE (-1)
#define CLEAR_NS (30 * S_NS)    // well for so long: a radio that restarts every 10 s is one trouble

static const struct {
    const char   *rule;         // also the key of its words
    enum severity severity;
    int64_t       hold_ns;      // RIPE: how long is judged where it is marked
} troubles[TROUBLES] = {
    [TROUBLE_LOST]    = { "sensor-lost",    SEV_ALARM, 0 },
    [TROUBLE_DEAF]    = { "sensor-deaf",    SEV_ALARM, 3 * S_NS },
    [TROUBLE_RADIO]   = { "radio-silent",   SEV_ALARM, 3 * S_NS },
    [TROUBLE_LOSS]    = { "samples-lost",   SEV_WATCH, RIPE },
    [TROUBLE_CLOCK]   = { "clock",          SEV_WATCH, 30 * S_NS },
    [TROUBLE_DISK]    = { "disk-low",       SEV_WATCH, 0 },
    [TROUBLE_SPOOL]   = { "spool-lost",     SEV_WATCH, 0 },
    [TROUBLE_ORIGIN]  = { "origin-refused", SEV_WATCH, 0 },
    [TROUBLE_FLOOD]   = { "flood",          SEV_WATCH, 0 },
    [TROUBLE_FOREIGN] = { "foreign-name",   SEV_ALARM, 0 },
    [TROUBLE_CLIP]    = { "clipping",       SEV_WATCH, RIPE },
    // Looked at for a minute before they are troubles at all (core_floor.c).
    [TROUBLE_FLOOR_HIGH] = { "floor-high",  SEV_WATCH, 0 },
    [TROUBLE_FLOOR_LOW]  = { "floor-low",   SEV_WATCH, 0 },
    [TROUBLE_JUMP]    = { "clock-jump",     SEV_WATCH, 0 },
    [TROUBLE_STAMPS]  = { "stamps-jump",    SEV_WATCH, 0 },
    [TROUBLE_FAULTS]  = { "malformed",      SEV_WATCH, 0 },
};

static const struct { const char *rule; enum severity severity; } posts[2] = {
    { "store-full", SEV_ALARM }, { "peer-refused", SEV_WATCH }
};

static struct alert *raise_alert(struct core *c, const char *rule, enum severity severity,
                                 const char *sensor, const char *what)
{
    char incident[CORE_ID];
    core_id(c, incident, "equipment", rule, *sensor ? sensor : what, (uint64_t)c->now_ns);
    struct alert *a = alert_new(c, rule, incident, 1);
    if (!a)
        return NULL;
    snprintf(a->lane, sizeof a->lane, "equipment");
    snprintf(a->severity, sizeof a->severity, "%s", severity_name(severity));
    snprintf(a->line_key, sizeof a->line_key, "%s", rule);
    const struct sensor *s = map_get(&c->by_name, sensor);
    snprintf(a->origin, sizeof a->origin, "%s", s && s->origin[0] ? s->origin : "live");
    a->where.kind[0] = 0;
    alert_param(a, "sensor", sensor);
    if (*what)
        alert_param(a, "what", what);
    if (*sensor) {
        snprintf(a->sensors[0].id, sizeof a->sensors[0].id, "%s", sensor);
        snprintf(a->sensors[0].name, sizeof a->sensors[0].name, "%s", sensor);
        a->n_sensors = 1;
    }
    a->first_ns = a->last_ns = c->now_ns;
    alert_signal(c, a, "heard");
    alert_call(a, "new");
    return a;
}

static void end_alert(struct core *c, struct alert *a)
{
    a->last_ns = c->now_ns;
    alert_signal(c, a, "ended");
    if (!strcmp(a->work, "closed"))
        return;
    snprintf(a->work, sizeof a->work, "closed");
    snprintf(a->reason, sizeof a->reason, "mended");
    a->closed_mono_ns = c->mono_ns;
    alert_note(c, a, "post", "closed", "mended");
}

static const char *text_of(const struct alert *a, const char *key)
{
    for (unsigned i = 0; i < a->n_params; i++)
        if (!strcmp(a->param[i].key, key))
            return a->param[i].text;
    return "";
}

static bool stands(const struct alert *a, const char *rule)
{
    return !strcmp(a->lane, "equipment") && !strcmp(a->rule, rule) && strcmp(a->signal, "ended");
}

// After a restart: the alert of this trouble that was open when alertd went.
static struct alert *standing(struct core *c, const char *rule, const char *sensor)
{
    for (size_t i = 0; i < c->n_alerts; i++) {
        struct alert *a = c->alert[i];
        if (stands(a, rule) && !strcmp(a->n_sensors ? a->sensors[0].id : "", sensor) &&
            !*text_of(a, "from"))
            return a;
    }
    return NULL;
}

static bool ripe(const struct core *c, const struct sensor *s, int t)
{
    return troubles[t].hold_ns == RIPE ? s->ripe[t]
                                       : c->mono_ns - s->bad_since_ns[t] >= troubles[t].hold_ns;
}

static void tick_sensor(struct core *c, struct sensor *s)
{
    for (int t = 0; t < TROUBLES; t++) {
        bool bad = s->bad_since_ns[t] != 0;
        if (bad && s->trouble[t])
            alert_signal(c, s->trouble[t], "heard");        // again so, after a restart
        if (bad && !s->trouble[t] && ripe(c, s, t))
            s->trouble[t] = raise_alert(c, troubles[t].rule, troubles[t].severity, s->name,
                                        s->bad_what[t]);
        // A sensor that is lost, or not heard since this post started, has no other trouble that
        // anybody knows of: those stay as they are, and are well only when it was heard well.
        bool known = s->heard_mono_ns && (t == TROUBLE_LOST || s->state != SENSOR_LOST);
        known = known || t == TROUBLE_FAULTS;
        if (!known)
            s->good_since_ns[t] = c->mono_ns;
        if (!bad && known && s->trouble[t] && c->mono_ns - s->good_since_ns[t] >= CLEAR_NS) {
            end_alert(c, s->trouble[t]);
            s->trouble[t] = NULL;
        }
    }
}

// ---- Who knocks and is not enrolled -----------------------------------------------------------

#define FORGET_NS (300 * S_NS)  // no attempt for so long: it is over
#define WORDS_NS  (5 * S_NS)    // the key's words come within this, or the alert goes without

void core_stranger(struct core *c, const struct in_stranger *new)
{
    size_t n = sizeof c->stranger / sizeof c->stranger[0], at = 0;
    for (size_t k = 0; k < n; k++) {
        if (c->stranger[k].last_ns && !strcmp(c->stranger[k].s.from, new->from)) {
            at = k;
            break;
        }
        if (c->stranger[k].last_ns < c->stranger[at].last_ns)
            at = k;
    }
    struct in_stranger *s = &c->stranger[at].s;
    if (strcmp(s->from, new->from) || !c->stranger[at].last_ns) {
        if (c->stranger[at].alert)
            end_alert(c, c->stranger[at].alert);
        memset(&c->stranger[at], 0, sizeof c->stranger[at]);
        *s = *new;
        c->stranger[at].first_ns = c->mono_ns;
    }
    if (new->words[0])
        memcpy(s->words, new->words, sizeof s->words);
    s->tries = new->tries > s->tries ? new->tries : s->tries;
    s->keys = new->keys > s->keys ? new->keys : s->keys;
    c->stranger[at].last_ns = c->mono_ns;
}

static void say_stranger(struct alert *a, const struct in_stranger *s)
{
    struct param was[8];
    unsigned n = a->n_params;
    memcpy(was, a->param, sizeof was);
    a->n_params = 0;
    alert_param(a, "from", s->from);
    if (s->words[0])
        alert_param(a, "words", s->words);
    if (s->keys > 1)
        alert_param_num(a, "keys", (double)s->keys);
    if (n != a->n_params || memcmp(was, a->param, n * sizeof was[0]))
        alert_touch(a, true);
}

static void adopt_strangers(struct core *c)
{
    size_t k = 0;
    for (size_t i = 0; i < c->n_alerts && k < sizeof c->stranger / sizeof c->stranger[0]; i++) {
        struct alert *a = c->alert[i];
        if (!stands(a, "peer-refused") || !*text_of(a, "from"))
            continue;
        struct in_stranger *s = &c->stranger[k].s;
        snprintf(s->from, sizeof s->from, "%.63s", text_of(a, "from"));
        snprintf(s->words, sizeof s->words, "%.95s", text_of(a, "words"));
        c->stranger[k].first_ns = c->stranger[k].last_ns = c->mono_ns;
        c->stranger[k++].alert = a;
    }
}

static void tick_strangers(struct core *c)
{
    for (size_t k = 0; k < sizeof c->stranger / sizeof c->stranger[0]; k++) {
        const struct in_stranger *s = &c->stranger[k].s;
        struct alert **a = &c->stranger[k].alert;
        if (!c->stranger[k].last_ns)
            continue;
        if (!*a && (s->words[0] || c->mono_ns - c->stranger[k].first_ns > WORDS_NS))
            *a = raise_alert(c, "peer-refused", SEV_WATCH, "", s->from);
        if (*a)
            say_stranger(*a, s);
        if (*a && c->stranger[k].last_ns > c->stranger[k].first_ns)
            alert_signal(c, *a, "heard");
        if (c->mono_ns - c->stranger[k].last_ns < FORGET_NS)
            continue;
        if (*a)
            end_alert(c, *a);
        memset(&c->stranger[k], 0, sizeof c->stranger[k]);
    }
}

static void tick_post(struct core *c, int k, bool bad, const char *what)
{
    if (bad) {
        c->equip_bad_ns[k] = c->mono_ns;
        if (c->equip[k])
            alert_signal(c, c->equip[k], "heard");
        else
            c->equip[k] = raise_alert(c, posts[k].rule, posts[k].severity, "", what);
    } else if (c->equip[k] && c->mono_ns - c->equip_bad_ns[k] >= CLEAR_NS) {
        end_alert(c, c->equip[k]);
        c->equip[k] = NULL;
    }
}

// It happened, and is over; what people make of it stays open until one of them closes it.
static void tell_aside(struct core *c)
{
    struct alert *a = c->post.aside[0] ? raise_alert(c, "store-damaged", SEV_ALARM, "",
                                                     c->post.aside) : NULL;
    if (a)
        alert_signal(c, a, "ended");
}

// Once, when the store has been read: every standing trouble gets its alert back.
static void adopt(struct core *c)
{
    for (size_t i = 0; i < c->n_sensors; i++)
        for (int t = 0; t < TROUBLES; t++)
            if ((c->sensor[i]->trouble[t] = standing(c, troubles[t].rule, c->sensor[i]->name)))
                c->sensor[i]->good_since_ns[t] = c->mono_ns;
    adopt_strangers(c);
    for (int k = 0; k < 2; k++)
        if ((c->equip[k] = standing(c, posts[k].rule, "")))
            c->equip_bad_ns[k] = c->mono_ns;
}

void equip_tick(struct core *c)
{
    if (!c->tick_mono_ns) {
        adopt(c);
        tell_aside(c);
    }
    c->tick_mono_ns = c->mono_ns;
    for (size_t i = 0; i < c->n_sensors; i++)
        tick_sensor(c, c->sensor[i]);
    bool refused = c->post.refused_crowd > c->refused_seen;
    c->refused_seen = c->post.refused_crowd;
    tick_post(c, 0, c->post.store_full, "");
    tick_post(c, 1, refused, "");
    tick_strangers(c);
}
