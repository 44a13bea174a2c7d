// SPDX-License-Identifier: GPL-3.0-or-later
// People: adding, disabling, passwords, the list.
//
// Argon2id with libsodium's interactive limits (2 passes over 64 MB, about 0.1 s): one worker, so
// at most 64 MB at a time on a machine with 2 GB.
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/acct_in.h"

static int not_there(const char *user, char why[ACCT_WHY])
{
    snprintf(why, ACCT_WHY, "there is no account \"%s\"", user);
    return -ENOENT;
}

int acct_add(struct acct *a, const char *user, enum acct_role role, int64_t now_s,
             char why[ACCT_WHY])
{
    if (!acct_name_ok(user)) {
        snprintf(why, ACCT_WHY, "an account's name has 1 to %d of a-z 0-9 . _ - and begins with a "
                 "letter or digit", ACCT_USER - 1);
        return -EINVAL;
    }
    int r = acct_run(a, "INSERT INTO user (name, role, made_s) VALUES (?, ?, ?)", "ssi", user,
                     acct_role_name(role), now_s);
    if (r == -EEXIST)
        snprintf(why, ACCT_WHY, "there is an account \"%s\" already", user);
    else
        acct_why(a, r, why);
    return r < 0 ? r : 0;
}

#define OF_USER "(SELECT id FROM user WHERE name = ?)"

int acct_disable(struct acct *a, const char *user, char why[ACCT_WHY])
{
    int r = acct_begin(a);

    if (r < 0)
        return acct_why(a, r, why);
    r = acct_run(a, "UPDATE user SET disabled = 1, password = NULL WHERE name = ?", "s", user);
    if (!r)
        return acct_end(a, -ENOENT), not_there(user, why);
    if (r > 0)
        r = acct_run(a, "DELETE FROM session WHERE user = " OF_USER, "s", user);
    if (r >= 0)
        r = acct_run(a, "DELETE FROM link WHERE user = " OF_USER, "s", user);
    r = acct_end(a, r);
    return r < 0 ? acct_why(a, r, why) : 0;
}

int acct_set_role(struct acct *a, const char *user, enum acct_role role, char why[ACCT_WHY])
{
    int r = acct_run(a, "UPDATE user SET role = ? WHERE name = ?", "ss", acct_role_name(role),
                     user);
    return r < 0 ? acct_why(a, r, why) : r ? 0 : not_there(user, why);
}

// Characters, as people count them.
static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

int acct_set_password(struct acct *a, const char *user, const char *password,
                      const uint8_t keep[ACCT_HASH], char why[ACCT_WHY])
{
    static const uint8_t none[ACCT_HASH];
    char hash[crypto_pwhash_STRBYTES];
    size_t len = strlen(password);

    if (characters(password) < ACCT_PASSWORD_MIN || len >= ACCT_PASSWORD) {
        snprintf(why, ACCT_WHY, "a password has at least %d characters and at most %d bytes",
                 ACCT_PASSWORD_MIN, ACCT_PASSWORD - 1);
        return -EINVAL;
    }
    if (!strcmp(password, user)) {
        snprintf(why, ACCT_WHY, "the password must not be the account's name");
        return -EINVAL;
    }
    if (crypto_pwhash_str(hash, password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE)) {
        snprintf(why, ACCT_WHY, "not enough memory to hash a password (64 MB)");
        return -ENOMEM;
    }
    int r = acct_begin(a);
    if (r < 0)
        return acct_why(a, r, why);
    r = acct_run(a, "UPDATE user SET password = ?, disabled = 0 WHERE name = ?", "ss", hash, user);
    if (!r)
        return acct_end(a, -ENOENT), not_there(user, why);
    if (r > 0)
        r = acct_run(a, "DELETE FROM session WHERE user = " OF_USER " AND hash IS NOT ?", "sb",
                     user, keep ? keep : none);
    if (r >= 0)
        r = acct_run(a, "DELETE FROM link WHERE user = " OF_USER, "s", user);
    r = acct_end(a, r);
    return r < 0 ? acct_why(a, r, why) : 0;
}

// What is hashed against where there is no such account, so that both take the same time; made
// once, of a password that nobody knows.
static const char *decoy(void)
{
    static _Thread_local char hash[crypto_pwhash_STRBYTES];
    char secret[32];

    if (!hash[0]) {
        randombytes_buf(secret, sizeof secret);
        if (crypto_pwhash_str(hash, secret, sizeof secret, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE))
            hash[0] = '\0';
    }
    return hash;
}

int acct_check_password(struct acct *a, const char *user, const char *password)
{
    char hash[crypto_pwhash_STRBYTES];
    bool known = false;
    sqlite3_stmt *s = acct_prepare(a, "SELECT password FROM user WHERE name = ? AND disabled = 0"
                                   " AND password IS NOT NULL", "s", user);
    int rc = s ? sqlite3_step(s) : SQLITE_ERROR;
    int r = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : acct_errno(a);
    snprintf(hash, sizeof hash, "%s", decoy());
    if (rc == SQLITE_ROW) {
        known = true;
        snprintf(hash, sizeof hash, "%s", (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    if (r)
        return r;               // cannot be read: that is no wrong password
    bool good = !crypto_pwhash_str_verify(hash, password, strlen(password));
    return (good & known) ? 0 : -EACCES;
}

int acct_list(struct acct *a, struct acct_row **ret, int64_t now_s, char why[ACCT_WHY])
{
    struct acct_row *row = NULL;
    int n = 0;
    sqlite3_stmt *s = acct_prepare(a,
        "SELECT name, role, password IS NOT NULL, disabled, made_s, seen_s,"
        " (SELECT count(*) FROM session WHERE session.user = user.id AND session.seen_s > ?"
        "  AND session.made_s > ?) FROM user ORDER BY name", "ii", now_s - ACCT_IDLE_S,
        now_s - ACCT_TOTAL_S);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        struct acct_row *more = realloc(row, (size_t)(n + 1) * sizeof *row);
        if (!more)
            break;
        row = more;
        struct acct_row *x = &row[n++];
        *x = (struct acct_row){ 0 };
        snprintf(x->user, sizeof x->user, "%s", (const char *)sqlite3_column_text(s, 0));
        int role = acct_role_of((const char *)sqlite3_column_text(s, 1));
        x->role = role < 0 ? ROLE_VIEWER : (enum acct_role)role;
        x->has_password = sqlite3_column_int(s, 2);
        x->disabled = sqlite3_column_int(s, 3);
        x->made_s = sqlite3_column_int64(s, 4);
        x->seen_s = sqlite3_column_int64(s, 5);
        x->sessions = (unsigned)sqlite3_column_int64(s, 6);
    }
    int r = s && sqlite3_errcode(a->db) == SQLITE_DONE ? n : acct_why(a, acct_errno(a), why);
    sqlite3_finalize(s);
    if (r < 0)
        free(row);
    else
        *ret = row;
    return r;
}
