// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: what must survive.  One SQLite database (WAL, synchronous=FULL), one owner.
//
//     event      raw messages of sensors, unique by (sensor key, boot, seq), oldest deleted first
//     progress   what was received of each boot: the next seq, spans beyond it, spans lost
//     thing      newest state of each alert, incident, track and sensor that still matters
//     alert_rev  every revision of every alert, as it was shown
//     action     what people did, by Idempotency-Key
//     watch      what each sensor watched: a row a minute and band, added up from its ledgers
//
// A batch is one transaction.  Nothing of it is there when store_commit fails.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alertd.h"
#include "base/queue.h"

#define STORE_VERSION 1         // of the schema; a greater one is refused

// ---- A batch: rows in one arena ---------------------------------------------------------------

enum row_kind { ROW_EVENT, ROW_PROGRESS, ROW_THING, ROW_GONE, ROW_REV, ROW_ACTION, ROW_WATCH,
                ROW_KINDS };

struct row {
    enum row_kind kind;
    const char   *text[5];
    int64_t       num[5];
    const void   *blob;
    size_t        len;
};

struct batch {
    struct row *row;
    size_t      n, cap, bytes, events;
    struct chunk *chunk;
    bool        short_of_memory;    // sticky: a row is missing, it must not be committed
    int         result;             // of the store: 0 or -errno,
    char        error[160];         // in SQLite's words,
    int64_t     rows;               // and events held now
    void       *cookie;             // the loop's own
};

struct batch *batch_new(void);
void batch_free(struct batch *b);
void batch_event(struct batch *b, const char *z85, uint64_t boot, uint64_t seq, int64_t got_ns,
                 int64_t t_ns, int kind, const void *raw, size_t len);
void batch_progress(struct batch *b, const char *z85, uint64_t boot, const char *state);
void batch_thing(struct batch *b, enum change_kind kind, const char *id, uint64_t n,
                 const char *json, size_t len);
void batch_gone(struct batch *b, enum change_kind kind, const char *id);
void batch_rev(struct batch *b, const char *alert, uint32_t rev, uint64_t n, int64_t at_ns,
               const char *json, size_t len);
void batch_action(struct batch *b, const struct action *a, int64_t at_ns);

// What one ledger message adds to one minute of one band; NAN: not known.
struct watch_row {
    const char *sensor, *radio, *band;      // radio, band: "" where it does not say
    int64_t minute;                         // since 1970
    double  lo_hz, hi_hz;
    double  told_s, watched_s, deaf_s, lost_s;  // told_s: ledgers tell of so much of the minute
    double  floor_dbfs, gain_db, smallest_dbfs, p95_s, max_s;
};
void batch_watch(struct batch *b, const struct watch_row *w);

// ---- The database -----------------------------------------------------------------------------

struct store;

// Opens or makes DIR/alertd.db.  A damaged one is moved aside and `note` says so ("" otherwise).
// 0, or -errno with a sentence: no access, -ENOTSUP a newer release's (nothing of it is touched),
// -EWOULDBLOCK another alertd has it.
int  store_open(struct store **ret, const char *dir, char note[ALERTD_WHY], char why[ALERTD_WHY]);
// Damage was met while reading it: the same, and an empty one is begun.
int  store_renew(struct store *s, char note[ALERTD_WHY], char why[ALERTD_WHY]);
const char *store_aside(const struct store *s);         // name of the one moved aside, "" none
void store_close(struct store *s);
// 0; -ENOSPC full disk; -EIO; -EUCLEAN damaged (the next start looks closer)
int  store_commit(struct store *s, const struct batch *b);
// Deletes some of what is older than keep_ns before now_ns: how many rows, 0 nothing left to do.
int  store_purge(struct store *s, int64_t now_ns, int64_t keep_ns);
int64_t  store_rows(const struct store *s);     // events held, about
uint64_t store_last_n(const struct store *s);   // newest change number ever given
const char *store_error(const struct store *s); // the last fault in SQLite's words

struct store_reader {           // what store_load calls; each returns 0 or an error that ends it
    int (*thing)(void *arg, enum change_kind kind, const char *id, uint64_t n, const char *json,
                 size_t len);
    int (*progress)(void *arg, const char *z85, uint64_t boot, const char *state);
    int (*action)(void *arg, struct action *a);             // takes a (malloc'd, as its json)
};
int store_load(struct store *s, const struct store_reader *r, void *arg);

// What was watched in [from, to) minutes, of one sensor or ("") of all, as a JSON object: see
// docs/API.md.  Opens the database of its own, for reading; any thread.  Malloc'd; NULL: it cannot
// be read just now, or not within a fifth of a second.
#define STORE_WATCH_ROWS 5000       // told at once: some 30 ms of the web thread
char *store_watch_json(const char *dir, const char *sensor, int64_t from, int64_t to);

// ---- In a thread of its own -------------------------------------------------------------------

struct store_thread;
// batches in by store_thread_push (takes; at most STORE_DEPTH under way), the same back with their
// result on `done`.  Deletes the old between batches.
#define STORE_DEPTH 2
struct store_thread *store_thread_new(struct store *s, double keep_days, struct queue *done);
int  store_thread_push(struct store_thread *t, struct batch *b);
void store_thread_stop(struct store_thread *t);     // all that was pushed is answered first
