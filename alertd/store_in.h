// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the store: its state, between writing (store.c) and reading at the start (store_load.c).
#pragma once

#include "alertd/map.h"
#include "alertd/store.h"
#include "alertd/store_file.h"

#define PURGES 5

struct number { char z85[48]; int64_t id; struct number *next; };

struct store {
    struct store_file f;
    sqlite3_stmt *put[ROW_KINDS], *begin, *commit, *rollback, *peer_add, *peer_get;
    sqlite3_stmt *purge[PURGES];
    struct map peers;           // numbers of the keys used, found without asking the database
    struct number *peer;        // ... in a list, to be freed
    uint64_t last_n;
    int64_t  rows;
    bool     damaged;           // met while it was opened
    char     error[256];
};

sqlite3_stmt *store_prepared(struct store *s, const char *sql);
int store_fault(struct store *s, int code);     // of SQLite, as -errno
