// SPDX-License-Identifier: GPL-3.0-or-later
// The door's verbs: findings in, tracks out.
//
//     finding -+- DroneID seen, most often ahead of its burst -> dji.c: aircraft
//              |  (weak packets in pieces are joined first: join.c)
//              +- packet of a link already followed ---------> hop.c
//              +- could be a packet of some hopper's mode ---> loose pool --found at tick--> hop.c
//              |                                                 |  nothing found in LOOSE_S
//              +- all others ----------------------------------> group.c
//
// At each tick (50 ms of sample time) hopper modes are sought in the loose pool, links that were
// heard are judged anew, and the silent ones age; only an aircraft is told with the burst that
// proves it.  Nothing here reads a clock.
#include "classifier/classifier.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/crystal.h"
#include "classifier/dji.h"
#include "classifier/join.h"
#include "classifier/link.h"
#include "classifier/pool.h"
#include "classifier/stray.h"

#define LOOSE_S   3.0           // a slow mode's second visit to a narrow capture falls within

struct cls {
    struct sigs       sigs;
    double            threshold;
    enum droneid_mode droneid;
    struct droneid_memory *memory;      // NULL: payloads are not read
    struct dji_memory dji;
    struct links      links;
    struct join       join;
    struct pool       loose;
    struct stray      stray;
    struct crystal    crystal;
    uint64_t          explained;    // pieces and skirts of others
    double            tick_s;       // next tick
    unsigned          cursor;       // of cls_changed
    struct link     **order;        // of cls_track, rebuilt at i == 0
};

int cls_new(struct cls **ret, const struct cls_cfg *cfg, char why[IQ_WHY])
{
    char dir[4096];
    struct cls *c = calloc(1, sizeof *c);
    int r = -ENOMEM;

    snprintf(why, IQ_WHY, "not enough memory for the classifier");
    if (!c || pool_init(&c->loose) < 0 ||
        !(c->order = calloc(CLS_TRACKS, sizeof c->order[0])))
        goto fail;
    c->threshold = cfg->p_drone_threshold > 0 ? cfg->p_drone_threshold : 0.5;
    c->droneid = cfg->droneid;
    c->tick_s = CLS_TICK_S;
    if (c->droneid == DRONEID_DECODE && !(c->memory = droneid_memory_new()))
        goto fail;
    r = sigs_dir(dir, sizeof dir, cfg->sig_dir);
    if (r < 0) {
        snprintf(why, IQ_WHY, "the folder of signature files cannot be named: %s", strerror(-r));
        goto fail;
    }
    r = sigs_load(&c->sigs, dir, why);
    if (r < 0)
        goto fail;
    *ret = c;
    return 0;
fail:
    cls_free(c);
    return r;
}

void cls_free(struct cls *c)
{
    if (!c)
        return;
    droneid_memory_free(c->memory);
    links_free(&c->links);
    sigs_free(&c->sigs);
    pool_done(&c->loose);
    free(c->order);
    free(c);
}

// ---- Where an observation goes -----------------------------------------------------------------

static struct link *group_of(struct cls *c, const struct obs *o)
{
    for (unsigned i = 0; i < c->links.n; i++) {
        struct link *l = c->links.link[i];
        if (l->kind == LINK_GROUP && l->t.state != TRACK_ENDED && group_takes(l->group, o))
            return l;
    }
    return NULL;
}

static void to_group(struct cls *c, const struct obs *o)
{
    struct link *l = group_of(c, o);

    if (!l) {
        l = links_new(&c->links, LINK_GROUP, o->t_s);
        if (!l)
            return;
        l->group = malloc(sizeof *l->group);
        if (!l->group) {
            links_drop(&c->links, l);
            return;
        }
        group_start(l->group, o);
    }
    group_add(l->group, o);
    link_heard(l, o);
}

static bool to_hop(struct cls *c, const struct obs *o)
{
    struct link *best = NULL;
    double least = INFINITY, off;

    for (unsigned i = 0; i < c->links.n; i++) {
        struct link *l = c->links.link[i];
        if (l->kind == LINK_HOP && l->t.state != TRACK_ENDED && hop_takes(l->hop, o, &off) &&
            fabs(off) < least) {
            least = fabs(off);
            best = l;
        }
    }
    if (!best)
        return false;
    hop_add(best->hop, o);
    link_heard(best, o);
    return true;
}

static void loose_oldest_to_group(struct cls *c)
{
    struct obs o = c->loose.o[0];
    pool_take_out(&c->loose, 0);
    to_group(c, &o);
}

static void to_loose(struct cls *c, const struct obs *o)
{
    if (c->loose.n == POOL_MAX)
        loose_oldest_to_group(c);
    pool_put(&c->loose, o);
}

// ---- Ticks -------------------------------------------------------------------------------------

static void judge_hop(struct cls *c, struct link *l)
{
    struct hop_evidence e;
    struct hyp h = { .sig = l->hop->sig, .mode = l->hop->mode };

    hop_judge(l->hop, &e);
    h.llr = e.llr;
    h.n_why = e.n_why;
    memcpy(h.why, e.why, sizeof h.why);
    judge_track(&l->t, &h, 1, stranger_of(NULL), c->threshold);
    hop_ends(l->hop, &l->t);
}

static bool worth_telling(struct cls *c, struct link *l)
{
    struct hyp hyp[HYP_MAX];

    if (l->kind == LINK_DRONEID) {
        dji_judge(l, &c->sigs, c->threshold);
        return true;
    }
    if (l->kind == LINK_HOP) {
        judge_hop(c, l);
        return true;
    }
    unsigned n = judge_group(&c->sigs, l->group, hyp);
    struct stranger u = stranger_of(l->group);
    judge_track(&l->t, hyp, n, u, c->threshold);
    return strcmp(l->t.family, u.family) != 0 ||
           (group_counts(l->group) && !link_in_anothers_place(&c->links, l));
}

static void judge_link(struct cls *c, struct link *l)
{
    const char *family = l->t.family, *name = l->t.link;
    enum verdict verdict = l->t.verdict;

    l->dirty = false;
    bool tell = worth_telling(c, l);
    if (!tell && !l->told)
        return;
    enum track_state before = l->t.state;
    if (before == TRACK_TENTATIVE)
        life_move(&l->t.state, LIFE_NAMED);
    if (!l->told || before != l->t.state || family != l->t.family || name != l->t.link ||
        verdict != l->t.verdict)
        link_tell(&c->links, l);
}

static void age(struct cls *c, double now_s)
{
    for (unsigned i = 0; i < c->links.n; i++) {
        struct link *l = c->links.link[i];
        double silent = now_s - l->t.last_s;
        enum track_state before = l->t.state;
        if (before == TRACK_ENDED || silent < LIFE_QUIET_S)
            continue;
        life_move(&l->t.state, LIFE_SILENT);
        if (silent >= LIFE_GONE_S)
            life_move(&l->t.state, LIFE_GONE);
        if (l->told && l->t.state != before)
            link_tell(&c->links, l);
    }
}

// What waited to be told from pieces of others.
static void release_strays(struct cls *c, double now_s)
{
    struct obs o;

    while (stray_take(&c->stray, now_s, &o)) {
        if (!stray_explained(&c->stray, &o)) {
            to_group(c, &o);
            continue;
        }
        struct link *l = group_of(c, &o);
        if (l)
            l->group->explained++;
        c->explained++;
    }
}

static void tick(struct cls *c, double now_s)
{
    release_strays(c, now_s);
    pool_seek(&c->loose, &c->sigs, &c->links);
    pool_adopt(&c->loose, &c->links, now_s);
    while (c->loose.n && c->loose.o[0].t_s < now_s - LOOSE_S)
        loose_oldest_to_group(c);
    for (unsigned i = 0; i < c->links.n; i++)
        if (c->links.link[i]->dirty)
            judge_link(c, c->links.link[i]);
    age(c, now_s);
}

static void ingest(struct cls *c, const struct obs *o)
{
    if (stray_could(o)) {
        if (!stray_hold(&c->stray, o)) {
            release_strays(c, o->t_s);
            stray_hold(&c->stray, o);
        }
        return;
    }
    stray_solid(&c->stray, o);
    if (to_hop(c, o))
        return;
    if (pool_wants(&c->sigs, o))
        to_loose(c, o);
    else
        to_group(c, o);
}

// Packets that are whole by now.
static void ingest_joined(struct cls *c, double now_s)
{
    struct obs o;
    while (join_take(&c->join, now_s, &o))
        ingest(c, &o);
}

static void ticks_until(struct cls *c, double now_s)
{
    // After hours of silence the ticks between change nothing but ages: 100 s of them suffice.
    if (now_s - c->tick_s > 100)
        c->tick_s += floor((now_s - c->tick_s - 100) / CLS_TICK_S) * CLS_TICK_S;
    for (; c->tick_s <= now_s; c->tick_s += CLS_TICK_S) {
        ingest_joined(c, c->tick_s - CLS_TICK_S);       // what comes may begin a tick ago
        tick(c, c->tick_s);
    }
}

// ---- The door -------------------------------------------------------------------------------

// An aircraft is told with the burst that proves it: that is no decision between hypotheses, which
// would have to wait for its tick.  What comes later of it is judged at ticks, as everything.
static void tell_proven(struct cls *c)
{
    for (unsigned i = 0; i < c->links.n; i++) {
        struct link *l = c->links.link[i];
        if (l->kind == LINK_DRONEID && l->dirty && !l->told)
            judge_link(c, l);
    }
}

static int push_droneid(struct cls *c, const struct finding *f, struct decode *ret_assisted,
                        bool *ret_taken)
{
    int helped = 0;

    if (c->memory && f->n_decode)
        droneid_memory_learn(c->memory, f);
    else if (c->memory && f->soft)
        helped = droneid_memory_help(c->memory, f, ret_assisted) > 0;
    *ret_taken = dji_push(&c->links, &c->dji, &c->sigs, f,
                          f->n_decode ? f->decode : helped ? ret_assisted : NULL);
    return helped;
}

int cls_push(struct cls *c, const struct finding *f, struct decode *ret_assisted)
{
    struct decode spare;
    struct obs o;
    bool taken = false;
    int helped = 0;

    if (f->rate_hz > 0)
        ticks_until(c, (double)f->tick / f->rate_hz - CLS_TICK_S);
    if (f->again)
        taken = dji_took(&c->dji, f->id);
    else if (f->droneid.seen)
        helped = push_droneid(c, f, ret_assisted ? ret_assisted : &spare, &taken);
    if (taken && !f->again)
        tell_proven(c);
    if (f->ahead)
        return helped;
    if (taken && obs_of(&o, f))
        stray_solid(&c->stray, &o);
    crystal_hear(&c->crystal, f);
    if (taken || f->reject || f->product || !obs_of(&o, f) || dji_covers(&c->dji, &o))
        return helped;
    ingest_joined(c, o.t_s);            // findings come in order of start
    if (!join_piece(&c->join, &o) && !join_shadows(&c->join, &o) &&
        !(join_wants(&o) && join_put(&c->join, &o)))
        ingest(c, &o);
    return helped;
}

void cls_finish(struct cls *c)
{
    ingest_joined(c, INFINITY);
    release_strays(c, INFINITY);
    pool_seek(&c->loose, &c->sigs, &c->links);
    pool_adopt(&c->loose, &c->links, INFINITY);
    while (c->loose.n)
        loose_oldest_to_group(c);
    for (unsigned i = 0; i < c->links.n; i++)
        if (c->links.link[i]->dirty)
            judge_link(c, c->links.link[i]);
    c->links.counts.unclassified = c->explained;
    for (unsigned i = 0; i < c->links.n; i++)
        if (!c->links.link[i]->told)
            c->links.counts.unclassified += c->links.link[i]->t.bursts;
}

const struct track *cls_changed(struct cls *c)
{
    for (; c->cursor < c->links.n; c->cursor++) {
        struct link *l = c->links.link[c->cursor];
        if (l->changed) {
            l->changed = false;
            crystal_track(&c->crystal, &l->t);
            return &l->t;
        }
    }
    c->cursor = 0;
    return NULL;
}

const struct track *cls_track(const struct cls *c, size_t i)
{
    size_t n = links_in_order(&c->links, i == 0 ? c->order : NULL);

    if (i >= n)
        return NULL;
    crystal_track(&c->crystal, &c->order[i]->t);
    return &c->order[i]->t;
}

struct crystal *cls_crystal(struct cls *c) { return &c->crystal; }
const struct cls_counts *cls_counts(const struct cls *c) { return &c->links.counts; }
