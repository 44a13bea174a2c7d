// SPDX-License-Identifier: GPL-3.0-or-later
// Reading at the start: what still matters, what was received, what people did.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store_in.h"

#define ACTIONS_KEPT 4096       // answers remembered: days of work of a busy post

static const char *column(sqlite3_stmt *st, int i)
{
    const char *s = (const char *)sqlite3_column_text(st, i);
    return s ? s : "";
}

static int load_thing(sqlite3_stmt *st, const struct store_reader *r, void *arg)
{
    const char *json = column(st, 3);
    return r->thing(arg, (enum change_kind)sqlite3_column_int(st, 0), column(st, 1),
                    (uint64_t)sqlite3_column_int64(st, 2), json, strlen(json));
}

static int load_progress(sqlite3_stmt *st, const struct store_reader *r, void *arg)
{
    return r->progress(arg, column(st, 0), (uint64_t)sqlite3_column_int64(st, 1), column(st, 2));
}

static int load_action(sqlite3_stmt *st, const struct store_reader *r, void *arg)
{
    struct action *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    snprintf(a->key, sizeof a->key, "%s", column(st, 0));
    snprintf(a->user, sizeof a->user, "%s", column(st, 1));
    a->verb = (enum action_verb)sqlite3_column_int(st, 2);
    snprintf(a->alert, sizeof a->alert, "%s", column(st, 3));
    a->rev = (uint32_t)sqlite3_column_int64(st, 4);
    a->result = (enum action_result)sqlite3_column_int(st, 5);
    snprintf(a->why, sizeof a->why, "%s", column(st, 6));
    a->json = *column(st, 7) ? strdup(column(st, 7)) : NULL;
    return r->action(arg, a);
}

static int load(struct store *s, const char *sql, const struct store_reader *r, void *arg,
                int (*one)(sqlite3_stmt *, const struct store_reader *, void *))
{
    sqlite3_stmt *st = store_prepared(s, sql);
    int e = st ? 0 : -EIO, k = SQLITE_DONE;
    while (e >= 0 && (k = sqlite3_step(st)) == SQLITE_ROW)
        e = one(st, r, arg);
    if (e >= 0 && k != SQLITE_DONE)
        e = store_fault(s, k);
    sqlite3_finalize(st);
    return e;
}

int store_load(struct store *s, const struct store_reader *r, void *arg)
{
    // Kinds in the order alert, incident, track, ...: the reader may rely on it.
    int e = load(s, "SELECT kind, id, n, json FROM thing ORDER BY kind, n", r, arg, load_thing);
    if (e >= 0)
        e = load(s, "SELECT z85, boot, state FROM progress JOIN peer ON peer.id = peer", r, arg,
                 load_progress);
    if (e >= 0) {
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT key, user, verb, alert, rev, result, why, json FROM"
                 " action ORDER BY at_ns DESC LIMIT %d", ACTIONS_KEPT);
        e = load(s, sql, r, arg, load_action);
    }
    return e;
}
