// SPDX-License-Identifier: GPL-3.0-or-later
// The listening socket: opened by us, so that a taken port is a sentence or the next port, and so
// that nothing but loopback is ever served without TLS.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alertd/web_in.h"

#define NEXT_PORTS 100              // tried above the one wished for

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *s = (const void *)a;
        return IN6_IS_ADDR_LOOPBACK(&s->sin6_addr);
    }
    const struct sockaddr_in *s = (const void *)a;
    return ntohl(s->sin_addr.s_addr) >> 24 == 127;
}

static bool is_any(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *s = (const void *)a;
        return IN6_IS_ADDR_UNSPECIFIED(&s->sin6_addr);
    }
    const struct sockaddr_in *s = (const void *)a;
    return s->sin_addr.s_addr == htonl(INADDR_ANY);
}

static void set_port(struct sockaddr *a, unsigned port)
{
    if (a->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)a)->sin_port = htons((uint16_t)port);
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &n))
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port :
                                           ((struct sockaddr_in *)&a)->sin_port);
}

// fd or -errno
static int listen_at(struct sockaddr *a, socklen_t len, unsigned port)
{
    int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    set_port(a, port);
    if (bind(fd, a, len) || listen(fd, SOMAXCONN)) {
        int e = errno;
        close(fd);
        return -e;
    }
    return fd;
}

static void make_url(struct web *w, const struct sockaddr *a)
{
    char host[256], name[130];
    const char *scheme = w->cfg->web_tls ? "https" : "http";

    if (is_loopback(a))
        snprintf(host, sizeof host, "localhost");
    else if (w->cfg->web_name[0])
        snprintf(host, sizeof host, "%s", w->cfg->web_name);
    else if (is_any(a))             // an address of ours would do; people know the name
        gethostname(host, sizeof host), host[sizeof host - 1] = '\0';
    else
        getnameinfo(a, a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
                    sizeof(struct sockaddr_in), host, sizeof host, NULL, 0, NI_NUMERICHOST);
    snprintf(name, sizeof name, strchr(host, ':') ? "[%.120s]" : "%.120s", host);
    snprintf(w->url, sizeof w->url, "%s://%s:%u/", scheme, name, w->port);
}

int web_listen(struct web *w, bool next_port, char why[ALERTD_WHY])
{
    const struct alertd_cfg *c = w->cfg;
    const char *host = c->web_host[0] ? c->web_host : "127.0.0.1";
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *a = NULL;
    int e = getaddrinfo(!strcmp(host, "*") ? NULL : host, "0", &hint, &a), fd = -1;

    if (e) {
        snprintf(why, ALERTD_WHY, "%s: web_host %s: %s", c->file, host, gai_strerror(e));
        return -EINVAL;
    }
    if (!is_loopback(a->ai_addr) && !c->web_tls) {
        snprintf(why, ALERTD_WHY, "%s: web_host %s is not this machine alone, so web_tls cannot be "
                 "off", c->file, host);
        freeaddrinfo(a);
        return -EINVAL;
    }
    unsigned port = c->web_port, last = next_port && port ? port + NEXT_PORTS : port;
    for (; port <= last && port < 65536; port++)
        if ((fd = listen_at(a->ai_addr, a->ai_addrlen, port)) != -EADDRINUSE)
            break;
    if (fd >= 0) {
        w->listen_fd = fd;
        w->port = port_of(fd);
        make_url(w, a->ai_addr);
    } else {
        snprintf(why, ALERTD_WHY, "%s: web_port %u on %s: %s", c->file, c->web_port, host,
                 fd == -EADDRINUSE ? "another program has it: end that, "
                 "or name another port" : strerror(-fd));
    }
    freeaddrinfo(a);
    return fd < 0 ? fd : 0;
}
