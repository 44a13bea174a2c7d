// SPDX-License-Identifier: GPL-3.0-or-later
// The thread: sockets in the order that is safe (handler, then bind, then proof), then one poll.
#include "alertd/ingest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "alertd/ingest_in.h"
#include "base/utc.h"

#define ENFORCE_DOMAIN 93       // ZMQ_ZAP_ENFORCE_DOMAIN: draft in the header, real in the library
#define COUNTS_NS INT64_C(1000000000)
#define READS     512           // messages between looks at everything else
#define STUCK_NS  INT64_C(1000000000)   // the loop took nothing for so long: drop what comes

void in_item_free(struct in_item *i)
{
    if (!i)
        return;
    free(i->peers);
    free(i->note);
    free(i);
}

bool in_room(struct ingest *g)
{
    if (g->held && queue_push(g->items, g->held) == 0)
        g->held = NULL;
    if (!g->held)
        g->full_ns = 0;
    return !g->held;
}

void in_push(struct ingest *g, struct in_item *i)
{
    if (!g->held && queue_push(g->items, i) < 0)
        g->held = i;
    else if (g->held != i && g->held)
        in_item_free(i);        // the loop is behind: the sensor sends it again
}

// ---- Sockets ----------------------------------------------------------------------------------

static int option(void *s, int name, int v) { return zmq_setsockopt(s, name, &v, sizeof v); }

// libzmq 4.3.4 aborts (its issues 3937, 4841) when the timer of its own heartbeat fires on a
// connection that ended while a full pipe had stopped its input.  Neither is there: pipes take all
// that comes (what waits there is bounded below, and by the cut of who floods), and neither side
// sends heartbeats: TCP's keepalive gives up who is gone, a sensor's silence is the loop's matter.
// A handshake has 20 s: with a thousand sensors coming back at once on a busy machine each waits
// its turn, and 5 s made all of them begin again and again.
static int set_up(struct ingest *g)
{
    void *s = g->router = zmq_socket(g->ctx, ZMQ_ROUTER);
    if (!s || option(s, ZMQ_LINGER, 0) < 0 || option(s, ZMQ_CURVE_SERVER, 1) < 0 ||
        zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, g->own.secret_z85, KEYS_Z85) < 0 ||
        zmq_setsockopt(s, ZMQ_ZAP_DOMAIN, "tyto", 4) < 0 || option(s, ENFORCE_DOMAIN, 1) < 0 ||
        option(s, ZMQ_IPV6, strchr(g->cfg->bind, '[') != NULL) < 0 ||
        option(s, ZMQ_HANDSHAKE_IVL, 20000) < 0 ||
        option(s, ZMQ_TCP_KEEPALIVE, 1) < 0 || option(s, ZMQ_TCP_KEEPALIVE_IDLE, 30) < 0 ||
        option(s, ZMQ_TCP_KEEPALIVE_INTVL, 10) < 0 || option(s, ZMQ_TCP_KEEPALIVE_CNT, 3) < 0 ||
        option(s, ZMQ_RCVHWM, 0) < 0 || option(s, ZMQ_SNDHWM, 256) < 0 ||
        option(s, ZMQ_BACKLOG, 512) < 0 || option(s, ZMQ_ROUTER_MANDATORY, 1) < 0)
        return -errno;
    int64_t most = WIRE_MAX;
    return zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &most, sizeof most) < 0 ? -errno : 0;
}

static int monitor_up(struct ingest *g)
{
    g->monitor = zmq_socket(g->ctx, ZMQ_PAIR);
    if (!g->monitor || option(g->monitor, ZMQ_LINGER, 0) < 0 ||
        option(g->monitor, ZMQ_RCVHWM, 0) < 0 ||
        zmq_socket_monitor(g->router, "inproc://ingest-monitor",
                           ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED) < 0 ||
        zmq_connect(g->monitor, "inproc://ingest-monitor") < 0)
        return -errno;
    return 0;
}

static int begin(struct ingest *g, char why[ALERTD_WHY])
{
    size_t len = sizeof g->endpoint;
    int r;
    if ((r = zap_bind(g)) < 0 || (r = set_up(g)) < 0 || (r = monitor_up(g)) < 0) {
        snprintf(why, ALERTD_WHY, "ZeroMQ: %s", zmq_strerror(-r));
        return r;
    }
    if (list_read(g, why) < 0)
        return -EINVAL;
    if (zmq_bind(g->router, g->cfg->bind) < 0) {
        r = -errno;
        snprintf(why, ALERTD_WHY, "%s: bind: %s: %s", g->cfg->file, g->cfg->bind,
                 r == -EADDRINUSE ? "another program has it: end that, or name another port"
                                  : zmq_strerror(-r));
        return r;
    }
    if (zmq_getsockopt(g->router, ZMQ_LAST_ENDPOINT, g->endpoint, &len) < 0)
        return -errno;
    const char *port = strrchr(g->endpoint, ':');
    g->port = !strncmp(g->endpoint, "tcp", 3) && port ? (unsigned)strtoul(port + 1, NULL, 10) : 0;
    return proof_run(g, why);
}

// ---- Messages ---------------------------------------------------------------------------------

static void fault(struct peer *p, const char *why)
{
    p->faults++;
    p->why = why;
}

static struct in_item *unpack(struct ingest *g, struct peer *p, const uint8_t *data, size_t len,
                              int64_t now_ns)
{
    static _Thread_local uint8_t plain[WIRE_MAX];
    int n = wire_unseal(data, len, g->own.public_z85, g->own.secret_z85, plain, sizeof plain);
    if (n > 0) {
        data = plain;
        len = (size_t)n;
    }
    struct in_item *i = n < 0 ? NULL : malloc(sizeof *i + len);
    if (!i) {
        fault(p, n < 0 ? "not-for-this-post" : "no-memory");
        return NULL;
    }
    memset(i, 0, offsetof(struct in_item, msg));
    enum wire_fault bad = wire_unpack(&i->msg, data, len);
    if (bad != WIRE_OK) {
        fault(p, wire_fault_name(bad));
        free(i);
        return NULL;
    }
    if (!peer_pays(g, p, i->msg.head.stream == WIRE_STREAM_VIEW, len, now_ns)) {
        free(i);
        return NULL;
    }
    i->kind = IN_MESSAGE;
    i->len = len;
    memcpy(i->raw, data, len);
    snprintf(i->z85, sizeof i->z85, "%s", p->key.z85);
    return i;
}

// The one place that reads ZeroMQ's memory.  The thread sanitizer does not see how that is handed
// over and would see a race in each message: it is not asked here (and memcpy would ask it).
__attribute__((noinline, no_sanitize("thread")))
static size_t frame_copy(zmq_msg_t *m, uint8_t to[WIRE_MAX], char user[KEYS_Z85])
{
    size_t len = zmq_msg_size(m), n = 0;    // ZMQ_MAXMSGSIZE is WIRE_MAX
    const volatile char *id = zmq_msg_gets(m, "User-Id");
    for (; id && id[n] && n < KEYS_Z85 - 1; n++)
        user[n] = id[n];
    user[n] = 0;
    if (len > WIRE_MAX)
        return 0;
#ifdef __SANITIZE_THREAD__
    const volatile uint8_t *from = zmq_msg_data(m);
    for (size_t i = 0; i < len; i++)
        to[i] = from[i];
#else
    memcpy(to, zmq_msg_data(m), len);
#endif
    return len;
}

static void take(struct ingest *g, const uint8_t *rid, size_t rid_len, zmq_msg_t *m)
{
    static _Thread_local uint8_t frame[WIRE_MAX];
    char user[KEYS_Z85];
    size_t len = frame_copy(m, frame, user);
    struct peer *p = map_get(&g->by_key, user);
    int64_t now = mono_now_ns();
    int fd = zmq_msg_get(m, ZMQ_SRCFD);
    if (!p) {                   // revoked a moment ago: nothing of it counts any more
        sconn_cut(g, fd);
        return;
    }
    bool newest = sconn_heard(g, p, fd);
    // In the middle of a flood: not even looked at.
    if (p->filled_ns && p->tokens + INGEST_RATE * (double)(now - p->filled_ns) / 1e9 < 1) {
        peer_pays(g, p, false, 0, now);
        return;
    }
    if (newest) {
        memcpy(p->rid, rid, rid_len);
        p->rid_len = rid_len;
    }
    struct in_item *i = unpack(g, p, frame, len, now);
    if (i)
        in_push(g, i);
}

// One frame is a message; what comes in several is not one of ours, and no sensor sends it.
static void refuse(struct ingest *g, zmq_msg_t *m)
{
    const char *user = zmq_msg_gets(m, "User-Id");
    struct peer *p = user ? map_get(&g->by_key, user) : NULL;
    if (p)
        fault(p, "several-frames");
    sconn_cut(g, zmq_msg_get(m, ZMQ_SRCFD));
}

static bool read_one(struct ingest *g)
{
    uint8_t rid[256];
    zmq_msg_t m;
    int n = zmq_recv(g->router, rid, sizeof rid, ZMQ_DONTWAIT), frames = 0;
    size_t rid_len = n > 0 && n <= (int)sizeof rid ? (size_t)n : 0;
    if (n < 0)
        return false;
    int more = 1;
    do {
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, g->router, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&m);
            return false;
        }
        more = zmq_msg_more(&m);
        if (frames++ == 0 && !more)
            take(g, rid, rid_len, &m);
        else if (frames == 1)
            refuse(g, &m);
        zmq_msg_close(&m);
    } while (more);
    return true;
}

static void send_one(struct ingest *g, struct in_send *s)
{
    const struct peer *p = map_get(&g->by_key, s->z85);
    if (p && p->rid_len &&
        zmq_send(g->router, p->rid, p->rid_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(g->router, s->raw, s->len, ZMQ_DONTWAIT);
    free(s);
}

static void tell_counts(struct ingest *g, int64_t now_ns)
{
    if (now_ns - g->counts_ns < COUNTS_NS || !in_room(g))
        return;
    g->counts_ns = now_ns;
    for (size_t i = 0; i < g->n_peers && in_room(g); i++) {
        struct peer *p = g->peer[i];
        if (p->throttled == p->told_throttled && p->faults == p->told_faults)
            continue;
        struct in_item *item = calloc(1, sizeof *item);
        if (!item)
            return;
        item->kind = IN_COUNTS;
        snprintf(item->z85, sizeof item->z85, "%s", p->key.z85);
        item->throttled = p->throttled - p->told_throttled;
        item->faults = p->faults - p->told_faults;
        item->why = p->why;
        p->told_throttled = p->throttled;
        p->told_faults = p->faults;
        in_push(g, item);
    }
    bool more = g->refused != g->told_refused && in_room(g);
    struct in_item *item = more ? calloc(1, sizeof *item) : NULL;
    if (item) {
        item->kind = IN_COUNTS;
        item->refused = g->refused - g->told_refused;
        item->crowd = g->crowd - g->told_crowd;
        g->told_refused = g->refused;
        g->told_crowd = g->crowd;
        in_push(g, item);
    }
}

// While the loop is behind, messages wait in ZeroMQ's pipes; it takes some in each round, so that
// is short.  Only when it takes none at all, because the disk does not answer, they are read and
// dropped: not acknowledged, they are sent again (after the sensor's patience of ten seconds).
static bool may_read(struct ingest *g, int64_t now_ns)
{
    if (in_room(g))
        return true;
    if (!g->full_ns)
        g->full_ns = now_ns;
    return now_ns - g->full_ns > STUCK_NS;
}

static void serve(struct ingest *g)
{
    int sends = queue_fd(g->sends);
    while (!atomic_load(&g->stop)) {
        bool open = in_room(g);
        zmq_pollitem_t p[] = { { g->zap, 0, ZMQ_POLLIN, 0 }, { g->monitor, 0, ZMQ_POLLIN, 0 },
                               { NULL, sends, ZMQ_POLLIN, 0 }, { NULL, g->wake, ZMQ_POLLIN, 0 },
                               { g->router, 0, ZMQ_POLLIN, 0 } };
        struct in_send *s;
        zmq_poll(p, open ? 5 : 4, open ? 100 : 2);
        int64_t now = mono_now_ns();
        zap_answer(g);
        sconn_events(g, now);
        list_look(g, now);
        for (int i = 0; i < READS && may_read(g, now) && read_one(g); i++)
            ;
        while ((s = queue_try_pop(g->sends)))
            send_one(g, s);
        sconn_sweep(g, now);
        sconn_tell(g);
        if (g->list_moved && in_room(g))
            list_tell(g);
        tell_counts(g, now);
        stranger_tell(g, now);
    }
}

static void *run(void *arg)
{
    struct ingest *g = arg;
    char *why = calloc(1, ALERTD_WHY);
    int r = begin(g, why);
    if (queue_push(g->ready, why) == 0 && r >= 0)
        serve(g);
    if (g->router)
        zmq_socket_monitor(g->router, NULL, 0);
    void *s[] = { g->router, g->monitor, g->zap };
    for (int i = 0; i < 3; i++)
        if (s[i])
            zmq_close(s[i]);
    return NULL;
}

// ---- Start and stop ---------------------------------------------------------------------------

static void done(struct ingest *g)
{
    stranger_stop(g);
    if (g->ctx)
        zmq_ctx_term(g->ctx);
    for (size_t i = 0; i < g->n_peers; i++)
        free(g->peer[i]);
    map_done(&g->by_key);
    in_item_free(g->held);
    free(g->conn);
    crowd_free(g->places);
    queue_free(g->ready);
    if (g->wake >= 0)
        close(g->wake);
    keys_wipe(&g->own);
    free(g);
}

struct ingest *ingest_start(const struct alertd_cfg *cfg, const struct keys_own *own,
                            struct queue *items, struct queue *sends, char why[ALERTD_WHY])
{
    struct ingest *g = calloc(1, sizeof *g);
    snprintf(why, ALERTD_WHY, "there is not enough memory for the link");
    if (!g)
        return NULL;
    *g = (struct ingest){ .cfg = cfg, .own = *own, .items = items, .sends = sends,
                          .ctx = zmq_ctx_new(), .conn = calloc(CROWD_FDS, sizeof *g->conn),
                          .places = crowd_new(), .wake = eventfd(0, EFD_CLOEXEC),
                          .ready = queue_new(1, QUEUE_WAIT) };
    if (!g->ctx || !g->conn || !g->places || g->wake < 0 || !g->ready || queue_fd(sends) < 0 ||
        stranger_start(g) < 0 ||
        pthread_create(&g->thread, NULL, run, g)) {
        done(g);
        return NULL;
    }
    pthread_setname_np(g->thread, "ingest");
    char *verdict = queue_pop(g->ready);
    snprintf(why, ALERTD_WHY, "%s", verdict);
    free(verdict);
    if (!*why)
        return g;
    pthread_join(g->thread, NULL);
    done(g);
    return NULL;
}

const char *ingest_endpoint(const struct ingest *g) { return g->endpoint; }

void ingest_stop(struct ingest *g)
{
    if (!g)
        return;
    atomic_store(&g->stop, true);
    (void)!write(g->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
    pthread_join(g->thread, NULL);
    done(g);
}
