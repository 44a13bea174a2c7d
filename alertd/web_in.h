// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: its state, and the parts it is made of.
//
//     web.c         start, stop, the loop              web_listen.c  the socket
//     web_conn.c    connections and requests: life, deadlines, bodies, suspending
//     web_room.c    who gets a place where places are few
//     web_gate.c    all checks of a request's head     web_route.c   the table of paths and roles
//     web_api.c     what each route does
//     web_stream.c  the long answers: events, view lines, lists
//     web_reply.c   short answers with their headers
//     web_file.c    the page's files        web_tls.c    the certificate
//     web_head.c, web_body.c                what is parsed (fuzzed)
//
// One thread runs all of it: no locks.  Only the counters that web.h offers to others are atomic.
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/acct.h"
#include "alertd/web.h"
#include "alertd/web_body.h"
#include "alertd/web_file.h"
#include "alertd/web_route.h"
#include "alertd/web_tls.h"
#include "alertd/web_world.h"

#define WEB_BODY_MAX     16384      // bytes of a request's body; the longest real one has 1 kB
#define WEB_DRAIN_MAX    (1u << 20) // of a too long body that is read away before the cut
#define WEB_HEAD_MAX     16384      // bytes of a request's head
#define WEB_CONNECTIONS  512        // open at once
#define WEB_CONNECTIONS_SLACK 256   // told to go and not yet gone
#define WEB_PER_ADDRESS  256        // one address may be a whole post behind a gateway
#define WEB_STRANGERS    128        // not signed in, or not yet: a browser opens six at once
#define WEB_STRANGERS_SAME 32
#define WEB_LOOPBACK     32         // places for this machine alone, and for tunnels that end here
#define WEB_STREAMS      400        // of the connections, long answers
#define WEB_STREAMS_SAME 32         // and of one sign-in: nobody looks at more screens
#define WEB_REPLY_S      300        // a short answer is read within
#define WEB_LIST_S       120        // a list, or the snapshot of a stream, is read within
#define WEB_ACCOUNT_WAITING 64      // sign-ins that wait, all and from one address
#define WEB_ACCOUNT_SAME 8
#define WEB_CHECK_S      60         // sessions of open streams are looked at again
#define VIEW_RING        64         // spectrum lines kept for slow readers: 2 s of 16 radios

#define SECOND_NS 1000000000ll
#define MS_NS     1000000ll

struct conn {                       // one TCP connection
    struct conn *prev, *next;
    int      fd;
    int64_t  deadline_ns;           // cut when passed; 0 none
    bool     cut;
    bool     known;                 // its last request brought a session
    bool     asked;                 // a whole head has come
    bool     busy;                  // a request is being taken or answered
    uint64_t key;                   // of the address: most differ in it already
    char     address[ACCT_ADDRESS]; // for the delays: IPv4, or the /64 of IPv6
};

enum wait { WAIT_NONE, WAIT_ACTION, WAIT_DELAY, WAIT_ACCOUNT, WAIT_DONE };

struct req {                        // one request
    struct web  *w;
    struct conn *conn;
    struct MHD_Connection *con;
    struct route route;
    char         path[128];         // ROUTE_FILE
    struct acct_who who;            // who.user "" : nobody
    bool     begun;                 // its head was looked at
    bool     answered;
    char    *body;                  // WEB_BODY_MAX + 1 bytes once there is one
    size_t   len;                   // bytes that came, also those above WEB_BODY_MAX
    // While it waits for the loop or the accounts' worker.
    struct req *prev, *next;
    enum wait   wait;
    uint64_t    ticket;             // what the answer names; pointers do not outlive a hang-up
    int64_t     until_ns;           // WAIT_ACTION: give up; WAIT_DELAY: go on
    struct acct_job *job;           // not yet handed over
    // The answer that was waited for.
    unsigned    status;
    char       *json;
    bool        text;               // it is not JSON but measurements
    char        cookie[256];
};

enum stream_kind { STREAM_EVENTS, STREAM_VIEW, STREAM_LIST };

struct stream {
    struct stream *prev, *next;
    struct web    *w;
    struct conn   *conn;
    struct MHD_Connection *con;
    enum stream_kind kind;
    enum change_kind only;          // STREAM_LIST
    struct item   *at;              // last one told, pinned
    uint64_t  place;                // its order of arrival
    bool      snapshot, first, ready;
    bool      with_view;            // events: spectrum lines too
    uint64_t  view_next;            // number of the next spectrum line
    struct item *view_at;           // the one being sent, pinned
    bool      suspended, over, last;
    const char *goodbye;            // event to end with
    int64_t   begun_ns, sent_ns;
    bool      ping;
    uint8_t   session[ACCT_HASH];
    // What is being sent: up to three pieces, the first and last from `head` and `tail`.
    char      head[192], tail[16];
    struct { const char *p; size_t len; } piece[3];
    unsigned  pieces, piece_i;
    size_t    piece_at;
};

struct web_count {
    uint64_t requests, by_class[6], bad_host, bad_origin, unauthorised, forbidden, stale;
    uint64_t refused_address, refused_strangers, refused_full, refused_screens;
    uint64_t moved_address, moved_strangers, moved_full;
    uint64_t cut_slow, cut_late, streams, dropped_views, sign_ins, wrong_passwords;
    uint64_t actions, actions_late, no_memory, tls_faults;
};

struct web {
    const struct alertd_cfg *cfg;
    struct web_limits limits;
    struct queue *changes, *actions, *answers;
    struct MHD_Daemon *mhd;
    struct web_tls *tls;            // NULL: plain, on loopback
    struct web_files files;
    struct world world;
    struct item *view[VIEW_RING];
    uint64_t view_n;                // spectrum lines so far
    struct acct *acct;              // read here only; what writes goes to the worker
    struct acct_worker *worker;
    struct acct_delays *delays;
    struct conn *conns;
    struct req *waiting;
    struct stream *streams;
    unsigned n_streams;
    uint64_t tickets;
    struct web_count count;
    int64_t  tick_ns, check_ns, hour_ns;
    int64_t  data_version;
    atomic_uint viewers;
    unsigned port;
    char     url[192], cookie[40];
    int      listen_fd, quit_fd;
    bool     loop_gone;             // the change queue ended
    bool     stopping;
    atomic_ulong mhd_errors;
    pthread_t thread;
};

// web_listen.c
int web_listen(struct web *w, bool next_port, char why[ALERTD_WHY]);

// web_conn.c
enum MHD_Result web_on_request(void *cls, struct MHD_Connection *con, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state);
void web_on_completed(void *cls, struct MHD_Connection *con, void **state,
                      enum MHD_RequestTerminationCode why);
void web_on_connection(void *cls, struct MHD_Connection *con, void **state,
                       enum MHD_ConnectionNotificationCode code);
void conn_cut(struct conn *c);

// web_room.c: whether one more from this address may come in; others may have to go for it.
bool room_make(struct web *w, const char *address, bool loopback);
uint64_t room_key(const char *address);
unsigned room_screens(const struct web *w, const uint8_t session[ACCT_HASH]);   // open ones
enum MHD_Result web_on_accept(void *cls, const struct sockaddr *a, socklen_t len);

// web_conn.c
void req_wait(struct req *r, enum wait why, int64_t until_ns);  // suspends
void req_wake(struct req *r, unsigned status, char *json);      // takes json; resumes
struct req *req_of_ticket(struct web *w, uint64_t ticket);
void web_conn_tick(struct web *w, int64_t now_ns);

// web_gate.c: the head has come; answers when something is wrong with it, else MHD_YES.
enum MHD_Result api_head(struct req *r, const char *method, const char *path);

// web_api.c: answers now, or waits.
enum MHD_Result api_begin(struct req *r);       // without a body
enum MHD_Result api_body(struct req *r);        // with its whole body
enum MHD_Result api_ledger(struct req *r);      // web_ledger.c
void api_late(struct req *r);                   // what it waits for takes too long
char *api_me(const struct web *w, const struct acct_who *who);  // malloc'd
void api_answer(struct web *w, struct action *a);
void api_account(struct web *w, struct acct_job *j);
void api_delay_over(struct req *r);

// web_stream.c
enum MHD_Result stream_start(struct req *r, enum stream_kind kind, enum change_kind only);
void stream_wake_all(struct web *w, bool view);
void stream_view(struct web *w, struct change *c);              // takes c
void stream_tick(struct web *w, int64_t now_ns);
void stream_end_all(struct web *w, const char *goodbye);
void stream_check_sessions(struct web *w, int64_t now_s);
void stream_done(struct web *w);

// web_reply.c
enum MHD_Result reply_json(struct req *r, unsigned status, const char *json);
enum MHD_Result reply_error(struct req *r, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
enum MHD_Result reply_not_allowed(struct req *r, const char *allow);
char *error_json(const char *fmt, ...) __attribute__((format(printf, 1, 2)));   // malloc'd
enum MHD_Result reply_file(struct req *r, const struct web_file *f);
enum MHD_Result reply_text(struct req *r, unsigned status, const char *type, char *text); // takes
void reply_headers(struct req *r, struct MHD_Response *m, const char *type, bool store);

// web_metrics.c
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
char *web_metrics(const struct web *w);         // malloc'd, NULL no memory
