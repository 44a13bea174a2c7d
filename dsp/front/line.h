// SPDX-License-Identifier: GPL-3.0-or-later
// Lines: what stands at one place of the spectrum, no wider than three narrow channels, without a
// pause and at a steady level.  A receiver's DC offset, a spur of its clock, a carrier.
//
//   power |        |                 |            a line is known once it has stood for LINE_S; the
//         |     ___|____             |   ##       floor looks that far ahead, so that it is known
//         |____/OFDM|   \____________|__#  #__    from its first row on.
//
// What finds and joins bursts sees the floor raised to a line where it stands: it is nobody's part
// and no bridge.  What is stronger is seen on top of it as ever.  The tracker tells the line.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dsp/front/cells.h"
#include "dsp/front/floor.h"

#define LINE_S      0.016
#define LINES       32          // at once
#define LINE_REACH  3           // narrow channels either side of its own that it may show in
#define LINE_FAST   2           // fast channels either side

// A line in one window of the floor's.  Power over the floor in the channels around its own.
struct line_span {
    uint32_t id;
    int      k, c;              // narrow and fast channel it stands in
    float    slow[2 * LINE_REACH + 1], fast[2 * LINE_FAST + 1];
};

struct line_set { unsigned n; struct line_span s[LINES]; };

struct lines;

struct lines *lines_new(const struct grid *g);
void lines_free(struct lines *l);
void lines_begin(struct lines *l);      // an epoch
// The mean powers of one more window of the floor's.
void lines_window(struct lines *l, const float *mean);
// Looks at the windows that have come, against the floor; the rows of c must still be there.
void lines_look(struct lines *l, const struct cells *c, const struct floor_view *floor);
// The lines at a row.
const struct line_set *lines_at(const struct lines *l, uint64_t row);
// Changes with what lines_at() says of any row.
uint64_t lines_version(const struct lines *l);

// A floor raised to the lines of the row asked for last, times a factor.
struct line_mask;

struct line_mask *line_mask_new(const struct grid *g, float factor);
void line_mask_free(struct line_mask *m);
struct floor_view line_mask_at(struct line_mask *m, const struct lines *l,
                               const struct noise_floor *f, uint64_t row);
