// SPDX-License-Identifier: GPL-3.0-or-later
// The list and the hash behind web_world.h.  Dead items are freed when they have left the window
// and nobody stands on them; until then they stay linked, so that a cursor always finds its next.
#include "alertd/web_world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// A busy event makes some 20 changes a second: the window is some minutes of absence, more than a
// browser's reconnection or a lift takes.  Twice the largest table (10,000 tracks) for things.
#define WINDOW_MAX       8192
#define WINDOW_BYTES_MAX (32u << 20)
#define THINGS_MAX       20000

void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){ .seed = seed, .window_max = WINDOW_MAX, .things_max = THINGS_MAX,
                         .window_bytes_max = WINDOW_BYTES_MAX };
}

// FNV-1a from a secret start: enough for ids that alertd itself derives.
static struct item **bucket_of(const struct world *w, enum change_kind k, const char *id)
{
    uint64_t h = w->seed ^ (14695981039346656037ull + k);
    for (; *id; id++)
        h = (h ^ (uint8_t)*id) * 1099511628211ull;
    return (struct item **)&w->bucket[(h ^ h >> 32) % WORLD_BUCKETS];
}

static struct item **find(const struct world *w, enum change_kind k, const char *id)
{
    struct item **p = bucket_of(w, k, id);
    while (*p && ((*p)->c->kind != k || strcmp((*p)->c->id, id)))
        p = &(*p)->chain;
    return p;
}

const struct change *world_find(const struct world *w, enum change_kind k, const char *id)
{
    struct item *i = *find(w, k, id);
    return i ? i->c : NULL;
}

static void item_free(struct item *i)
{
    change_free(i->c);
    free(i);
}

static bool in_window(const struct world *w, const struct item *i)
{
    return w->window && i->at >= w->window->at;
}

static void unlink_item(struct world *w, struct item *i)
{
    *(i->prev ? &i->prev->next : &w->head) = i->next;
    *(i->next ? &i->next->prev : &w->tail) = i->prev;
    i->linked = false;
}

// Frees what nobody needs any more.
static void item_tidy(struct world *w, struct item *i)
{
    if (!i->dead || i->pins || in_window(w, i))
        return;
    if (i->linked)
        unlink_item(w, i);
    item_free(i);
}

static void link_last(struct world *w, struct item *i)
{
    i->prev = w->tail;
    *(w->tail ? &w->tail->next : &w->head) = i;
    w->tail = i;
    i->linked = true;
}

static void window_shrink(struct world *w, size_t max, size_t bytes)
{
    while (w->window && (w->in_window > max || w->window_bytes > bytes)) {
        struct item *i = w->window;
        w->window = i->next;
        w->in_window--;
        w->window_bytes -= i->c->len;
        w->floor_n = i->n;
        item_tidy(w, i);
    }
}

// The newest state that changed longest ago makes room for another of its kind.
static void evict(struct world *w, enum change_kind k)
{
    struct item *i = w->head;
    while (i && (i->dead || i->c->kind != k))
        i = i->next;
    assert(i);
    struct item **p = find(w, k, i->c->id);
    *p = i->chain;
    i->dead = true;
    w->things[k]--;
    w->evicted++;
    item_tidy(w, i);
}

static void replace(struct world *w, struct item *i)
{
    struct item **p = find(w, i->c->kind, i->c->id), *old = *p;

    if (old) {
        *p = old->chain;
        old->dead = true;
        w->things[i->c->kind]--;
        item_tidy(w, old);
    }
    if (i->c->gone) {
        i->dead = true;
        return;
    }
    if (w->things[i->c->kind] >= w->things_max)
        evict(w, i->c->kind);
    p = bucket_of(w, i->c->kind, i->c->id);
    i->chain = *p;
    *p = i;
    w->things[i->c->kind]++;
}

int world_add(struct world *w, struct change *c)
{
    struct item *i = calloc(1, sizeof *i);

    assert(c->kind < CHANGE_KINDS);
    if (!i) {
        change_free(c);
        return -ENOMEM;
    }
    i->c = c;
    i->at = ++w->last_at;
    i->numbered = c->n > w->last_n;
    if (i->numbered)
        w->last_n = c->n;
    else
        w->refused++;
    i->n = w->last_n;
    link_last(w, i);
    if (!w->window)
        w->window = i;
    w->in_window++;
    w->window_bytes += c->len;
    replace(w, i);
    window_shrink(w, w->window_max, w->window_bytes_max);
    return 0;
}

static int older(const void *a, const void *b)
{
    const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
    return (x->n > y->n) - (x->n < y->n);
}

void world_start(struct world *w, struct change **c, size_t n, uint64_t last_n)
{
    if (n)
        qsort(c, n, sizeof *c, older);
    for (size_t i = 0; i < n; i++)
        world_add(w, c[i]);
    // Between these states others may have been: nobody can resume from among them.
    window_shrink(w, 0, 0);
    w->refused = 0;
    if (last_n > w->last_n)
        w->last_n = last_n;
    w->floor_n = w->last_n;
}

int world_resume(struct world *w, uint64_t n, struct item **ret, uint64_t *ret_at)
{
    if (n < w->floor_n || n > w->last_n)
        return -ESTALE;
    struct item *i = w->window;
    while (i && i->n <= n)
        i = i->next;
    *ret = i ? i->prev : w->tail;
    *ret_at = i ? i->at - 1 : w->last_at;
    if (*ret)
        (*ret)->pins++;
    return 0;
}

void world_unpin(struct world *w, struct item *at)
{
    if (!at)
        return;
    assert(at->pins);
    at->pins--;
    item_tidy(w, at);
}

struct item *world_next(struct world *w, struct item *at, bool snapshot, enum change_kind kind)
{
    struct item *i = at ? at->next : w->head;

    while (i && ((snapshot && i->dead) || (kind < CHANGE_KINDS && i->c->kind != kind)))
        i = i->next;
    if (i) {
        i->pins++;
        world_unpin(w, at);
    }
    return i;
}

bool world_behind(const struct world *w, uint64_t at)
{
    return at + 1 < (w->window ? w->window->at : w->last_at + 1);
}

void world_done(struct world *w)
{
    for (struct item *i = w->head, *next; i; i = next) {
        next = i->next;
        item_free(i);
    }
    memset(w, 0, sizeof *w);
}
