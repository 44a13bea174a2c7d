// SPDX-License-Identifier: GPL-3.0-or-later
// The publisher's thread: sockets and queues around pub_resend.c.
//
// The DEALER sends only while the connection stands (ZMQ_IMMEDIATE) and never waits; its monitor
// says when it stands.  What is sent and not acknowledged is resend's business, so nothing is lost
// with the connection's buffers, and they may stay small.
#include "classifier/pub.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/queue.h"
#include "base/utc.h"
#include "classifier/pub_resend.h"
#include "classifier/pub_socket.h"

#define EVENTS       2048       // queued: seconds of the busiest scene
#define VIEWS        64
#define WISH_S       60.0       // a wish to see is forgotten (docs/WIRE.md)
#define SHED_S       2.0        // events wait so long: no views on this link
#define POLL_MS      100
#define TICK_S       1.0

enum { WANT_PSD = 1, WANT_BURSTS = 2 };

struct pub {
    struct pub_cfg cfg;
    char          name[48];
    uint64_t      boot;
    void         *ctx, *dealer, *monitor, *local;
    struct queue *events, *views;
    struct spool *spool;
    struct resend   link;
    pthread_t     thread;
    bool          running;
    uint64_t      view_seq;
    int64_t       wish_ns, tick_ns;
    unsigned      wish_post, watchers;
    uint8_t       buf[WIRE_MAX];
    struct wire_msg msg;                // being packed, or just heard
    _Atomic unsigned wanted;
    _Atomic bool     connected, stop;
    _Atomic int64_t  drain_ns;
    _Atomic uint64_t sent, acked, dropped, spool_bytes, lost, refused, shakes, shakes_refused;
};

struct item { size_t size; char bytes[]; };

// ---- From the chains -------------------------------------------------------------------------

static size_t msg_size(enum wire_kind k)
{
    static const size_t size[WIRE_KINDS] = {
        [WIRE_TRACK] = sizeof(struct wire_track), [WIRE_DECODE] = sizeof(struct wire_decode),
        [WIRE_HEALTH] = sizeof(struct wire_health), [WIRE_LEDGER] = sizeof(struct wire_ledger),
        [WIRE_PSD] = sizeof(struct wire_psd), [WIRE_BURST] = sizeof(struct wire_burst),
    };
    return size[k] ? offsetof(struct wire_msg, track) + size[k] : 0;
}

static int hand_over(struct pub *p, struct queue *q, const struct wire_msg *m)
{
    size_t n = msg_size(m->head.kind);
    struct item *i = n ? malloc(sizeof *i + n) : NULL;
    int r = n ? -ENOMEM : -EINVAL;

    if (i) {
        i->size = n;
        memcpy(i->bytes, m, n);
        ((struct wire_msg *)(void *)i->bytes)->head.mono_ns = mono_now_ns();
        r = queue_push(q, i);
    }
    if (r < 0) {
        free(i);
        if (q == p->events)
            atomic_fetch_add(&p->dropped, 1);
    }
    return r;
}

int pub_event(struct pub *p, const struct wire_msg *m) { return hand_over(p, p->events, m); }
int pub_view(struct pub *p, const struct wire_msg *m) { return hand_over(p, p->views, m); }
uint64_t pub_boot(const struct pub *p) { return p->boot; }

struct wire_view pub_wanted(const struct pub *p)
{
    unsigned w = atomic_load(&p->wanted);
    return (struct wire_view){ .psd = w & WANT_PSD, .bursts = w & WANT_BURSTS };
}

void pub_stats(const struct pub *p, struct pub_stats *ret)
{
    *ret = (struct pub_stats){
        .connected = atomic_load(&p->connected), .sent = atomic_load(&p->sent),
        .acked = atomic_load(&p->acked), .dropped = atomic_load(&p->dropped),
        .spool_bytes = atomic_load(&p->spool_bytes), .lost = atomic_load(&p->lost),
        .refused = atomic_load(&p->refused), .handshakes = atomic_load(&p->shakes),
        .handshakes_refused = atomic_load(&p->shakes_refused),
    };
}

// ---- The thread ------------------------------------------------------------------------------

static int dealer_send(void *arg, const uint8_t *msg, size_t len)
{
    struct pub *p = arg;
    return p->dealer && zmq_send(p->dealer, msg, len, ZMQ_DONTWAIT) >= 0 ? 0 : -EAGAIN;
}

static void local_send(struct pub *p, size_t len)
{
    if (p->local && p->watchers)
        zmq_send(p->local, p->buf, len, ZMQ_DONTWAIT);
}

// Numbers and packs what a chain handed over; its length in p->buf, or < 0 (counted).
static int take(struct pub *p, struct item *i, enum wire_stream stream, uint64_t seq)
{
    memset(&p->msg, 0, sizeof p->msg);
    memcpy(&p->msg, i->bytes, i->size);
    free(i);
    p->msg.head.v = WIRE_VERSION;
    p->msg.head.boot = p->boot;
    p->msg.head.stream = stream;
    p->msg.head.seq = seq;
    int n = wire_pack(&p->msg, p->buf, sizeof p->buf);
    if (n < 0)
        atomic_fetch_add(&p->refused, 1);       // it gets no number: no hole
    return n;
}

static void events_take(struct pub *p, int64_t now)
{
    struct item *i;

    for (unsigned n = 0; n < EVENTS && (i = queue_try_pop(p->events)); n++) {
        int len = take(p, i, WIRE_STREAM_EVENT, resend_next(&p->link));
        if (len < 0)
            continue;
        local_send(p, (size_t)len);
        resend_event(&p->link, p->buf, (size_t)len, now);
    }
}

static void views_take(struct pub *p, int64_t now)
{
    bool shed = !p->link.up || !p->wish_post || resend_lag_s(&p->link, now) > SHED_S;
    struct item *i;

    while ((i = queue_try_pop(p->views))) {
        int len = take(p, i, WIRE_STREAM_VIEW, p->view_seq);
        if (len < 0)
            continue;
        p->view_seq++;
        local_send(p, (size_t)len);
        bool wanted = p->wish_post & (p->msg.head.kind == WIRE_PSD ? WANT_PSD : WANT_BURSTS);
        if (!shed && wanted)
            dealer_send(p, p->buf, (size_t)len);
    }
}

static void wanted_tell(struct pub *p)
{
    atomic_store(&p->wanted, p->wish_post | (p->watchers ? WANT_PSD | WANT_BURSTS : 0));
}

static void dealer_read(struct pub *p, int64_t now)
{
    int n;

    while ((n = zmq_recv(p->dealer, p->buf, sizeof p->buf, ZMQ_DONTWAIT)) >= 0) {
        if ((size_t)n > sizeof p->buf || wire_unpack(&p->msg, p->buf, (size_t)n) != WIRE_OK)
            continue;
        p->link.heard_ns = now;
        atomic_store(&p->connected, true);
        if (p->msg.head.kind == WIRE_RESUME || p->msg.head.kind == WIRE_ACK)
            resend_heard(&p->link, &p->msg, now);
        if (p->msg.head.kind == WIRE_VIEW) {
            p->wish_post = (p->msg.view.psd ? WANT_PSD : 0u) |
                           (p->msg.view.bursts ? WANT_BURSTS : 0u);
            p->wish_ns = now;
            wanted_tell(p);
        }
    }
}

static void monitor_read(struct pub *p, int64_t now)
{
    uint8_t e[6], address[256];
    uint16_t what;

    while (zmq_recv(p->monitor, e, sizeof e, ZMQ_DONTWAIT) == (int)sizeof e) {
        zmq_recv(p->monitor, address, sizeof address, ZMQ_DONTWAIT);
        memcpy(&what, e, sizeof what);
        if (what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            atomic_fetch_add(&p->shakes, 1);
            resend_up(&p->link, true, now);
        } else if (what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ||
                   what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
                   what == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) {
            atomic_fetch_add(&p->shakes_refused, 1);
        } else if (what == ZMQ_EVENT_DISCONNECTED) {
            resend_up(&p->link, false, now);
            atomic_store(&p->connected, false);
            p->wish_post = 0;
            wanted_tell(p);
        }
    }
}

// One more or one fewer looks at the local socket.
static void local_read(struct pub *p)
{
    uint8_t b[64];
    int n;

    while ((n = zmq_recv(p->local, b, sizeof b, ZMQ_DONTWAIT)) >= 0) {
        // XPUB tells the first subscription of a topic and the end of the last.
        if (n == 1 && b[0] == 1)
            p->watchers = 1;
        else if (n == 1 && b[0] == 0)
            p->watchers = 0;
    }
    wanted_tell(p);
}

static void tick(struct pub *p, int64_t now)
{
    if (p->wish_post && (double)(now - p->wish_ns) * 1e-9 > WISH_S) {
        p->wish_post = 0;
        wanted_tell(p);
    }
    spool_tick(p->spool, now);
    p->tick_ns = now;
}

static void stats_tell(struct pub *p)
{
    atomic_store(&p->sent, p->link.sent);
    atomic_store(&p->acked, p->link.acked);
    atomic_store(&p->spool_bytes, spool_bytes(p->spool));
    atomic_store(&p->lost, spool_lost_total(p->spool));
}

static bool is_over(struct pub *p, int64_t now)
{
    if (!atomic_load(&p->stop) || !queue_ended(p->events))
        return false;
    return resend_idle(&p->link) || !p->link.up || now > atomic_load(&p->drain_ns);
}

static void *run(void *arg)
{
    struct pub *p = arg;
    zmq_pollitem_t poll[5] = { { .fd = queue_fd(p->events), .events = ZMQ_POLLIN },
                               { .fd = queue_fd(p->views), .events = ZMQ_POLLIN } };
    int n = 2;

    if (p->dealer) {
        poll[n++] = (zmq_pollitem_t){ .socket = p->dealer, .events = ZMQ_POLLIN };
        poll[n++] = (zmq_pollitem_t){ .socket = p->monitor, .events = ZMQ_POLLIN };
    }
    if (p->local)
        poll[n++] = (zmq_pollitem_t){ .socket = p->local, .events = ZMQ_POLLIN };
    for (;;) {
        // Closed queues stay readable: only sockets and time then.
        bool closed = atomic_load(&p->stop);
        zmq_poll(poll + (closed ? 2 : 0), n - (closed ? 2 : 0), closed ? 10 : POLL_MS);
        int64_t now = mono_now_ns();
        if (p->dealer) {
            monitor_read(p, now);
            dealer_read(p, now);
        }
        if (p->local)
            local_read(p);
        events_take(p, now);
        views_take(p, now);
        resend_work(&p->link, p->name, now);
        if ((double)(now - p->tick_ns) * 1e-9 >= TICK_S)
            tick(p, now);
        stats_tell(p);
        if (is_over(p, now))
            break;
    }
    while (queue_try_pop(p->views))     // none: views_take emptied it after the close
        ;
    return NULL;
}

// ---- Opening and closing ---------------------------------------------------------------------

static int open_all(struct pub *p, char why[PUB_WHY])
{
    struct spool_cfg sc = { .dir = p->cfg.spool_dir, .max_bytes = p->cfg.spool_bytes,
                            .max_s = p->cfg.spool_s, .boot = p->boot, .now_ns = utc_now_ns(),
                            .mono_ns = mono_now_ns() };
    int r;

    if (keys_raw(p->cfg.post_z85, sc.post) < 0 || !keys_trustworthy(sc.post)) {
        snprintf(why, PUB_WHY, "the post's key is no public key; the 40 characters that tyto keys "
                 "show prints there were expected");
        return -EINVAL;
    }
    p->events = queue_new(EVENTS, QUEUE_REFUSE);
    p->views = queue_new(VIEWS, QUEUE_REFUSE);
    p->ctx = zmq_ctx_new();
    if (!p->events || !p->views || !p->ctx || queue_fd(p->events) < 0 || queue_fd(p->views) < 0)
        return pub_fault(why, "link", "", ENOMEM);
    if ((r = spool_new(&p->spool, &sc, why)) < 0)
        return r;
    resend_init(&p->link, p->spool, p->boot, p->cfg.retry_s, dealer_send, p);
    if (p->cfg.endpoint && (r = pub_dealer(p->ctx, &p->cfg, &p->dealer, &p->monitor, why)) < 0)
        return r;
    if (p->cfg.local && (r = pub_local(p->ctx, p->cfg.local, &p->local, why)) < 0)
        return r;
    keys_wipe(&p->cfg.own);             // ZeroMQ has its copy
    r = pthread_create(&p->thread, NULL, run, p);
    if (r)
        return pub_fault(why, "thread", "", r);
    pthread_setname_np(p->thread, "pub");
    p->running = true;
    return 0;
}

int pub_new(struct pub **ret, const struct pub_cfg *cfg, char why[PUB_WHY])
{
    struct pub *p = calloc(1, sizeof *p);

    if (!p || sodium_init() < 0) {
        free(p);
        return pub_fault(why, "link", "", ENOMEM);
    }
    p->cfg = *cfg;
    snprintf(p->name, sizeof p->name, "%s", cfg->name ? cfg->name : "");
    randombytes_buf(&p->boot, sizeof p->boot);
    int r = open_all(p, why);
    if (r < 0) {
        pub_free(p, 0);
        return r;
    }
    *ret = p;
    return 0;
}

void pub_free(struct pub *p, double drain_s)
{
    if (!p)
        return;
    if (p->running) {
        queue_close(p->views);
        queue_close(p->events);
        atomic_store(&p->drain_ns, mono_now_ns() + (int64_t)(drain_s * 1e9));
        atomic_store(&p->stop, true);
        pthread_join(p->thread, NULL);
    }
    if (p->dealer)
        zmq_socket_monitor(p->dealer, NULL, 0);
    for (unsigned i = 0; i < 3; i++) {
        void *s = i == 0 ? p->dealer : i == 1 ? p->monitor : p->local;
        if (s)
            zmq_close(s);
    }
    if (p->ctx)
        zmq_ctx_term(p->ctx);
    if (p->spool)
        resend_done(&p->link);
    spool_free(p->spool);
    queue_free(p->events);
    queue_free(p->views);
    keys_wipe(&p->cfg.own);
    free(p);
}
