// SPDX-License-Identifier: GPL-3.0-or-later
// A bounded table of links.  When it is full, what is worth least makes room:
//
//     ended or never told, oldest first  <  told but not a drone's  <  proven: never
#include "classifier/link.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void link_free(struct link *l)
{
    if (!l)
        return;
    free(l->group);
    free(l->hop);
    free(l->dji);
    free(l);
}

void links_free(struct links *s)
{
    for (unsigned i = 0; i < s->n; i++)
        link_free(s->link[i]);
    s->n = 0;
}

bool link_proven(const struct link *l)
{
    return l->t.decodes > 0 || (l->told && l->t.verdict == VERDICT_DRONE && l->t.confidence >= 0.5);
}

// Lower goes first.
static int worth(const struct link *l)
{
    if (link_proven(l))
        return 100;
    if (!l->told)
        return l->t.bursts > 3 ? 1 : 0;
    return l->t.state == TRACK_ENDED ? 2 : l->t.state == TRACK_QUIET ? 3 : 4;
}

void links_drop(struct links *s, struct link *l)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->link[i] == l) {
            memmove(&s->link[i], &s->link[i + 1], (--s->n - i) * sizeof s->link[0]);
            link_free(l);
            return;
        }
}

static bool make_room(struct links *s)
{
    struct link *least = NULL;

    for (unsigned i = 0; i < s->n; i++) {
        struct link *l = s->link[i];
        int w = worth(l);
        if (w >= 100)
            continue;
        if (!least || w < worth(least) || (w == worth(least) && l->t.last_s < least->t.last_s))
            least = l;
    }
    if (!least)
        return false;
    s->counts.evicted++;
    links_drop(s, least);
    return true;
}

struct link *links_new(struct links *s, enum link_kind kind, double t_s)
{
    if (s->n == CLS_TRACKS && !make_room(s)) {
        s->counts.refused++;
        return NULL;
    }
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->kind = kind;
    l->seq = s->seq++;
    l->t.family = "unknown";
    l->t.first_s = l->t.last_s = t_s;
    l->t.level_dbfs = -200;
    l->t.full_dbm = MEAS_NONE;
    l->t.freq_lo_hz = INFINITY;
    l->t.freq_hi_hz = -INFINITY;
    s->link[s->n++] = l;
    return l;
}

// Levels are averaged in power over about the last second heard.
static void level_add(struct track *t, const struct obs *o, bool first)
{
    double dt = fmax(o->t_s - t->last_s, 0);
    double a = first ? 1 : fmax(1 - exp(-dt / 1.0), 1 / (double)(t->bursts + 1));
    double p = exp10(t->level_dbfs / 10), q = exp10(o->level_dbfs / 10);

    if (meas_ok(o->fp.level_dbm))
        t->full_dbm = (struct meas){ o->fp.level_dbm.v - o->fp.level_dbfs, o->fp.level_dbm.err };
    t->level_dbfs = 10 * log10(fmax(p + a * (q - p), 1e-20));
    t->snr_db += a * (o->snr_db - t->snr_db);
}

void link_heard(struct link *l, const struct obs *o)
{
    struct track *t = &l->t;

    level_add(t, o, t->bursts == 0);
    t->bursts += o->part == BURST_WHOLE || o->part == BURST_RUN_FIRST;
    t->clipped += !!(o->flags & BURST_CLIPPED);
    t->origin = o->origin;
    t->first_s = fmin(t->first_s, o->t_s);
    t->last_s = fmax(t->last_s, o->t_s + o->dur_s);
    // what we heard cannot reach beyond the capture, however wide its kind is by definition
    double lo = o->freq_hz - o->bw_hz / 2, hi = o->freq_hz + o->bw_hz / 2;
    t->freq_lo_hz = fmin(t->freq_lo_hz, fmax(lo, o->centre_hz - o->rate_hz / 2));
    t->freq_hi_hz = fmax(t->freq_hi_hz, fmin(hi, o->centre_hz + o->rate_hz / 2));
    if (t->state != TRACK_ENDED)
        life_move(&t->state, LIFE_HEARD);
    l->dirty = true;
}

void link_tell(struct links *s, struct link *l)
{
    if (!l->told) {
        l->told = true;
        s->counts.tracks++;
        snprintf(l->t.id, sizeof l->t.id, "t%04llu", (unsigned long long)++s->told);
    }
    l->t.revision++;
    l->changed = true;
}

static int by_first(const void *a, const void *b)
{
    const struct link *x = *(struct link *const *)a, *y = *(struct link *const *)b;
    if (x->t.first_s != y->t.first_s)
        return x->t.first_s < y->t.first_s ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

size_t links_in_order(const struct links *s, struct link **ret)
{
    size_t n = 0;
    for (unsigned i = 0; i < s->n; i++) {
        if (ret && s->link[i]->told)
            ret[n] = s->link[i];
        n += s->link[i]->told;
    }
    if (ret)
        qsort(ret, n, sizeof ret[0], by_first);
    return n;
}

// Energy of no kind where a named, wider and no weaker link is at work all the while: its pieces,
// frames that collided, its skirts.  What stays on the air,
// or comes back to its own centres, is somebody's own.
bool link_in_anothers_place(const struct links *s, const struct link *l)
{
    const struct group *g = l->group;

    if ((g->kind != GROUP_UNKNOWN && g->kind != GROUP_AM && g->kind != GROUP_FM) ||
        g->longest_s >= 20e-3 || g->n >= 5 * g->n_channels)
        return false;
    for (unsigned i = 0; i < s->n; i++) {
        const struct link *x = s->link[i];
        if (x == l || x->kind != LINK_GROUP || !x->told || x->t.role == ROLE_CONTROL ||
            !strncmp(x->t.family, "unknown", 7) || x->group->bw_hz < fmax(5e6, g->bw_hz))
            continue;
        if (fabs(x->group->freq_hz - g->freq_hz) < 0.75 * x->group->bw_hz &&
            l->t.level_dbfs < x->t.level_dbfs + 3 && x->t.first_s < l->t.last_s &&
            x->t.last_s > l->t.first_s && x->group->n >= g->n / 2)
            return true;
    }
    return false;
}
