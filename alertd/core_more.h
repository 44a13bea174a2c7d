// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the core: what only its collecting half and the loop need.
#pragma once

#include "alertd/core.h"

bool alert_due(const struct core *c, const struct alert *a);    // to be told in this batch
bool track_due(const struct core *c, const struct track_rec *t);
void alert_revise(struct core *c, struct alert *a);
void core_answers(struct core *c, struct core_work *w);
bool core_dirty(const struct core *c);
// There is something to commit or to show.
bool core_waiting(const struct core *c);
// While the store has no room: sensors, tracks and health for the screens, without a batch.
struct core_work *core_glance(struct core *c);
