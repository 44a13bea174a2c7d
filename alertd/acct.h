// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: people's accounts, in DIR/accounts.db (SQLite, WAL, 0600).
//
//     role         sees  acts on alerts  measurements
//     viewer        x
//     operator      x          x
//     supervisor    x          x             x
//     technician    x                        x
//     auditor       x
//     metrics                                x
//
// There is no default password.  A person comes in by a one-time link (32 random bytes, ten
// minutes, used once), then may set a password.  Passwords are kept as Argon2id hashes; links and
// sessions as plain hashes of 256 random bits.  Wrong passwords make the next answer slower, for
// the account and for the address, and never lock anybody out.
//
// A handle belongs to one thread.  The web thread reads by one of its own; what writes, or hashes a
// password for a tenth of a second, is a job for the worker's thread with another.  `tyto user` is
// a third, in another process.  Times are UTC seconds, given by the caller.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/queue.h"

#define ACCT_WHY      512
#define ACCT_USER     48            // [a-z0-9._-], begins with a letter or digit
#define ACCT_HASH     32
#define ACCT_TOKEN    44            // 43 characters of base64url and NUL
#define ACCT_PASSWORD 160           // with NUL; longer ones are refused, not cut
#define ACCT_PASSWORD_MIN 10        // characters; no rules of composition (NIST SP 800-63B)
#define ACCT_ADDRESS  48

#define ACCT_LINK_S   600           // a link may be used within
#define ACCT_IDLE_S   (12 * 3600)   // a session without use ends: one shift
#define ACCT_TOTAL_S  (24 * 3600)   // and in any case after
#define ACCT_TOUCH_S  300           // use is written down this often: each is a sync of the disk

enum acct_role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_SUPERVISOR, ROLE_TECHNICIAN, ROLE_AUDITOR,
                 ROLE_METRICS, ROLES };
const char *acct_role_name(enum acct_role r);
int acct_role_of(const char *name);             // or -EINVAL
bool acct_name_ok(const char *user);

struct acct;

// Makes the file when it is not there.  NULL with a sentence; a database of a newer release is
// left alone.
struct acct *acct_open(const char *dir, char why[ACCT_WHY]);
void acct_close(struct acct *a);                // NULL is fine
const char *acct_id(const struct acct *a);      // 8 hex digits, random, of this installation
// Grows when another handle or process has written.
int64_t acct_version(struct acct *a);

struct acct_who {
    char    user[ACCT_USER];
    enum acct_role role;
    bool    has_password, by_link;              // by_link: this session came in by a link
    int64_t made_s, seen_s;
    uint8_t session[ACCT_HASH];
};

// ---- Accounts: 0, or -errno with a sentence ----------------------------------------------------

int acct_add(struct acct *a, const char *user, enum acct_role role, int64_t now_s,
             char why[ACCT_WHY]);               // -EEXIST
int acct_disable(struct acct *a, const char *user, char why[ACCT_WHY]);    // ends sessions, links
int acct_set_role(struct acct *a, const char *user, enum acct_role role, char why[ACCT_WHY]);
// Sets it, allows a disabled account again, ends all its sessions but `keep` (NULL: none).
int acct_set_password(struct acct *a, const char *user, const char *password,
                      const uint8_t keep[ACCT_HASH], char why[ACCT_WHY]);
int acct_check_password(struct acct *a, const char *user, const char *password);   // -EACCES: no

struct acct_row {
    char    user[ACCT_USER];
    enum acct_role role;
    bool    has_password, disabled;
    unsigned sessions;
    int64_t made_s, seen_s;                     // seen_s 0: never signed in
};
int acct_list(struct acct *a, struct acct_row **ret, int64_t now_s, char why[ACCT_WHY]);

// ---- Links and sessions ------------------------------------------------------------------------

int acct_link(struct acct *a, const char *user, int64_t now_s, char ret_token[ACCT_TOKEN],
              char why[ACCT_WHY]);
// Each makes a session: the token goes into the cookie.  -EACCES: wrong, used up, too old.
int acct_by_link(struct acct *a, const char *token, int64_t now_s, char ret_token[ACCT_TOKEN],
                 struct acct_who *ret);
int acct_by_password(struct acct *a, const char *user, const char *password, int64_t now_s,
                     char ret_token[ACCT_TOKEN], struct acct_who *ret);
void acct_hash(uint8_t ret[ACCT_HASH], const char *token);
// 0, -ENOENT (none such), -ETIMEDOUT (idle or too old), -EBUSY.
int acct_session(struct acct *a, const uint8_t session[ACCT_HASH], int64_t now_s,
                 struct acct_who *ret);
int acct_touch(struct acct *a, const uint8_t session[ACCT_HASH], int64_t now_s);
int acct_sign_out(struct acct *a, const uint8_t session[ACCT_HASH]);
int acct_tidy(struct acct *a, int64_t now_s);   // drops what no cookie names any more, and links

// ---- The worker --------------------------------------------------------------------------------

enum acct_verb { JOB_LINK, JOB_PASSWORD, JOB_CHECK, JOB_SET, JOB_TOUCH, JOB_SIGN_OUT, JOB_TIDY };
struct acct_job {
    enum acct_verb verb;
    uint64_t ticket;                            // the asker's own; 0: no answer wanted
    int64_t  now_s;
    char     user[ACCT_USER], password[ACCT_PASSWORD], old[ACCT_PASSWORD], token[64];
    char     address[ACCT_ADDRESS];
    uint8_t  session[ACCT_HASH];
    bool     need_old;
    int      result;                            // 0 or -errno
    char     why[ACCT_WHY];
    char     ret_token[ACCT_TOKEN];
    struct acct_who who;
};
void acct_job_free(struct acct_job *j);         // wiped; NULL is fine

struct acct_worker;
struct acct_worker *acct_worker_new(const char *dir, char why[ACCT_WHY]);
int  acct_worker_push(struct acct_worker *w, struct acct_job *j);   // takes; -EAGAIN: full
struct queue *acct_worker_done(struct acct_worker *w);      // struct acct_job *, to be polled
void acct_worker_free(struct acct_worker *w);               // NULL is fine

// ---- Delays ------------------------------------------------------------------------------------

struct acct_delays;
struct acct_delays *acct_delays_new(void);
void acct_delays_free(struct acct_delays *d);
// How long this attempt has to wait, ns; and what came of it.
int64_t acct_delay_ns(struct acct_delays *d, const char *user, const char *address, int64_t now_ns);
void acct_delay_tell(struct acct_delays *d, const char *user, const char *address, bool good,
                     int64_t now_ns);
// The address as the delays know it: IPv4 whole, IPv6 by its /64 (one customer has all of that).
struct sockaddr;
void acct_address(char ret[ACCT_ADDRESS], const struct sockaddr *a);
