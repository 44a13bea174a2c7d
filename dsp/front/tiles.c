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

// Rows with zeros before, between and behind.
static bool over_new(struct tiles *t)
{
    size_t row = t->g.slow_n + TILE_UNIT, bits = t->g.slow_n / TILE_UNIT + 1;

    t->block = calloc((OVER_ROWS + 1) * row + TILE_UNIT, sizeof *t->block);
    t->bits = calloc((2 * OVER_ROWS + 1) * bits + 1, sizeof *t->bits);
    if (!t->block || !t->bits)
        return false;
    for (unsigned i = 0; i < OVER_ROWS; i++) {
        t->over[i] = t->block + TILE_UNIT + i * row;
        t->strong[i] = t->bits + 1 + 2 * i * bits;
        t->very[i] = t->strong[i] + bits;
    }
    t->nothing = t->block + TILE_UNIT + OVER_ROWS * row;
    t->no_bits = t->bits + 1 + 2 * OVER_ROWS * bits;
    return true;
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
    if (!over_new(t) || !ok || !t->we || !t->wd || !t->n || !t->hit || !t->none || !t->pick ||
        !t->over_of) {
        tiles_free(t);
        return NULL;
    }
    tiles_set_pfa(t, TILE_PFA);
    return t;
}

void tiles_set_pfa(struct tiles *t, double pfa)
{
    tiles_thresholds(t->table, TABLE, pfa);
    tiles_bounds(t);
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
    free(t->block);
    free(t->bits);
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
        float p = c->peak[grid_slot(&t->g, r)];
        most = p > most ? p : most;
    }
    return most * RANGE;
}

// What was empty takes the other's place.  Returns the largest excess of the level then.
static float level_add(const struct tiles *t, struct level *to, struct level *from, bool fast)
{
    unsigned n = fast ? t->g.fast_n : t->g.slow_n;
    float slope = tiles_slope(t, fast, to->rows + from->rows);

    if (!to->rows) {
        struct level x = *to;
        *to = *from;
        *from = x;
        return t->tile->excess(to->e, to->d, slope, n);
    }
    to->rows += from->rows;
    from->rows = 0;
    return t->tile->pour(to->e, to->d, from->e, from->d, slope, n);
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
    memset(l->e, 0, n * sizeof *l->e);
    if (least < f->least)         // the usual case
        t->ops->rows(p, f->inverse_fast, scale, ROW_HOPS, n, l->e);
    for (unsigned j = 0; j < ROW_HOPS && least >= f->least; j++) {
        t->ops->over(p + (size_t)j * n, f->fast, least, n, t->n);
        t->tile->add(l->e, t->n, scale, n);
    }
    t->tile->fill(l->d, (float)FAST_DOF, n);
    l->rows = 1;
    float most = t->tile->excess(l->e, l->d, tiles_slope(t, true, 1), n);
    tiles_judge(t, c, &(struct judged){ l, row, n, true, f, least, most });
    most = level_add(t, &t->fast[1], l, true);
    if (row % 2) {
        tiles_judge(t, c, &(struct judged){ &t->fast[1], row - 1, n, true, f, least, most });
        t->fast[1].rows = 0;
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
    unsigned i = row % OVER_ROWS;
    float least = row_least(t, c, row);

    if (least < f->least)
        t->ops->times(cells_slow(c, row), f->inverse_slow, t->g.slow_n, t->over[i]);
    else
        t->ops->over(cells_slow(c, row), f->slow, least, t->g.slow_n, t->over[i]);
    t->tile->crest(t->over[i], &smear, t->g.slow_n, t->strong[i], t->very[i]);
}

// Takes the next `rows` slow rows as a level; its largest excess.
static float take_rows(struct tiles *t, const struct cells *c, unsigned rows, struct level *l)
{
    struct taken w = { .rows = rows, .dof = (float)SLOW_DOF };
    uint64_t row = t->slow_row;
    bool marks = false;

    for (unsigned i = 0; i < rows + 4; i++) {
        uint64_t r = row + i - 2;               // below 0: very large
        bool known = r < t->fast_row;
        w.row[i] = known ? t->over[r % OVER_ROWS] : t->nothing;
        w.strong[i] = known ? t->strong[r % OVER_ROWS] : t->no_bits;
        w.very[i] = known ? t->very[r % OVER_ROWS] : t->no_bits;
    }
    for (unsigned i = 0; i < rows + 2; i++) {
        uint64_t r = row + i ? row + i - 1 : 0;
        r = r < c->rows ? r : c->rows - 1;
        w.mark[i] = cells_mask(c, r);
        marks = marks || cells_marked(c, r);
    }
    if (!marks)
        w.mark[0] = NULL;
    for (unsigned i = 0; i < rows; i++)
        w.scale[i] = (float)SLOW_DOF / t->common[(row + i) % 8];
    l->rows = rows;
    t->slow_row += rows;
    return t->tile->take(l->e, l->d, &w, &smear, tiles_slope(t, false, rows), t->g.slow_n);
}

// most: the largest excess of the level.  Returns that of the next, which it goes into.
static float close_level(struct tiles *t, struct cells *c, const struct floor_view *f,
                         unsigned level, uint64_t end, bool last, float most)
{
    struct level *l = &t->slow[level];

    tiles_judge(t, c, &(struct judged){ l, end - l->rows, t->g.slow_n, false, f, 0, most });
    if (level == t->top || last)
        t->final = end;
    if (level < t->top)
        return level_add(t, &t->slow[level + 1], l, false);
    l->rows = 0;
    return 0;
}

static unsigned first_level(const struct tiles *t)
{
    return t->top < FAST_LEVELS ? t->top : FAST_LEVELS;
}

static void slow_rows(struct tiles *t, struct cells *c, const struct floor_view *f)
{
    unsigned first = first_level(t);
    float most = take_rows(t, c, 1u << first, &t->slow[first]);

    for (unsigned l = first; l <= t->top && t->slow_row % (1u << l) == 0; l++)
        most = close_level(t, c, f, l, t->slow_row, false, most);
}

// ---- Rows in --------------------------------------------------------------------------------

void tiles_row(struct tiles *t, struct cells *c, const struct floor_view *f, float common)
{
    t->common[t->fast_row % 8] = common;
    slow_over(t, c, f, t->fast_row);
    fast_row(t, c, f);
    // Pairs of fast rows and the smear must be known before slow rows are taken.
    if (t->slow_row + (1u << first_level(t)) + SMEAR + 1 <= t->fast_row)
        slow_rows(t, c, f);
}

void tiles_end(struct tiles *t, struct cells *c, const struct floor_view *f)
{
    unsigned first = first_level(t), rows = 1u << first;
    float most = 0;

    while (t->slow_row + rows <= t->fast_row)
        slow_rows(t, c, f);
    if (t->slow_row < t->fast_row)
        most = take_rows(t, c, (unsigned)(t->fast_row - t->slow_row), &t->slow[first]);
    for (unsigned level = first; level <= t->top; level++) {
        struct level *l = &t->slow[level];
        if (!l->rows)
            continue;
        if (level > first || !most)
            most = t->tile->excess(l->e, l->d, tiles_slope(t, false, l->rows), t->g.slow_n);
        close_level(t, c, f, level, t->fast_row, true, most);
    }
    t->final = t->fast_row;
}
