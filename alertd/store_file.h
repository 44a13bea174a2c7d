// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the store: the database file itself, its lock, its reserve and its schema.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "alertd/alertd.h"

struct store_file {
    sqlite3 *db;
    char     dir[200], path[240];
    int      lock;              // flock: one alertd per data_dir; -1 not held, 0 not opened
    bool     reserved;          // DIR/reserve stands
    bool     has_watch;         // the table of what was watched is there
    char     aside[64];         // name of a damaged one that was set aside; "" none
    unsigned commits;           // since the reserve was last looked at
};

int  store_file_open(struct store_file *f, const char *dir, char note[ALERTD_WHY],
                     char why[ALERTD_WHY]);
// Sets a damaged one aside, with its time, and begins a new one.
int  store_file_renew(struct store_file *f, char note[ALERTD_WHY], char why[ALERTD_WHY]);
void store_file_close(struct store_file *f);
// Damage was met: the next start checks every page before it trusts the file.
void store_file_suspect(struct store_file *f);
// On a full disk: gives the reserve back, so that alerts and what people do still find room.
void store_file_give_room(struct store_file *f);
// Makes the reserve again where there is room for it; asked after each commit, looks now and then.
void store_file_reserve(struct store_file *f);
