// SPDX-License-Identifier: GPL-3.0-or-later
// Who may speak, what was received of whom, and what a sensor says of itself.
//
// The allow-list makes sensors; nothing that arrives does.  A body that names another than its key
// is dropped and counted.
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define LATE_NS  INT64_C(30000000000)   // a message younger than this is news, however it came
#define SECOND_NS INT64_C(1000000000)
#define HELLO_NS INT64_C(2000000000)    // the hellos of one connection come within this

struct sensor *sensor_by_key(struct core *c, const char *z85) { return map_get(&c->by_key, z85); }

const char *sensor_state_name(enum sensor_state s)
{
    static const char *const name[] = { "unknown", "ok", "degraded", "silent", "lost" };
    return name[s];
}

static struct sensor *add(struct core *c, const struct keys_peer *p)
{
    struct sensor *s = c->n_sensors < KEYS_PEERS ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    snprintf(s->name, sizeof s->name, "%s", p->name);
    snprintf(s->z85, sizeof s->z85, "%s", p->z85);
    s->since_ns = c->now_ns;
    if (map_put(&c->by_name, s->name, s) < 0 || map_put(&c->by_key, s->z85, s) < 0) {
        map_del(&c->by_name, s->name);
        free(s);
        return NULL;
    }
    c->sensor[c->n_sensors++] = s;
    return s;
}

// A box was exchanged: the name stays, the key is another, and nothing of the old is to come.
static void rekey(struct core *c, struct sensor *s, const char *z85)
{
    sensor_gone(c, s, 0);
    map_del(&c->by_key, s->z85);
    snprintf(s->z85, sizeof s->z85, "%s", z85);
    map_put(&c->by_key, s->z85, s);
    s->n_boot = 0;
    s->have_health = s->have_hello = s->connected = false;
}

static void retire(struct core *c, size_t i)
{
    struct sensor *s = c->sensor[i];
    sensor_gone(c, s, 0);
    for (int k = 0; k < TROUBLES; k++)
        if (s->trouble[k])
            alert_signal(c, s->trouble[k], "ended");
    core_gone(c, CHANGE_SENSOR, s->name);
    batch_gone(c->batch, CHANGE_SENSOR, s->name);
    map_del(&c->by_key, s->z85);
    map_del(&c->by_name, s->name);
    free(s->floor);
    free(s->loss);
    free(s);
    c->sensor[i] = c->sensor[--c->n_sensors];
    c->health_dirty = true;
}

void core_peers(struct core *c, const struct keys_peer *p, size_t n)
{
    for (size_t i = 0; i < c->n_sensors; i++)
        c->sensor[i]->enrolled = false;
    for (size_t i = 0; i < n; i++) {
        struct sensor *s = map_get(&c->by_name, p[i].name);
        struct sensor *same_key = map_get(&c->by_key, p[i].z85);
        if (same_key && same_key != s)
            continue;           // one key under two names: the first counts
        if (s && strcmp(s->z85, p[i].z85))
            rekey(c, s, p[i].z85);
        if (!s)
            s = add(c, &p[i]);
        if (s)
            s->enrolled = s->dirty = true;
    }
    for (size_t i = c->n_sensors; i-- > 0;)
        if (!c->sensor[i]->enrolled)
            retire(c, i);
}

void core_link(struct core *c, const char *z85, bool up)
{
    struct sensor *s = sensor_by_key(c, z85);
    if (!s || s->connected == up)
        return;
    s->connected = s->dirty = up;
    s->dirty = true;
    s->up_mono_ns = c->mono_ns;
}

// Five within ten minutes are trouble; one in two minutes is forgotten.
#define FAULT_S    120.0
#define FAULT_MOST 10.0

void core_counts(struct core *c, const char *z85, uint64_t throttled, uint64_t faults,
                 const char *fault)
{
    struct sensor *s = sensor_by_key(c, z85);
    if (!s)
        return;
    s->throttled += throttled;
    s->faults += faults;
    s->dirty = true;
    if (!faults)
        return;
    double s_ago = (double)(c->mono_ns - s->fault_mono_ns) / 1e9;
    s->fault_level = fmax(0, s->fault_level - s_ago / FAULT_S);
    s->fault_level = fmin(FAULT_MOST, s->fault_level + (double)faults);
    s->fault_mono_ns = c->mono_ns;
    s->fault = fault;
}

// ---- What was received ------------------------------------------------------------------------

static void forget_boot(struct core *c, struct sensor *s, unsigned i)
{
    batch_progress(c->batch, s->z85, s->boot[i].boot, "");
    s->boot[i] = s->boot[--s->n_boot];
}

static struct seqs *boot_of(struct core *c, struct sensor *s, uint64_t boot, uint64_t first)
{
    for (unsigned i = 0; i < s->n_boot; i++)
        if (s->boot[i].boot == boot)
            return &s->boot[i];
    for (unsigned i = 0; i < s->n_boot && s->n_boot == CORE_BOOTS; i++)
        if (!s->boot[i].n && s->boot[i].boot != s->boot_now)
            forget_boot(c, s, i);
    if (s->n_boot == CORE_BOOTS)
        return NULL;
    struct seqs *q = &s->boot[s->n_boot++];
    *q = (struct seqs){ .boot = boot, .next = first };
    return q;
}

static void resume(struct core *c, struct sensor *s, const struct seqs *q)
{
    size_t cap = sizeof c->reply / sizeof c->reply[0];
    if (c->n_reply == cap)
        return;                 // asked again after a while
    struct core_reply *r = &c->reply[c->n_reply++];
    snprintf(r->z85, sizeof r->z85, "%s", s->z85);
    r->msg = (struct wire_msg){ .head = { .v = WIRE_VERSION, .kind = WIRE_RESUME,
                                          .stream = WIRE_STREAM_LINK } };
    // A resume is an ack too: only what is durable.
    r->msg.span = (struct wire_span){ .boot = q->boot, .from = q->durable, .to = q->durable };
}

static void take_hello(struct core *c, struct sensor *s, const struct wire_hello *h)
{
    for (unsigned i = 0; i < h->n && i < WIRE_BOOTS; i++) {
        const struct wire_held *held = &h->held[i];
        struct seqs *q = boot_of(c, s, held->boot, held->first);
        if (!q)
            continue;
        q->named_mono_ns = c->mono_ns;
        // What it held before its first is neither here nor there any more.
        if (held->first > q->next) {
            s->lost += held->first - q->next;
            q->lost += held->first - q->next;
            seqs_add(q, q->next, held->first - 1);
            s->progress_dirty = true;
        }
        resume(c, s, q);
    }
    // Boots it no longer holds have nothing left to send.  One hello names eight: with more it says
    // several, one right after the other, and the last is not full.
    for (unsigned i = h->n < WIRE_BOOTS ? s->n_boot : 0; i-- > 0;) {
        const struct seqs *q = &s->boot[i];
        bool held = q->boot == s->boot_now ||
                    (q->named_mono_ns && c->mono_ns - q->named_mono_ns < HELLO_NS);
        if (!held)
            forget_boot(c, s, i);
    }
    s->have_hello = s->connected = true;
}

static void take_lost(struct core *c, struct sensor *s, const struct wire_span *sp)
{
    struct seqs *q = boot_of(c, s, sp->boot, sp->from);
    if (!q || sp->to < sp->from || sp->to == UINT64_MAX)
        return;
    uint64_t n = 0;             // the part of it that never came
    if (sp->to >= q->next)
        n = sp->to - (sp->from > q->next ? sp->from : q->next) + 1;
    if (seqs_add(q, sp->from, sp->to) == SEQS_NEW) {
        s->lost += n;
        q->lost += n;
        s->progress_dirty = true;
    }
}

void core_committed(struct core *c, const struct core_ack *a)
{
    struct sensor *s = sensor_by_key(c, a->z85);
    for (unsigned i = 0; s && i < s->n_boot; i++)
        if (s->boot[i].boot == a->boot && a->to >= s->boot[i].durable)
            s->boot[i].durable = a->to + 1;
}

// ---- What it says of itself -------------------------------------------------------------------

// A health body names the sensor for people.  When it is the name of another enrolled one, somebody
// speaks for somebody else.
static bool foreign(struct core *c, const struct sensor *s, const char *name)
{
    const struct sensor *other = *name ? map_get(&c->by_name, name) : NULL;
    return other && other != s;
}

static void take_health(struct core *c, struct sensor *s, const struct wire_msg *m)
{
    if (m->head.late && c->now_ns - m->head.t_ns > LATE_NS)
        return;                 // how it was then says nothing of now
    loss_take(c, s, &m->health);
    s->health = m->health;
    s->have_health = true;
    s->health_mono_ns = c->mono_ns;
    s->dirty = true;
    floor_take(c, s);
}

static void take_ledger(struct core *c, struct sensor *s, const struct wire_ledger *l)
{
    if (l->to_ns <= l->from_ns || l->to_ns < c->now_ns - 2 * LATE_NS)
        return;
    s->ledger[s->n_ledger++ % CORE_LEDGERS] = *l;
    floor_bands(c, s, l);
}

static void new_boot(struct core *c, struct sensor *s, uint64_t boot)
{
    // Its tracks of before are nobody's now; also those that the store held at this post's start.
    if (s->boot_now != boot)
        sensor_gone(c, s, boot);
    s->boot_now = boot;
}

static void alive(struct core *c, struct sensor *s)
{
    if (!s->heard_mono_ns || c->mono_ns - s->heard_mono_ns > 5 * SECOND_NS)
        s->dirty = true;
    s->heard_ns = c->now_ns;
    s->heard_mono_ns = c->mono_ns;
}

static void heard(struct core *c, struct sensor *s, const struct wire_head *h)
{
    bool live = !h->late;
    snprintf(s->origin, sizeof s->origin, "%s", h->origin);
    if (live) {
        clock_note(c, s, h);
        if (h->stream == WIRE_STREAM_EVENT)
            new_boot(c, s, h->boot);
    }
    c->origin_heard_ns[core_origin(h->origin)] = c->now_ns;
}

// Origins other than live are for exercises; a self-test is nobody's business here.
static bool origin_fits(struct core *c, struct sensor *s, const struct wire_head *h)
{
    int o = core_origin(h->origin);
    bool fits = o == 0 || (o > 0 && o != 3 && c->cfg->exercise);
    if (!fits)
        s->refused_origin++;
    return fits;
}

static void take_event(struct core *c, struct sensor *s, const struct wire_msg *m)
{
    switch (m->head.kind) {
    case WIRE_TRACK:  track_take(c, s, m); break;
    case WIRE_DECODE: decode_take(c, s, m); break;
    case WIRE_HEALTH: take_health(c, s, m); break;
    case WIRE_LEDGER: take_ledger(c, s, &m->ledger); break;
    default: break;
    }
}

enum core_taken core_message(struct core *c, const char *z85, const struct wire_msg *m,
                             const uint8_t *raw, size_t len, bool hold)
{
    struct sensor *s = sensor_by_key(c, z85);
    if (!s)
        return CORE_REFUSED;
    const char *named = m->head.kind == WIRE_HEALTH ? m->health.name
                      : m->head.kind == WIRE_HELLO ? m->hello.name : "";
    bool own = !foreign(c, s, named);
    s->foreign += !own;
    s->dirty = s->dirty || !own;
    alive(c, s);
    if (m->head.stream == WIRE_STREAM_LINK && !own)
        return CORE_REFUSED;
    if (m->head.stream == WIRE_STREAM_LINK) {
        if (m->head.kind == WIRE_HELLO) {
            new_boot(c, s, m->head.boot);
            take_hello(c, s, &m->hello);
        }
        else if (m->head.kind == WIRE_LOST)
            take_lost(c, s, &m->span);
        return CORE_TAKEN;
    }
    if (m->head.stream != WIRE_STREAM_EVENT)
        return CORE_REFUSED;
    struct seqs *q = boot_of(c, s, m->head.boot, 0);
    if (!q)
        return CORE_REFUSED;
    if (seqs_has(q, m->head.seq)) {
        q->told = UINT64_MAX;           // it missed our ack: say it again
        s->progress_dirty = true;
        return CORE_SEEN;
    }
    if (hold && seqs_add(q, m->head.seq, m->head.seq) == SEQS_NO_ROOM)
        return CORE_REFUSED;
    // What this post refuses to look at is received all the same: else it would come for ever.
    if (own && origin_fits(c, s, &m->head)) {
        heard(c, s, &m->head);
        take_event(c, s, m);
        if (hold && m->head.kind == WIRE_LEDGER)
            watch_rows(c, s, &m->ledger);
        if (hold)
            batch_event(c->batch, s->z85, m->head.boot, m->head.seq, c->now_ns, m->head.t_ns,
                        (int)m->head.kind, raw, len);
    }
    s->progress_dirty = true;
    return CORE_TAKEN;
}

void core_tick(struct core *c)
{
    for (size_t i = 0; i < c->n_sensors; i++)
        sensor_judge(c, c->sensor[i]);
    fold_tick(c);
    alert_tick(c);
    known_tick(c);
    equip_tick(c);
    // Counts, clock and what was watched, every 5 s; at once where a sensor changes its state.
    if (c->mono_ns - c->health_mono_ns > 5 * SECOND_NS)
        c->health_dirty = true;
}
