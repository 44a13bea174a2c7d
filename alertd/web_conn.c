// SPDX-License-Identifier: GPL-3.0-or-later
// Connections and requests.
//
// MHD calls web_on_request once when a head has come, then for each part of the body, then once at
// its end, and again after a request that waited is resumed:
//
//     head --> checks, answer or go on --> body parts --> whole --> answer
//                                                           \--> suspended ... resumed --> answer
//
// MHD's own timeout is for silence only; who sends a byte every few seconds would stay for ever.
// So every connection has a deadline for what it is about to do, and who misses it is cut: its
// socket is shut down, which MHD takes for a hang-up.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alertd/web_in.h"
#include "base/utc.h"

// ---- Connections -------------------------------------------------------------------------------

void conn_cut(struct conn *c)
{
    if (!c->cut)
        shutdown(c->fd, SHUT_RDWR);
    c->cut = true;
}

static void deadline(struct conn *c, int ms)
{
    c->deadline_ns = mono_now_ns() + ms * MS_NS;
}

static void conn_begin(struct web *w, struct MHD_Connection *con, void **state)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct conn *c = calloc(1, sizeof *c);

    if (!c) {
        w->count.no_memory++;           // no request of it will be answered
        return;
    }
    c->fd = fd ? fd->connect_fd : -1;
    const union MHD_ConnectionInfo *a =
        MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    acct_address(c->address, a ? a->client_addr : NULL);
    c->key = room_key(c->address);
    // Who vanished from the network acknowledges nothing: gone in half a minute, not in fifteen.
    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){ (unsigned)w->limits.idle_ms },
               sizeof(unsigned));
    c->next = w->conns;
    if (w->conns)
        w->conns->prev = c;
    w->conns = c;
    deadline(c, w->limits.head_ms);
    *state = c;
}

void web_on_connection(void *cls, struct MHD_Connection *con, void **state,
                       enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;
    struct conn *c = *state;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_begin(w, con, state);
    } else if (c) {
        *(c->prev ? &c->prev->next : &w->conns) = c->next;
        if (c->next)
            c->next->prev = c->prev;
        free(c);
        *state = NULL;
    }
}

// ---- Requests ----------------------------------------------------------------------------------

static void waiting_remove(struct req *r)
{
    struct web *w = r->w;

    if (r->wait == WAIT_NONE || r->wait == WAIT_DONE)
        return;
    *(r->prev ? &r->prev->next : &w->waiting) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->prev = r->next = NULL;
    r->wait = WAIT_DONE;
}

void req_wait(struct req *r, enum wait why, int64_t until_ns)
{
    if (r->wait == WAIT_NONE) {
        r->next = r->w->waiting;
        if (r->next)
            r->next->prev = r;
        r->w->waiting = r;
        MHD_suspend_connection(r->con);
    }
    r->wait = why;
    r->until_ns = until_ns;
}

void req_wake(struct req *r, unsigned status, char *json)
{
    waiting_remove(r);
    r->status = status;
    r->json = json;
    MHD_resume_connection(r->con);
}

struct req *req_of_ticket(struct web *w, uint64_t ticket)
{
    struct req *r = w->waiting;
    while (r && r->ticket != ticket)
        r = r->next;
    return r;
}

static struct req *req_new(struct web *w, struct MHD_Connection *con)
{
    const union MHD_ConnectionInfo *c =
        MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct req *r = c && c->socket_context ? calloc(1, sizeof *r) : NULL;

    if (!r) {
        w->count.no_memory++;
        return NULL;
    }
    r->w = w;
    r->con = con;
    r->conn = c->socket_context;
    return r;
}

void web_on_completed(void *cls, struct MHD_Connection *con, void **state,
                      enum MHD_RequestTerminationCode why)
{
    struct req *r = *state;

    (void)cls, (void)con, (void)why;
    if (!r)
        return;
    waiting_remove(r);
    acct_job_free(r->job);
    free(r->json);
    if (r->body)
        explicit_bzero(r->body, WEB_BODY_MAX);
    free(r->body);
    r->conn->busy = false;
    deadline(r->conn, r->conn->known ? r->w->limits.idle_ms : r->w->limits.stranger_ms);
    free(r);
    *state = NULL;
}

// ---- Bodies ------------------------------------------------------------------------------------

// Keeps what fits; reads the rest away, so that the answer about it can be read by the client,
// but not for ever.
static enum MHD_Result body_part(struct req *r, const char *data, size_t *size)
{
    if (!r->body && !(r->body = malloc(WEB_BODY_MAX + 1))) {
        r->w->count.no_memory++;
        return MHD_NO;
    }
    if (r->len < WEB_BODY_MAX) {
        size_t room = WEB_BODY_MAX - r->len;
        memcpy(r->body + r->len, data, *size < room ? *size : room);
    }
    r->len += *size;
    *size = 0;
    return r->len <= WEB_DRAIN_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result body_end(struct req *r)
{
    if (r->len > WEB_BODY_MAX)
        return reply_error(r, 413, "The request is longer than %d bytes.", WEB_BODY_MAX);
    if (!r->route.post && r->len)
        return reply_error(r, 400, "This request takes no body.");
    return r->route.post ? api_body(r) : api_begin(r);
}

static enum MHD_Result answer(struct req *r)
{
    if (!r->json) {
        r->w->count.no_memory++;
        return MHD_NO;
    }
    char *json = r->json;
    r->json = NULL;
    return reply_text(r, r->status, r->text ? TYPE_METRICS : "application/json", json);
}

enum MHD_Result web_on_request(void *cls, struct MHD_Connection *con, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state)
{
    struct web *w = cls;
    struct req *r = *state;

    (void)version;
    if (!r && !(r = *state = req_new(w, con)))
        return MHD_NO;
    if (r->answered)
        return MHD_YES;
    if (!r->begun) {
        r->begun = r->conn->asked = r->conn->busy = true;
        w->count.requests++;
        deadline(r->conn, w->limits.body_ms);
        return api_head(r, method, url);
    }
    if (*size)
        return body_part(r, data, size);
    deadline(r->conn, WEB_REPLY_S * 1000);
    return r->wait == WAIT_DONE ? answer(r) : body_end(r);
}

// Every second.
void web_conn_tick(struct web *w, int64_t now_ns)
{
    for (struct conn *c = w->conns; c; c = c->next)
        if (c->deadline_ns && now_ns > c->deadline_ns && !c->cut) {
            w->count.cut_late++;
            conn_cut(c);
        }
    for (struct req *r = w->waiting, *after; r; r = after) {
        after = r->next;
        if (now_ns < r->until_ns)
            continue;
        if (r->wait == WAIT_DELAY)
            api_delay_over(r);
        else
            api_late(r);
    }
}
