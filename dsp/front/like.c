// SPDX-License-Identifier: GPL-3.0-or-later
// Who belongs together: a segment to a box, a box to a box.
#include "dsp/front/box.h"
#include "dsp/kernel/wola.h"

#define NARROW_HZ   360e3       // both below: widths need not be alike
#define REST_SHARE  0.3         // of a box's power beside a dense part of it: the rest is there
#define SAME_POWER  1.5
#define MUCH_SHARE  0.35
#define WITHIN      0.8         // of the smaller box lies in the larger
#define DENSER      1.6         // 2 dB
#define WITHIN_RATIO 6.0
#define WITHIN_LEAST 6.0        // narrow channels
#define SPLINTER_ROWS 3
#define SPLINTER_DB 4.0         // so alike in density: a fragment, not something beneath
#define THIN_DB     8.0         // between rows of one narrow signal
#define PROMINENT   3.0         // denser than what surrounds it: something else
#define FLAT_DB     1.5         // so alike in density: one flat spectrum that changed its width
#define FILLED      0.8         // of its band in every row: OFDM, not a tone that moves in it
#define FLAT_HZ     150e3       // ... which a line is not: one block of LTE has 180 kHz
#define JUMP_HZ     1.5e6       // farthest that a chirp or a tone jumps ...
#define JUMP_WIDTHS 8.0         // ... in widths of what one row shows of it

double box_distance(int lo1, int hi1, int lo2, int hi2)
{
    return lo1 >= hi2 ? lo1 - hi2 : lo2 >= hi1 ? lo2 - hi1 : 0;
}

static double density_of(const struct tracker *t, const struct place_in *in, int lo, int hi)
{
    const uint16_t *x = cells_slow(in->cells, t->row);
    double sum = 0;

    for (int k = lo; k < hi; k++)
        sum += wola_unpack(x[k]) / in->floor_slow[k];
    return hi > lo ? sum / (hi - lo) : 0;
}

// Does segment s look like box b going on, although one is much wider than the other?
static bool same_signal(const struct tracker *t, const struct place_in *in, const struct box *b,
                        const struct seg *s)
{
    double ws = s->hi - s->lo, wb = mean_width(b);

    if (within_db(s->power, mean_power(b), SAME_DB)) {
        // The same power spread otherwise: FM.  Under a wider signal the narrow one would still
        // stand at its own place.
        double core = density_of(t, in, b->lo, b->hi);
        if (ws < wb || core < 0.35 * mean_density(b))
            return true;
    }
    if (t->row - b->start > rows_of(t, 0.010) || fmin(ws, wb) * t->g.slow_hz < FLAT_HZ)
        return false;
    if (ws < wb || wb < FILLED * (b->hi - b->lo))
        return false;
    double core = density_of(t, in, b->lo, b->hi);
    double own = b->hi - b->lo, rest = (s->density * ws - core * own) / fmax(1, ws - own);
    return within_db(core, rest, FLAT_DB) && within_db(core, mean_density(b), SAME_DB);
}

// Is segment s, much wider than young box b, what b begins to be?  Not where b stands out of it.
static bool swallows(const struct tracker *t, const struct place_in *in, const struct box *b,
                     const struct seg *s)
{
    double own = b->hi - b->lo, core = density_of(t, in, b->lo, b->hi);
    double rest = (s->density * (s->hi - s->lo) - core * own) / fmax(1, s->hi - s->lo - own);

    return core < PROMINENT * rest;
}

// Does this row say that box b is a fragment of s?  One row of a signal that rises or falls may
// seem anything; it takes a few.
static bool splinter_row(const struct tracker *t, const struct place_in *in, const struct box *b,
                         const struct seg *s)
{
    return b->rows < SETTLED && within_db(s->density, mean_density(b), SPLINTER_DB) &&
           swallows(t, in, b, s);
}

void box_note_splinter(const struct tracker *t, const struct place_in *in, struct box *b,
                       const struct seg *s)
{
    b->is_splinter = b->is_splinter || splinter_row(t, in, b, s);
}

bool box_fits(const struct tracker *t, const struct place_in *in, const struct box *b,
                 const struct seg *s)
{
    double ws = s->hi - s->lo, wb = mean_width(b), narrow = NARROW_HZ / t->g.slow_hz;

    bool thin = ws <= narrow && wb <= narrow;

    if (!b->rows)
        return true;
    // The same power, more or less spread: a tone that dwells or moves, a carrier that rests.
    if (ws < wb && within_db(s->power, mean_power(b), SAME_DB) &&
        (!s->nested || b->row_power - s->power < REST_SHARE * mean_power(b)))
        return true;
    // All of the band's power is no more than ever, much of it is here: it has moved, not grown.
    if (ws < wb && b->rows >= YOUNG && b->row_power < SAME_POWER * mean_power(b) &&
        s->power > MUCH_SHARE * mean_power(b))
        return true;
    // All of it, in few places of its band: a carrier that rests now here, now there, as video's
    // does between two fields.
    if (ws < wb && b->rows >= KNOWN && !b->present &&
        within_db(b->row_power, mean_power(b), SAME_DB))
        return true;
    if (!s->nested && thin && within_db(s->power, mean_power(b), THIN_DB))
        return true;
    if (s->nested && b->rows >= 2 && !within_db(s->density, mean_density(b), NEST_DB))
        return false;
    if (b->rows >= KNOWN && !within_db(s->density, mean_density(b), JUMP_DB) &&
        (ws > 2 * wb || wb > 2 * ws))
        return false;
    if (b->rows < YOUNG)
        return ws <= WIDTH_RATIO * wb || swallows(t, in, b, s);
    if (b->splinter >= SPLINTER_ROWS && ws > wb && splinter_row(t, in, b, s))
        return true;            // a splinter of it from when it began
    if (thin || (ws <= WIDTH_RATIO * wb && wb <= WIDTH_RATIO * ws))
        return true;
    if (ws < wb && b->present && within_db(s->density, mean_density(b), JUMP_DB))
        return true;            // one of its fragments
    return same_signal(t, in, b, s);
}

bool box_overlaps(const struct box *b, const struct seg *s)
{
    return s->lo < b->hi + BRIDGE && s->hi > b->lo - BRIDGE;
}

// Skirts only go to what was there, as weak, before.
bool box_holds_weak(const struct box *b, const struct seg *s)
{
    return b->rows >= YOUNG && within_db(s->density, mean_density(b), NEST_DB);
}

bool box_alike(const struct box *a, const struct box *b)
{
    double wa = mean_width(a), wb = mean_width(b);
    return wa <= WIDTH_RATIO * wb && wb <= WIDTH_RATIO * wa;
}

// One lies in the other and is no denser: a part of it.  Something else there would add to it.
bool box_within(const struct box *a, const struct box *b)
{
    double in = fmin(a->hi, b->hi) - fmax(a->lo, b->lo);
    const struct box *inner = a->hi - a->lo < b->hi - b->lo ? a : b, *outer = inner == a ? b : a;

    // A line in a chirp's band is no part of it, however alike they are by chance.
    return in > WITHIN * (inner->hi - inner->lo) && mean_width(inner) > WITHIN_LEAST &&
           mean_width(outer) < WITHIN_RATIO * mean_width(inner) &&
           mean_density(inner) < DENSER * mean_density(outer);
}

// May a segment that fits both make them one?  Not two that lived side by side for long, nor a line
// and something wide.
bool box_may_merge(const struct box *a, const struct box *b)
{
    if (a->rows > SETTLED && b->rows > SETTLED && box_within(a, b) && !(a->run && b->run))
        return true;
    if ((a->run && b->run) || (a->rows > SETTLED && b->rows > SETTLED))
        return false;
    if (a->rows < YOUNG && b->rows < YOUNG)
        return true;
    return box_alike(a, b) && (a->rows < KNOWN || b->rows < KNOWN ||
                           within_db(mean_density(a), mean_density(b), JUMP_DB));
}

// Is s more like a than like b?
bool box_closer(const struct seg *s, const struct box *a, const struct box *b)
{
    double w = s->hi - s->lo;
    return fabs(log(w / mean_width(a))) <= fabs(log(w / mean_width(b)));
}

bool box_near(const struct tracker *t, double d, double w1, double w2)
{
    double most = JUMP_WIDTHS * fmax(w1, w2), cap = JUMP_HZ / t->g.slow_hz;
    return d <= fmin(most, cap) && w1 <= 3 * w2 && w2 <= 3 * w1;
}
