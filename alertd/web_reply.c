// SPDX-License-Identifier: GPL-3.0-or-later
// Short answers.  Every one carries the same headers: nothing of it may be framed, sniffed, sent on
// as a referrer or loaded from elsewhere, and what the API says is never stored by a browser.
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/web_in.h"

// The page draws its own things (img data:, for icons) and talks to itself; nothing else.
static const char csp[] = "default-src 'self'; img-src 'self' data:; object-src 'none'; "
                          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

void reply_headers(struct req *r, struct MHD_Response *m, const char *type, bool store)
{
    MHD_add_response_header(m, "Content-Type", type);
    MHD_add_response_header(m, "Content-Security-Policy", csp);
    MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(m, "X-Frame-Options", "DENY");
    MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(m, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(m, "Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    // no-cache: kept, but asked for by its ETag before each use, so a new release shows at once.
    MHD_add_response_header(m, "Cache-Control", store ? "no-cache" : "no-store");
    if (r->cookie[0])
        MHD_add_response_header(m, "Set-Cookie", r->cookie);
}

static enum MHD_Result send_off(struct req *r, unsigned status, struct MHD_Response *m)
{
    struct web_count *n = &r->w->count;

    if (!m) {
        n->no_memory++;
        return MHD_NO;
    }
    enum MHD_Result ok = MHD_queue_response(r->con, status, m);
    MHD_destroy_response(m);
    n->by_class[status / 100 % 6]++;
    r->answered = true;
    return ok;
}

enum MHD_Result reply_text(struct req *r, unsigned status, const char *type, char *text)
{
    struct MHD_Response *m =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (m)
        reply_headers(r, m, type, false);
    return send_off(r, status, m);
}

enum MHD_Result reply_json(struct req *r, unsigned status, const char *json)
{
    return reply_text(r, status, "application/json", strdup(json));
}

__attribute__((format(printf, 1, 0))) static char *error_vjson(const char *fmt, va_list ap)
{
    char text[512];

    vsnprintf(text, sizeof text, fmt, ap);
    json_t *o = json_pack("{s:s}", "error", text);
    if (!o)                     // not UTF-8: something of the client's is in it
        o = json_pack("{s:s}", "error", "That cannot be done.");
    char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return s;
}

char *error_json(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = error_vjson(fmt, ap);
    va_end(ap);
    return s;
}

enum MHD_Result reply_error(struct req *r, unsigned status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = error_vjson(fmt, ap);
    va_end(ap);
    return reply_text(r, status, "application/json", s);
}

enum MHD_Result reply_not_allowed(struct req *r, const char *allow)
{
    char *s = error_json("This can be asked with %s only.", allow);
    struct MHD_Response *m =
        s ? MHD_create_response_from_buffer(strlen(s), s, MHD_RESPMEM_MUST_FREE) : NULL;
    if (m) {
        reply_headers(r, m, "application/json", false);
        MHD_add_response_header(m, "Allow", allow);
    }
    return send_off(r, 405, m);
}

enum MHD_Result reply_file(struct req *r, const struct web_file *f)
{
    const char *have = MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, "If-None-Match");
    bool same = have && head_etag(have, f->etag);
    struct MHD_Response *m = MHD_create_response_from_buffer(same ? 0 : f->len, f->data,
                                                             MHD_RESPMEM_PERSISTENT);
    if (m) {
        reply_headers(r, m, f->type, true);
        MHD_add_response_header(m, "ETag", f->etag);
    }
    return send_off(r, same ? 304 : 200, m);
}
