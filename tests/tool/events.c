// SPDX-License-Identifier: GPL-3.0-or-later
// events DATABASE: what a post's store holds of each start of each sensor, one a line:
// "boot rows last-seq distinct".  Exactly once without a hole is rows = distinct = last-seq + 1.
#include <sqlite3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_prepare_v2(db, "SELECT peer || '/' || boot, count(*), max(seq), "
                           "count(DISTINCT seq) FROM event GROUP BY peer, boot", -1, &q, NULL)) {
        fprintf(stderr, "events: %s cannot be read\n", argc > 1 ? argv[1] : "(no file)");
        return 2;
    }
    while (sqlite3_step(q) == SQLITE_ROW)
        printf("%s %lld %lld %lld\n", (const char *)sqlite3_column_text(q, 0),
               (long long)sqlite3_column_int64(q, 1), (long long)sqlite3_column_int64(q, 2),
               (long long)sqlite3_column_int64(q, 3));
    sqlite3_finalize(q);
    return sqlite3_close(db) ? 1 : 0;
}
