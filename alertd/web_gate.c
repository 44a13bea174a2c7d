// SPDX-License-Identifier: GPL-3.0-or-later
// The gate: what is checked of every request before anything of it is done, in this order.
//
//     size of the head     431
//     framing              400   more than one Host, or more than one word on where the body ends:
//                                what stands between may have read it otherwise
//     Host                 421   else a stranger's page could name us by a name of its own and
//                                read our answers (DNS rebinding); addresses cannot be rebound
//     path, method         404 405
//     Origin               403   of what changes something: the page's own, or no browser at all
//     Content-Type, length 415 413
//     session              401
//     role                 403
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/web_in.h"
#include "base/utc.h"

static const char *header(const struct req *r, const char *name)
{
    return MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, name);
}

// Whether this name is ours.
static bool host_ok(const struct web *w, const char *host)
{
    char name[HEAD_HOST], ours[HEAD_HOST];
    bool literal, other;

    if (!host || head_host(host, name, &literal))
        return false;
    if (literal || !strcmp(name, "localhost"))
        return true;
    return w->cfg->web_name[0] && !head_host(w->cfg->web_name, ours, &other) &&
           !strcmp(name, ours);
}

// Browsers name where a request comes from; who is no browser has no cookie to be abused.
static bool origin_ok(const struct req *r, const char *host)
{
    const char *origin = header(r, "Origin"), *site = header(r, "Sec-Fetch-Site");

    if (origin)
        return head_origin(origin, host, !r->w->tls);
    return !site || !strcmp(site, "same-origin") || !strcmp(site, "none");
}

static size_t head_size(const struct req *r)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(r->con, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return i ? i->header_size : 0;
}

static enum MHD_Result frame_count(void *arg, enum MHD_ValueKind kind, const char *key,
                                   const char *value)
{
    unsigned *n = arg;
    (void)kind;
    (void)value;
    n[0] += !strcasecmp(key, "Host");
    n[1] += !strcasecmp(key, "Content-Length") || !strcasecmp(key, "Transfer-Encoding");
    return MHD_YES;
}

static bool is_framed_once(const struct req *r)
{
    unsigned n[2] = { 0, 0 };
    MHD_get_connection_values(r->con, MHD_HEADER_KIND, frame_count, n);
    return n[0] <= 1 && n[1] <= 1;
}

static enum MHD_Result check_body(struct req *r)
{
    const char *type = header(r, "Content-Type"), *len = header(r, "Content-Length");
    uint64_t n;

    if (!type || !head_is_json(type))
        return reply_error(r, 415, "The body must be application/json.");
    if (len && (head_number(len, &n) || n > WEB_BODY_MAX))
        return reply_error(r, 413, "The request is longer than %d bytes.", WEB_BODY_MAX);
    return MHD_YES;
}

static void touch(struct req *r, int64_t now_s)
{
    struct acct_job *j = now_s - r->who.seen_s >= ACCT_TOUCH_S ? calloc(1, sizeof *j) : NULL;
    if (!j)
        return;
    j->verb = JOB_TOUCH;
    j->now_s = now_s;
    memcpy(j->session, r->who.session, ACCT_HASH);
    acct_worker_push(r->w->worker, j);
}

// Who asks, from the cookie; 0, -ENOENT, -ETIMEDOUT, -EBUSY, -EIO.
static int find_session(struct req *r)
{
    const char *c = header(r, "Cookie");
    char token[HEAD_TOKEN];
    uint8_t h[ACCT_HASH];
    int64_t now_s = utc_now_ns() / SECOND_NS;

    if (!c || head_cookie(c, r->w->cookie, token))
        return -ENOENT;
    acct_hash(h, token);
    int e = acct_session(r->w->acct, h, now_s, &r->who);
    if (!e)
        touch(r, now_s);
    return e;
}

static enum MHD_Result check_session(struct req *r)
{
    int e = find_session(r);

    r->conn->known = !e;
    if (!e || route_open(&r->route))
        return MHD_YES;
    // Prometheus signs in with each request; api_begin hands that to the worker.
    if (r->route.kind == ROUTE_METRICS && header(r, "Authorization"))
        return MHD_YES;
    if (e == -ENOENT || e == -ETIMEDOUT) {
        r->w->count.unauthorised++;
        return reply_error(r, 401, e == -ENOENT ? "Please sign in." :
                           "The session has ended; please sign in again.");
    }
    return reply_error(r, 503, "The accounts cannot be read just now; try again.");
}

enum MHD_Result api_head(struct req *r, const char *method, const char *path)
{
    struct web_count *n = &r->w->count;
    const char *host = header(r, "Host"), *allow = "";

    if (r->w->stopping)
        return reply_error(r, 503, "The post is stopping.");
    if (head_size(r) > WEB_HEAD_MAX)
        return reply_error(r, 431, "The request's head is longer than %d bytes.", WEB_HEAD_MAX);
    if (!is_framed_once(r))
        return reply_error(r, 400, "One Host and one length of the body were expected.");
    if (!host_ok(r->w, host)) {
        n->bad_host++;
        return reply_error(r, 421, "This server is not known by that name; see web: name in its "
                           "configuration.");
    }
    int e = route_of(method, path, &r->route, &allow);
    if (e == -ENOTSUP)
        return reply_not_allowed(r, allow);
    if (e)
        return reply_error(r, 404, "There is nothing here.");
    // A longer path than any file's is none.
    snprintf(r->path, sizeof r->path, "%s", strlen(path) < sizeof r->path ? path : "");
    bool writes = r->route.post || r->route.kind == ROUTE_SIGN_OUT;
    if (writes && !origin_ok(r, host)) {
        n->bad_origin++;
        return reply_error(r, 403, "The request comes from another page.");
    }
    enum MHD_Result ok = r->route.post ? check_body(r) : MHD_YES;
    if (ok == MHD_YES && !r->answered)
        ok = check_session(r);
    if (ok != MHD_YES || r->answered)
        return ok;
    if (r->who.user[0] && route_may(&r->route, r->who.role)) {
        n->forbidden++;
        return reply_error(r, 403, "A %s may not do this.", acct_role_name(r->who.role));
    }
    return MHD_YES;
}
