// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of the store share: a folder for each, and questions to its database.
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd_feed.h"

static char dir[256];
static char note[ALERTD_WHY], why[ALERTD_WHY];

static inline int set_up(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.200s/tyto-store-%d", tmp ? tmp : "/tmp", (int)getpid());
    assert_int_equal(mkdir(dir, 0700), 0);
    return 0;
}

static inline int tear_down(void **state)
{
    char cmd[300];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static inline struct store *open_store(void)
{
    struct store *s = NULL;
    int r = store_open(&s, dir, note, why);
    if (r < 0)
        print_message("%s\n", why);
    assert_int_equal(r, 0);
    return s;
}

static inline int64_t ask(const char *sql)
{
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/alertd.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    int r = sqlite3_step(st);
    int64_t v = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return v;
}
