// SPDX-License-Identifier: GPL-3.0-or-later
// Segments into boxes, and boxes into one.
#include "dsp/front/box.h"

#define GROW_SHARE  1.2         // a step so small needs no proof
#define GROW_ROWS   3
#define HASTE       1.5         // times as wide
#define SAME_SHARE  0.6
#define TURNS       -0.35       // correlation of two boxes' powers: they take turns
#define TURNS_HZ    3e6
#define TURNS_S     0.004

// A box that knows itself widens only for what lasts: the first and last row of a wider signal come
// in fragments, and some of them look like it.
static void grow(struct box *b, const struct seg *s)
{
    int lo = s->lo < b->lo ? s->lo : b->lo, hi = s->hi > b->hi ? s->hi : b->hi;
    bool more = hi - lo > b->hi - b->lo + 2 && hi - lo > GROW_SHARE * (b->hi - b->lo);

    b->wants = b->wants || more;
    if (more && b->rows >= KNOWN && b->grow < GROW_ROWS)
        return;
    b->lo = lo;
    b->hi = hi;
}

static void join(struct tracker *t, struct box *b, struct seg *s, bool full)
{
    s->taken = true;
    if (b->now_hi < 0) {
        b->now_lo = s->lo;
        b->now_hi = s->hi;
    }
    b->now_lo = s->lo < b->now_lo ? s->lo : b->now_lo;
    b->now_hi = s->hi > b->now_hi ? s->hi : b->now_hi;
    grow(b, s);
    b->last = b->seen = t->row;
    if (full)
        b->full = t->row;
    b->now_full = b->now_full || full;
    b->now_cells += s->hi - s->lo;
    b->now_density += s->density * (s->hi - s->lo);
    b->now_power += s->power;
}

// The row is complete: what the box was in it goes into its means.
void box_end_row(struct box *b)
{
    if (!b->now_full || b->now_cells <= 0)
        return;
    b->width_sum += b->now_cells;
    b->density_sum += b->now_density / b->now_cells;
    b->power_sum += b->now_power;
    b->rows++;
}

// b takes over a.
static void merge(struct tracker *t, struct box *b, struct box *a)
{
    unsigned a_rows = a->rows, b_rows = b->rows;

    if (a->run && (!b->run || a->run_n0 < b->run_n0)) {
        // Runs are told apart by number; the older goes on, the younger ends silently in it.
        b->run = a->run;
        b->run_n0 = a->run_n0;
        b->run_part = a->run_part;
        b->checked = a->checked;
    }
    if (a->start < b->start) {          // what the older one has told counts
        b->start = a->start;
        b->told = a->told;
    }
    b->last = a->last > b->last ? a->last : b->last;
    b->seen = a->seen > b->seen ? a->seen : b->seen;
    b->full = a->full > b->full ? a->full : b->full;
    b->lo = a->lo < b->lo ? a->lo : b->lo;
    b->hi = a->hi > b->hi ? a->hi : b->hi;
    if (a->now_hi >= 0) {
        b->now_lo = b->now_hi < 0 || a->now_lo < b->now_lo ? a->now_lo : b->now_lo;
        b->now_hi = a->now_hi > b->now_hi ? a->now_hi : b->now_hi;
    }
    b->now_full = b->now_full || a->now_full;
    b->now_cells += a->now_cells;
    b->now_density += a->now_density;
    b->now_power += a->now_power;
    // Side by side or one after the other: widths and powers add up where rows are shared.
    b->width_sum += a->width_sum;
    b->power_sum += a->power_sum;
    b->density_sum = b->rows + a->rows ? (b->density_sum + a->density_sum) *
                     fmax(b->rows, a->rows) / (b->rows + a->rows) : 0;
    b->rows = b->rows > a->rows ? b->rows : a->rows;
    // What covered one of them may have been the other (unless that is but a fragment).
    for (unsigned i = 0; i < COVER_ROWS / 64 && 4 * a_rows > b_rows; i++)
        b->cover[i] &= a->cover[i];
    b->flags |= a->flags;
    *a = t->box[--t->n_box];
}

void box_find_present(const struct tracker *t, struct box *b)
{
    double cells = 0;

    b->row_power = 0;
    for (unsigned i = 0; i < t->n_seg; i++)
        b->row_power += box_overlaps(b, &t->seg[i]) ? t->seg[i].power : 0;
    for (unsigned i = 0; i < t->n_seg; i++)
        if (box_overlaps(b, &t->seg[i]) && within_db(t->seg[i].density, mean_density(b), JUMP_DB))
            cells += t->seg[i].hi - t->seg[i].lo;
    b->present = cells * WIDTH_RATIO >= mean_width(b);
}

// A box that knows itself takes no young one in that widens it at once: the first rows of a wide
// signal that begins over it come in fragments, and some of them look like it.
static bool is_hasty(const struct box *a, const struct box *b)
{
    int lo = a->lo < b->lo ? a->lo : b->lo, hi = a->hi > b->hi ? a->hi : b->hi;

    return a->rows >= KNOWN && b->rows < YOUNG && a->grow < GROW_ROWS &&
           hi - lo > HASTE * (a->hi - a->lo);
}

// Gives a segment to the boxes it overlaps.
void box_place(struct tracker *t, const struct place_in *in, struct seg *s)
{
    struct box *home = NULL;

    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        if (b == home || b->line || !box_overlaps(b, s) || (s->skirt && !box_holds_weak(b, s)))
            continue;
        if (!box_fits(t, in, b, s)) {
            if (s->hi - s->lo > mean_width(b)) {
                b->covered = true;
                box_note_splinter(t, in, b, s);
                b->last = t->row;
            }
            continue;
        }
        if (!home) {
            home = b;
            continue;
        }
        if (!box_may_merge(home, b)) {
            struct box *rest = box_closer(s, home, b) ? b : home;
            home = rest == b ? home : b;
            if (home->rows > SETTLED && rest->rows > SETTLED && box_alike(home, rest))
                rest->last = rest->seen = rest->full = t->row;      // both go on, side by side
            continue;
        }
        if (is_hasty(home, b) || is_hasty(b, home))
            continue;
        struct box *older = home->start <= b->start ? home : b, *other = older == home ? b : home;
        struct box *moved = &t->box[t->n_box - 1];
        merge(t, older, other);
        home = older == moved ? other : older;      // the last box moved into the gap
        i = (unsigned)-1;                           // the table changed: look again
        home->last = t->row;
    }
    if (home) {
        join(t, home, s, true);
        return;
    }
    // What is left of something wide that fades: weaker and narrower, right after it.
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        if (!b->line && !s->skirt && box_overlaps(b, s) && b->full + 2 >= t->row &&
            s->density <= 1.4 * mean_density(b) && s->hi - s->lo < mean_width(b)) {
            join(t, b, s, false);
            return;
        }
    }
}

// What stands on a line hides it.
static bool is_hidden(const struct tracker *t, const struct box *b)
{
    for (unsigned i = 0; i < t->n_seg; i++)
        if (t->seg[i].lo < b->hi && t->seg[i].hi > b->lo)
            return true;
    return false;
}

void box_lines(struct tracker *t, const struct place_in *in, struct cand_list *out)
{
    for (unsigned i = 0; i < in->lines->n; i++) {
        const struct line_span *x = &in->lines->s[i];
        struct seg s = { .lo = x->k - 1, .hi = x->k + 2, .power = x->slow[LINE_REACH],
                         .density = 1 + x->slow[LINE_REACH] * in->bare.inverse_slow[x->k] };
        unsigned k = 0;
        while (k < t->n_box && t->box[k].line != x->id)
            k++;
        if (k < t->n_box)
            join(t, &t->box[k], &s, true);
        else
            box_open(t, &s, out);
        if (k == t->n_box)              // no room
            return;
        t->box[k].line = x->id;
        t->box[k].covered = is_hidden(t, &t->box[k]);
    }
}

// A chirp that wraps, a tone that jumps: what begins where something like it just stopped.
bool box_jump(struct tracker *t, struct seg *s)
{
    struct box *best = NULL;
    double least = HUGE_VAL;

    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *b = &t->box[i];
        double d = box_distance(s->lo, s->hi, b->lo, b->hi);
        if (b->line || b->now_hi >= 0 || b->covered || b->last + 2 < t->row || d >= least ||
            !box_near(t, d, s->hi - s->lo, mean_width(b)) ||
            !within_db(s->density, mean_density(b), 2 * SAME_DB))
            continue;
        least = d;
        best = b;
    }
    if (best)
        join(t, best, s, true);
    return best;
}

void box_open(struct tracker *t, struct seg *s, struct cand_list *out)
{
    if (t->n_box == BOXES) {
        out->dropped++;
        return;
    }
    struct box *b = &t->box[t->n_box++];
    *b = (struct box){ .start = t->row, .lo = s->lo, .hi = s->hi, .now_hi = -1,
                       .checked = t->row };
    if (t->row < 2)
        b->flags |= t->after_gap ? BURST_TOUCHES_GAP : BURST_AT_START;
    join(t, b, s, true);
}

// A box that has just stopped, and one like it that began as it did: one signal.
void box_join_jumped(struct tracker *t)
{
    for (unsigned i = 0; i < t->n_box; i++) {
        struct box *a = &t->box[i];
        if (a->line || a->now_hi >= 0 || a->covered || a->last + 1 != t->row || a->run)
            continue;
        for (unsigned k = 0; k < t->n_box; k++) {
            struct box *b = &t->box[k];
            double d = box_distance(a->lo, a->hi, b->lo, b->hi);
            if (k == i || b->line || b->now_hi < 0 || b->start + 2 < t->row ||
                b->start <= a->start ||
                !box_near(t, d, mean_width(a), mean_width(b)) ||
                !within_db(mean_density(a), mean_density(b), 2 * SAME_DB))
                continue;
            merge(t, a, b);
            return;
        }
    }
}

// A carrier that moves between two bands all the time (the sync tips of video and its picture, two
// tones) looks like two boxes: they are on in turn.
static bool takes_turns(struct tracker *t, const struct place_in *in, const struct box *a,
                        const struct box *b)
{
    double d = box_distance(a->lo, a->hi, b->lo, b->hi) * t->g.slow_hz;
    uint64_t span = rows_of(t, TURNS_S), from = t->row > span ? t->row - span : 0;

    if (a->rows < SETTLED || b->rows < SETTLED || d > TURNS_HZ)
        return false;
    from = a->start > from ? a->start : from;
    from = b->start > from ? b->start : from;
    if (t->row < from + SETTLED)
        return false;
    struct stretch x = { .row0 = from, .row1 = t->row, .lo = a->lo, .hi = a->hi };
    struct stretch y = { .row0 = from, .row1 = t->row, .lo = b->lo, .hi = b->hi };
    return place_correlation(t->placer, in, &x, &y) < TURNS;
}

// Two boxes over one band, for long.
static bool same_place(const struct box *a, const struct box *b)
{
    double in = fmin(a->hi, b->hi) - fmax(a->lo, b->lo);
    double all = fmax(a->hi, b->hi) - fmin(a->lo, b->lo);

    if (a->rows < SETTLED || b->rows < SETTLED)
        return false;
    return box_within(a, b) || (in > SAME_SHARE * all && box_alike(a, b) &&
                                within_db(mean_density(a), mean_density(b), NEST_DB));
}

// Looks for what takes turns with box i and joins it; true when the table changed.
bool box_join_turns(struct tracker *t, const struct place_in *in, unsigned i,
                       struct cand_list *out)
{
    for (unsigned k = 0; k < t->n_box; k++) {
        struct box *a = &t->box[i], *b = &t->box[k];
        if (k == i || a->line || b->line || !(same_place(a, b) || takes_turns(t, in, a, b)))
            continue;
        if (a->run && b->run)           // of two runs the younger ends
            run_end(t, in, a->run_n0 > b->run_n0 ? a : b, (double)t->row * t->g.row, out);
        merge(t, a, b);
        return true;
    }
    return false;
}
