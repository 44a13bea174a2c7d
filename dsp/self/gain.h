// SPDX-License-Identifier: GPL-3.0-or-later
// The gain of a radio, set by what arrives at its converter.  See gain.c.
#pragma once

#include "sdr/sdr.h"

#define GAIN_BINS 128               // of the power that gain_block is given

// Closed list (the wire's gain_why).  Why it was changed: samples stood at the converter's stops;
// peaks came near them; noise was lost in the converter's steps, or what made it go down has gone.
enum gain_why { GAIN_NEVER, GAIN_CLIPPING, GAIN_STRONG, GAIN_STEPS, GAIN_CALM, GAIN_WHYS };

// Where it belongs while nothing is too strong or too weak is where it begins.
struct gain_cfg {
    double lo_db, hi_db;            // what the radio can be set to
    double bits;                    // effective, of the converter; NAN: by the format
    enum iq_format format;
};

struct gain;
struct gain *gain_new(const struct gain_cfg *cfg);      // NULL: no memory
void gain_free(struct gain *g);                         // NULL is fine

// Looks at a block; power as of step_block, NULL none; busy: the gain is another's just now (a
// step that tests for products).  True where it is to be set: *ret_db.
bool gain_block(struct gain *g, const struct iq_block *b, const float *power, bool busy,
                double *ret_db);
// Asked for, and not there yet: nobody else may set it.
bool gain_moving(const struct gain *g);

struct gain_shown { double now_db; uint64_t changes, not_followed; enum gain_why why; };
const struct gain_shown *gain_shown(const struct gain *g);
