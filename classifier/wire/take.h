// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: a map of the wire into a struct, by one table or two.
#pragma once

#include "classifier/wire/mp.h"
#include "classifier/wire/table.h"

enum wire_fault wire_take_map(struct bytes *b, const struct wire_table *a,
                              const struct wire_table *c, uint8_t *base);
