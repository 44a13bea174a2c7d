// SPDX-License-Identifier: GPL-3.0-or-later
// The tables, one prepared statement per kind of row, one transaction per batch.
//
// synchronous=FULL: SQLite syncs the WAL at each commit, so what was answered survives a power cut.
// Sensor keys are numbered in `peer`: an event row then has 8 bytes of key instead of 40.
#include "alertd/store_in.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const put_sql[ROW_KINDS] = {
    [ROW_EVENT] = "INSERT OR IGNORE INTO event(peer, boot, seq, got_ns, t_ns, kind, raw)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ROW_PROGRESS] = "INSERT OR REPLACE INTO progress(peer, boot, state) VALUES(?1, ?2, ?3)",
    [ROW_THING] = "INSERT OR REPLACE INTO thing(kind, id, n, json) VALUES(?1, ?2, ?3, ?4)",
    [ROW_GONE] = "DELETE FROM thing WHERE kind = ?1 AND id = ?2",
    // A revision is immutable: the first of a number is the one that was shown.
    [ROW_REV] = "INSERT OR IGNORE INTO alert_rev(alert, rev, n, at_ns, json)"
                " VALUES(?1, ?2, ?3, ?4, ?5)",
    [ROW_ACTION] = "INSERT OR IGNORE INTO action(key, at_ns, user, verb, alert, rev, result, why,"
                   " json) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    // Seconds add up; the floor is their mean, the smallest signal the worst of the minute.
    [ROW_WATCH] = "INSERT INTO watch(minute, sensor, radio, band, lo_hz, hi_hz, told_s, watched_s,"
        " deaf_s, lost_s, floor_dbfs, gain_db, smallest_dbfs, p95_s, max_s)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        " ON CONFLICT(minute, sensor, radio, lo_hz, hi_hz) DO UPDATE SET band = excluded.band,"
        " told_s = told_s + excluded.told_s, watched_s = watched_s + excluded.watched_s,"
        " deaf_s = deaf_s + excluded.deaf_s, lost_s = lost_s + excluded.lost_s,"
        " floor_dbfs = CASE WHEN excluded.floor_dbfs IS NULL OR excluded.watched_s <= 0"
        " THEN floor_dbfs WHEN floor_dbfs IS NULL OR watched_s <= 0 THEN excluded.floor_dbfs"
        " ELSE (floor_dbfs * watched_s + excluded.floor_dbfs * excluded.watched_s)"
        " / (watched_s + excluded.watched_s) END,"
        " gain_db = coalesce(excluded.gain_db, gain_db),"
        " smallest_dbfs = max(coalesce(smallest_dbfs, excluded.smallest_dbfs),"
        " coalesce(excluded.smallest_dbfs, smallest_dbfs)),"
        " p95_s = coalesce(excluded.p95_s, p95_s),"
        " max_s = max(coalesce(max_s, excluded.max_s), coalesce(excluded.max_s, max_s))",
};

// Small steps: about 10 ms each, so that an alert never waits behind the deleting.
#define STEP "500"
static const char *const purge_sql[PURGES] = {
    "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT " STEP ")"
    " AND got_ns < ?1",
    "DELETE FROM alert_rev WHERE (alert, rev) IN (SELECT alert, rev FROM alert_rev"
    " WHERE at_ns < ?1 AND alert NOT IN (SELECT id FROM thing WHERE kind = 0) LIMIT " STEP ")",
    "DELETE FROM action WHERE key IN (SELECT key FROM action WHERE at_ns < ?1 LIMIT " STEP ")",
    "DELETE FROM progress WHERE state = '' AND ?1",     // boots that have nothing left to send
    "DELETE FROM watch WHERE minute = (SELECT min(minute) FROM watch)"
    " AND minute < ?1 / 60000000000",
};

sqlite3_stmt *store_prepared(struct store *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int r = sqlite3_prepare_v3(s->f.db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    // A table that is not there, a column: all statements are ours, so the schema is damaged.
    s->damaged = s->damaged || (r & 0xff) == SQLITE_CORRUPT || r == SQLITE_ERROR;
    if (r != SQLITE_OK)
        snprintf(s->error, sizeof s->error, "%s", sqlite3_errmsg(s->f.db));
    return st;
}

int store_fault(struct store *s, int code)
{
    snprintf(s->error, sizeof s->error, "%s", sqlite3_errmsg(s->f.db));
    switch (code & 0xff) {
    case SQLITE_FULL:    return -ENOSPC;
    case SQLITE_NOMEM:   return -ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:  store_file_suspect(&s->f); return -EUCLEAN;
    default:             return -EIO;
    }
}

static int step(struct store *s, sqlite3_stmt *st)
{
    int r = sqlite3_step(st);
    if (r != SQLITE_DONE && r != SQLITE_ROW)
        r = store_fault(s, r);
    else
        r = 0;
    sqlite3_reset(st);
    return r;
}

static int64_t one_number(struct store *s, const char *sql)
{
    sqlite3_stmt *st = store_prepared(s, sql);
    int r = st ? sqlite3_step(st) : SQLITE_ERROR;
    int64_t v = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    s->damaged = s->damaged || (r & 0xff) == SQLITE_CORRUPT || (r & 0xff) == SQLITE_NOTADB;
    sqlite3_finalize(st);
    return v;
}

// A database of an earlier release whose disk is full: it lacks the newest table until there is
// room, and nothing else.
static bool rest_is_there(struct store *s)
{
    bool ok = s->begin && s->commit && s->rollback && s->peer_add && s->peer_get;
    for (int i = 0; i < ROW_KINDS; i++)
        ok = ok && (s->put[i] || i == ROW_WATCH);
    for (int i = 0; i < PURGES; i++)
        ok = ok && (s->purge[i] || i == PURGES - 1);
    s->damaged = !ok;
    return ok;
}

static int prepare_all(struct store *s, char why[ALERTD_WHY])
{
    bool ok = (s->begin = store_prepared(s, "BEGIN IMMEDIATE")) != NULL;
    ok = (s->commit = store_prepared(s, "COMMIT")) && ok;
    ok = (s->rollback = store_prepared(s, "ROLLBACK")) && ok;
    ok = (s->peer_add = store_prepared(s, "INSERT OR IGNORE INTO peer(z85) VALUES(?1)")) && ok;
    ok = (s->peer_get = store_prepared(s, "SELECT id FROM peer WHERE z85 = ?1")) && ok;
    bool damaged = s->damaged;
    for (int i = 0; i < ROW_KINDS; i++)
        ok = (s->put[i] = store_prepared(s, put_sql[i])) && ok;
    for (int i = 0; i < PURGES; i++)
        ok = (s->purge[i] = store_prepared(s, purge_sql[i])) && ok;
    if (!ok && !damaged && !s->f.has_watch)
        ok = rest_is_there(s);
    if (!ok)
        snprintf(why, ALERTD_WHY, "%.200s: %.200s", s->f.path, s->error);
    return ok ? 0 : -EIO;
}

static int ready(struct store *s, char why[ALERTD_WHY])
{
    s->damaged = false;
    int r = prepare_all(s, why);
    if (r < 0)
        return s->damaged ? -EUCLEAN : r;
    s->last_n = (uint64_t)one_number(s, "SELECT max(n) FROM (SELECT max(n) AS n FROM thing"
                                        " UNION SELECT max(n) FROM alert_rev)");
    // Two queries: SQLite finds one end of an index at once, both ends only by reading all rows.
    s->rows = one_number(s, "SELECT (SELECT max(id) FROM event) - (SELECT min(id) FROM event) + 1");
    return s->damaged ? -EUCLEAN : 0;
}

static void peers_forget(struct store *s);

static void unprepare(struct store *s)
{
    sqlite3_stmt **one[] = { &s->begin, &s->commit, &s->rollback, &s->peer_add, &s->peer_get };
    peers_forget(s);
    for (int i = 0; i < ROW_KINDS; i++) {
        sqlite3_finalize(s->put[i]);
        s->put[i] = NULL;
    }
    for (int i = 0; i < PURGES; i++) {
        sqlite3_finalize(s->purge[i]);
        s->purge[i] = NULL;
    }
    for (unsigned i = 0; i < sizeof one / sizeof one[0]; i++) {
        sqlite3_finalize(*one[i]);
        *one[i] = NULL;
    }
}

int store_renew(struct store *s, char note[ALERTD_WHY], char why[ALERTD_WHY])
{
    unprepare(s);
    int r = store_file_renew(&s->f, note, why);
    return r < 0 ? r : ready(s, why);
}

int store_open(struct store **ret, const char *dir, char note[ALERTD_WHY], char why[ALERTD_WHY])
{
    struct store *s = calloc(1, sizeof *s);
    int r = s ? store_file_open(&s->f, dir, note, why) : -ENOMEM;
    if (!s)
        snprintf(why, ALERTD_WHY, "there is not enough memory for the store");
    if (r >= 0 && (r = ready(s, why)) == -EUCLEAN)
        r = store_renew(s, note, why);
    if (r < 0) {
        store_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    unprepare(s);
    store_file_close(&s->f);
    free(s);
}

const char *store_aside(const struct store *s) { return s->f.aside; }

static void peers_forget(struct store *s)
{
    map_done(&s->peers);
    for (struct number *p = s->peer, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    s->peer = NULL;
}

// As many as there are enrolled keys, and a few that were.
static void peer_keep(struct store *s, const char *z85, int64_t id)
{
    struct number *p = calloc(1, sizeof *p);
    if (!p)
        return;                 // it is asked for again
    snprintf(p->z85, sizeof p->z85, "%s", z85);
    p->id = id;
    if (map_put(&s->peers, p->z85, p) < 0) {
        free(p);
        return;
    }
    p->next = s->peer;
    s->peer = p;
}

static int peer_number(struct store *s, const char *z85, int64_t *ret)
{
    const struct number *known = map_get(&s->peers, z85);
    if (known) {
        *ret = known->id;
        return 0;
    }
    sqlite3_bind_text(s->peer_add, 1, z85, -1, SQLITE_STATIC);
    int r = step(s, s->peer_add);
    if (r < 0)
        return r;
    sqlite3_bind_text(s->peer_get, 1, z85, -1, SQLITE_STATIC);
    r = sqlite3_step(s->peer_get) == SQLITE_ROW ? 0 : -EIO;
    *ret = r < 0 ? 0 : sqlite3_column_int64(s->peer_get, 0);
    sqlite3_reset(s->peer_get);
    if (r >= 0)
        peer_keep(s, z85, *ret);
    return r;
}

static void text(sqlite3_stmt *st, int i, const char *s)
{
    sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static void blob(sqlite3_stmt *st, int i, const struct row *r)
{
    if (r->kind == ROW_EVENT)
        sqlite3_bind_blob64(st, i, r->blob, r->len, SQLITE_STATIC);
    else
        sqlite3_bind_text64(st, i, r->blob, r->len, SQLITE_STATIC, SQLITE_UTF8);
}

static int put(struct store *s, const struct row *r)
{
    sqlite3_stmt *st = s->put[r->kind];
    int64_t peer = 0;
    int i = 1, e;
    if (!st)
        return 0;               // rest_is_there
    if ((r->kind == ROW_EVENT || r->kind == ROW_PROGRESS) &&
        (e = peer_number(s, r->text[0], &peer)) < 0)
        return e;
    switch (r->kind) {
    case ROW_EVENT:
        sqlite3_bind_int64(st, i++, peer);
        for (int k = 0; k < 5; k++)
            sqlite3_bind_int64(st, i++, r->num[k]);
        blob(st, i, r);
        break;
    case ROW_PROGRESS:
        sqlite3_bind_int64(st, 1, peer);
        sqlite3_bind_int64(st, 2, r->num[0]);
        text(st, 3, r->text[1]);
        break;
    case ROW_THING: case ROW_GONE:
        sqlite3_bind_int64(st, 1, r->num[0]);
        text(st, 2, r->text[0]);
        if (r->kind == ROW_THING) {
            sqlite3_bind_int64(st, 3, r->num[1]);
            blob(st, 4, r);
        }
        break;
    case ROW_REV:
        text(st, i++, r->text[0]);
        for (int k = 0; k < 3; k++)
            sqlite3_bind_int64(st, i++, r->num[k]);
        blob(st, i, r);
        break;
    case ROW_WATCH:
        sqlite3_bind_int64(st, i++, r->num[0]);
        for (int k = 0; k < 3; k++)
            text(st, i++, r->text[k]);
        for (size_t k = 0; k < r->len; k++) {
            double v;
            memcpy(&v, (const char *)r->blob + k * sizeof v, sizeof v);
            sqlite3_bind_double(st, i++, v);        // SQLite takes NAN as NULL
        }
        break;
    default:        // ROW_ACTION
        text(st, 1, r->text[0]);
        sqlite3_bind_int64(st, 2, r->num[0]);
        text(st, 3, r->text[1]);
        sqlite3_bind_int64(st, 4, r->num[1]);
        text(st, 5, r->text[2]);
        sqlite3_bind_int64(st, 6, r->num[2]);
        sqlite3_bind_int64(st, 7, r->num[3]);
        text(st, 8, r->text[3]);
        blob(st, 9, r);
    }
    return step(s, st);
}

int store_commit(struct store *s, const struct batch *b)
{
    if (b->short_of_memory)
        return -ENOMEM;
    int r = step(s, s->begin);
    for (size_t i = 0; i < b->n && r >= 0; i++)
        r = put(s, &b->row[i]);
    if (r >= 0)
        r = step(s, s->commit);
    if (r < 0) {
        char error[sizeof s->error];
        memcpy(error, s->error, sizeof error);
        if (!sqlite3_get_autocommit(s->f.db))
            step(s, s->rollback);
        memcpy(s->error, error, sizeof error);
        peers_forget(s);        // numbers given in this batch are gone
        if (r == -ENOSPC)
            store_file_give_room(&s->f);
        return r;
    }
    store_file_reserve(&s->f);
    s->rows += (int64_t)b->events;
    return 0;
}

int store_purge(struct store *s, int64_t now_ns, int64_t keep_ns)
{
    int n = 0;
    for (int i = 0; i < PURGES; i++) {
        if (!s->purge[i])
            continue;
        sqlite3_bind_int64(s->purge[i], 1, now_ns - keep_ns);
        int r = step(s, s->purge[i]);
        if (r < 0)
            return r;
        int changed = sqlite3_changes(s->f.db);
        s->rows -= i ? 0 : changed;
        n += changed;
    }
    return n;
}

int64_t     store_rows(const struct store *s) { return s->rows; }
uint64_t    store_last_n(const struct store *s) { return s->last_n; }
const char *store_error(const struct store *s) { return s->error; }
