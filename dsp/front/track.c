// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/track.h"

#include <stdlib.h>

#include "dsp/front/box.h"

#define GAP_ROWS    2           // rows a box stays open without a segment; place.c splits
#define GAP_SHARE   0.2         // ... or this share of its length: weak ones have holes
#define GAP_MAX_S   1e-3
#define FAINT       4.0         // density over noise below which long tiles make the marks ...
#define GAP_FAINT_S 0.5e-3      // ... and miss such stretches
#define CLEAR       8.0         // density of what is marked in every row that it is there: the next
#define GAP_CLEAR_S 0.15e-3     // packet must not find it open, with all that it has touched
#define RUN_BACK    32          // rows
#define CHECK_S     0.008       // how often an open box is looked at for pauses

struct tracker *tracker_new(const struct grid *g)
{
    struct tracker *t = calloc(1, sizeof *t);
    unsigned bins = g->slow_n / BIN + 2;

    if (!t)
        return NULL;
    t->g = *g;
    t->placer = placer_new(g, DSP_RUN_S + 2 * CHECK_S);
    t->ops = band_ops();
    t->power = calloc(bins, sizeof *t->power);
    t->density = calloc(bins, sizeof *t->density);
    t->near = calloc(bins, sizeof *t->near);
    t->taken = calloc(bins, 1);
    t->strong = calloc(bins, 1);
    if (!t->placer || !t->power || !t->density || !t->near || !t->taken || !t->strong) {
        tracker_free(t);
        return NULL;
    }
    return t;
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    placer_free(t->placer);
    free(t->power);
    free(t->density);
    free(t->near);
    free(t->taken);
    free(t->strong);
    free(t);
}

void tracker_begin(struct tracker *t, bool after_gap)
{
    t->n_box = 0;
    t->row = 0;
    t->after_gap = after_gap;
}

uint64_t tracker_done(const struct tracker *t)
{
    uint64_t done = t->row;

    for (unsigned i = 0; i < t->n_box; i++) {
        const struct box *b = &t->box[i];
        uint64_t from = b->start;
        if (b->run)             // its end may yet prove to lie some smoothing before the last look
            from = b->checked > RUN_BACK ? b->checked - RUN_BACK : 0;
        done = from < done ? from : done;
    }
    return done > GAP_ROWS + 4 ? done - GAP_ROWS - 4 : 0;
}

// A line's own power is no noise to it.
static struct place_in view_of(const struct place_in *in, const struct box *b)
{
    struct place_in r = *in;

    if (b->line) {
        r.floor_slow = in->bare.slow;
        r.floor_fast = in->bare.fast;
        r.inverse_slow = in->bare.inverse_slow;
    }
    return r;
}

static void close_box(struct tracker *t, const struct place_in *in, unsigned i,
                      struct cand_list *out)
{
    struct place_in own = view_of(in, &t->box[i]);

    box_check(t, &own, &t->box[i], t->box[i].seen + 1, true, out);
    t->box[i] = t->box[--t->n_box];
}

static void note_cover(struct box *b, uint64_t row)
{
    uint64_t *word = &b->cover[row % COVER_ROWS / 64], bit = (uint64_t)1 << row % 64;
    *word = b->covered ? *word | bit : *word & ~bit;
}

static uint64_t patience(const struct tracker *t, const struct box *b)
{
    uint64_t most = rows_of(t, GAP_MAX_S);
    uint64_t gap = (uint64_t)(GAP_SHARE * (double)(b->last - b->start));
    if (place_wider(&t->g, b->lo, b->hi))
        gap = most;
    else if (mean_density(b) < FAINT && gap < rows_of(t, GAP_FAINT_S))
        gap = rows_of(t, GAP_FAINT_S);
    else if (mean_density(b) > CLEAR && gap > rows_of(t, GAP_CLEAR_S))
        gap = rows_of(t, GAP_CLEAR_S);
    gap = gap < most ? gap : most;
    return gap > GAP_ROWS ? gap : GAP_ROWS;
}

// False: the table changed, look at this place again.
static bool watch_box(struct tracker *t, const struct place_in *in, unsigned i,
                      struct cand_list *out)
{
    struct box *b = &t->box[i];
    struct place_in own = view_of(in, b);

    if (t->row + 1 - b->checked >= rows_of(t, CHECK_S) && b->last + 1 >= t->row) {
        if (box_join_turns(t, in, i, out))
            return false;
        box_check(t, &own, b, t->row + 1, false, out);
    }
    if (b->run)
        run_parts(t, &own, b, out);
    return true;
}

void tracker_row(struct tracker *t, const struct place_in *in, struct cand_list *out)
{
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        b->now_hi = -1;
        b->now_full = b->covered = false;
        b->now_cells = b->now_density = b->now_power = 0;
        b->grow = b->wants ? b->grow + 1 : 0;
        b->wants = false;
        b->splinter = b->is_splinter ? b->splinter + 1 : 0;
        b->is_splinter = false;
    }
    seg_find(t, in);
    seg_skirts(t);
    for (unsigned i = 0; i < t->n_box; i++)
        box_find_present(t, &t->box[i]);
    for (unsigned i = 0; i < t->n_seg; i++)
        box_place(t, in, &t->seg[i]);
    for (unsigned i = 0; i < t->n_seg; i++)
        if (!t->seg[i].taken && !t->seg[i].skirt && !box_jump(t, &t->seg[i]))
            box_open(t, &t->seg[i], out);
    box_join_jumped(t);
    box_lines(t, in, out);
    for (unsigned i = 0; i < t->n_box; i++) {
        box_end_row(&t->box[i]);
        note_cover(&t->box[i], t->row);
    }
    for (unsigned i = 0; i < t->n_box;) {
        if (t->box[i].last + patience(t, &t->box[i]) < t->row) {
            close_box(t, in, i, out);
            continue;
        }
        if (watch_box(t, in, i, out))
            i++;
    }
    t->row++;
}

void tracker_end(struct tracker *t, const struct place_in *in, uint32_t flags,
                 struct cand_list *out)
{
    while (t->n_box) {
        t->box[0].flags |= flags;
        close_box(t, in, 0, out);
    }
}
