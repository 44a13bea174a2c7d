// SPDX-License-Identifier: GPL-3.0-or-later
// An alert's life apart from why it is there: made, called, noted, silent, forgotten.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"
#include "alertd/core_more.h"

#define S_NS INT64_C(1000000000)
#define SOFT_NS   (5 * S_NS)        // place and level alone make a revision this often at most
#define CLOSED_NS (86400 * S_NS)    // a closed alert stays on screens for a day
#define SHARE     (CORE_ALERTS / 4)     // open ones of one sensor at most
#define STEP      16                // forgotten a tick at most

static void forget(struct core *c, struct alert *a)
{
    struct incident *i = map_get(&c->incidents, a->incident);
    if (i && i->alert == a)
        i->alert = NULL;
    for (size_t k = 0; k < c->n_sensors; k++)
        for (int t = 0; t < TROUBLES; t++)
            if (c->sensor[k]->trouble[t] == a)
                c->sensor[k]->trouble[t] = NULL;
    for (int k = 0; k < 2; k++)
        if (c->equip[k] == a)
            c->equip[k] = NULL;
    for (size_t k = 0; k < sizeof c->stranger / sizeof c->stranger[0]; k++)
        if (c->stranger[k].alert == a)
            c->stranger[k].alert = NULL;
    core_gone(c, CHANGE_ALERT, a->id);
    batch_gone(c->batch, CHANGE_ALERT, a->id);
    map_del(&c->alerts, a->id);
    c->alert[a->at] = c->alert[--c->n_alerts];
    c->alert[a->at]->at = a->at;
    free(a);
}

// Which goes first when 4096 are there: closed and longest, then what is over and least urgent.
static struct alert *least(struct core *c)
{
    struct alert *least = NULL;
    double worth = INFINITY;
    for (size_t k = 0; k < c->n_alerts; k++) {
        struct alert *a = c->alert[k];
        bool over = !strcmp(a->signal, "ended");
        double w = !strcmp(a->work, "closed") ? 0 : over ? 1 + severity_of(a->severity) : INFINITY;
        if (!a->dirty && w + (double)a->last_ns / 1e20 < worth) {
            worth = w + (double)a->last_ns / 1e20;
            least = a;
        }
    }
    return least;
}

struct alert *alert_new(struct core *c, const char *rule, const char *incident,
                        uint32_t occurrence)
{
    char id[CORE_ID];
    core_id(c, id, "alert", rule, incident, occurrence);
    struct alert *a = map_get(&c->alerts, id);
    if (a)
        return a;
    struct alert *old = c->n_alerts == CORE_ALERTS ? least(c) : NULL;
    if (old)
        forget(c, old);
    a = c->n_alerts < CORE_ALERTS ? calloc(1, sizeof *a) : NULL;
    if (!a || (snprintf(a->id, sizeof a->id, "%s", id), map_put(&c->alerts, a->id, a)) < 0) {
        c->dropped[CHANGE_ALERT]++;
        free(a);
        return NULL;
    }
    snprintf(a->incident, sizeof a->incident, "%s", incident);
    snprintf(a->rule, sizeof a->rule, "%s", rule);
    snprintf(a->rules_hash, sizeof a->rules_hash, "%s", c->rules_hash);
    snprintf(a->work, sizeof a->work, "new");
    a->occurrence = occurrence;
    a->received_ns = c->now_ns;
    a->where = (struct where){ .kind = "presence", .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN,
                               .height_m = NAN, .error_m = NAN, .age_s = NAN };
    a->known.lat_deg = a->known.lon_deg = NAN;
    a->p_drone = a->confidence = a->freq_lo_hz = a->freq_hi_hz = NAN;
    a->level_dbfs = a->snr_db = a->trend_db = a->runner_up_confidence = NAN;
    a->dirty = a->matter = true;
    a->at = c->n_alerts;
    c->alert[c->n_alerts++] = a;
    return a;
}

bool alert_crowded(const struct core *c, const char *sensor)
{
    size_t n = 0;
    if (c->n_alerts < SHARE)
        return false;
    for (size_t k = 0; k < c->n_alerts; k++)
        n += strcmp(c->alert[k]->work, "closed") && c->alert[k]->n_sensors == 1 &&
             !strcmp(c->alert[k]->sensors[0].id, sensor);
    return n >= SHARE;
}

void alert_touch(struct alert *a, bool matter)
{
    a->dirty = true;
    a->matter = a->matter || matter;
}

// What somebody vouches for calls nobody, but that what claims to be ours cannot be.
void alert_call(struct alert *a, const char *reason)
{
    alert_touch(a, true);
    if (a->known.name[0] && strcmp(reason, "friend"))
        return;
    a->calls++;
    snprintf(a->call_reason, sizeof a->call_reason, "%s", reason);
}

// The oldest note gives way on the screen; every revision of before still holds it.
void alert_note(struct core *c, struct alert *a, const char *who, const char *did,
                const char *text)
{
    if (a->n_by == CORE_BY)
        memmove(&a->by[0], &a->by[1], --a->n_by * sizeof a->by[0]);
    struct act_note *n = &a->by[a->n_by++];
    *n = (struct act_note){ .when_ns = c->now_ns };
    snprintf(n->who, sizeof n->who, "%s", who);
    snprintf(n->did, sizeof n->did, "%s", did);
    snprintf(n->text, sizeof n->text, "%s", text);
    alert_touch(a, true);
}

static struct param *param(struct alert *a, const char *key)
{
    if (a->n_params == sizeof a->param / sizeof a->param[0])
        return &a->param[a->n_params - 1];
    struct param *p = &a->param[a->n_params++];
    *p = (struct param){ .is_num = false };
    snprintf(p->key, sizeof p->key, "%s", key);
    return p;
}

void alert_param(struct alert *a, const char *key, const char *text)
{
    struct param *p = param(a, key);
    snprintf(p->text, sizeof p->text, "%s", text);
}

void alert_param_num(struct alert *a, const char *key, double v)
{
    struct param *p = param(a, key);
    p->is_num = true;
    p->num = v;
}

void alert_signal(struct core *c, struct alert *a, const char *signal)
{
    if (!strcmp(signal, "heard"))
        a->lull_mono_ns = 0;
    else if (!a->lull_mono_ns)
        a->lull_mono_ns = c->mono_ns;
    if (!strcmp(a->signal, signal))
        return;
    snprintf(a->signal, sizeof a->signal, "%s", signal);
    a->signal_since_ns = c->now_ns;
    alert_touch(a, true);
}

void alert_tick(struct core *c)
{
    unsigned n = 0;
    for (size_t k = c->n_alerts; k-- > 0 && n < STEP;) {
        struct alert *a = c->alert[k];
        if (strcmp(a->work, "closed") || a->dirty || c->mono_ns - a->closed_mono_ns < CLOSED_NS ||
            !strcmp(a->signal, "heard"))
            continue;
        forget(c, a);
        n++;
    }
}

// ---- A revision -------------------------------------------------------------------------------

bool alert_due(const struct core *c, const struct alert *a)
{
    return a->dirty && (a->matter || c->mono_ns - a->soft_mono_ns >= SOFT_NS);
}

void alert_revise(struct core *c, struct alert *a)
{
    a->rev++;
    if (a->matter)
        a->matter_rev = a->rev;
    a->rev_ns = c->now_ns;
    a->quiet_s = !strcmp(a->signal, "heard") || !a->last_ns
               ? 0 : fmax(0, (double)(c->now_ns - a->last_ns) / 1e9);
    a->where.age_s = a->where.at_ns ? (double)(c->now_ns - a->where.at_ns) / 1e9 : NAN;
    a->dirty = a->matter = false;
    a->soft_mono_ns = c->mono_ns;
}
