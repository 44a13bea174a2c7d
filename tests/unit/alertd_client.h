// SPDX-License-Identifier: GPL-3.0-or-later
// For the tests and measurements of the web thread: a post with a fake loop in a temporary folder,
// and a small HTTP client with and without TLS.
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/acct.h"
#include "alertd/web.h"
#include "base/utc.h"

#define WAIT_MS 20000           // a test that waits longer than this has failed

// ---- The post ----------------------------------------------------------------------------------

struct post {
    struct alertd_cfg cfg;
    const struct web_limits *limits;
    struct queue *changes, *actions, *answers;
    struct web *web;
    char dir[64], why[ALERTD_WHY];
    uint64_t n;
};

static inline void write_file(const char *dir, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert(f);
    fputs(text, f);
    fclose(f);
}

// A fresh folder; in memory where there is such a place, for each commit is a sync of the disk.
static inline void make_dir(char ret[64])
{
    int n = snprintf(ret, 57, "%s/tyto-web-", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    memset(ret + n, 'X', 6);                    // mkdtemp wants these
    ret[n + 6] = '\0';
    assert(mkdtemp(ret));
}

static inline void post_new(struct post *p, bool tls)
{
    *p = (struct post){ .cfg = { .site = "test post", .web_host = "127.0.0.1", .web_tls = tls,
                                 .web_name = "post.test", .have_place = true, .lat_deg = 50,
                                 .lon_deg = 14 } };
    make_dir(p->dir);
    snprintf(p->cfg.file, sizeof p->cfg.file, "test.yaml");
    snprintf(p->cfg.data_dir, sizeof p->cfg.data_dir, "%s", p->dir);
    snprintf(p->cfg.page_dir, sizeof p->cfg.page_dir, "%s/page", p->dir);
    assert(!mkdir(p->cfg.page_dir, 0755));
    write_file(p->cfg.page_dir, "index.html", "<!doctype html><title>t</title>");
    write_file(p->cfg.page_dir, "a.mjs", "export default 1");
    write_file(p->cfg.page_dir, "secret.pem", "not for you");
}

static inline bool post_start(struct post *p, struct change **world, size_t n, uint64_t last)
{
    p->changes = queue_new(4096, QUEUE_WAIT);
    p->actions = queue_new(256, QUEUE_REFUSE);
    p->answers = queue_new(256, QUEUE_WAIT);
    p->n = last;
    struct web_setup s = { .cfg = &p->cfg, .changes = p->changes, .actions = p->actions,
                           .answers = p->answers, .world = world, .n_world = n, .last_n = last,
                           .limits = p->limits };
    p->web = web_start(&s, p->why);
    return p->web;
}

static inline void post_stop(struct post *p)
{
    void *x;
    web_stop(p->web);
    p->web = NULL;
    while ((x = queue_try_pop(p->changes)))
        change_free(x);
    while ((x = queue_try_pop(p->actions)))
        web_action_free(x);
    while ((x = queue_try_pop(p->answers)))
        web_action_free(x);
    queue_free(p->changes);
    queue_free(p->actions);
    queue_free(p->answers);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void post_remove(struct post *p)
{
    nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct change *change_of(uint64_t n, enum change_kind k, const char *id,
                                       const char *json)
{
    size_t len = strlen(json);
    struct change *c = calloc(1, sizeof *c + len + 1);
    assert(c);
    c->n = n;
    c->kind = k;
    snprintf(c->id, sizeof c->id, "%s", id);
    c->len = len;
    memcpy(c->json, json, len + 1);
    return c;
}

static inline void post_change(struct post *p, enum change_kind k, const char *id,
                               const char *json)
{
    struct change *c = change_of(k == CHANGE_VIEW ? 0 : ++p->n, k, id, json);
    assert(!queue_push(p->changes, c));
}

static inline void post_gone(struct post *p, enum change_kind k, const char *id)
{
    struct change *c = change_of(++p->n, k, id, "{}");
    c->gone = true;
    assert(!queue_push(p->changes, c));
}

// A session without the web: the value of its cookie, "name=token".
static inline void post_session(struct post *p, const char *user, enum acct_role role,
                                int64_t now_s, char ret[128])
{
    char why[ACCT_WHY], link[ACCT_TOKEN], token[ACCT_TOKEN];
    struct acct_who who;
    struct acct *a = acct_open(p->dir, why);

    assert(a);
    int r = acct_add(a, user, role, now_s, why);
    assert(!r || r == -EEXIST);
    r = acct_link(a, user, now_s, link, why);
    assert(!r);
    r = acct_by_link(a, link, now_s, token, &who);
    assert(!r);
    snprintf(ret, 128, "%styto-%s=%s", p->cfg.web_tls ? "__Host-" : "", acct_id(a), token);
    acct_close(a);
}

// ---- The client --------------------------------------------------------------------------------

struct client {
    int fd;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t cred;
    char   in[65536];
    size_t len;
    bool   chunked, ended;
    size_t chunk;               // bytes left of the present one
};

static inline bool client_open_from(struct client *c, unsigned port, bool tls, const char *from)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(c->fd >= 0);
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(from) };
    if (bind(c->fd, (void *)&own, sizeof own) || connect(c->fd, (struct sockaddr *)&a, sizeof a))
        return close(c->fd), c->fd = -1, false;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (!tls)
        return true;
    gnutls_certificate_allocate_credentials(&c->cred);
    gnutls_init(&c->tls, GNUTLS_CLIENT);
    gnutls_set_default_priority(c->tls);
    gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
    gnutls_transport_set_int(c->tls, c->fd);
    gnutls_handshake_set_timeout(c->tls, WAIT_MS);
    int e;
    do
        e = gnutls_handshake(c->tls);
    while (e < 0 && !gnutls_error_is_fatal(e));
    return e >= 0 || !fprintf(stderr, "TLS handshake: %s\n", gnutls_strerror(e));
}

static inline bool client_open(struct client *c, unsigned port, bool tls)
{ return client_open_from(c, port, tls, "127.0.0.1"); }

static inline void client_close(struct client *c)
{
    if (c->tls)
        gnutls_deinit(c->tls);
    if (c->cred)
        gnutls_certificate_free_credentials(c->cred);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static inline bool client_send(struct client *c, const char *p, size_t n)
{
    while (n) {
        ssize_t k = c->tls ? gnutls_record_send(c->tls, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);
        if (k <= 0 && !(c->tls && (k == GNUTLS_E_AGAIN || k == GNUTLS_E_INTERRUPTED)))
            return false;
        if (k > 0)
            p += k, n -= (size_t)k;
    }
    return true;
}

// More bytes into the buffer: how many, 0 at the end, -1 nothing came for `ms`.
static inline ssize_t client_more(struct client *c, int ms)
{
    struct pollfd f = { .fd = c->fd, .events = POLLIN };

    if (c->len == sizeof c->in)
        return -1;
    if (!(c->tls && gnutls_record_check_pending(c->tls)) && poll(&f, 1, ms) <= 0)
        return -1;
    ssize_t k;
    do
        k = c->tls ? gnutls_record_recv(c->tls, c->in + c->len, sizeof c->in - c->len) :
                     recv(c->fd, c->in + c->len, sizeof c->in - c->len, 0);
    while (c->tls && (k == GNUTLS_E_AGAIN || k == GNUTLS_E_INTERRUPTED));
    if (k > 0)
        c->len += (size_t)k;
    return k > 0 ? k : 0;
}

static inline void client_drop(struct client *c, size_t n)
{
    c->len -= n;
    memmove(c->in, c->in + n, c->len);
}

struct answer { int status; char head[4096]; char *body; size_t len; };

static inline bool header_of(const struct answer *a, const char *name, char *ret, size_t size)
{
    size_t n = strlen(name);
    for (const char *s = a->head; (s = strstr(s, "\r\n")); ) {
        s += 2;
        if (!strncasecmp(s, name, n) && s[n] == ':') {
            snprintf(ret, size, "%.*s", (int)strcspn(s + n + 2, "\r"), s + n + 2);
            return true;
        }
    }
    return false;
}

// The head of an answer; false: the connection ended or nothing came.
static inline bool client_head(struct client *c, struct answer *a)
{
    char *end, v[64];

    while (!(end = memmem(c->in, c->len, "\r\n\r\n", 4)))
        if (client_more(c, WAIT_MS) <= 0)
            return false;
    size_t n = (size_t)(end - c->in) + 2;
    *a = (struct answer){ 0 };
    snprintf(a->head, sizeof a->head, "%.*s", (int)n, c->in);
    client_drop(c, n + 2);
    if (sscanf(a->head, "HTTP/1.1 %d", &a->status) != 1)
        return false;
    c->chunked = header_of(a, "Transfer-Encoding", v, sizeof v) && !strcmp(v, "chunked");
    c->chunk = 0;
    c->ended = false;
    return true;
}

// The next part of a chunked body into to; 0 at its end, -1 nothing came for `ms` or cut off.
static inline ssize_t client_chunk(struct client *c, char *to, size_t max, int ms)
{
    while (!c->chunk) {
        char *end = memmem(c->in, c->len, "\r\n", 2);
        if (end == c->in && c->len >= 2) {          // behind the last chunk
            client_drop(c, 2);
            if (c->ended)
                return 0;
            continue;
        }
        if (!end) {
            if (client_more(c, ms) <= 0)
                return -1;
            continue;
        }
        c->chunk = strtoul(c->in, NULL, 16);
        client_drop(c, (size_t)(end - c->in) + 2);
        c->ended = !c->chunk;
    }
    while (!c->len)
        if (client_more(c, ms) <= 0)
            return -1;
    size_t n = c->len < c->chunk ? c->len : c->chunk;
    n = n < max ? n : max;
    memcpy(to, c->in, n);
    client_drop(c, n);
    c->chunk -= n;
    return (ssize_t)n;
}

static inline bool client_body(struct client *c, struct answer *a)
{
    char v[64];
    size_t want = 0, max = 1 << 20;
    ssize_t n;

    a->body = malloc(max + 1);
    assert(a->body);
    if (c->chunked) {
        while ((n = client_chunk(c, a->body + a->len, max - a->len, WAIT_MS)) > 0)
            a->len += (size_t)n;
        a->body[a->len] = '\0';
        return n == 0;
    }
    if (header_of(a, "Content-Length", v, sizeof v))
        want = strtoul(v, NULL, 10);
    while (c->len < want)
        if (client_more(c, WAIT_MS) <= 0)
            return false;
    assert(want <= max);
    memcpy(a->body, c->in, want);
    a->body[a->len = want] = '\0';
    client_drop(c, want);
    return true;
}

// One request of any form, and its whole answer.
static inline bool client_ask(struct client *c, struct answer *a, bool head_only,
                              const char *method, const char *path, const char *headers,
                              const char *body)
{
    char *s;
    int n = asprintf(&s, "%s %s HTTP/1.1\r\n%s%s%s\r\n%s", method, path,
                     strstr(headers, "Host:") ? "" : "Host: localhost\r\n", headers,
                     body ? "" : "", body ? body : "");
    assert(n > 0);
    bool ok = client_send(c, s, (size_t)n);
    free(s);
    ok = client_head(c, a) && ok;
    return ok && (head_only || client_body(c, a));
}

// A line of a stream without its end; false: none within `ms`.
struct lines { struct client *c; char text[65536]; size_t len; };

static inline bool lines_next(struct lines *l, char *ret, size_t size, int ms)
{
    char *end;

    while (!(end = memchr(l->text, '\n', l->len))) {
        assert(l->len < sizeof l->text);
        ssize_t n = client_chunk(l->c, l->text + l->len, sizeof l->text - l->len, ms);
        if (n <= 0)
            return false;
        l->len += (size_t)n;
    }
    size_t n = (size_t)(end - l->text);
    snprintf(ret, size, "%.*s", (int)n, l->text);
    l->len -= n + 1;
    memmove(l->text, end + 1, l->len);
    return true;
}

struct event { char id[24], name[24], data[4096]; };

// The next event that is not only a comment or a retry.
static inline bool event_next(struct lines *l, struct event *e, int ms)
{
    char line[4200];

    *e = (struct event){ 0 };
    while (lines_next(l, line, sizeof line, ms)) {
        if (!strncmp(line, "id: ", 4))
            snprintf(e->id, sizeof e->id, "%.23s", line + 4);
        else if (!strncmp(line, "event: ", 7))
            snprintf(e->name, sizeof e->name, "%.23s", line + 7);
        else if (!strncmp(line, "data: ", 6))
            snprintf(e->data, sizeof e->data, "%.4095s", line + 6);
        else if (!*line && e->name[0])
            return true;
    }
    return false;
}
