// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the accounts: the handle and small helpers over SQLite.
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/acct.h"

#define ACCT_SCHEMA 1

struct acct {
    sqlite3      *db;
    sqlite3_stmt *find;         // the one that runs with every request
    char          id[9];
};

// One statement with its bindings by type: 's' const char *, 'i' int64_t, 'b' const uint8_t[32],
// 'n' null.  NULL: busy, full or broken.
sqlite3_stmt *acct_prepare(struct acct *a, const char *sql, const char *types, ...);
// Runs one to its end; rows changed, or -EBUSY, -EEXIST (constraint), -ENOSPC, -EIO.
int acct_run(struct acct *a, const char *sql, const char *types, ...);
int acct_errno(struct acct *a);             // of the last fault, negative
int acct_begin(struct acct *a);
int acct_end(struct acct *a, int r);        // commits when r >= 0; r, or what went wrong
int acct_why(struct acct *a, int r, char why[ACCT_WHY]);    // r, with its sentence

void acct_random_token(char ret[ACCT_TOKEN]);
