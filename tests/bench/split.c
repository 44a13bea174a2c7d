// SPDX-License-Identifier: GPL-3.0-or-later
// Rare outcomes of forced candidates, by multilevel splitting with fixed levels.
//
//     drawn     o o o o o o o o o o o o      level 1: those above go on, the others are dropped
//               . . O . . . . O . . . .
//     copies    O O O O O O O O O O O O      each moved some times without sinking below level 1,
//     moved     o o o O o O o o o O o o      so that they are spread as nature would above it;
//               ...                          then level 2
//
// Fixed levels make the product of the shares unbiased, whatever the moves are worth; poor moves
// only widen the spread among runs.  (With levels taken from the same run the product would hardly
// vary at all, and say nothing.)
#include "tests/bench/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEEP        8                   // one of eight goes on to the next level
#define FIRST       60                  // one of sixty of those drawn to the first

struct particle {
    struct force_place place;
    double             level;
    uint64_t           salt[CONF_SALTS];
};

static int by_level(const void *a, const void *b)
{
    double x = ((const struct particle *)a)->level, y = ((const struct particle *)b)->level;
    return (x < y) - (x > y);
}

// Redraws a share of what the particle's signal is made of; stays where that would sink below the
// level.  1 when it moved.
static int move(struct force *f, struct particle *p, double level, double share)
{
    const float complex draw = p->place.draw[0];
    uint64_t was[CONF_SALTS], *now;
    memcpy(was, p->salt, sizeof(was));
    for (int i = 0; i < CONF_SALTS; i++)
        if (rng_uniform(&f->rng) < share)
            p->salt[i] = rng_u64(&f->rng);
    double stay = 1 - fmin(2 * share, 0.8);             // a Gaussian stays one
    p->place.draw[0] = (float)stay * draw + (float)sqrt(1 - stay * stay) * rng_cnormal(&f->rng);
    force_set(f, &p->place);
    now = conf_salts(f->conf);
    memcpy(now, p->salt, sizeof(was));
    double got = force_run(f, &p->place, FORCE_A).level;
    if (got < level) {
        memcpy(p->salt, was, sizeof(was));
        p->place.draw[0] = draw;
        return 0;
    }
    p->level = got;
    return 1;
}


// Particles of p (n of them) that reach the level, first; p is sorted.
static unsigned reach(struct particle *p, unsigned n, double level)
{
    unsigned in = 0;
    qsort(p, n, sizeof(*p), by_level);
    while (in < n && p[in].level >= level)
        in++;
    return in;
}

double split_run(struct force *f, const struct split_effort *e, struct split_levels *l)
{
    static struct particle p[SPLIT_DRAWN];
    const bool pilot = !l->n, grid = conf_has_grid(f->cls);
    double all = 1, share = 0.04;         // 0.04 of it redrawn: some 0.4 of the moves are kept
    unsigned n = e->drawn;
    for (unsigned i = 0; i < n; i++) {
        memset(&p[i], 0, sizeof(p[i]));
        p[i].place = force_draw(f, grid && i % 2);
        p[i].level = force_run(f, &p[i].place, FORCE_A).level;
    }
    for (unsigned step = 0; step < (pilot ? SPLIT_LEVELS : l->n); step++) {
        if (pilot) {
            reach(p, n, 0);
            l->at[l->n++] = p[n / (step ? KEEP : FIRST) - 1].level;
        }
        unsigned in = reach(p, n, l->at[step]), moved = 0;
        all *= in ? (double)in / n : 3.0 / n;           // none: so much at most
        if (!in || (pilot && (l->at[step] >= 2 || all < e->enough)))
            break;
        if (!pilot && step + 1 == l->n)
            break;
        n = e->particles;
        for (unsigned i = in; i < n; i++)
            p[i] = p[rng_below(&f->rng, in)];
        for (unsigned i = 0; i < n; i++)
            for (unsigned k = 0; k < e->moves; k++)
                moved += (unsigned)move(f, &p[i], l->at[step], share);
        double rate = (double)moved / (n * e->moves);
        share *= rate > 0.5 ? 1.25 : rate < 0.35 ? 0.8 : 1;
    }
    return all;
}
