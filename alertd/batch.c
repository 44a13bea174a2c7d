// SPDX-License-Identifier: GPL-3.0-or-later
// Rows point into an arena of chunks; the whole batch is freed at once.
//
//     row[]    EVENT  EVENT  THING  REV ...
//                |      |      |     |
//     chunk    [zzz raw zzz raw id json ...]  ->  [older chunk]
#include <stdlib.h>
#include <string.h>

#include "alertd/store.h"

#define CHUNK 65536

struct chunk { struct chunk *next; size_t len, cap; char mem[]; };

struct batch *batch_new(void) { return calloc(1, sizeof(struct batch)); }

void batch_free(struct batch *b)
{
    if (!b)
        return;
    for (struct chunk *c = b->chunk, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(b->row);
    free(b);
}

static void *keep(struct batch *b, const void *p, size_t len)
{
    struct chunk *c = b->chunk;
    if (!c || c->cap - c->len < len + 1) {
        size_t cap = len + 1 > CHUNK ? len + 1 : CHUNK;
        c = malloc(sizeof *c + cap);
        if (!c) {
            b->short_of_memory = true;
            return NULL;
        }
        *c = (struct chunk){ b->chunk, 0, cap };
        b->chunk = c;
    }
    char *to = c->mem + c->len;
    if (len)
        memcpy(to, p, len);
    to[len] = 0;
    c->len += len + 1;
    b->bytes += len + 1;
    return to;
}

static const char *keep_text(struct batch *b, const char *s) { return keep(b, s, strlen(s)); }

static void add(struct batch *b, struct row r)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 64;
        struct row *row = realloc(b->row, cap * sizeof *row);
        if (!row) {
            b->short_of_memory = true;
            return;
        }
        b->row = row;
        b->cap = cap;
    }
    b->row[b->n++] = r;
}

void batch_event(struct batch *b, const char *z85, uint64_t boot, uint64_t seq, int64_t got_ns,
                 int64_t t_ns, int kind, const void *raw, size_t len)
{
    add(b, (struct row){ ROW_EVENT, { keep_text(b, z85) },
                         { (int64_t)boot, (int64_t)seq, got_ns, t_ns, kind },
                         keep(b, raw, len), len });
    b->events++;
}

void batch_progress(struct batch *b, const char *z85, uint64_t boot, const char *state)
{
    add(b, (struct row){ ROW_PROGRESS, { keep_text(b, z85), keep_text(b, state) },
                         { (int64_t)boot }, NULL, 0 });
}

void batch_thing(struct batch *b, enum change_kind kind, const char *id, uint64_t n,
                 const char *json, size_t len)
{
    add(b, (struct row){ ROW_THING, { keep_text(b, id) }, { (int64_t)kind, (int64_t)n },
                         keep(b, json, len), len });
}

void batch_watch(struct batch *b, const struct watch_row *w)
{
    const double v[] = { w->lo_hz, w->hi_hz, w->told_s, w->watched_s, w->deaf_s, w->lost_s,
                         w->floor_dbfs, w->gain_db, w->smallest_dbfs, w->p95_s, w->max_s };
    add(b, (struct row){ ROW_WATCH, { keep_text(b, w->sensor), keep_text(b, w->radio),
                                      keep_text(b, w->band) }, { w->minute },
                         keep(b, v, sizeof v), sizeof v / sizeof v[0] });
}

void batch_gone(struct batch *b, enum change_kind kind, const char *id)
{
    add(b, (struct row){ ROW_GONE, { keep_text(b, id) }, { (int64_t)kind }, NULL, 0 });
}

void batch_rev(struct batch *b, const char *alert, uint32_t rev, uint64_t n, int64_t at_ns,
               const char *json, size_t len)
{
    add(b, (struct row){ ROW_REV, { keep_text(b, alert) }, { rev, (int64_t)n, at_ns },
                         keep(b, json, len), len });
}

void batch_action(struct batch *b, const struct action *a, int64_t at_ns)
{
    const char *json = a->json ? a->json : "";
    add(b, (struct row){ ROW_ACTION,
                         { keep_text(b, a->key), keep_text(b, a->user), keep_text(b, a->alert),
                           keep_text(b, a->why) },
                         { at_ns, (int64_t)a->verb, a->rev, (int64_t)a->result },
                         keep(b, json, strlen(json)), strlen(json) });
}
