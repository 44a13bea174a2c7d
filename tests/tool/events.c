// SPDX-License-Identifier: GPL-3.0-or-later
// events DATABASE: what a post's store holds of each start of each sensor, one a line:
// "boot rows last-seq distinct".  Exactly once without a hole is rows = distinct = last-seq + 1.
//
// events DATABASE CUT BACK: of a link that was cut from CUT to BACK (Unix seconds): how many events
// of that time are there, how long after BACK the first and the last were stored, how many of what
// happened after BACK was stored before that last one, and their delay from the sample to the
// store: median, most (seconds).
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int starts(sqlite3 *db)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, "SELECT peer || '/' || boot, count(*), max(seq), "
                           "count(DISTINCT seq) FROM event GROUP BY peer, boot", -1, &q, NULL))
        return 2;
    while (sqlite3_step(q) == SQLITE_ROW)
        printf("%s %lld %lld %lld\n", (const char *)sqlite3_column_text(q, 0),
               (long long)sqlite3_column_int64(q, 1), (long long)sqlite3_column_int64(q, 2),
               (long long)sqlite3_column_int64(q, 3));
    return sqlite3_finalize(q);
}

static int cut(sqlite3 *db, double cut_s, double back_s)
{
    static const char text[] =
        "WITH was AS (SELECT id, got_ns FROM event WHERE t_ns >= ?1 AND t_ns < ?2 AND got_ns > ?2),"
        " now AS (SELECT (got_ns - t_ns) / 1e9 AS d FROM event WHERE t_ns >= ?2 AND"
        "  id < (SELECT max(id) FROM was) ORDER BY d)"
        "SELECT (SELECT count(*) FROM was), (SELECT min(got_ns) - ?2 FROM was) / 1e9,"
        " (SELECT max(got_ns) - ?2 FROM was) / 1e9, (SELECT count(*) FROM now),"
        " (SELECT d FROM now LIMIT 1 OFFSET (SELECT count(*) / 2 FROM now)),"
        " (SELECT max(d) FROM now)";
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, text, -1, &q, NULL))
        return 2;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)(cut_s * 1e9));
    sqlite3_bind_int64(q, 2, (sqlite3_int64)(back_s * 1e9));
    if (sqlite3_step(q) == SQLITE_ROW)
        printf("%lld %.2f %.2f %lld %.2f %.2f\n", (long long)sqlite3_column_int64(q, 0),
               sqlite3_column_double(q, 1), sqlite3_column_double(q, 2),
               (long long)sqlite3_column_int64(q, 3), sqlite3_column_double(q, 4),
               sqlite3_column_double(q, 5));
    return sqlite3_finalize(q);
}

int main(int argc, char **argv)
{
    sqlite3 *db;
    if ((argc != 2 && argc != 4) ||
        sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL)) {
        fprintf(stderr, "events: %s cannot be read\n", argc > 1 ? argv[1] : "(no file)");
        return 2;
    }
    int r = argc == 2 ? starts(db) : cut(db, strtod(argv[2], NULL), strtod(argv[3], NULL));
    if (r)
        fprintf(stderr, "events: %s: %s\n", argv[1], sqlite3_errmsg(db));
    return sqlite3_close(db) || r ? 2 : 0;
}
