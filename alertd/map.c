// SPDX-License-Identifier: GPL-3.0-or-later
// Open addressing with linear probing; a deleted slot keeps a mark until the table is made anew.
// Keys come from the network in part: FNV-1a alone could be flooded with one bucket's keys, so the
// ids that index here are hashes made by alertd or names from its own allow-list.
#include "alertd/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char gone[] = "";      // the mark; its address matters

static uint64_t hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;           // FNV-1a
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h ^ h >> 29;
}

static struct map_slot *find(const struct map *m, const char *key)
{
    for (size_t i = hash(key) & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slot[i];
        if (!s->key || (s->key != gone && !strcmp(s->key, key)))
            return s;
    }
}

void *map_get(const struct map *m, const char *key)
{
    return m->cap ? find(m, key)->v : NULL;
}

static int grow(struct map *m)
{
    struct map next = { .cap = 64 };
    while (next.cap < 4 * m->n)
        next.cap *= 2;
    next.slot = calloc(next.cap, sizeof *next.slot);
    if (!next.slot)
        return -ENOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].key && m->slot[i].key != gone) {
            *find(&next, m->slot[i].key) = m->slot[i];
            next.n++;
        }
    next.used = next.n;
    free(m->slot);
    *m = next;
    return 0;
}

int map_put(struct map *m, const char *key, void *v)
{
    if (2 * (m->used + 1) > m->cap && grow(m) < 0)
        return -ENOMEM;
    struct map_slot *s = find(m, key);
    m->n += !s->key;
    m->used += !s->key;
    *s = (struct map_slot){ key, v };
    return 0;
}

void map_del(struct map *m, const char *key)
{
    struct map_slot *s = m->cap ? find(m, key) : NULL;
    if (!s || !s->key)
        return;
    *s = (struct map_slot){ gone, NULL };
    m->n--;
}

void map_done(struct map *m)
{
    free(m->slot);
    *m = (struct map){ 0 };
}
