// SPDX-License-Identifier: GPL-3.0-or-later
// age DATABASE SECONDS: all sessions of an accounts' database were begun so much earlier (they were
// used as late as they were), for tests of what a session's end looks like.
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char sql[100];
    sqlite3 *db;
    if (argc != 3 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL))
        return 2;
    sqlite3_busy_timeout(db, 10000);
    snprintf(sql, sizeof sql, "UPDATE session SET made_s = made_s - %ld",
             strtol(argv[2], NULL, 10));
    int r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (r)
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    sqlite3_close(db);
    return r ? 1 : 0;
}
