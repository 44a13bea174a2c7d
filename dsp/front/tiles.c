// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/tiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/front/mark.h"
#include "dsp/kernel/tile.h"
#include "dsp/kernel/wola.h"

#define LONGEST_S    0.020
#define SMEAR        2          // rows by which the slow window reaches past its row
#define RANGE        3e-7f      // -65 dB: what the prototype leaks from the strongest cell then

// ---- Objects --------------------------------------------------------------------------------

static bool level_new(struct level *l, unsigned n)
{
    l->e = calloc(n, sizeof *l->e);
    l->d = calloc(n, sizeof *l->d);
    return l->e && l->d;
}

struct tiles *tiles_new(const struct grid *g)
{
    struct tiles *t = calloc(1, sizeof *t);
    bool ok = t;
    if (!t)
        return NULL;
    t->g = *g;
    t->ops = wola_ops();
    t->tile = tile_ops();
    while (t->top < TILES_LEVELS && (2u << t->top) * g->row_s <= LONGEST_S)
        t->top++;
    for (unsigned i = 0; i <= FAST_LEVELS; i++)
        ok = level_new(&t->fast[i], g->fast_n) && ok;
    for (unsigned i = 0; i <= t->top; i++)
        ok = level_new(&t->slow[i], g->slow_n) && ok;
    t->we = calloc(g->slow_n, sizeof *t->we);
    t->wd = calloc(g->slow_n, sizeof *t->wd);
    t->n = calloc(g->slow_n, sizeof *t->n);
    t->hit = calloc(g->slow_n, 1);
    t->none = calloc(g->slow_n, sizeof *t->none);
    t->pick = calloc(g->slow_n, sizeof *t->pick);
    t->over_of = calloc(g->slow_n, sizeof *t->over_of);
    t->nothing = calloc(g->slow_n, sizeof *t->nothing);
    for (unsigned i = 0; i < OVER_ROWS; i++) {
        t->over[i] = calloc(g->slow_n, sizeof *t->over[i]);
        t->crest[i] = calloc(g->slow_n, sizeof *t->crest[i]);
        ok = t->over[i] && t->crest[i] && ok;
    }
    if (!ok || !t->we || !t->wd || !t->n || !t->hit || !t->none || !t->pick || !t->over_of ||
        !t->nothing) {
        tiles_free(t);
        return NULL;
    }
    tiles_thresholds(t->table, TABLE);
    tiles_bounds(t);
    return t;
}

void tiles_free(struct tiles *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i <= FAST_LEVELS; i++) {
        free(t->fast[i].e);
        free(t->fast[i].d);
    }
    for (unsigned i = 0; i <= t->top; i++) {
        free(t->slow[i].e);
        free(t->slow[i].d);
    }
    free(t->we);
    free(t->wd);
    free(t->n);
    free(t->hit);
    free(t->none);
    free(t->pick);
    free(t->over_of);
    free(t->nothing);
    for (unsigned i = 0; i < OVER_ROWS; i++) {
        free(t->over[i]);
        free(t->crest[i]);
    }
    free(t);
}

static void level_clear(struct level *l, unsigned n)
{
    memset(l->e, 0, n * sizeof *l->e);
    memset(l->d, 0, n * sizeof *l->d);
    l->rows = 0;
}

void tiles_begin(struct tiles *t)
{
    t->fast_row = t->slow_row = t->final = 0;
    for (unsigned i = 0; i <= FAST_LEVELS; i++)
        level_clear(&t->fast[i], t->g.fast_n);
    for (unsigned i = 0; i <= t->top; i++)
        level_clear(&t->slow[i], t->g.slow_n);
}

uint64_t tiles_final(const struct tiles *t) { return t->final; }
unsigned tiles_lag(const struct tiles *t) { return (1u << t->top) + SMEAR + 2; }

// ---- Fast cells: 1 and 2 rows ---------------------------------------------------------------

static float row_least(const struct tiles *t, const struct cells *c, uint64_t row)
{
    uint64_t from = row > SMEAR ? row - SMEAR : 0, to = row + SMEAR;
    float most = 0;

    for (uint64_t r = from; r <= to && r < c->rows; r++) {
        float p = c->peak[r & (t->g.ring - 1)];
        most = p > most ? p : most;
    }
    return most * RANGE;
}

// What was empty takes the other's place.
static void level_add(const struct tiles *t, struct level *to, struct level *from, unsigned n)
{
    if (!to->rows) {
        struct level x = *to;
        *to = *from;
        *from = x;
        return;
    }
    t->tile->pour(to->e, from->e, n);
    t->tile->pour(to->d, from->d, n);
    to->rows += from->rows;
    from->rows = 0;
}

static void fast_row(struct tiles *t, struct cells *c, const struct floor_view *f)
{
    unsigned n = t->g.fast_n;
    uint64_t row = t->fast_row++;
    float least = row_least(t, c, row);
    const uint16_t *p = cells_fast(c, row);
    struct level *l = &t->fast[0];
    float scale = (float)(FAST_DOF / ROW_HOPS) / t->common[row % 8];

    // Level 0 comes afresh with each row; FAST_DOF / ROW_HOPS degrees of freedom a cell.
    if (least < f->least)         // the usual case
        t->ops->rows(p, f->inverse_fast, scale, ROW_HOPS, n, l->e);
    for (unsigned j = 0; j < ROW_HOPS && least >= f->least; j++) {
        t->ops->over(p + (size_t)j * n, f->fast, least, n, t->n);
        t->tile->add(l->e, t->n, scale, n);
    }
    t->tile->fill(l->d, (float)FAST_DOF, n);
    l->rows = 1;
    tiles_judge(t, c, &(struct judged){ l, row, n, true, f, least });
    level_add(t, &t->fast[1], l, n);
    if (row % 2) {
        tiles_judge(t, c, &(struct judged){ &t->fast[1], row - 1, n, true, f, least });
        level_clear(&t->fast[1], n);
    }
}

// ---- Slow cells: 4 rows and more ------------------------------------------------------------

// The slow window is four rows long: a quarter of a strong cell's power shows in the rows beside
// it, a fiftieth in the next.
static const struct smear smear = { .from1 = 8, .share1 = 0.35f, .from2 = 100,
                                    .share2 = 0.04f };

// Slow row `row` over floor, from now on in the ring of the last few.
static void slow_over(struct tiles *t, const struct cells *c, const struct floor_view *f,
                      uint64_t row)
{
    float least = row_least(t, c, row), *to = t->over[row % OVER_ROWS];
    float *top = &t->top_of[row % OVER_ROWS];

    if (least < f->least) {
        *top = t->ops->times(cells_slow(c, row), f->inverse_slow, t->g.slow_n, to);
    } else {
        t->ops->over(cells_slow(c, row), f->slow, least, t->g.slow_n, to);
        *top = HUGE_VALF;               // most often strong, else it would have been the other
    }
    t->tile->crest(to, t->g.slow_n, t->crest[row % OVER_ROWS]);
}

// Counts a slow row's cells in.
static void take_row(struct tiles *t, const struct cells *c, uint64_t row, struct level *l)
{
    const float *near[4];
    const uint64_t beside[3] = { row ? row - 1 : 0, row, row + 1 < c->rows ? row + 1 : row };
    const uint8_t *mark[3];
    bool marks = false, strong[3] = { false };

    for (int i = 0; i < 3; i++) {
        mark[i] = cells_mask(c, beside[i]);
        marks = marks || cells_marked(c, beside[i]);
    }
    for (int i = 0; i < 4; i++) {
        int away = (int[]){ -2, -1, 1, 2 }[i];
        int64_t r = (int64_t)row + away;
        bool known = r >= 0 && r < (int64_t)t->fast_row;
        near[i] = known ? t->crest[r % OVER_ROWS] : t->nothing;
        strong[abs(away)] = strong[abs(away)] || (known && t->top_of[r % OVER_ROWS] >
                                                  (abs(away) == 1 ? smear.from1 : smear.from2));
    }
    if (!marks)
        mark[0] = NULL;
    if (!strong[2])
        near[0] = NULL;
    if (!strong[1] && !strong[2])
        near[1] = NULL;
    t->tile->take(l->e, l->d, t->over[row % OVER_ROWS], near, mark, &smear,
                  (float)SLOW_DOF / t->common[row % 8], (float)SLOW_DOF, t->g.slow_n);
    l->rows++;
}

static void close_level(struct tiles *t, struct cells *c, const struct floor_view *f,
                        unsigned level, uint64_t end, bool last)
{
    struct level *l = &t->slow[level];

    tiles_judge(t, c, &(struct judged){ l, end - l->rows, t->g.slow_n, false, f, 0 });
    if (level < t->top)
        level_add(t, &t->slow[level + 1], l, t->g.slow_n);
    else
        level_clear(l, t->g.slow_n);
    if (level == t->top || last)
        t->final = end;
}

static void slow_row(struct tiles *t, struct cells *c, const struct floor_view *f)
{
    uint64_t row = t->slow_row++;
    unsigned first = t->top < FAST_LEVELS ? t->top : FAST_LEVELS;

    take_row(t, c, row, &t->slow[first]);
    for (unsigned level = first; level <= t->top && (row + 1) % (1u << level) == 0; level++)
        close_level(t, c, f, level, row + 1, false);
}

// ---- Rows in --------------------------------------------------------------------------------

void tiles_row(struct tiles *t, struct cells *c, const struct floor_view *f, float common)
{
    t->common[t->fast_row % 8] = common;
    slow_over(t, c, f, t->fast_row);
    fast_row(t, c, f);
    // Pairs of fast rows and the smear must be known before a slow row is taken.
    while (t->slow_row + SMEAR + 2 <= t->fast_row)
        slow_row(t, c, f);
}

void tiles_end(struct tiles *t, struct cells *c, const struct floor_view *f)
{
    while (t->slow_row < t->fast_row)
        slow_row(t, c, f);
    unsigned first = t->top < FAST_LEVELS ? t->top : FAST_LEVELS;
    for (unsigned level = first; level <= t->top; level++)
        if (t->slow[level].rows)
            close_level(t, c, f, level, t->fast_row, true);
    t->final = t->fast_row;
}
