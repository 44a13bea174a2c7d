// SPDX-License-Identifier: GPL-3.0-or-later
//     DIR/alertd.db  -wal -shm     the database
//     DIR/lock                     held while an alertd runs on it
//     DIR/reserve                  8 MB of nothing, given up on a full disk
//     DIR/suspect                  damage was met: check before use
//     DIR/alertd.db.damaged-TIME   moved aside, for whoever wants to look
#include "alertd/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/store.h"
#include "base/utc.h"
#include "base/why.h"
#include "hw/hw.h"

#define RESERVE (8 << 20)       // hours of alerts and actions, a few kB each
#define OURS 1417245807         // application_id in the schema: "Tyto"
#define LOOK_EVERY 256          // commits between looks for room

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE peer(id INTEGER PRIMARY KEY, z85 TEXT UNIQUE NOT NULL);"
    "CREATE TABLE event(id INTEGER PRIMARY KEY, peer INTEGER NOT NULL, boot INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, got_ns INTEGER NOT NULL, t_ns INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, raw BLOB NOT NULL, UNIQUE(peer, boot, seq));"
    "CREATE TABLE progress(peer INTEGER, boot INTEGER, state TEXT NOT NULL,"
    " PRIMARY KEY(peer, boot)) WITHOUT ROWID;"
    "CREATE TABLE thing(kind INTEGER, id TEXT, n INTEGER NOT NULL, json TEXT NOT NULL,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE alert_rev(alert TEXT, rev INTEGER, n INTEGER NOT NULL, at_ns INTEGER NOT NULL,"
    " json TEXT NOT NULL, PRIMARY KEY(alert, rev)) WITHOUT ROWID;"
    "CREATE INDEX alert_rev_n ON alert_rev(n);"
    "CREATE TABLE action(key TEXT PRIMARY KEY, at_ns INTEGER NOT NULL, user TEXT NOT NULL,"
    " verb INTEGER NOT NULL, alert TEXT NOT NULL, rev INTEGER NOT NULL, result INTEGER NOT NULL,"
    " why TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX thing_n ON thing(n);"
    "CREATE INDEX action_at ON action(at_ns);"
    "PRAGMA application_id = 1417245807;"       // "Tyto"
    "PRAGMA user_version = 1;"                  // STORE_VERSION
    "COMMIT;";

static void name_in(const struct store_file *f, const char *name, char ret[256])
{
    snprintf(ret, 256, "%s/%s", f->dir, name);
}

static int number(sqlite3 *db, const char *sql, int *ret)
{
    sqlite3_stmt *st = NULL;
    int r = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (r == SQLITE_OK && (r = sqlite3_step(st)) == SQLITE_ROW) {
        *ret = sqlite3_column_int(st, 0);
        r = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return r;
}

// The header says which release wrote it, before SQLite touches anything; 0: none, or no database.
static int header_version(const char *path)
{
    uint8_t b[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, b, sizeof b, 0);
    if (fd >= 0)
        close(fd);
    if (n < (ssize_t)sizeof b || memcmp(b, "SQLite format 3", 16))
        return 0;
    return b[60] & 0x80 ? 0 : b[60] << 24 | b[61] << 16 | b[62] << 8 | b[63];
}

static int newer(const struct store_file *f, int version, char why[ALERTD_WHY])
{
    snprintf(why, ALERTD_WHY, "%s was written by a newer release (schema %d, this one knows "
             "%d): install that release, or name another data_dir", f->path, version,
             STORE_VERSION);
    return -1;
}

// Every page and index, for a database that has shown damage; a sound one answers "ok".
static bool sound(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL) == SQLITE_OK &&
              sqlite3_step(st) == SQLITE_ROW &&
              !strcmp((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    return ok;
}

// SQLITE_OK, an SQLite fault, or -1 with `why`: a newer release's.
static int open_db(struct store_file *f, bool check, char why[ALERTD_WHY])
{
    int version = 0, tables = 0;
    if ((version = header_version(f->path)) > STORE_VERSION)
        return newer(f, version, why);
    int r = sqlite3_open_v2(f->path, &f->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX, NULL);
    if (r != SQLITE_OK)
        return r;
    // What its WAL holds may be newer than its header: then the WAL, too, stays as it is.
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if ((r = number(f->db, "PRAGMA user_version", &version)) != SQLITE_OK)
        return r;
    if (version > STORE_VERSION)
        return newer(f, version, why);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sqlite3_busy_timeout(f->db, 5000);          // somebody looks in with the sqlite3 tool
    if ((r = sqlite3_exec(f->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                          "PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=33554432;"
                          "PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY", NULL, NULL,
                          NULL)) != SQLITE_OK ||
        (r = number(f->db, "SELECT count(*) FROM sqlite_master", &tables)) != SQLITE_OK)
        return r;
    int app = 0;
    if (tables && number(f->db, "PRAGMA application_id", &app) == SQLITE_OK && app != OURS) {
        snprintf(why, ALERTD_WHY, "%s is another program's database: name another data_dir",
                 f->path);
        return -1;
    }
    if (check && !sound(f->db))
        return SQLITE_CORRUPT;
    if (!tables && (r = sqlite3_exec(f->db, schema, NULL, NULL, NULL)) != SQLITE_OK)
        return r;
    // What is old is found without reading all revisions; older files of this schema lack it, and
    // where there is no room for it just now, the deleting is only slower.
    sqlite3_exec(f->db, "CREATE INDEX IF NOT EXISTS alert_rev_at ON alert_rev(at_ns)", NULL, NULL,
                 NULL);
    f->has_watch = sqlite3_exec(f->db, "CREATE TABLE IF NOT EXISTS watch(minute INTEGER,"
        " sensor TEXT, radio TEXT, band TEXT NOT NULL, lo_hz REAL, hi_hz REAL,"
        " told_s REAL NOT NULL, watched_s REAL NOT NULL, deaf_s REAL NOT NULL,"
        " lost_s REAL NOT NULL, floor_dbfs REAL, gain_db REAL, smallest_dbfs REAL, p95_s REAL,"
        " max_s REAL, PRIMARY KEY(minute, sensor, radio, lo_hz, hi_hz)) WITHOUT ROWID", NULL, NULL,
        NULL) == SQLITE_OK;
    return SQLITE_OK;
}

static void move_aside(struct store_file *f, char note[ALERTD_WHY])
{
    char from[256], to[300], when[UTC_LEN];
    sqlite3_close(f->db);
    f->db = NULL;
    utc_format(when, utc_now_ns(), 3);      // two within a second keep two names
    const char *const part[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s%s", f->path, part[i]);
        snprintf(to, sizeof to, "%s.damaged-%s%s", f->path, when, part[i]);
        (void)rename(from, to);
    }
    snprintf(f->aside, sizeof f->aside, "alertd.db.damaged-%.30s", when);
    snprintf(note, ALERTD_WHY, "the database was damaged; it is now %.200s.damaged-%s, and a new "
             "one was begun: alerts of before are not shown", f->path, when);
}

// One that was killed holds it until the kernel is done with it: on a busy machine, seconds.
#define LOCK_TRIES 100          // of 0.1 s

static int take_lock(struct store_file *f, char why[ALERTD_WHY])
{
    char name[256];
    name_in(f, "lock", name);
    f->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int locked = f->lock < 0 ? -1 : flock(f->lock, LOCK_EX | LOCK_NB);
    for (int i = 0; f->lock >= 0 && locked < 0 && errno == EWOULDBLOCK && i < LOCK_TRIES; i++) {
        usleep(100000);
        locked = flock(f->lock, LOCK_EX | LOCK_NB);
    }
    if (locked < 0) {
        int r = -errno;
        snprintf(why, ALERTD_WHY, r == -EWOULDBLOCK ? "%s: another tyto-alertd works there"
                                                     : "%s: %s", f->dir, why_error(r));
        return r;
    }
    return 0;
}

static int opened(struct store_file *f, int r, char why[ALERTD_WHY])
{
    char suspect[256];
    if (r == SQLITE_OK) {
        name_in(f, "suspect", suspect);
        unlink(suspect);
        f->commits = LOOK_EVERY;
        store_file_reserve(f);
        return 0;
    }
    if (r > 0)
        snprintf(why, ALERTD_WHY, "%s: %s", f->path, f->db ? sqlite3_errmsg(f->db)
                                                           : "there is not enough memory");
    return r > 0 ? -EIO : -ENOTSUP;
}

int store_file_open(struct store_file *f, const char *dir, char note[ALERTD_WHY],
                    char why[ALERTD_WHY])
{
    char suspect[256];
    *note = 0;
    f->lock = -1;
    if (strlen(dir) >= sizeof f->dir) {
        snprintf(why, ALERTD_WHY, "%.200s: is too long a path", dir);
        return -ENAMETOOLONG;
    }
    snprintf(f->dir, sizeof f->dir, "%s", dir);
    snprintf(f->path, sizeof f->path, "%s/alertd.db", dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
        int r = -errno;
        snprintf(why, ALERTD_WHY, "data_dir %s: %s", dir, why_error(r));
        return r;
    }
    int r = take_lock(f, why);
    if (r < 0)
        return r;
    name_in(f, "suspect", suspect);
    r = open_db(f, !access(suspect, F_OK), why);
    if ((r & 0xff) == SQLITE_CORRUPT || (r & 0xff) == SQLITE_NOTADB)
        return store_file_renew(f, note, why);
    return opened(f, r, why);
}

int store_file_renew(struct store_file *f, char note[ALERTD_WHY], char why[ALERTD_WHY])
{
    move_aside(f, note);
    return opened(f, open_db(f, false, why), why);
}

void store_file_close(struct store_file *f)
{
    sqlite3_close(f->db);
    if (f->lock > 0)
        close(f->lock);
}

void store_file_suspect(struct store_file *f)
{
    char name[256];
    name_in(f, "suspect", name);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
}

void store_file_give_room(struct store_file *f)
{
    char name[256];
    name_in(f, "reserve", name);
    unlink(name);
    f->reserved = false;
    f->commits = 0;
}

void store_file_reserve(struct store_file *f)
{
    char name[256];
    if (f->reserved || f->commits++ < LOOK_EVERY)
        return;
    f->commits = 0;
    // Four times its size free, or the reserve itself would fill the disk again.
    if (hw_disk_free(f->dir) < 4 * (int64_t)RESERVE)
        return;
    name_in(f, "reserve", name);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    f->reserved = fd >= 0 && !posix_fallocate(fd, 0, RESERVE);
    if (fd >= 0)
        close(fd);
    if (!f->reserved)
        unlink(name);
}
