// SPDX-License-Identifier: GPL-3.0-or-later
// Which tiles of a level hold energy: all widths of it, from one cell to the whole row.
#include <math.h>
#include <string.h>

#include "dsp/front/mark.h"
#include "dsp/kernel/tile.h"

#define WHOLE        8          // narrow channels, one fast channel: a tile no wider stays whole
#define PART_SHARE   0.5f       // of the whole's excess a half in frequency must hold to be marked
#define PART_SIGMAS  6.0f       // of a half's excess that tell halves in frequency apart
#define KEEP_DOF     0.25       // of a tile must be left after exclusion to be judged

// Energy (mean over floor times dof) that dof degrees of freedom must reach.
static inline float needed(const struct tiles *t, float dof)
{
    int i = (int)(dof + 0.99f);
    return i <= TABLE ? t->table[i] : dof * (float)TILE_LEAST;
}

// The chord of what tiles of KEEP_DOF to all of so many degrees of freedom need, and no higher
// than that anywhere.
static struct bound make_bound(const struct tiles *t, float dof)
{
    float least = (float)KEEP_DOF * dof, a = needed(t, least), b = needed(t, dof);
    float slope = (b - a) / (dof - least), over = b - slope * dof;

    for (int i = (int)least; i <= TABLE && (float)i < dof; i++) {
        float up_to = (float)i + 1 < dof ? (float)i + 1 : dof;  // steps of the table
        over = fminf(over, needed(t, up_to) - slope * up_to);
    }
    return (struct bound){ slope, over - 1e-3f * b };           // room for rounding
}

void tiles_bounds(struct tiles *t)
{
    for (unsigned i = 0; i < BOUNDS; i++)
        t->bound[i] = make_bound(t, ldexpf(0.5f, (int)i));
}

static struct bound any_bound(const struct tiles *t, float dof)
{
    return (struct bound){ 0, 0.99f * needed(t, (float)KEEP_DOF * dof) };
}

static struct bound bound(const struct tiles *t, float dof)
{
    uint32_t bits;

    memcpy(&bits, &dof, sizeof bits);
    int i = (int)(bits >> 23) - 126;            // 0.5 is 0.5 * 2^0
    // The rest of an epoch has any length.
    return (bits & 0x7fffff) || i < 0 || i >= BOUNDS ? any_bound(t, dof) : t->bound[i];
}

float tiles_slope(const struct tiles *t, bool fast, unsigned rows)
{
    return bound(t, (fast ? (float)FAST_DOF : (float)SLOW_DOF) * (float)rows).slope;
}

static void clear(const struct judged *j, unsigned from, unsigned n)
{
    memset(j->l->e + from, 0, n * sizeof *j->l->e);
    memset(j->l->d + from, 0, n * sizeof *j->l->d);
}

static void mark_found(struct tiles *t, struct cells *c, const struct judged *j, unsigned from,
                       unsigned n, unsigned w)
{
    if (j->fast)
        tiles_mark_fast(t, c, j->floor->inverse_slow, j->least, j->row, j->l->rows, from, n,
                        w);
    else
        tiles_mark_slow(t, c, j->floor->slow, j->row, j->l->rows, (int)from,
                        (int)(from + n), t->over_of[from]);
    clear(j, from, n);
}

// A tile of w cells holds energy, `over` times the floor: marks where it lies, half by half as long
// as halves can be told apart.  What two strangers hold together, or a line and something far from
// it, must not seem to fill what is empty between them:
//
//     |#...........#...|  ->  |#.......|....#...|  ->  |#...|    |#...|  ->  |#|       |#|
static void find_in(struct tiles *t, struct cells *c, const struct judged *j, unsigned from,
                    unsigned w, float over)
{
    float dof = 0;

    for (unsigned k = from; k < from + w; k++)
        dof += j->l->d[k];
    if (w <= (j->fast ? 1u : WHOLE) || (over - 1) * sqrtf(dof / 2) < PART_SIGMAS) {
        for (unsigned k = from; k < from + w; k++)
            t->over_of[k] = over;
        mark_found(t, c, j, from, w, w);
        return;
    }
    for (unsigned h = from; h < from + w; h += w / 2) {
        float e = 0, d = 0;
        for (unsigned k = h; k < h + w / 2; k++) {
            e += j->l->e[k];
            d += j->l->d[k];
        }
        if (d > 0 && e / d - 1 > PART_SHARE * (over - 1))
            find_in(t, c, j, h, w / 2, e / d);
    }
}

// Tiles of w cells hold energy, those in t->pick: marks them, takes them out of the level.
static void found(struct tiles *t, struct cells *c, const struct judged *j, unsigned n, unsigned w)
{
    for (unsigned i = 0, to; i < n; i = to) {
        unsigned first = t->pick[i];
        for (to = i + 1; w == 1 && to < n && t->pick[to] == first + (to - i) && j->fast;)
            to++;                       // neighbours go together
        if (w == 1)
            mark_found(t, c, j, first, to - i, 1);
        else
            find_in(t, c, j, first * w, w, t->over_of[first * w]);
    }
}

// Of the tiles of w cells in t->pick, which may hold energy, keeps those that do; notes by how much
// they are over the floor.  e and d are theirs.
static unsigned sure(struct tiles *t, float *e, float *d, float least_d, unsigned n, unsigned w)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned k = t->pick[i];
        if (e[k] <= needed(t, d[k]) || d[k] < least_d)
            continue;
        for (unsigned j = 0; j < w; j++)
            t->over_of[k * w + j] = e[k] / d[k];
        e[k] = d[k] = 0;
        t->pick[kept++] = (uint16_t)k;
    }
    return kept;
}

void tiles_judge(struct tiles *t, struct cells *c, const struct judged *j)
{
    float dof = (j->fast ? (float)FAST_DOF : (float)SLOW_DOF) * (float)j->l->rows;
    float *e = j->l->e, *d = j->l->d;
    struct bound b = bound(t, dof);
    float most = j->most;

    for (unsigned w = 1;; w *= 2, dof *= 2) {
        // Most rows of most levels hold nothing: one look at the largest.
        unsigned n = most <= b.over ? 0 : t->tile->pick(e, d, b.slope, b.over, j->n / w, t->pick);
        n = sure(t, e, d, (float)KEEP_DOF * dof, n, w);
        found(t, c, j, n, w);
        if (w == 1 && n && j->fast)     // beside found ones lie their skirts: no larger tile
            t->tile->guard(e, d, j->n, t->wd);          // counts them
        if (w == j->n)
            return;
        b = bound(t, 2 * dof);
        most = t->tile->pairs(e, d, b.slope, j->n / w / 2, t->we, t->wd);
        e = t->we;
        d = t->wd;
    }
}
