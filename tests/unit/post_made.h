// SPDX-License-Identifier: GPL-3.0-or-later
// A small command post for the tests of the sensor's end: ROUTER, CURVE, ZAP, resume and ack as
// docs/WIRE.md says, and a relay before it that can be cut.
//
//     sensor --tcp--> [relay, a thread] --tcp--> [post, a thread: ROUTER, ZAP]
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "classifier/wire.h"

#define POST_PUBLIC   "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"   // RFC 26's test keys
#define POST_SECRET   "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
#define SENSOR_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SENSOR_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

#define POST_SEQS  16384
#define POST_BOOTS 4

struct post_boot {
    uint64_t boot, next;                // all before next are held or lost
    _Atomic uint8_t got[POST_SEQS];     // times received
    _Atomic uint8_t late[POST_SEQS], lost[POST_SEQS];
};

struct post {
    pthread_t thread;
    void     *ctx;
    int       port;
    _Atomic bool stop, ready, refuse, mute;     // refuse: the key is not enrolled; mute: no acks
    _Atomic unsigned drop_every;        // event messages thrown away, one in so many
    _Atomic unsigned wish;              // 1: views are asked for with the next resume
    _Atomic unsigned n_boots, hellos, views, faults, order, live_during_late;
    struct post_boot boot[POST_BOOTS];
    unsigned  seen;
};

static inline int port_free(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&a, n) || getsockname(fd, (struct sockaddr *)&a, &n))
        return -1;
    close(fd);
    return ntohs(a.sin_port);
}

static inline void post_send(void *router, const uint8_t *id, size_t n_id, const struct wire_msg *m)
{
    uint8_t buf[512];
    int n = wire_pack(m, buf, sizeof buf);
    zmq_send(router, id, n_id, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(router, buf, (size_t)n, ZMQ_DONTWAIT);
}

static inline struct post_boot *post_boot(struct post *p, uint64_t boot)
{
    unsigned n = atomic_load(&p->n_boots);
    for (unsigned i = 0; i < n; i++)
        if (p->boot[i].boot == boot)
            return &p->boot[i];
    if (n == POST_BOOTS)
        return NULL;
    p->boot[n].boot = boot;
    atomic_store(&p->n_boots, n + 1);
    return &p->boot[n];
}

static inline void post_advance(struct post_boot *b)
{
    while (b->next < POST_SEQS && (b->got[b->next] || b->lost[b->next]))
        b->next++;
}

static inline void post_hello(struct post *p, void *router, const uint8_t *id, size_t n_id,
                              const struct wire_msg *m)
{
    atomic_fetch_add(&p->hellos, 1);
    for (unsigned i = 0; i < m->hello.n; i++) {
        struct post_boot *b = post_boot(p, m->hello.held[i].boot);
        struct wire_msg r = { .head = { .v = WIRE_VERSION, .kind = WIRE_RESUME },
                              .span = { b->boot, 0, b->next } };
        post_send(router, id, n_id, &r);
    }
    if (atomic_load(&p->wish)) {
        struct wire_msg r = { .head = { .v = WIRE_VERSION, .kind = WIRE_VIEW },
                              .view = { true, true } };
        post_send(router, id, n_id, &r);
    }
}

static inline void post_event(struct post *p, void *router, const uint8_t *id, size_t n_id,
                              const struct wire_msg *m)
{
    struct post_boot *b = post_boot(p, m->head.boot);
    unsigned every = atomic_load(&p->drop_every);

    if (every && ++p->seen % every == 0)
        return;
    if (m->head.seq >= POST_SEQS)
        return;
    if (b->got[m->head.seq] < 255)
        b->got[m->head.seq]++;
    if (b->got[m->head.seq] == 1)
        b->late[m->head.seq] = m->head.late;
    if (!m->head.late && m->head.seq > b->next)
        atomic_fetch_add(&p->live_during_late, 1);      // past a hole that late ones will fill
    post_advance(b);
    if (!atomic_load(&p->mute) && b->next) {
        struct wire_msg r = { .head = { .v = WIRE_VERSION, .kind = WIRE_ACK },
                              .span = { b->boot, 0, b->next - 1 } };
        post_send(router, id, n_id, &r);
    }
}

static inline void post_lost(struct post *p, const struct wire_msg *m)
{
    struct post_boot *b = post_boot(p, m->span.boot);
    for (uint64_t s = m->span.from; s <= m->span.to && s < POST_SEQS; s++)
        b->lost[s] = 1;
    post_advance(b);
}

static inline void post_take(struct post *p, void *router)
{
    static _Thread_local uint8_t buf[WIRE_MAX], open[WIRE_MAX];
    static _Thread_local struct wire_msg m;
    uint8_t id[256];
    int n_id, n;

    while ((n_id = zmq_recv(router, id, sizeof id, ZMQ_DONTWAIT)) > 0) {
        n = zmq_recv(router, buf, sizeof buf, ZMQ_DONTWAIT);
        if (n <= 0)
            continue;
        int k = wire_unseal(buf, (size_t)n, POST_PUBLIC, POST_SECRET, open, sizeof open);
        if (k < 0 || wire_unpack(&m, k ? open : buf, (size_t)(k ? k : n)) != WIRE_OK)
            atomic_fetch_add(&p->faults, 1);
        else if (m.head.kind == WIRE_HELLO)
            post_hello(p, router, id, (size_t)n_id, &m);
        else if (m.head.kind == WIRE_LOST)
            post_lost(p, &m);
        else if (m.head.stream == WIRE_STREAM_EVENT)
            post_event(p, router, id, (size_t)n_id, &m);
        else if (m.head.stream == WIRE_STREAM_VIEW)
            atomic_fetch_add(&p->views, 1);
    }
}

static inline void post_zap(struct post *p, void *zap)
{
    char part[7][256], key[41] = "";
    int n[7] = { 0 }, i = 0, more = 1;
    size_t len = sizeof more;

    for (; more && i < 7; i++) {
        n[i] = zmq_recv(zap, part[i], sizeof part[i], 0);
        zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &len);
    }
    if (i == 7 && n[6] == 32)
        zmq_z85_encode(key, (uint8_t *)part[6], 32);
    bool ok = !strcmp(key, SENSOR_PUBLIC) && !atomic_load(&p->refuse);
    zmq_send(zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(zap, part[1], (size_t)n[1], ZMQ_SNDMORE);
    zmq_send(zap, ok ? "200" : "400", 3, ZMQ_SNDMORE);
    zmq_send(zap, ok ? "OK" : "no", 2, ZMQ_SNDMORE);
    zmq_send(zap, "gate", ok ? 4 : 0, ZMQ_SNDMORE);
    zmq_send(zap, "", 0, 0);
}

static inline void *post_run(void *arg)
{
    struct post *p = arg;
    void *router = zmq_socket(p->ctx, ZMQ_ROUTER), *zap = zmq_socket(p->ctx, ZMQ_REP);
    char at[64];
    int one = 1, zero = 0;

    zmq_setsockopt(zap, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(router, ZMQ_LINGER, &zero, sizeof zero);
    zmq_bind(zap, "inproc://zeromq.zap.01");
    zmq_setsockopt(router, ZMQ_CURVE_SERVER, &one, sizeof one);
    zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, POST_SECRET, 41);
    zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, "tyto", 4);
    snprintf(at, sizeof at, "tcp://127.0.0.1:%d", p->port);
    // The last one's connections may still be closing.
    for (int i = 0; zmq_bind(router, at) < 0 && i < 500; i++)
        poll(NULL, 0, 10);
    atomic_store(&p->ready, true);
    while (!atomic_load(&p->stop)) {
        zmq_pollitem_t it[2] = { { .socket = router, .events = ZMQ_POLLIN },
                                 { .socket = zap, .events = ZMQ_POLLIN } };
        zmq_poll(it, 2, 20);
        if (it[1].revents)
            post_zap(p, zap);
        post_take(p, router);
    }
    zmq_close(router);
    zmq_close(zap);
    return NULL;
}

// Starts it anew; what it holds it keeps, as a store would.
static inline void post_start(struct post *p)
{
    atomic_store(&p->stop, false);
    atomic_store(&p->ready, false);
    p->ctx = zmq_ctx_new();
    pthread_create(&p->thread, NULL, post_run, p);
    while (!atomic_load(&p->ready))
        poll(NULL, 0, 1);
}

static inline void post_stop(struct post *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    zmq_ctx_term(p->ctx);
}

// ---- The relay ------------------------------------------------------------------------------

#define RELAYS 8

struct relay {
    pthread_t    thread;
    int          port, to, listen_fd;
    int          fd[RELAYS][2];
    _Atomic bool stop, cut, frozen;     // cut: connections closed; frozen: nothing moves
};

static inline void relay_drop(struct relay *r, unsigned i)
{
    for (unsigned k = 0; k < 2; k++)
        if (r->fd[i][k] >= 0)
            close(r->fd[i][k]);
    r->fd[i][0] = r->fd[i][1] = -1;
}

static inline void relay_accept(struct relay *r)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
                             .sin_port = htons((uint16_t)r->to) };
    int in = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC), out;

    if (in < 0)
        return;
    out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (unsigned i = 0; i < RELAYS; i++)
        if (r->fd[i][0] < 0 && !atomic_load(&r->cut) &&
            connect(out, (struct sockaddr *)&a, sizeof a) == 0) {
            r->fd[i][0] = in;
            r->fd[i][1] = out;
            return;
        }
    close(in);
    close(out);
}

static inline void relay_move(struct relay *r, unsigned i, unsigned k)
{
    char buf[16384];
    ssize_t n = recv(r->fd[i][k], buf, sizeof buf, MSG_DONTWAIT), m = 0;

    if (n < 0 && errno == EAGAIN)
        return;
    for (ssize_t at = 0; at < n && m >= 0; at += m)
        m = send(r->fd[i][!k], buf + at, (size_t)(n - at), MSG_NOSIGNAL);
    if (n <= 0 || m < 0)
        relay_drop(r, i);
}

static inline void *relay_run(void *arg)
{
    struct relay *r = arg;

    while (!atomic_load(&r->stop)) {
        struct pollfd p[1 + 2 * RELAYS] = { { .fd = r->listen_fd, .events = POLLIN } };
        bool frozen = atomic_load(&r->frozen);
        for (unsigned i = 0; i < RELAYS; i++)
            for (unsigned k = 0; k < 2; k++)
                p[1 + 2 * i + k] = (struct pollfd){ .fd = frozen ? -1 : r->fd[i][k],
                                                    .events = POLLIN };
        poll(p, 1 + 2 * RELAYS, 10);
        if (p[0].revents)
            relay_accept(r);
        for (unsigned i = 0; i < RELAYS; i++) {
            for (unsigned k = 0; k < 2 && r->fd[i][0] >= 0; k++)
                if (p[1 + 2 * i + k].revents)
                    relay_move(r, i, k);
            if (atomic_load(&r->cut))
                relay_drop(r, i);
        }
    }
    for (unsigned i = 0; i < RELAYS; i++)
        relay_drop(r, i);
    close(r->listen_fd);
    return NULL;
}

static inline void relay_start(struct relay *r, int to)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;

    memset(r, 0, sizeof *r);
    memset(r->fd, 0xff, sizeof r->fd);
    r->to = to;
    r->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(r->listen_fd, (struct sockaddr *)&a, n) || listen(r->listen_fd, 8) ||
        getsockname(r->listen_fd, (struct sockaddr *)&a, &n))
        abort();
    r->port = ntohs(a.sin_port);
    pthread_create(&r->thread, NULL, relay_run, r);
}

static inline void relay_stop(struct relay *r)
{
    atomic_store(&r->stop, true);
    pthread_join(r->thread, NULL);
}
