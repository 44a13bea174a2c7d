// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the tracker (track.c, segment.c, like.c, join.c, told.c): its boxes and segments.
#pragma once

#include <math.h>

#include "dsp/front/place.h"
#include "dsp/front/track.h"

#define BOXES       512         // open at once
#define SEGMENTS    1024        // in one row
#define BRIDGE      3           // narrow channels a segment may miss: weak signals have holes
#define YOUNG       4           // rows: a box that has hardly begun may still change its width
#define SETTLED     60          // rows (2 ms): a segment over two such boxes does not merge them
#define WIDTH_RATIO 4.0
#define NEST_DB     8.0         // one on top of the other: told apart by their density
#define KNOWN       8           // rows from which a box knows its density
#define JUMP_DB     10.0        // nothing changes level so much and width twofold at once
#define SAME_DB     3.0
#define BIN          8          // narrow channels, one fast channel

// A run of marked cells in one row.  nested: on top of a wider one, or under a narrower one.
// skirt: beside something far stronger.
struct seg { int lo, hi; double power, density; bool nested, skirt, taken; };

// One transmission on the air (or a few that touch; told.c splits them).
struct box {
    uint64_t start, last;       // first and last row with a segment
    uint64_t seen;              // last row with a segment of its own
    uint64_t full;              // last row that joined by width, not as a fading tail
    uint64_t checked;           // rows up to here hold no pause
    double   told;              // hop up to which pieces have been told
    int      lo, hi;
    int      now_lo, now_hi;    // this row's, now_hi < 0: none
    bool     now_full;
    double   now_cells, now_density, now_power;
    double   row_power;         // of all segments in its band this row
    bool     present;           // this row holds enough like it to be it, in however many pieces
    bool     covered;           // this row: under something wider
    double   width_sum, density_sum, power_sum;
    unsigned rows;
    unsigned grow;              // rows in a row that wanted it wider
    bool     wants;             // this row does
    unsigned splinter;          // rows in a row in which it seemed a fragment of something wider
    bool     is_splinter;       // this row does
    uint32_t flags;
    uint32_t line;              // which line it is (see line.h), 0: none
    uint64_t run;               // number of the run, 0: not one (yet)
    uint64_t run_n0;
    unsigned run_part;          // parts told so far
    uint64_t cover[COVER_ROWS / 64];    // rows it was covered in
};

struct tracker {
    struct grid    g;
    struct placer *placer;
    struct box     box[BOXES];
    unsigned       n_box;
    struct seg     seg[SEGMENTS];
    unsigned       n_seg;
    uint64_t       row, runs;
    bool           after_gap;
    struct piece   piece[PIECES_MAX];
    const struct band_ops *ops;
    // Bins of the run of marked cells looked at, slow_n / BIN + 1 each: power less noise, mean over
    // noise, the same around, part of a segment, well over the rest.
    float         *power, *density, *near;
    uint8_t       *taken, *strong;
};

static inline uint64_t rows_of(const struct tracker *t, double s)
{
    return (uint64_t)(s / t->g.row_s);
}

static inline double mean_width(const struct box *b)
{
    return b->rows ? b->width_sum / b->rows : 1;
}

static inline double mean_density(const struct box *b)
{
    return b->rows ? b->density_sum / b->rows : 1;
}

static inline double mean_power(const struct box *b)
{
    return b->rows ? b->power_sum / b->rows : 0;
}

// Of two powers, within db of each other.
static inline bool within_db(double a, double b, double db)
{
    double ratio = pow(10, 0.1 * db);           // of constants: the compiler's work
    return a > 0 && b > 0 && a <= b * ratio && b <= a * ratio;
}

// segment.c: the row's segments, and which of them are only skirts of others.
void seg_find(struct tracker *t, const struct place_in *in);
void seg_skirts(struct tracker *t);

// like.c: who belongs together.  Distances and widths in narrow channels.
double box_distance(int lo1, int hi1, int lo2, int hi2);
bool box_fits(const struct tracker *t, const struct place_in *in, const struct box *b,
              const struct seg *s);
void box_note_splinter(const struct tracker *t, const struct place_in *in, struct box *b,
                       const struct seg *s);
bool box_overlaps(const struct box *b, const struct seg *s);
bool box_holds_weak(const struct box *b, const struct seg *s);
bool box_alike(const struct box *a, const struct box *b);
bool box_within(const struct box *a, const struct box *b);
bool box_may_merge(const struct box *a, const struct box *b);
bool box_closer(const struct seg *s, const struct box *a, const struct box *b);
bool box_near(const struct tracker *t, double d, double w1, double w2);

// join.c: segments into boxes, boxes into one.
void box_find_present(const struct tracker *t, struct box *b);
void box_place(struct tracker *t, const struct place_in *in, struct seg *s);
bool box_jump(struct tracker *t, struct seg *s);
void box_open(struct tracker *t, struct seg *s, struct cand_list *out);
void box_join_jumped(struct tracker *t);
void box_end_row(struct box *b);
// The lines that stand in this row, each in a box of its own.
void box_lines(struct tracker *t, const struct place_in *in, struct cand_list *out);
// Looks for what takes turns with box i, or lies over it, and joins it; true: the table changed.
bool box_join_turns(struct tracker *t, const struct place_in *in, unsigned i,
                    struct cand_list *out);

// told.c: what a box has become, as candidates.
// Looks for pauses in rows [.., upto) of a box and tells what they close.  closing: the box ends
// there.  A box that stays open keeps its last piece.
void box_check(struct tracker *t, const struct place_in *in, struct box *b, uint64_t upto,
               bool closing, struct cand_list *out);
void run_parts(struct tracker *t, const struct place_in *in, struct box *b, struct cand_list *out);
void run_end(struct tracker *t, const struct place_in *in, struct box *b, double end,
             struct cand_list *out);
