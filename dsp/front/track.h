// SPDX-License-Identifier: GPL-3.0-or-later
// Marked cells to bursts: row by row, runs of marked cells ("segments") join open boxes.
//
//    row r   ....#####....##########.....      segments
//    boxes   ...[     ]..[          ]....      one per transmission on the air, grown by what joins
//
// Joining is generous in time and frequency, so that a chirp that wraps, an FSK tone that jumps or
// a video carrier that wanders stays one; place.c then splits at real pauses.  It is strict where a
// narrow signal meets a much wider one: each keeps its own box, the narrow one runs on below.
// A box on the air longer than DSP_RUN_S without a pause is a run, told in parts.
#pragma once

#include "dsp/burst.h"
#include "dsp/front/place.h"

struct tracker;

struct tracker *tracker_new(const struct grid *g);
void tracker_free(struct tracker *t);
void tracker_begin(struct tracker *t, bool after_gap);      // an epoch
// The next row, whose marks are final.
void tracker_row(struct tracker *t, const struct place_in *in, struct cand_list *out);
// End of the epoch: closes everything; flags (BURST_AT_END or BURST_TOUCHES_GAP) go to what is
// open.
void tracker_end(struct tracker *t, const struct place_in *in, uint32_t flags,
                 struct cand_list *out);
// First row that a candidate still to come can end in.
uint64_t tracker_done(const struct tracker *t);
