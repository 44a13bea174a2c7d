// SPDX-License-Identifier: GPL-3.0-or-later
// A small HTTP/1.1 client over TLS.  The certificate is checked before a byte is sent: it is the
// one named by its SHA-256, or an authority of the file named has signed it for this host.
//
//     record layer -> in[] -> head | chunk sizes -> http_read
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "alertd/watch.h"

#define WAIT_MS 5000            // for a connection, for a head

struct http {
    int     fd;
    bool    tls, chunked;
    gnutls_session_t session;
    gnutls_certificate_credentials_t cred;
    char    host[300];
    char    in[16384];
    size_t  at, n;              // in[at..n): read and not yet used
    int64_t left;               // of the body or the chunk; -1: until the end
    enum { IN_SIZE, IN_DATA, IN_OVER } part;
};

// ---- Who it is ---------------------------------------------------------------------------------

static bool loopback(const char *host)
{
    return !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "::1");
}

int watch_url(struct watch_post *ret, const char *url, char why[WATCH_WHY])
{
    struct watch_post p = *ret;
    const char *s = url, *end;
    p.tls = strncmp(s, "http://", 7) != 0;
    s += !strncmp(s, "https://", 8) ? 8 : !p.tls ? 7 : 0;
    end = *s == '[' ? strchr(s, ']') : s + strcspn(s, ":/#");
    if (!end || end == s || (size_t)(end - s) >= sizeof p.host)
        return snprintf(why, WATCH_WHY, "\"%.100s\" is no address of a page", url), -EINVAL;
    snprintf(p.host, sizeof p.host, "%.*s", (int)(end - s - (*s == '[')), s + (*s == '['));
    s = end + (*end == ']');
    size_t digits = *s == ':' ? strspn(s + 1, "0123456789") : 0;
    snprintf(p.port, sizeof p.port, "%.*s", digits ? (int)digits : 4,
             digits ? s + 1 : p.tls ? "443" : "80");
    const char *token = strchr(s, '#');
    if (token)
        token += !strncmp(token, "#token=", 7) ? 7 : 1;
    snprintf(p.token, sizeof p.token, "%s", token ? token : "");
    if (digits > 5 || p.token[strspn(p.token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return snprintf(why, WATCH_WHY, "\"%.100s\" is no address of a page", url), -EINVAL;
    if (!p.tls && !loopback(p.host))
        return snprintf(why, WATCH_WHY, "without TLS only this machine may be asked"), -EINVAL;
    *ret = p;
    return 0;
}

int watch_pin_text(struct watch_post *p, const char *hex, char why[WATCH_WHY])
{
    unsigned n = 0;
    uint8_t pin[32];
    for (const char *s = hex; *s; s++) {
        if (*s == ':' || *s == ' ')
            continue;
        if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) || n == 32)
            break;
        pin[n++] = (uint8_t)strtoul((char[]){ s[0], s[1], 0 }, NULL, 16);
        s++;
        if (n == 32 && !s[1]) {
            memcpy(p->pin, pin, 32);
            p->pinned = true;
            return 0;
        }
    }
    return snprintf(why, WATCH_WHY, "a fingerprint is the SHA-256 of the certificate, 64 hex "
                    "digits; tyto-alertd prints it when it starts"), -EINVAL;
}

int watch_pin_file(struct watch_post *p, const char *pem, char why[WATCH_WHY])
{
    gnutls_datum_t d = { NULL, 0 };
    gnutls_x509_crt_t c = NULL;
    size_t n = sizeof p->pin;
    int e = gnutls_load_file(pem, &d);
    if (e >= 0)
        e = gnutls_x509_crt_init(&c);
    if (e >= 0)
        e = gnutls_x509_crt_import(c, &d, GNUTLS_X509_FMT_PEM);
    if (e >= 0)
        e = gnutls_x509_crt_get_fingerprint(c, GNUTLS_DIG_SHA256, p->pin, &n);
    gnutls_x509_crt_deinit(c);
    gnutls_free(d.data);
    if (e < 0)
        return snprintf(why, WATCH_WHY, "%.150s: %s", pem, gnutls_strerror(e)), -EINVAL;
    p->pinned = true;
    return 0;
}

static int pin_check(const struct http *h, const struct watch_post *p, char why[WATCH_WHY])
{
    unsigned n = 0;
    uint8_t got[32];
    size_t len = sizeof got;
    const gnutls_datum_t *c = gnutls_certificate_get_peers(h->session, &n);
    if (c && n && gnutls_fingerprint(GNUTLS_DIG_SHA256, &c[0], got, &len) >= 0 && len == 32 &&
        !memcmp(got, p->pin, 32))
        return 0;
    snprintf(why, WATCH_WHY, "%s shows another certificate than the one expected: do not go on "
             "before you know why", p->host);
    return -EACCES;
}

// ---- The connection ----------------------------------------------------------------------------

static int connect_one(const struct addrinfo *a)
{
    struct timeval wait = { .tv_sec = 1 };
    int err = 0, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t n = sizeof err;
    if (fd < 0)
        return -errno;
    if (connect(fd, a->ai_addr, a->ai_addrlen) && errno == EINPROGRESS) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        err = poll(&p, 1, WAIT_MS) <= 0 ? ETIMEDOUT : 0;
        if (!err)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n);
    } else {
        err = errno * !n;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);    // no read blocks for longer
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (!err)
        return fd;
    close(fd);
    return -err;
}

static int connect_any(const struct watch_post *p, char why[WATCH_WHY])
{
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    int fd = -ENOENT, e = getaddrinfo(p->host, p->port, &hint, &list);
    if (e)
        return snprintf(why, WATCH_WHY, "%.100s: %s", p->host, gai_strerror(e)), -ENOENT;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = connect_one(a);
    freeaddrinfo(list);
    if (fd < 0)
        snprintf(why, WATCH_WHY, "%.100s, port %s: %s", p->host, p->port, strerror(-fd));
    return fd;
}

static int shake(struct http *h, const struct watch_post *p, char why[WATCH_WHY])
{
    int e;
    bool ip = p->host[strspn(p->host, "0123456789.")] == 0 || strchr(p->host, ':');
    if ((e = gnutls_certificate_allocate_credentials(&h->cred)) < 0 ||
        (e = gnutls_init(&h->session, GNUTLS_CLIENT)) < 0 ||
        (e = gnutls_set_default_priority(h->session)) < 0 ||
        (e = gnutls_credentials_set(h->session, GNUTLS_CRD_CERTIFICATE, h->cred)) < 0)
        return snprintf(why, WATCH_WHY, "TLS: %s", gnutls_strerror(e)), -EIO;
    if (!p->pinned && gnutls_certificate_set_x509_trust_file(h->cred, p->ca,
                                                             GNUTLS_X509_FMT_PEM) <= 0)
        return snprintf(why, WATCH_WHY, "%.200s: no certificate in it", p->ca), -EINVAL;
    if (!ip)
        gnutls_server_name_set(h->session, GNUTLS_NAME_DNS, p->host, strlen(p->host));
    if (!p->pinned)
        gnutls_session_set_verify_cert(h->session, p->host, 0);
    gnutls_transport_set_int(h->session, h->fd);
    gnutls_handshake_set_timeout(h->session, WAIT_MS);
    do
        e = gnutls_handshake(h->session);
    while (e == GNUTLS_E_AGAIN || e == GNUTLS_E_INTERRUPTED);
    if (e == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        return snprintf(why, WATCH_WHY, "%.100s: nobody in %.100s vouches for its certificate",
                        p->host, p->ca), -EACCES;
    if (e < 0)
        return snprintf(why, WATCH_WHY, "%.100s: TLS: %s", p->host, gnutls_strerror(e)), -EPROTO;
    return p->pinned ? pin_check(h, p, why) : 0;
}

int http_open(struct http **ret, const struct watch_post *p, char why[WATCH_WHY])
{
    struct http *h = calloc(1, sizeof *h);
    if (!h)
        return snprintf(why, WATCH_WHY, "not enough memory"), -ENOMEM;
    bool v6 = strchr(p->host, ':') != NULL;
    snprintf(h->host, sizeof h->host, "%s%s%s:%s", v6 ? "[" : "", p->host, v6 ? "]" : "", p->port);
    h->tls = p->tls;
    int r = h->fd = connect_any(p, why);
    if (r >= 0)
        r = h->tls ? shake(h, p, why) : 0;
    if (r < 0) {
        http_close(h);
        return r;
    }
    *ret = h;
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    if (h->session)
        gnutls_deinit(h->session);      // without a farewell: that could block
    if (h->cred)
        gnutls_certificate_free_credentials(h->cred);
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}

int http_fd(const struct http *h) { return h->fd; }

bool http_waiting(const struct http *h)
{
    return h->at < h->n || (h->tls && gnutls_record_check_pending(h->session) > 0);
}

// ---- Bytes -------------------------------------------------------------------------------------

static int more(struct http *h)
{
    ssize_t n;
    memmove(h->in, h->in + h->at, h->n - h->at);
    h->n -= h->at;
    h->at = 0;
    if (h->n == sizeof h->in)
        return -EMSGSIZE;
    if (h->tls)
        n = gnutls_record_recv(h->session, h->in + h->n, sizeof h->in - h->n);
    else
        n = recv(h->fd, h->in + h->n, sizeof h->in - h->n, 0);
    if (n > 0) {
        h->n += (size_t)n;
        return 1;
    }
    if (n == 0)
        return 0;
    if (h->tls)
        return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_REHANDSHAKE
            ? -EAGAIN : n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EPROTO;
    return errno == EINTR ? -EAGAIN : -errno;
}

static int send_all(struct http *h, const char *p, size_t len)
{
    for (int tries = 0; len && tries < WAIT_MS / 1000;) {
        ssize_t n = h->tls ? gnutls_record_send(h->session, p, len)
                           : send(h->fd, p, len, MSG_NOSIGNAL);
        if (n > 0)
            p += n, len -= (size_t)n;
        else if (h->tls ? n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED : errno != EAGAIN)
            return -EPIPE;
        else
            tries++;
    }
    return len ? -ETIMEDOUT : 0;
}

// The next line of the head or before a chunk, without its end; NULL: not whole yet.
static char *take_line(struct http *h)
{
    char *nl = memchr(h->in + h->at, '\n', h->n - h->at), *s = h->in + h->at;
    if (!nl)
        return NULL;
    h->at = (size_t)(nl + 1 - h->in);
    *nl = 0;
    if (nl > s && nl[-1] == '\r')
        nl[-1] = 0;
    return s;
}

static void take_head(struct http *h, const char *s, struct http_answer *ret)
{
    if (!strncasecmp(s, "Transfer-Encoding:", 18))
        h->chunked = strcasestr(s, "chunked") != NULL;
    else if (!strncasecmp(s, "Content-Length:", 15))
        h->left = strtoll(s + 15, NULL, 10);
    else if (!strncasecmp(s, "Set-Cookie:", 11)) {
        s += 11 + strspn(s + 11, " ");
        snprintf(ret->cookie, sizeof ret->cookie, "%.*s", (int)strcspn(s, ";"), s);
    }
}

static int read_head(struct http *h, struct http_answer *ret)
{
    bool first = true;
    for (int tries = 0; tries < 2 * WAIT_MS / 1000;) {
        char *s = take_line(h);
        if (!s) {
            int r = more(h);
            if (r == 0)
                return -EPIPE;
            if (r < 0 && r != -EAGAIN)
                return r;
            tries += r < 0;
            continue;
        }
        if (first && sscanf(s, "HTTP/1.%*d %d", &ret->status) != 1)
            return -EPROTO;
        if (!first && !*s) {
            h->part = h->chunked ? IN_SIZE : IN_DATA;
            fcntl(h->fd, F_SETFL, fcntl(h->fd, F_GETFL) | O_NONBLOCK);  // who waits, polls
            return 0;
        }
        if (!first)
            take_head(h, s, ret);
        first = false;
    }
    return -ETIMEDOUT;
}

int http_ask(struct http *h, const char *method, const char *path, const char *heads,
             const char *body, struct http_answer *ret)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tyto-watch\r\n%s"
                     "%s%s\r\n\r\n%s", method, path, h->host, heads,
                     body ? "Content-Type: application/json\r\nContent-Length: " : "Accept: */*",
                     body ? (char[]){ (char)('0' + strlen(body) / 100 % 10),
                                      (char)('0' + strlen(body) / 10 % 10),
                                      (char)('0' + strlen(body) % 10), 0 } : "", body ? body : "");
    if (n < 0 || (size_t)n >= sizeof text || (body && strlen(body) > 999))
        return -EMSGSIZE;
    *ret = (struct http_answer){ .status = 0 };
    h->chunked = false;
    h->left = -1;
    int r = send_all(h, text, (size_t)n);
    return r < 0 ? r : read_head(h, ret);
}

// The line before a chunk, or what stands behind the last one.
static bool next_chunk(struct http *h)
{
    char *s = take_line(h);
    if (s && *s) {              // the empty line behind a chunk's data is passed over
        h->left = strtoll(s, NULL, 16);
        h->part = h->left > 0 ? IN_DATA : IN_OVER;
    }
    return s != NULL;
}

ssize_t http_read(struct http *h, void *buf, size_t size)
{
    for (;;) {
        if (h->part == IN_OVER || (h->part == IN_DATA && !h->left && !h->chunked))
            return 0;
        if (h->part == IN_SIZE && next_chunk(h))
            continue;
        if (h->part == IN_DATA && h->at < h->n) {
            size_t n = h->n - h->at < size ? h->n - h->at : size;
            if (h->left >= 0 && (int64_t)n > h->left)
                n = (size_t)h->left;
            memcpy(buf, h->in + h->at, n);
            h->at += n;
            if (h->left > 0 && !(h->left -= (int64_t)n) && h->chunked)
                h->part = IN_SIZE;
            return (ssize_t)n;
        }
        int r = more(h);
        if (r <= 0)
            return r;
    }
}
