// SPDX-License-Identifier: GPL-3.0-or-later
// Long answers, made piece by piece as the client reads them:
//
//     events   event: reset / every thing once / event: ready (id: N) / then each change
//     lines    one spectrum line of JSON after the other, the newest for who is slow
//     lists    {"n":N,"alerts":[ ... ]}
//
// MHD asks for bytes when the socket takes some.  With none to give the connection is suspended,
// and resumed by a change or by a ping every 15 s (a suspended connection notices no hang-up; the
// ping's failure does).  A client never owns more than its place in the list.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/web_in.h"
#include "base/utc.h"

static void piece_add(struct stream *s, const char *p, size_t len)
{
    if (len)
        s->piece[s->pieces].p = p, s->piece[s->pieces++].len = len;
}

static void say(struct stream *s, const char *text)
{
    snprintf(s->head, sizeof s->head, "%s", text);
    piece_add(s, s->head, strlen(s->head));
}

// One thing as an event.  While the snapshot lasts no event has a number: who is cut off in it
// must begin again.
static void say_item(struct stream *s, const struct item *i)
{
    const struct change *c = i->c;
    const char *name = change_kind_name(c->kind);
    char id[32] = "";

    if (i->numbered && !s->snapshot)
        snprintf(id, sizeof id, "id: %llu\n", (unsigned long long)c->n);
    if (c->gone) {
        snprintf(s->head, sizeof s->head, "%sevent: %s\ndata: {\"id\":\"%s\",\"gone\":true}\n\n",
                 id, name, c->id);
        piece_add(s, s->head, strlen(s->head));
        return;
    }
    snprintf(s->head, sizeof s->head, "%sevent: %s\ndata: ", id, name);
    piece_add(s, s->head, strlen(s->head));
    piece_add(s, c->json, c->len);
    piece_add(s, "\n\n", 2);
}

// ---- Spectrum lines ----------------------------------------------------------------------------

static void view_unpin(struct item *i)
{
    if (i && --i->pins == 0) {
        change_free(i->c);
        free(i);
    }
}

// The oldest line still kept and not yet told.
static struct item *view_take(struct stream *s)
{
    struct web *w = s->w;

    if (w->view_n > VIEW_RING && s->view_next < w->view_n - VIEW_RING) {
        w->count.dropped_views += w->view_n - VIEW_RING - s->view_next;
        s->view_next = w->view_n - VIEW_RING;
    }
    if (s->view_next == w->view_n)
        return NULL;
    struct item *i = w->view[s->view_next++ % VIEW_RING];
    i->pins++;
    return i;
}

void stream_view(struct web *w, struct change *c)
{
    struct item *i = calloc(1, sizeof *i);

    if (!i) {
        w->count.no_memory++;
        change_free(c);
        return;
    }
    i->c = c;
    i->pins = 1;                        // the ring's own
    struct item **slot = &w->view[w->view_n % VIEW_RING];
    view_unpin(*slot);
    *slot = i;
    w->view_n++;
}

// ---- What comes next ---------------------------------------------------------------------------

static bool next_view(struct stream *s)
{
    view_unpin(s->view_at);
    s->view_at = view_take(s);
    if (!s->view_at)
        return false;
    const struct change *c = s->view_at->c;
    if (s->kind == STREAM_EVENTS)
        say(s, "event: view\ndata: ");
    piece_add(s, c->json, c->len);
    piece_add(s, "\n\n", s->kind == STREAM_EVENTS ? 2 : 1);
    return true;
}

static bool next_event(struct stream *s)
{
    struct world *w = &s->w->world;

    if (s->goodbye) {
        snprintf(s->head, sizeof s->head, "event: %s\ndata: {}\n\n", s->goodbye);
        piece_add(s, s->head, strlen(s->head));
        s->goodbye = NULL;
        s->over = true;
        return true;
    }
    if (s->first) {
        s->first = false;
        // The time after which a browser comes back by itself; short, it is a live picture.
        say(s, s->snapshot ? "retry: 2000\nevent: reset\ndata: {}\n\n" : "retry: 2000\n\n");
        return true;
    }
    if (!s->snapshot && world_behind(w, s->place)) {
        s->w->count.cut_slow++;
        s->over = true;
        return false;
    }
    struct item *i = world_next(w, s->at, s->snapshot, CHANGE_KINDS);
    if (i) {
        s->at = i;
        s->place = i->at;
        say_item(s, i);
        return true;
    }
    if (s->snapshot) {
        s->snapshot = false;
        s->place = w->last_at;
        snprintf(s->head, sizeof s->head, "id: %llu\nevent: ready\ndata: {\"n\":%llu}\n\n",
                 (unsigned long long)w->last_n, (unsigned long long)w->last_n);
        piece_add(s, s->head, strlen(s->head));
        return true;
    }
    return s->with_view && next_view(s);
}

static bool next_of_list(struct stream *s)
{
    struct world *w = &s->w->world;
    const char *name = change_kind_name(s->only);

    if (s->last) {
        s->over = true;
        return false;
    }
    bool first = s->first;
    s->first = false;
    struct item *i = world_next(w, s->at, true, s->only);
    if (first) {                        // "health" has no other plural
        snprintf(s->head, sizeof s->head, "{\"n\":%llu,\"%s%s\":[", (unsigned long long)w->last_n,
                 name, s->only == CHANGE_HEALTH ? "" : "s");
        piece_add(s, s->head, strlen(s->head));
    } else if (i) {
        piece_add(s, ",", 1);
    }
    if (i) {
        s->at = i;
        piece_add(s, i->c->json, i->c->len);
    } else {
        s->last = true;
        piece_add(s, "]}\n", 3);
    }
    return true;
}

static bool next_line(struct stream *s)
{
    if (s->goodbye) {
        s->over = true;
        return false;
    }
    return next_view(s);
}

static bool next(struct stream *s)
{
    s->pieces = s->piece_i = 0;
    s->piece_at = 0;
    if (s->over)
        return false;
    bool more = s->kind == STREAM_EVENTS ? next_event(s) :
                s->kind == STREAM_LIST ? next_of_list(s) : next_line(s);
    if (more || s->over || !s->ping)
        return more;
    s->ping = false;                    // one: on_read asks for more while there is room
    say(s, s->kind == STREAM_EVENTS ? ": ping\n\n" : "\n");
    return true;
}

// ---- MHD's side --------------------------------------------------------------------------------

static size_t copy_pieces(struct stream *s, char *to, size_t max)
{
    size_t n = 0;

    while (n < max && s->piece_i < s->pieces) {
        size_t left = s->piece[s->piece_i].len - s->piece_at;
        size_t k = left < max - n ? left : max - n;
        memcpy(to + n, s->piece[s->piece_i].p + s->piece_at, k);
        n += k;
        s->piece_at += k;
        if (s->piece_at == s->piece[s->piece_i].len) {
            s->piece_i++;
            s->piece_at = 0;
        }
    }
    return n;
}

static ssize_t on_read(void *cls, uint64_t pos, char *to, size_t max)
{
    struct stream *s = cls;
    size_t n = copy_pieces(s, to, max);

    (void)pos;
    while (n < max && s->piece_i == s->pieces && next(s))
        n += copy_pieces(s, to + n, max - n);
    if (n) {
        s->ping = false;
        s->sent_ns = mono_now_ns();
        return (ssize_t)n;
    }
    if (s->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    s->suspended = true;
    MHD_suspend_connection(s->con);
    return 0;
}

static void stream_free(void *cls)
{
    struct stream *s = cls;
    struct web *w = s->w;

    world_unpin(&w->world, s->at);
    view_unpin(s->view_at);
    *(s->prev ? &s->prev->next : &w->streams) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    w->n_streams--;
    if (s->with_view)
        atomic_fetch_sub(&w->viewers, 1);
    free(s);
}

// Last-Event-ID, or the same as a query for those who cannot set headers: where to go on.
static bool resume(struct stream *s, struct req *r)
{
    const char *id = MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, "Last-Event-ID");
    uint64_t n;

    if (!id)
        id = MHD_lookup_connection_value(r->con, MHD_GET_ARGUMENT_KIND, "last");
    return id && !head_number(id, &n) && !world_resume(&s->w->world, n, &s->at, &s->place);
}

static struct stream *stream_new(struct req *r, enum stream_kind kind, enum change_kind only)
{
    struct web *w = r->w;
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    *s = (struct stream){ .w = w, .conn = r->conn, .con = r->con, .kind = kind, .only = only,
                          .first = true, .begun_ns = mono_now_ns(), .view_next = w->view_n,
                          .next = w->streams };
    s->sent_ns = s->begun_ns;
    memcpy(s->session, r->who.session, ACCT_HASH);
    if (kind == STREAM_EVENTS) {
        const char *v = MHD_lookup_connection_value(r->con, MHD_GET_ARGUMENT_KIND, "view");
        s->snapshot = !resume(s, r);
        s->with_view = v && !strcmp(v, "1");
    }
    s->with_view |= kind == STREAM_VIEW;
    if (w->streams)
        w->streams->prev = s;
    w->streams = s;
    w->n_streams++;
    w->count.streams++;
    if (s->with_view)
        atomic_fetch_add(&w->viewers, 1);
    return s;
}

enum MHD_Result stream_start(struct req *r, enum stream_kind kind, enum change_kind only)
{
    static const char *const type[] = { "text/event-stream", "application/x-ndjson",
                                        "application/json" };

    if (kind != STREAM_LIST && room_screens(r->w, r->who.session) >= WEB_STREAMS_SAME) {
        r->w->count.refused_screens++;
        return reply_error(r, 429, "This sign-in has %d screens open already; close one.",
                           WEB_STREAMS_SAME);
    }
    if (r->w->n_streams >= WEB_STREAMS) {
        r->w->count.refused_screens++;
        return reply_error(r, 503, "There are too many screens open; close one and try again.");
    }
    struct stream *s = stream_new(r, kind, only);
    struct MHD_Response *m = s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, on_read,
                                                                   s, stream_free) : NULL;
    if (!m) {
        if (s)
            stream_free(s);
        r->w->count.no_memory++;
        return MHD_NO;
    }
    reply_headers(r, m, type[kind], false);
    enum MHD_Result ok = MHD_queue_response(r->con, 200, m);
    MHD_destroy_response(m);
    r->w->count.by_class[2]++;
    r->answered = true;
    r->conn->deadline_ns = 0;           // from here on stream_tick watches
    return ok;
}

static void wake(struct stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    MHD_resume_connection(s->con);
}

void stream_wake_all(struct web *w, bool view)
{
    for (struct stream *s = w->streams; s; s = s->next)
        if (view ? s->with_view : s->kind == STREAM_EVENTS)
            wake(s);
}

// Every second: pings, and those cut that cannot or will not read.
void stream_tick(struct web *w, int64_t now_ns)
{
    for (struct stream *s = w->streams; s; s = s->next) {
        if (s->suspended && now_ns - s->sent_ns >= w->limits.ping_ms * MS_NS) {
            s->ping = true;
            wake(s);
        }
        bool slow = !s->suspended && s->kind == STREAM_EVENTS && !s->snapshot &&
                    world_behind(&w->world, s->place);
        bool late = (s->snapshot || s->kind == STREAM_LIST) &&
                    now_ns - s->begun_ns > WEB_LIST_S * SECOND_NS;
        if ((slow || late) && !s->conn->cut) {
            w->count.cut_slow++;
            conn_cut(s->conn);
        }
    }
}

static void stream_end(struct stream *s, const char *goodbye)
{
    if (s->kind == STREAM_LIST || s->over)
        return;
    s->goodbye = goodbye;
    wake(s);
}

void stream_end_all(struct web *w, const char *goodbye)
{
    for (struct stream *s = w->streams; s; s = s->next) {
        stream_end(s, goodbye);
        wake(s);
    }
}

// Whose session has ended, or whose account was disabled, sees nothing more.
void stream_check_sessions(struct web *w, int64_t now_s)
{
    for (struct stream *s = w->streams; s; s = s->next) {
        struct acct_who who;
        int r = acct_session(w->acct, s->session, now_s, &who);
        if (r == -ENOENT || r == -ETIMEDOUT)
            stream_end(s, "signed-out");
    }
}

void stream_done(struct web *w)
{
    for (unsigned i = 0; i < VIEW_RING; i++) {
        view_unpin(w->view[i]);
        w->view[i] = NULL;
    }
}
