// SPDX-License-Identifier: GPL-3.0-or-later
// Links and sessions.  Both are 256 random bits that only the other side keeps; here stands their
// hash, so that a stolen back-up signs nobody in.  No salt and no slow hash: there is nothing to
// guess in 256 bits, and a look-up by hash leaks no time that would help.
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/acct_in.h"

void acct_random_token(char ret[ACCT_TOKEN])
{
    unsigned char b[32];

    randombytes_buf(b, sizeof b);
    sodium_bin2base64(ret, ACCT_TOKEN, b, sizeof b, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(b, sizeof b);
}

void acct_hash(uint8_t ret[ACCT_HASH], const char *token)
{
    crypto_generichash(ret, ACCT_HASH, (const unsigned char *)token, strlen(token), NULL, 0);
}

int acct_link(struct acct *a, const char *user, int64_t now_s, char ret_token[ACCT_TOKEN],
              char why[ACCT_WHY])
{
    char token[ACCT_TOKEN];
    uint8_t h[ACCT_HASH];

    acct_random_token(token);
    acct_hash(h, token);
    int r = acct_begin(a);
    if (r < 0)
        return acct_why(a, r, why);
    r = acct_run(a, "UPDATE user SET disabled = 0 WHERE name = ?", "s", user);
    if (!r) {
        acct_end(a, -ENOENT);
        snprintf(why, ACCT_WHY, "there is no account \"%s\"", user);
        return -ENOENT;
    }
    // The newest link is the only one: who asks again has lost the last.
    if (r > 0)
        r = acct_run(a, "DELETE FROM link WHERE user = (SELECT id FROM user WHERE name = ?)", "s",
                     user);
    if (r >= 0)
        r = acct_run(a, "INSERT INTO link VALUES (?, (SELECT id FROM user WHERE name = ?), ?)",
                     "bsi", h, user, now_s);
    r = acct_end(a, r);
    if (r >= 0)
        memcpy(ret_token, token, sizeof token);
    sodium_memzero(token, sizeof token);
    return r < 0 ? acct_why(a, r, why) : 0;
}

static int session_make(struct acct *a, int64_t user_id, bool by_link, int64_t now_s,
                        char token[ACCT_TOKEN])
{
    uint8_t h[ACCT_HASH];

    acct_random_token(token);
    acct_hash(h, token);
    int r = acct_run(a, "INSERT INTO session VALUES (?, ?, ?, ?, ?)", "biiii", h, user_id, now_s,
                     now_s, (int64_t)by_link);
    return r < 0 ? r : acct_run(a, "UPDATE user SET seen_s = ? WHERE id = ?", "ii", now_s, user_id);
}

static int64_t one_id(sqlite3_stmt *s)
{
    int64_t id = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return id;
}

// Gives out the session only when all of it is committed.
static int finish(struct acct *a, int r, const char *token, int64_t now_s,
                  char ret_token[ACCT_TOKEN], struct acct_who *ret)
{
    uint8_t h[ACCT_HASH];
    struct acct_who who;

    r = acct_end(a, r);
    if (r < 0)
        return r;
    acct_hash(h, token);
    r = acct_session(a, h, now_s, &who);
    if (r < 0)
        return r;
    *ret = who;
    memcpy(ret_token, token, ACCT_TOKEN);
    return 0;
}

int acct_by_link(struct acct *a, const char *token, int64_t now_s, char ret_token[ACCT_TOKEN],
                 struct acct_who *ret)
{
    uint8_t h[ACCT_HASH];
    char fresh[ACCT_TOKEN] = "";
    int r = acct_begin(a);

    if (r < 0)
        return r;
    acct_hash(h, token);
    int64_t id = one_id(acct_prepare(a, "SELECT user.id FROM link JOIN user ON user.id = link.user"
                                     " WHERE hash = ? AND disabled = 0 AND link.made_s > ?"
                                     " AND link.made_s <= ?", "bii", h, now_s - ACCT_LINK_S,
                                     now_s + ACCT_LINK_S));
    r = acct_run(a, "DELETE FROM link WHERE hash = ?", "b", h);     // used, or too old
    if (r >= 0 && id >= 0)
        r = session_make(a, id, true, now_s, fresh);
    if (r >= 0 && id < 0)
        return acct_end(a, 0), -EACCES;
    return finish(a, r, fresh, now_s, ret_token, ret);
}

int acct_by_password(struct acct *a, const char *user, const char *password, int64_t now_s,
                     char ret_token[ACCT_TOKEN], struct acct_who *ret)
{
    char fresh[ACCT_TOKEN] = "";
    int r = acct_check_password(a, user, password);

    if (r || (r = acct_begin(a)) < 0)
        return r;
    int64_t id = one_id(acct_prepare(a, "SELECT id FROM user WHERE name = ? AND disabled = 0", "s",
                                     user));
    r = id < 0 ? -EACCES : session_make(a, id, false, now_s, fresh);
    return finish(a, r, fresh, now_s, ret_token, ret);
}

// A clock that was set back must not make a session longer: one from the future is too old, with
// room for a clock that is corrected by some minutes.
static bool over(int64_t made_s, int64_t seen_s, int64_t now_s)
{
    return now_s - made_s >= ACCT_TOTAL_S || now_s - seen_s >= ACCT_IDLE_S ||
           made_s - now_s > ACCT_LINK_S;
}

int acct_session(struct acct *a, const uint8_t session[ACCT_HASH], int64_t now_s,
                 struct acct_who *ret)
{
    if (!a->find)
        a->find = acct_prepare(a, "SELECT name, role, password IS NOT NULL, session.made_s,"
                               " session.seen_s, by_link FROM session JOIN user"
                               " ON user.id = session.user WHERE hash = ? AND disabled = 0", "");
    sqlite3_stmt *s = a->find;
    if (!s)
        return acct_errno(a);
    sqlite3_bind_blob(s, 1, session, ACCT_HASH, SQLITE_TRANSIENT);
    int rc = sqlite3_step(s), r = rc == SQLITE_DONE ? -ENOENT : 0;
    if (rc == SQLITE_ROW) {
        struct acct_who w = { .has_password = sqlite3_column_int(s, 2),
                              .made_s = sqlite3_column_int64(s, 3),
                              .seen_s = sqlite3_column_int64(s, 4),
                              .by_link = sqlite3_column_int(s, 5) };
        int role = acct_role_of((const char *)sqlite3_column_text(s, 1));
        snprintf(w.user, sizeof w.user, "%s", (const char *)sqlite3_column_text(s, 0));
        memcpy(w.session, session, ACCT_HASH);
        w.role = role < 0 ? ROLE_VIEWER : (enum acct_role)role;
        r = over(w.made_s, w.seen_s, now_s) ? -ETIMEDOUT : 0;
        if (!r)
            *ret = w;
    } else if (rc != SQLITE_DONE) {
        r = acct_errno(a);
    }
    sqlite3_reset(s);
    return r;
}

int acct_touch(struct acct *a, const uint8_t session[ACCT_HASH], int64_t now_s)
{
    return acct_run(a, "UPDATE session SET seen_s = ? WHERE hash = ?", "ib", now_s, session);
}

int acct_sign_out(struct acct *a, const uint8_t session[ACCT_HASH])
{
    return acct_run(a, "DELETE FROM session WHERE hash = ?", "b", session);
}

// One that ended by idleness stays as long as a browser keeps its cookie: who comes with it is told
// that the session has ended, not asked who he is as if he had never been here.
int acct_tidy(struct acct *a, int64_t now_s)
{
    int r = acct_run(a, "DELETE FROM session WHERE made_s <= ?", "i", now_s - ACCT_TOTAL_S);
    return r < 0 ? r : acct_run(a, "DELETE FROM link WHERE made_s <= ?", "i", now_s - ACCT_LINK_S);
}
