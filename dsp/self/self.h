// SPDX-License-Identifier: GPL-3.0-or-later
// What the receiver knows of itself, from the samples alone.
#pragma once

#include "dsp/dsp.h"

struct self;
struct self *self_new(const struct iq_info *info);      // NULL: no memory
void self_free(struct self *s);                         // NULL is fine

// Each block in order, before anybody else has it.
void self_block(struct self *s, struct iq_block *b);
// What a profile says (NULL: nothing): of a level at a gain; of its clock, 0 not known.
struct hw_profile;
struct meas self_level_dbm(const struct hw_profile *p, double level_dbfs, double gain_db);
double self_clock_hz(const struct hw_profile *p);
struct dsp_self self_known(const struct self *s);       // the thread of self_block, or after it
