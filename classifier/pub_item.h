// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room, used by pub.c only: a message on its way through a queue, as long as
// its kind needs.
#pragma once

#include "classifier/wire.h"

struct item;
struct item *item_new(const struct wire_msg *m);    // stamped with the monotonic clock; NULL: no
                                                    // memory, or no kind that sensors tell
void item_take(struct item *i, struct wire_msg *ret);       // and frees it
