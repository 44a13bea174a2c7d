// SPDX-License-Identifier: GPL-3.0-or-later
// What was watched, read back: in order of sensor and band, minute by minute.  Minutes that no
// ledger tells of stand there too, as one entry from - to: nobody knows what was on the air then.
//
//     12:00 watched | 12:01 watched | 12:02 .. 12:07 not-told | 12:08 deaf | 12:09 not-watched
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store.h"
#include "base/json.h"
#include "base/utc.h"

#define MINUTE_NS INT64_C(60000000000)
#define BUSY_MS   200           // a writer is done in less
#define LIMIT_NS  INT64_C(200000000)    // the web thread waits no longer for the rows
#define LOOK_OPS  4000          // of SQLite's machine between two looks at the clock: some 0.1 ms
#define DEAF      0.5           // as the sensor's own word (classifier/sensord_ledger.c)

enum column { MINUTE, SENSOR, RADIO, BAND, LO, HI, TOLD, WATCHED, DEAF_S, LOST, FLOOR, GAIN,
              SMALLEST, P95, MOST };

// The table lies in order of minute and sensor.  Of all sensors its rows come in that order; of one
// each minute is looked up, which passes over all that the others told.
#define COLUMNS \
    "minute, sensor, radio, band, lo_hz, hi_hz, told_s, watched_s, deaf_s, lost_s," \
    " floor_dbfs, gain_db, smallest_dbfs, p95_s, max_s"
#define ALL " FROM watch WHERE minute >= ?1 AND minute < ?2 AND ?3 = ''"
#define MINUTES \
    "WITH RECURSIVE m(x) AS (SELECT ?1 UNION ALL SELECT x + 1 FROM m WHERE x + 1 < ?2) "
#define ONE " FROM m CROSS JOIN watch WHERE minute = x AND sensor = ?3"
#define ORDER " ORDER BY sensor, lo_hz, hi_hz, radio, minute LIMIT ?4"

static const char sql_all[] = "SELECT " COLUMNS ALL ORDER, sql_one[] = MINUTES "SELECT " COLUMNS
    ONE ORDER;
// How far the rows that are told at once reach, which is where the answer ends.
static const char reach_all[] = "SELECT count(*), max(minute) FROM (SELECT minute" ALL
    " ORDER BY minute LIMIT ?4)", reach_one[] = MINUTES "SELECT count(*), max(minute) FROM"
    " (SELECT minute" ONE " LIMIT ?4)";

struct series { char sensor[64], radio[40], band[24]; double lo_hz, hi_hz; int64_t next; };

static const char *text_of(sqlite3_stmt *st, enum column c)
{
    const char *s = (const char *)sqlite3_column_text(st, (int)c);
    return s ? s : "";
}

static double number_of(sqlite3_stmt *st, enum column c)
{
    return sqlite3_column_type(st, (int)c) == SQLITE_NULL ? NAN
                                                          : sqlite3_column_double(st, (int)c);
}

static void put_time(struct json *j, const char *key, int64_t minute)
{
    char s[UTC_LEN];
    utc_format(s, minute * MINUTE_NS, 0);
    json_str(j, key, s);
}

static void begin(struct json *j, const struct series *s, int64_t from, int64_t to,
                  const char *state)
{
    json_open(j, NULL, '{');
    json_str(j, "sensor", s->sensor);
    json_str(j, "radio", s->radio[0] ? s->radio : NULL);
    json_str(j, "band", s->band[0] ? s->band : NULL);
    json_num(j, "lo_hz", s->lo_hz, 0);
    json_num(j, "hi_hz", s->hi_hz, 0);
    put_time(j, "from", from);
    put_time(j, "to", to);
    json_str(j, "state", state);
}

static void gap(struct json *j, const struct series *s, int64_t until)
{
    if (!s->sensor[0] || s->next >= until)
        return;
    begin(j, s, s->next, until, "not-told");
    json_close(j);
}

static void row(struct json *j, sqlite3_stmt *st, struct series *s, int64_t minute)
{
    double watched_s = number_of(st, WATCHED), deaf_s = number_of(st, DEAF_S);
    bool watched = watched_s > 0, deaf = watched && deaf_s >= DEAF * watched_s;

    gap(j, s, minute);
    begin(j, s, minute, minute + 1, !watched ? "not-watched" : deaf ? "deaf" : "watched");
    json_num(j, "told_s", number_of(st, TOLD), 1);
    json_num(j, "watched_s", watched_s, 2);
    json_num(j, "deaf_s", deaf_s, 2);
    json_num(j, "lost_s", number_of(st, LOST), 2);
    json_num(j, "floor_dbfs", number_of(st, FLOOR), 1);
    json_num(j, "gain_db", number_of(st, GAIN), 1);
    json_num(j, "smallest_dbfs", watched && !deaf ? number_of(st, SMALLEST) : NAN, 1);
    json_num(j, "revisit_p95_s", number_of(st, P95), 1);
    json_num(j, "revisit_max_s", number_of(st, MOST), 1);
    json_close(j);
    s->next = minute + 1;
}

static bool same(const struct series *s, sqlite3_stmt *st)
{
    double lo = number_of(st, LO), hi = number_of(st, HI);
    return !strcmp(s->sensor, text_of(st, SENSOR)) && !strcmp(s->radio, text_of(st, RADIO)) &&
           fabs(s->lo_hz - lo) < 1 && fabs(s->hi_hz - hi) < 1;
}

static int rows(struct json *j, sqlite3_stmt *st, int64_t from, int64_t to)
{
    struct series s = { .next = from };
    int n = 0, r;

    while ((r = sqlite3_step(st)) == SQLITE_ROW) {
        if (!n)                         // all are found and sorted: what is left is to write them
            sqlite3_progress_handler(sqlite3_db_handle(st), 0, NULL, NULL);
        if (!same(&s, st)) {
            gap(j, &s, to);
            s = (struct series){ .lo_hz = number_of(st, LO), .hi_hz = number_of(st, HI),
                                 .next = from };
            snprintf(s.sensor, sizeof s.sensor, "%s", text_of(st, SENSOR));
            snprintf(s.radio, sizeof s.radio, "%s", text_of(st, RADIO));
        }
        snprintf(s.band, sizeof s.band, "%s", text_of(st, BAND));
        if (n++ == STORE_WATCH_ROWS)
            return 1;
        row(j, st, &s, sqlite3_column_int64(st, MINUTE));
    }
    gap(j, &s, to);
    return r == SQLITE_DONE ? 0 : -1;
}

static bool write_all(FILE *out, sqlite3_stmt *st, int64_t from, int64_t to, bool more)
{
    struct json j;

    json_init(&j, out);
    json_begin(&j);
    put_time(&j, "from", from);
    put_time(&j, "to", to);
    json_open(&j, "ledger", '[');
    int r = rows(&j, st, from, to);
    json_close(&j);
    json_bool(&j, "more", more || r == 1);
    json_end(&j);
    return r >= 0 && !json_error(&j);
}

static int too_late(void *arg) { return mono_now_ns() > *(int64_t *)arg; }

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, const char *sensor, int64_t from,
                             int64_t to)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(st, 1, from);
    sqlite3_bind_int64(st, 2, to);
    sqlite3_bind_text(st, 3, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 4, STORE_WATCH_ROWS + 1);
    return st;
}

// Whole minutes only: the one that does not fit any more is where the next answer begins.
static bool find_reach(sqlite3 *db, const char *sensor, int64_t from, int64_t *to, bool *ret_more)
{
    sqlite3_stmt *st = prepare(db, sensor[0] ? reach_one : reach_all, sensor, from, *to);
    bool ok = st && sqlite3_step(st) == SQLITE_ROW;

    *ret_more = ok && sqlite3_column_int(st, 0) > STORE_WATCH_ROWS;
    if (*ret_more) {
        int64_t last = sqlite3_column_int64(st, 1);
        *to = last > from ? last : from + 1;
    }
    sqlite3_finalize(st);
    return ok;
}

static char *read_text(sqlite3 *db, const char *sensor, int64_t from, int64_t to)
{
    char *text = NULL;
    size_t len = 0;
    bool more, ok = find_reach(db, sensor, from, &to, &more);
    sqlite3_stmt *st = ok ? prepare(db, sensor[0] ? sql_one : sql_all, sensor, from, to) : NULL;
    FILE *out = st ? open_memstream(&text, &len) : NULL;

    ok = out && write_all(out, st, from, to, more);
    ok = out && fclose(out) == 0 && ok;
    sqlite3_finalize(st);
    if (!ok) {
        free(text);
        text = NULL;
    }
    return text;
}

char *store_watch_json(const char *dir, const char *sensor, int64_t from, int64_t to)
{
    int64_t end_ns = mono_now_ns() + LIMIT_NS;
    char path[300], *text = NULL;
    sqlite3 *db = NULL;

    snprintf(path, sizeof path, "%.256s/alertd.db", dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(db, BUSY_MS) == SQLITE_OK) {
        sqlite3_progress_handler(db, LOOK_OPS, too_late, &end_ns);
        text = read_text(db, sensor, from, to);
    }
    sqlite3_close(db);
    return text;
}
