// SPDX-License-Identifier: GPL-3.0-or-later
// One thread, with a ZeroMQ context of its own: its handler answers for readers only.  The list is
// read at each handshake, and looked at five times a second: when somebody left it, the socket is
// made anew, which ends all connections; who may still read comes back by itself.
#include "alertd/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "alertd/crowd.h"
#include "base/queue.h"
#include "base/utc.h"

#define DEPTH   4096            // changes that wait
#define LOOK_MS 200
#define ENFORCE_DOMAIN 93       // ZMQ_ZAP_ENFORCE_DOMAIN, a draft's name in this release's header
#define FRAMES  7               // of a ZAP request with a CURVE key (RFC 27)
#define SHAKE_MS 20000          // a handshake is over within, as at the sensors' port
#define PLACES  64              // connections at once; readers are a few programs
#define FRAME_MAX 4096          // readers send the names of kinds, handshakes less than 1 kB

struct feed_out {
    const struct alertd_cfg *cfg;
    struct keys_own own;
    char     list[300], endpoint[256];
    struct queue *changes;
    void    *ctx, *zap, *pub, *monitor;
    struct crowd *crowd;        // who outlived a handshake's time is a reader
    unsigned port, n_pubs;
    int      n_readers;         // at the last look; fewer: somebody left
    struct timespec list_time;
    atomic_bool stop;
    pthread_t thread;
};

static int option(void *s, int name, int value)
{
    return zmq_setsockopt(s, name, &value, sizeof value);
}

static bool is_reader(const struct feed_out *f, const char *z85)
{
    struct keys_peer *p = NULL;
    char why[KEYS_WHY];
    bool found = false;
    int n = keys_peers(f->list, &p, why);       // cannot be read: nobody may
    for (int i = 0; i < n; i++)
        found = found || !strcmp(p[i].z85, z85);
    free(p);
    return found;
}

// Version, request id, domain, address, identity, mechanism, key.
static void answer(struct feed_out *f)
{
    uint8_t frame[FRAMES][256];
    int len[FRAMES] = { 0 }, n = 0, more = 1;
    size_t size = sizeof more;
    while (more) {
        uint8_t spare[256], *to = n < FRAMES ? frame[n] : spare;
        int r = zmq_recv(f->zap, to, sizeof spare, ZMQ_DONTWAIT);
        if (r < 0)
            return;
        if (n < FRAMES)
            len[n] = r < 256 ? r : 256;
        n++;
        zmq_getsockopt(f->zap, ZMQ_RCVMORE, &more, &size);
    }
    char z85[KEYS_Z85] = "";
    bool ok = n == FRAMES && len[5] == 5 && !memcmp(frame[5], "CURVE", 5) && len[6] == 32 &&
              zmq_z85_encode(z85, frame[6], 32) && is_reader(f, z85);
    zmq_send(f->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(f->zap, frame[1], (size_t)len[1], ZMQ_SNDMORE);
    zmq_send(f->zap, ok ? "200" : "400", 3, ZMQ_SNDMORE);
    zmq_send(f->zap, ok ? "OK" : "no reader", ok ? 2 : 9, ZMQ_SNDMORE);
    zmq_send(f->zap, z85, ok ? strlen(z85) : 0, ZMQ_SNDMORE);
    zmq_send(f->zap, "", 0, 0);
}

// Its monitor; a name of its own each time, for one is free again only some time later.
static int watch(struct feed_out *f)
{
    char name[40];
    snprintf(name, sizeof name, "inproc://feed-monitor-%u", f->n_pubs++);
    f->crowd = crowd_new();
    f->monitor = zmq_socket(f->ctx, ZMQ_PAIR);
    return !f->crowd || !f->monitor || option(f->monitor, ZMQ_LINGER, 0) ||
           option(f->monitor, ZMQ_RCVHWM, 0) ||
           zmq_socket_monitor(f->pub, name, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) < 0 ||
           zmq_connect(f->monitor, name);
}

static int open_pub(struct feed_out *f, const char *bind)
{
    f->pub = zmq_socket(f->ctx, ZMQ_PUB);
    int64_t most = FRAME_MAX;
    if (!f->pub || option(f->pub, ZMQ_HANDSHAKE_IVL, SHAKE_MS) ||
        zmq_setsockopt(f->pub, ZMQ_MAXMSGSIZE, &most, sizeof most) ||
        option(f->pub, ZMQ_TCP_KEEPALIVE, 1) || option(f->pub, ZMQ_TCP_KEEPALIVE_IDLE, 30) ||
        option(f->pub, ZMQ_LINGER, 0) || option(f->pub, ZMQ_CURVE_SERVER, 1) ||
        zmq_setsockopt(f->pub, ZMQ_CURVE_SECRETKEY, f->own.secret_z85, KEYS_Z85) ||
        zmq_setsockopt(f->pub, ZMQ_ZAP_DOMAIN, "feed", 4) ||
        option(f->pub, ENFORCE_DOMAIN, 1) || option(f->pub, ZMQ_SNDHWM, 1000) ||
        option(f->pub, ZMQ_IPV6, strchr(bind, '[') != NULL) || watch(f) || zmq_bind(f->pub, bind))
        return -errno;
    return 0;
}

static void close_pub(struct feed_out *f)
{
    if (f->pub) {
        zmq_socket_monitor(f->pub, NULL, 0);
        zmq_close(f->pub);
    }
    if (f->monitor)
        zmq_close(f->monitor);
    crowd_free(f->crowd);
    f->pub = f->monitor = f->crowd = NULL;
}

// Who is told to go is one who has not shaken hands; where all are readers, who came last.
static void make_room(struct feed_out *f)
{
    int64_t now = mono_now_ns();
    uint16_t event;
    int fd;
    while (f->monitor && crowd_event(f->monitor, &event, &fd)) {
        crowd_prove_old(f->crowd, now - SHAKE_MS * INT64_C(1000000));
        crowd_out(f->crowd, fd);
        if (event == ZMQ_EVENT_ACCEPTED)
            crowd_in(f->crowd, fd, now);
        while (crowd_all(f->crowd) > PLACES && (fd = crowd_pick(f->crowd)) >= 0) {
            crowd_cut(fd, f->port);
            crowd_out(f->crowd, fd);
        }
    }
}

static struct timespec list_time(const struct feed_out *f)
{
    char path[320];
    struct stat st = { 0 };
    snprintf(path, sizeof path, "%s/peers", f->list);
    (void)!stat(path, &st);
    return st.st_mtim;
}

static int readers(const struct feed_out *f)
{
    struct keys_peer *p = NULL;
    char why[KEYS_WHY];
    int n = keys_peers(f->list, &p, why);
    free(p);
    return n < 0 ? 0 : n;
}

static void look(struct feed_out *f)
{
    struct timespec t = list_time(f);
    if (t.tv_sec == f->list_time.tv_sec && t.tv_nsec == f->list_time.tv_nsec)
        return;
    int n = readers(f);
    f->list_time = t;
    if (n <= f->n_readers) {            // left, or one for another
        close_pub(f);
        if (open_pub(f, f->endpoint) < 0) {
            close_pub(f);
            f->list_time = (struct timespec){ 0 };      // the port is not free yet: again
        }
    }
    f->n_readers = n;
}

static void send_one(struct feed_out *f, const struct change *c)
{
    const char *kind = change_kind_name(c->kind);
    size_t size = c->len + 160;
    char *text = malloc(size);
    if (!text)
        return;
    int n = snprintf(text, size, "{\"n\":%llu,\"id\":\"%s\",\"gone\":%s,\"json\":%s}",
                     (unsigned long long)c->n, c->id, c->gone ? "true" : "false", c->json);
    if (f->pub && n > 0 && zmq_send(f->pub, kind, strlen(kind), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(f->pub, text, (size_t)n, ZMQ_DONTWAIT);
    free(text);
}

static void *run(void *arg)
{
    struct feed_out *f = arg;
    struct change *c;
    while (!f->stop) {
        zmq_pollitem_t p[] = { { .socket = f->zap, .events = ZMQ_POLLIN },
                               { .fd = queue_fd(f->changes), .events = ZMQ_POLLIN },
                               { .socket = f->monitor, .events = ZMQ_POLLIN } };
        zmq_poll(p, f->monitor ? 3 : 2, LOOK_MS);
        answer(f);
        make_room(f);
        while ((c = queue_try_pop(f->changes))) {
            send_one(f, c);
            change_free(c);
        }
        look(f);
    }
    return NULL;
}

static int begin(struct feed_out *f)
{
    size_t size = sizeof f->endpoint;
    f->ctx = zmq_ctx_new();
    f->zap = f->ctx ? zmq_socket(f->ctx, ZMQ_REP) : NULL;
    // The handler is there before anything is bound: without one ZeroMQ would let everybody in.
    if (!f->zap || option(f->zap, ZMQ_LINGER, 0) || zmq_bind(f->zap, "inproc://zeromq.zap.01"))
        return -errno;
    int r = open_pub(f, f->cfg->feed);
    if (r < 0)
        return r;
    if (zmq_getsockopt(f->pub, ZMQ_LAST_ENDPOINT, f->endpoint, &size))
        return -errno;
    const char *port = strrchr(f->endpoint, ':');
    f->port = !strncmp(f->endpoint, "tcp", 3) && port ? (unsigned)strtoul(port + 1, NULL, 10) : 0;
    f->list_time = list_time(f);
    f->n_readers = readers(f);
    return queue_fd(f->changes) < 0 ? -EMFILE : -pthread_create(&f->thread, NULL, run, f);
}

static void drop(struct feed_out *f)
{
    struct change *c;
    while (f->changes && (c = queue_try_pop(f->changes)))
        change_free(c);
    queue_free(f->changes);
    close_pub(f);
    if (f->zap)
        zmq_close(f->zap);
    if (f->ctx)
        zmq_ctx_term(f->ctx);
    keys_wipe(&f->own);
    free(f);
}

struct feed_out *feed_start(const struct alertd_cfg *cfg, const struct keys_own *own,
                            char why[ALERTD_WHY])
{
    struct feed_out *f = calloc(1, sizeof *f);
    int r = -ENOMEM;
    if (f) {
        f->cfg = cfg;
        f->own = *own;
        snprintf(f->list, sizeof f->list, "%.250s/readers", cfg->keys_dir);
        f->changes = queue_new(DEPTH, QUEUE_REFUSE);
        r = f->changes ? begin(f) : -ENOMEM;
    }
    if (r == 0)
        return f;
    snprintf(why, ALERTD_WHY, "%s: feed: %s: %s", cfg->file, cfg->feed, zmq_strerror(-r));
    if (f)
        drop(f);
    return NULL;
}

void feed_give(struct feed_out *f, const struct change *c)
{
    if (!f || c->kind == CHANGE_VIEW)
        return;
    size_t size = sizeof *c + c->len + 1;
    struct change *copy = malloc(size);
    if (!copy)
        return;
    memcpy(copy, c, size);
    if (queue_push(f->changes, copy) < 0)
        change_free(copy);
}

const char *feed_endpoint(const struct feed_out *f) { return f->endpoint; }

void feed_stop(struct feed_out *f)
{
    if (!f)
        return;
    f->stop = true;
    queue_close(f->changes);            // wakes it
    pthread_join(f->thread, NULL);
    drop(f);
}
