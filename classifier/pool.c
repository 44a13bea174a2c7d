// SPDX-License-Identifier: GPL-3.0-or-later
// Seeks hopping links among loose packets: every mode of every hopper's signature looks at the
// packets that would fit it, and the one with the most evidence takes its own out.  Then again,
// until nobody finds anything: several emitters of one mode differ in the phase of their grids.
#include "classifier/pool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct found {
    struct hop          hop;
    struct hop_evidence e;
    size_t              n;              // packets looked at, and which of them are its
    unsigned            at[LATTICE_MAX];
    bool                on[LATTICE_MAX];
};

int pool_init(struct pool *p)
{
    *p = (struct pool){ .o = malloc(POOL_MAX * sizeof *p->o),
                        .found = malloc(2 * sizeof *p->found) };
    return p->o && p->found ? 0 : -ENOMEM;
}

void pool_done(struct pool *p)
{
    free(p->o);
    free(p->found);
    *p = (struct pool){ 0 };
}

static bool mode_place(const struct sig_mode *m, const struct obs *o)
{
    double off, f = o->freq_hz;
    int ch;
    return mode_wave_fits(m, o) && mode_channel(m, f, &ch, &off) &&
           fabs(off) <= OBS_PPM * f + fmax(0.1 * m->channel_step_hz, 30e3);
}

static bool mode_could(const struct sig_mode *m, const struct obs *o)
{
    return obs_whole(o) && mode_place(m, o) && mode_length_fits(m, o);
}

bool pool_wants(const struct sigs *s, const struct obs *o)
{
    if (o->part != BURST_WHOLE)
        return false;
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned j = 0; s->sig[i]->judge == SIG_JUDGE_HOPPER && j < s->sig[i]->n_modes; j++) {
            const struct sig_mode *m = &s->sig[i]->modes[j];
            if (mode_place(m, o) && (mode_length_fits(m, o) || o->dur_s < m->burst_s.lo))
                return true;
        }
    return false;
}

void pool_take_out(struct pool *p, unsigned i)
{
    memmove(&p->o[i], &p->o[i + 1], (--p->n - i) * sizeof p->o[0]);
}

void pool_put(struct pool *p, const struct obs *o)
{
    p->o[p->n++] = *o;
    p->fresh = true;
}

// The evidence for a link of this mode, or -1.
static double seek_mode(const struct pool *p, const struct sig *s, const struct sig_mode *m,
                        struct found *f)
{
    const struct obs *o[LATTICE_MAX];
    size_t n = 0, skip = 0;

    for (unsigned i = 0; i < p->n; i++)
        n += mode_could(m, &p->o[i]);
    if (n > LATTICE_MAX) {              // the newest
        skip = n - LATTICE_MAX;
        n = LATTICE_MAX;
    }
    f->n = 0;
    for (unsigned i = 0; i < p->n && f->n < n; i++)
        if (mode_could(m, &p->o[i])) {
            if (skip) {
                skip--;
                continue;
            }
            o[f->n] = &p->o[i];
            f->at[f->n++] = i;
        }
    if (!hop_find(&f->hop, s, m, o, f->n, f->on))
        return -1;
    hop_judge(&f->hop, &f->e);
    return f->e.excluded || !f->e.enough ? -1 : f->e.llr + 0.01 * f->e.packets;
}

static void start_hop(struct pool *p, struct links *links, const struct found *f)
{
    struct link *l = links_new(links, LINK_HOP, INFINITY);

    if (!l)
        return;
    l->hop = malloc(sizeof *l->hop);
    if (!l->hop) {
        links_drop(links, l);
        return;
    }
    *l->hop = f->hop;
    l->t.last_s = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->on[i])
            link_heard(l, &p->o[f->at[i]]);
    for (size_t i = f->n; i-- > 0;)
        if (f->on[i])
            pool_take_out(p, f->at[i]);
}

// One link out of the pool; false when there is none left.
static bool seek_one(struct pool *p, const struct sigs *s, struct links *links, struct found *f,
                     struct found *best)
{
    double best_llr = 0;

    for (unsigned i = 0; i < s->n; i++)
        for (unsigned j = 0; s->sig[i]->judge == SIG_JUDGE_HOPPER && j < s->sig[i]->n_modes; j++) {
            double llr = seek_mode(p, s->sig[i], &s->sig[i]->modes[j], f);
            if (llr > best_llr) {
                best_llr = llr;
                *best = *f;
            }
        }
    if (best_llr <= 0)
        return false;
    start_hop(p, links, best);
    return true;
}

void pool_seek(struct pool *p, const struct sigs *s, struct links *links)
{
    if (!p->fresh || p->n < 6)
        return;
    for (int i = 0; i < 16 && seek_one(p, s, links, &p->found[0], &p->found[1]); i++)   // a tick
        ;
    p->fresh = false;
}

// ---- Adoption --------------------------------------------------------------------------------

static bool absorb(struct links *links, const struct obs *o)
{
    for (unsigned i = 0; i < links->n; i++) {
        struct link *l = links->link[i];
        if (l->kind == LINK_HOP && hop_covers(l->hop, o)) {
            l->t.last_s = fmax(l->t.last_s, o->t_s + o->dur_s);
            return true;
        }
    }
    return false;
}

static bool adopt(struct links *links, const struct obs *o, double now_s)
{
    struct link *best = NULL;
    double least = INFINITY, off;

    for (unsigned i = 0; i < links->n; i++) {
        struct link *l = links->link[i];
        if (l->kind == LINK_HOP && hop_takes(l->hop, o, &off) && fabs(off) < least) {
            least = fabs(off);
            best = l;
        }
    }
    if (best) {
        hop_add(best->hop, o);
        link_heard(best, o);
        return true;
    }
    for (unsigned i = 0; i < links->n; i++) {
        struct link *l = links->link[i];
        if (l->kind != LINK_HOP || l->t.state == TRACK_ENDED ||
            o->t_s > now_s - 2 * l->hop->mode->period_s * l->hop->mode->packets_per_hop ||
            !hop_answers(l->hop, o))
            continue;
        double level = l->t.level_dbfs, snr = l->t.snr_db;      // the track's are the pilot's
        hop_add_answer(l->hop, o);
        link_heard(l, o);
        l->t.level_dbfs = level;
        l->t.snr_db = snr;
        return true;
    }
    return absorb(links, o);
}

void pool_adopt(struct pool *p, struct links *links, double now_s)
{
    for (unsigned i = 0; i < p->n;)
        if (adopt(links, &p->o[i], now_s))
            pool_take_out(p, i);
        else
            i++;
}
