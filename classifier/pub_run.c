// SPDX-License-Identifier: GPL-3.0-or-later
// The publisher's thread: sockets and queues around pub_resend.c.
//
// The DEALER sends only while the connection stands (ZMQ_IMMEDIATE) and never waits; its monitor
// says when it stands.  What is sent and not acknowledged is resend's business, so nothing is lost
// with the connection's buffers, and they may stay small.
#include <stdlib.h>
#include <zmq.h>

#include "base/utc.h"
#include "classifier/pub_item.h"
#include "classifier/pub_own.h"
#include "classifier/pub_socket.h"

#define WISH_S       60.0       // a wish to see is forgotten (docs/WIRE.md)
#define SHED_S       2.0        // events wait so long: no views on this link
#define POLL_MS      100
#define ANEW_MAX_S   30.0       // also where nothing at all is heard of a connection for so long
#define TICK_S       1.0

int pub_dealer_send(void *arg, const uint8_t *msg, size_t len)
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

    for (unsigned n = 0; n < PUB_EVENTS && (i = queue_try_pop(p->events)); n++) {
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
            pub_dealer_send(p, p->buf, (size_t)len);
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

static void denied(struct pub *p, enum pub_denial why, int64_t now)
{
    atomic_fetch_add(&p->shakes_refused, 1);
    atomic_store(&p->denial, (int)why);
    atomic_fetch_add(&p->denials, 1);
    p->denied = true;
    p->down_ns = now;
}

static void monitor_read(struct pub *p, int64_t now)
{
    enum pub_denial why = PUB_NOT_DENIED;
    enum pub_happened h;

    while ((h = pub_monitor(p->monitor, &why)) != PUB_NOTHING) {
        if (h == PUB_SHAKEN) {
            atomic_fetch_add(&p->shakes, 1);
            atomic_store(&p->denial, PUB_NOT_DENIED);
            atomic_store(&p->denials, 0);
            p->denied = false;
            p->anew_s = PUB_ANEW_S;
            resend_up(&p->link, true, now);
        } else if (h == PUB_DENIED) {
            denied(p, why, now);
        } else if (h == PUB_DOWN) {
            // It went without a word on why, before the handshake was done.
            if (!p->link.up && !p->denied)
                denied(p, PUB_DENIED_END, now);
            down(p, now);
        }
    }
}

void pub_dealer_close(struct pub *p)
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
    pub_dealer_close(p);
    if (pub_dealer(p->ctx, &p->cfg, &p->dealer, &p->monitor, why) < 0)
        pub_dealer_close(p);        // no descriptors or no memory: again later
    p->down_ns = now;
    p->denied = false;
    p->anew_s = p->anew_s * 2 < ANEW_MAX_S ? p->anew_s * 2 : ANEW_MAX_S;
}

// The connection stands, and nobody behind it answers: another one may meet somebody.
static void give_up(struct pub *p, int64_t now)
{
    if (!p->link.up || (double)(now - p->link.heard_ns) * 1e-9 < p->dead_s)
        return;
    pub_dealer_close(p);
    down(p, now);
    p->denied = true;           // at once, then ever less often
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
    for (int i = 0; i < SPOOL_WHYS; i++)
        atomic_store(&p->lost_by[i], p->spool ? spool_lost_by(p->spool, (enum spool_why)i) : 0);
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

void *pub_run(void *arg)
{
    struct pub *p = arg;

    for (;;) {
        poll_all(p);
        int64_t now = mono_now_ns();
        if (p->dealer) {
            monitor_read(p, now);
            dealer_read(p, now);
        }
        give_up(p, now);
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
