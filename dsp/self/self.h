// SPDX-License-Identifier: GPL-3.0-or-later
// What the receiver knows of itself, from the samples alone.
#pragma once

#include "dsp/dsp.h"

struct self;
// src: whose gain may be stepped (step.h), NULL not; and with sets set (gain.h), where p gives a
// range.  p: NULL nothing known.  NULL: no memory.
struct hw_profile;
struct self *self_new(const struct iq_info *info, struct iq_source *src,
                      const struct hw_profile *p, bool sets);
void self_free(struct self *s);                         // NULL is fine

// Each block in order, before anybody else has it.
void self_block(struct self *s, struct iq_block *b);
// What a profile says (NULL: nothing): of a level at a gain; of its clock, 0 not known.
struct meas self_level_dbm(const struct hw_profile *p, double level_dbfs, double gain_db);
double self_clock_hz(const struct hw_profile *p);
// Any thread: does what the last step of the gain showed to be a product explain this burst?
struct burst;
bool self_masks(const struct self *s, const struct burst *b);
// Any thread: the number of the last step of the gain where it showed that what lies off_hz from
// the centre, on that level, comes in behind the gain; 0: it did not, or held no more at sample n0.
uint64_t self_behind(const struct self *s, uint64_t n0, double off_hz, double level_dbfs);
struct dsp_now self_now(const struct self *s);          // any thread
struct dsp_self self_known(const struct self *s);       // the thread of self_block, or after it
