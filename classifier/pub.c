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
#include "classifier/pub_item.h"
#include "classifier/pub_resend.h"
#include "classifier/pub_socket.h"

#define EVENTS       2048       // queued: seconds of the busiest scene
#define VIEWS        64
#define WISH_S       60.0       // a wish to see is forgotten (docs/WIRE.md)
#define SHED_S       2.0        // events wait so long: no views on this link
#define POLL_MS      100
#define ANEW_S       0.5        // a refused handshake ends ZeroMQ's own tries: a new socket
#define ANEW_MAX_S   30.0       // also where nothing at all is heard of a connection for so long
#define TICK_S       1.0

enum { WANT_PSD = 1, WANT_BURSTS = 2 };

struct pub {
    struct pub_cfg cfg;
    char          name[48], endpoint[192];
    uint64_t      boot;
    void         *ctx, *dealer, *monitor, *local;
    struct queue *events, *views;
    struct spool *spool;
    struct resend   link;
    pthread_t     thread;
    bool          running;
    uint64_t      view_seq;
    int64_t       wish_ns, tick_ns, down_ns;
    double        anew_s;               // how long it may be down before the socket is made anew
    bool          denied;       // the last handshake was refused
    unsigned      wish_post, watchers;
    uint8_t       buf[WIRE_MAX];
    struct wire_msg msg;                // being packed, or just heard
    _Atomic unsigned wanted;
    _Atomic bool     connected, stop;
    _Atomic int64_t  drain_ns;
    _Atomic uint64_t sent, acked, dropped, spool_bytes, lost, refused, shakes, shakes_refused;
};

// ---- From the chains -------------------------------------------------------------------------

static int hand_over(struct pub *p, struct queue *q, const struct wire_msg *m)
{
    struct item *i = item_new(m);
    int r = i ? queue_push(q, i) : -ENOMEM;

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
    item_take(i, &p->msg);
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
        if (p->spool)
            resend_event(&p->link, p->buf, (size_t)len, now);
        else
            p->link.boot[0].last1++;    // told to who listens here, kept for nobody
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

static void down(struct pub *p, int64_t now)
{
    resend_up(&p->link, false, now);
    atomic_store(&p->connected, false);
    p->down_ns = now;
    p->wish_post = 0;
    wanted_tell(p);
}

static void monitor_read(struct pub *p, int64_t now)
{
    enum pub_happened h;

    while ((h = pub_monitor(p->monitor)) != PUB_NOTHING) {
        if (h == PUB_SHAKEN) {
            atomic_fetch_add(&p->shakes, 1);
            p->denied = false;
            p->anew_s = ANEW_S;
            resend_up(&p->link, true, now);
        } else if (h == PUB_DENIED) {
            atomic_fetch_add(&p->shakes_refused, 1);
            p->denied = true;
            p->down_ns = now;
        } else if (h == PUB_DOWN) {
            down(p, now);
        }
    }
}

static void dealer_close(struct pub *p)
{
    if (p->monitor)
        zmq_close(p->monitor);
    if (p->dealer) {
        zmq_socket_monitor(p->dealer, NULL, 0);
        zmq_close(p->dealer);
    }
    p->dealer = p->monitor = NULL;
}

// ZeroMQ tries again for ever where nobody answers, but not where somebody said no, or spoke
// something else: the key may be enrolled yet, the captive portal may be gone by now.
static void anew(struct pub *p, int64_t now)
{
    char why[PUB_WHY];
    double down_s = (double)(now - p->down_ns) * 1e-9;

    if (p->link.up || down_s < (p->denied ? p->anew_s : ANEW_MAX_S))
        return;
    dealer_close(p);
    if (pub_dealer(p->ctx, &p->cfg, &p->dealer, &p->monitor, why) < 0)
        dealer_close(p);        // no descriptors or no memory: again later
    p->down_ns = now;
    p->denied = false;
    p->anew_s = p->anew_s * 2 < ANEW_MAX_S ? p->anew_s * 2 : ANEW_MAX_S;
}

static void local_read(struct pub *p)
{
    int w;

    while ((w = pub_watchers(p->local)) >= 0)
        p->watchers = (unsigned)w;
    wanted_tell(p);
}

static void tick(struct pub *p, int64_t now)
{
    if (p->wish_post && (double)(now - p->wish_ns) * 1e-9 > WISH_S) {
        p->wish_post = 0;
        wanted_tell(p);
    }
    if (p->spool)
        spool_tick(p->spool, now);
    p->tick_ns = now;
}

static void stats_tell(struct pub *p)
{
    atomic_store(&p->sent, p->link.sent);
    atomic_store(&p->acked, p->link.acked);
    atomic_store(&p->spool_bytes, p->spool ? spool_bytes(p->spool) : 0);
    atomic_store(&p->lost, p->spool ? spool_lost_total(p->spool) : 0);
}

static bool is_over(struct pub *p, int64_t now)
{
    return atomic_load(&p->stop) && queue_ended(p->events) &&
           (resend_idle(&p->link) || !p->link.up || now > atomic_load(&p->drain_ns));
}

static void poll_all(struct pub *p)
{
    zmq_pollitem_t poll[5];
    int n = 0;
    // Closed queues stay readable: only sockets and time then.
    bool closed = atomic_load(&p->stop);

    if (!closed) {
        poll[n++] = (zmq_pollitem_t){ .fd = queue_fd(p->events), .events = ZMQ_POLLIN };
        poll[n++] = (zmq_pollitem_t){ .fd = queue_fd(p->views), .events = ZMQ_POLLIN };
    }
    if (p->dealer) {
        poll[n++] = (zmq_pollitem_t){ .socket = p->dealer, .events = ZMQ_POLLIN };
        poll[n++] = (zmq_pollitem_t){ .socket = p->monitor, .events = ZMQ_POLLIN };
    }
    if (p->local)
        poll[n++] = (zmq_pollitem_t){ .socket = p->local, .events = ZMQ_POLLIN };
    zmq_poll(poll, n, closed ? 10 : POLL_MS);
}

static void *run(void *arg)
{
    struct pub *p = arg;

    for (;;) {
        poll_all(p);
        int64_t now = mono_now_ns();
        if (p->dealer) {
            monitor_read(p, now);
            dealer_read(p, now);
        }
        if (p->cfg.endpoint)
            anew(p, now);
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
    return NULL;
}

// ---- Opening and closing ---------------------------------------------------------------------

static int open_all(struct pub *p, char why[PUB_WHY])
{
    struct spool_cfg sc = { .dir = p->cfg.spool_dir, .max_bytes = p->cfg.spool_bytes,
                            .max_s = p->cfg.spool_s, .boot = p->boot, .now_ns = utc_now_ns(),
                            .mono_ns = mono_now_ns() };
    bool key = keys_raw(p->cfg.post_z85, sc.post) == 0 && keys_trustworthy(sc.post);
    int r;

    if (p->cfg.endpoint && !key) {
        snprintf(why, PUB_WHY, "the post's key is no public key; the 40 characters that tyto keys "
                 "show prints there were expected");
        return -EINVAL;
    }
    p->events = queue_new(EVENTS, QUEUE_REFUSE);
    p->views = queue_new(VIEWS, QUEUE_REFUSE);
    p->ctx = zmq_ctx_new();
    if (!p->events || !p->views || !p->ctx || queue_fd(p->events) < 0 || queue_fd(p->views) < 0)
        return pub_fault(why, "link", "", ENOMEM);
    if (p->cfg.endpoint && (r = spool_new(&p->spool, &sc, why)) < 0)
        return r;
    resend_init(&p->link, p->spool, p->boot, p->cfg.retry_s, dealer_send, p);
    if (p->cfg.endpoint && (r = pub_dealer(p->ctx, &p->cfg, &p->dealer, &p->monitor, why)) < 0)
        return r;
    if (p->cfg.local && (r = pub_local(p->ctx, p->cfg.local, &p->local, why)) < 0)
        return r;
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
    p->down_ns = mono_now_ns();
    p->anew_s = ANEW_S;
    snprintf(p->name, sizeof p->name, "%s", cfg->name ? cfg->name : "");
    snprintf(p->endpoint, sizeof p->endpoint, "%s", cfg->endpoint ? cfg->endpoint : "");
    p->cfg.endpoint = cfg->endpoint ? p->endpoint : NULL;
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
    dealer_close(p);
    if (p->local)
        zmq_close(p->local);
    if (p->ctx)
        zmq_ctx_term(p->ctx);
    resend_done(&p->link);
    spool_free(p->spool);
    queue_free(p->events);
    queue_free(p->views);
    keys_wipe(&p->cfg.own);
    free(p);
}
