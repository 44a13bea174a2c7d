// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: text to pointer.  The text lives in what is pointed to; the map grows.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map { size_t n, used, cap; struct map_slot { const char *key; void *v; } *slot; };

void *map_get(const struct map *m, const char *key);        // NULL: not there
int   map_put(struct map *m, const char *key, void *v);     // 0 or -ENOMEM; key must be new
void  map_del(struct map *m, const char *key);
void  map_done(struct map *m);
