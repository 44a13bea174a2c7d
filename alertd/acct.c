// SPDX-License-Identifier: GPL-3.0-or-later
// The database of accounts: opening, schema, accounts.  Sessions are in acct_session.c.
//
// WAL with full sync: a used link stays used and an ended session ended even when the power fails
// a moment later.  Only the worker and `tyto user` write, so nobody waits for that but they.
#include "alertd/acct.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/acct_in.h"

static const char *const role_name[] = { "viewer", "operator", "supervisor", "technician",
                                         "auditor", "metrics" };

const char *acct_role_name(enum acct_role r)
{
    return (unsigned)r < ROLES ? role_name[r] : "unknown";
}

int acct_role_of(const char *name)
{
    for (int i = 0; i < ROLES; i++)
        if (!strcmp(name, role_name[i]))
            return i;
    return -EINVAL;
}

bool acct_name_ok(const char *s)
{
    size_t len = strlen(s);
    return len > 0 && len < ACCT_USER && s[0] != '.' && s[0] != '_' && s[0] != '-' &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

// ---- SQLite ------------------------------------------------------------------------------------

int acct_errno(struct acct *a)
{
    switch (sqlite3_errcode(a->db)) {
    case SQLITE_BUSY: case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_CONSTRAINT:               return -EEXIST;
    case SQLITE_FULL:                     return -ENOSPC;
    case SQLITE_NOMEM:                    return -ENOMEM;
    // A full disk shows as other faults, too: the shared side file cannot grow.
    default: return sqlite3_system_errno(a->db) == ENOSPC ? -ENOSPC : -EIO;
    }
}

static void bind_one(sqlite3_stmt *s, int i, char type, va_list *ap)
{
    switch (type) {
    case 's': sqlite3_bind_text(s, i, va_arg(*ap, const char *), -1, SQLITE_TRANSIENT); break;
    case 'i': sqlite3_bind_int64(s, i, va_arg(*ap, int64_t)); break;
    case 'b': sqlite3_bind_blob(s, i, va_arg(*ap, const uint8_t *), ACCT_HASH, SQLITE_TRANSIENT);
              break;
    default:  sqlite3_bind_null(s, i);
    }
}

static sqlite3_stmt *prepare(struct acct *a, const char *sql, const char *types, va_list *ap)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(a->db, sql, -1, &s, NULL) != SQLITE_OK)
        return NULL;
    for (int i = 0; types[i]; i++)
        bind_one(s, i + 1, types[i], ap);
    return s;
}

sqlite3_stmt *acct_prepare(struct acct *a, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *s = prepare(a, sql, types, &ap);
    va_end(ap);
    return s;
}

int acct_run(struct acct *a, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *s = prepare(a, sql, types, &ap);
    va_end(ap);
    if (!s)
        return acct_errno(a);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        ;
    int r = rc == SQLITE_DONE ? sqlite3_changes(a->db) : acct_errno(a);
    sqlite3_finalize(s);
    return r;
}

int acct_begin(struct acct *a) { return acct_run(a, "BEGIN IMMEDIATE", ""); }

int acct_end(struct acct *a, int r)
{
    int c = acct_run(a, r >= 0 ? "COMMIT" : "ROLLBACK", "");
    if (r >= 0 && c < 0)
        acct_run(a, "ROLLBACK", "");
    return r >= 0 && c < 0 ? c : r;
}

int acct_why(struct acct *a, int r, char why[ACCT_WHY])
{
    if (r < 0)
        snprintf(why, ACCT_WHY, "accounts.db: %s", r == -EBUSY ? "another program is writing "
                 "in it; try again in a moment" : r == -ENOSPC ? "the disk is full; make room "
                 "there and try again" : sqlite3_errmsg(a->db));
    return r;
}

// ---- Opening -----------------------------------------------------------------------------------

static const char *const schema[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
    " password TEXT, disabled INTEGER NOT NULL DEFAULT 0, made_s INTEGER NOT NULL,"
    " seen_s INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE link (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES user,"
    " made_s INTEGER NOT NULL) STRICT",
    "CREATE TABLE session (hash BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES user,"
    " made_s INTEGER NOT NULL, seen_s INTEGER NOT NULL, by_link INTEGER NOT NULL) STRICT",
    "CREATE INDEX session_user ON session (user)",
    "PRAGMA user_version = 1",
};

static int64_t number_of(struct acct *a, const char *sql)
{
    sqlite3_stmt *s = acct_prepare(a, sql, "");
    int64_t v = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return v;
}

int64_t acct_version(struct acct *a)
{
    // data_version tells of other handles only; total_changes of this one.
    return number_of(a, "PRAGMA data_version") + ((int64_t)sqlite3_total_changes(a->db) << 32);
}

static int make_schema(struct acct *a)
{
    char id[9];
    int r = acct_begin(a);

    if (r < 0)
        return r;
    if (number_of(a, "PRAGMA user_version"))        // another one was quicker
        return acct_end(a, -EAGAIN), 0;
    for (size_t i = 0; r >= 0 && i < sizeof schema / sizeof schema[0]; i++)
        r = acct_run(a, schema[i], "");
    snprintf(id, sizeof id, "%08x", randombytes_random());
    if (r >= 0)
        r = acct_run(a, "INSERT INTO meta VALUES ('installation', ?)", "s", id);
    return acct_end(a, r);
}

static int check_schema(struct acct *a, const char *path, char *why)
{
    int64_t v = number_of(a, "PRAGMA user_version");
    int r = v == 0 ? make_schema(a) : v < 0 ? acct_errno(a) : 0;

    if (r < 0)
        return acct_why(a, r, why);
    v = number_of(a, "PRAGMA user_version");
    if (v > ACCT_SCHEMA) {
        snprintf(why, ACCT_WHY, "%s: made by a newer release (schema %lld, this one knows %d); "
                 "install that release or restore a back-up", path, (long long)v, ACCT_SCHEMA);
        return -EPROTO;
    }
    return 0;
}

static int read_id(struct acct *a)
{
    sqlite3_stmt *s = acct_prepare(a, "SELECT value FROM meta WHERE key = 'installation'", "");
    int r = s && sqlite3_step(s) == SQLITE_ROW ? 0 : -EIO;
    if (!r)
        snprintf(a->id, sizeof a->id, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return r;
}

// SQLite makes its side files with the mode of the file itself: made here, before it can be 0644.
static int make_file(const char *path, char *why)
{
    struct stat st;
    // A file that is there is only looked at.  To close it would drop the locks of this process's
    // other connection (POSIX's way); `tyto user` would take itself for the last one to leave and
    // remove the journal in which the newest sessions stand.
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = fd < 0 && errno != EEXIST ? -errno : 0;

    if (fd >= 0)
        close(fd);
    if (!r && lstat(path, &st) < 0)
        r = -errno;
    if (r) {
        snprintf(why, ACCT_WHY, "%s: %s", path, strerror(-r));
    } else if (!S_ISREG(st.st_mode) || st.st_mode & 077) {
        snprintf(why, ACCT_WHY, "%s: must be a file that its owner alone can read (chmod 600)",
                 path);
        r = -EPERM;
    }
    return r;
}

static int open_at(struct acct *a, const char *path, char *why)
{
    int r = make_file(path, why);

    if (r)
        return r;
    if (sqlite3_open_v2(path, &a->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) {
        snprintf(why, ACCT_WHY, "%s: %s", path, a->db ? sqlite3_errmsg(a->db) : "no memory");
        return -EIO;
    }
    sqlite3_busy_timeout(a->db, 2000);      // `tyto user` writes for some milliseconds
    if (acct_run(a, "PRAGMA journal_mode = WAL", "") < 0 ||
        acct_run(a, "PRAGMA synchronous = FULL", "") < 0 ||
        acct_run(a, "PRAGMA foreign_keys = ON", "") < 0) {
        snprintf(why, ACCT_WHY, "%s: %s", path, sqlite3_errmsg(a->db));
        return -EIO;
    }
    r = check_schema(a, path, why);
    if (!r && (r = read_id(a)))
        snprintf(why, ACCT_WHY, "%s: is not a database of accounts", path);
    return r;
}

struct acct *acct_open(const char *dir, char why[ACCT_WHY])
{
    char path[280];
    struct acct *a = sodium_init() < 0 ? NULL : calloc(1, sizeof *a);

    if (!a) {
        snprintf(why, ACCT_WHY, "no memory");
        return NULL;
    }
    snprintf(path, sizeof path, "%s/accounts.db", dir);
    if (open_at(a, path, why)) {
        acct_close(a);
        return NULL;
    }
    return a;
}

void acct_close(struct acct *a)
{
    if (!a)
        return;
    sqlite3_finalize(a->find);
    sqlite3_close(a->db);
    free(a);
}

const char *acct_id(const struct acct *a) { return a->id; }
