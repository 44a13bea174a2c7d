// SPDX-License-Identifier: GPL-3.0-or-later
// Connections by file descriptor.  ZeroMQ has no verb to end one peer's connection, but says of
// each message from which descriptor it came: shutting that down ends exactly this one, and ZeroMQ
// tidies up as after any broken link.
//
//     accepted --message with User-Id--> whose it is --revoked--> shutdown
//        '------ nothing for SILENT_NS, or somebody is revoked --> shutdown: back if it may
#include <linux/tcp.h>          // netinet/tcp.h knows no tcpi_bytes_received
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#include "alertd/ingest_in.h"

#define S_NS INT64_C(1000000000)
#define SILENT_NS (20 * S_NS)   // hello comes with the connection, and is said again after 5 s

// A sensor sends a few messages a second and, after a cut, what it kept; 1000 a second lets an hour
// of it through in a minute.  Ten times that is no sensor.
#define RATE       INGEST_RATE
#define BURST      4000.0
#define COSTLY     4096u        // a message pays once, and once more for each so many bytes
#define VIEW_RATE  100.0        // two lines a second of each of eight radios, and bursts
#define FLOOD      10000        // dropped in one second: cut, and shut out for a while
#define BAN_NS     (10 * S_NS)
#define SWEEP_NS   (S_NS / 10)      // 40 MB of a fast local link

// ZeroMQ keeps the frames of a message until its last has come, however many: ZMQ_MAXMSGSIZE bounds
// one frame, ZMQ_RCVHWM counts whole messages.  So who sends this much and no message has none to
// send.  While the loop is behind, 256 messages of 64 kB wait unread in ZeroMQ: that is 16 MB.
#define SWALLOW    (32u << 20)

void sconn_cut(struct ingest *g, int fd) { crowd_cut(fd, g->port); }

// Tells the loop who is there now and was not, and the other way; what finds no room is told later.
void sconn_tell(struct ingest *g)
{
    for (size_t i = 0; i < g->n_peers && g->links_moved; i++) {
        struct peer *p = g->peer[i];
        if (p->told_up == (p->fd >= 0))
            continue;
        struct in_item *item = in_room(g) ? calloc(1, sizeof *item) : NULL;
        if (!item)
            return;
        p->told_up = item->up = p->fd >= 0;
        item->kind = IN_LINK;
        snprintf(item->z85, sizeof item->z85, "%s", p->key.z85);
        in_push(g, item);
    }
    g->links_moved = false;
}

// Descriptors of this process beside sensors: the page's connections with those told to go
// (web_in.h: 512 and 256), the feed's (feed.c: 64), and what store, queues and ZeroMQ hold.
#define INGEST_OTHERS (512 + 256 + 64 + 64)

static uint64_t bytes_received(int fd)
{
    struct tcp_info t = { 0 };
    socklen_t len = sizeof t;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &t, &len) < 0 ? 0 : t.tcpi_bytes_received;
}

// A message may be read after its connection ended, when the sensor already speaks on the next one
// or the number is somebody else's: it counts, but answers do not go back there.
bool sconn_heard(struct ingest *g, struct peer *p, int fd)
{
    if (fd < 0 || fd >= CROWD_FDS)         // too many to be told apart
        return true;
    struct conn *c = &g->conn[fd], *old = p->fd >= 0 ? &g->conn[p->fd] : NULL;
    if (!c->heard)              // once between two sweeps
        c->whole_bytes = bytes_received(fd);
    c->heard = true;
    if (!c->since_ns || (old && old->peer == p && old->since_ns > c->since_ns))
        return false;
    if (c->peer && c->peer != p && c->peer->fd == fd) {
        c->peer->fd = -1;
        c->peer->rid_len = 0;
        g->links_moved = true;
    }
    c->peer = p;
    if (p->fd != fd) {          // the one before has only its message of then to show
        crowd_prove(g->places, p->fd, false);
        p->fd = fd;
        g->links_moved = true;
    }
    crowd_prove(g->places, fd, true);
    return true;
}

static void gone(struct ingest *g, int fd)
{
    struct peer *p = g->conn[fd].peer;
    g->conn[fd] = (struct conn){ 0 };
    crowd_out(g->places, fd);
    if (p && p->fd == fd) {
        p->fd = -1;
        p->rid_len = 0;
        g->links_moved = true;
    }
}

// Who is revoked goes, with every connection whose owner is not known yet.
void sconn_cut_peer(struct ingest *g, const struct peer *p)
{
    for (int fd = 0; fd < CROWD_FDS; fd++)
        if (g->conn[fd].since_ns && (g->conn[fd].peer == p || !g->conn[fd].peer)) {
            sconn_cut(g, fd);
            g->conn[fd] = (struct conn){ 0 };
            crowd_out(g->places, fd);
        }
}

static bool swallows(struct conn *c, int fd)
{
    uint64_t bytes = bytes_received(fd);
    if (bytes < c->whole_bytes)
        c->whole_bytes = bytes;
    c->heard = false;
    return bytes - c->whole_bytes > SWALLOW;
}

// Not the others of the same key: they may be what the sensor itself sends.
static void punish(struct ingest *g, struct peer *p, int fd, int64_t now_ns)
{
    if (p) {
        p->throttled++;
        p->banned_until_ns = now_ns + BAN_NS;
    }
    sconn_cut(g, fd);
}

void sconn_sweep(struct ingest *g, int64_t now_ns)
{
    if (now_ns - g->sweep_ns < SWEEP_NS)
        return;
    g->sweep_ns = now_ns;
    for (int fd = 0; fd < CROWD_FDS; fd++) {
        struct conn *c = &g->conn[fd];
        if (!c->since_ns)
            continue;
        bool silent = !c->peer && now_ns - c->since_ns > SILENT_NS;
        bool swallow = swallows(c, fd);
        if (swallow)
            punish(g, c->peer, fd, now_ns);
        else if (silent)
            sconn_cut(g, fd);
        if (swallow || silent)
            gone(g, fd);
    }
}

// The page's connections, the store and the rest of this process need descriptors, too.
static void make_room(struct ingest *g)
{
    unsigned most = crowd_room(INGEST_OTHERS + (unsigned)g->n_peers);
    while (crowd_unproven(g->places) > most) {
        int fd = crowd_pick(g->places);
        sconn_cut(g, fd);
        gone(g, fd);
    }
}

void sconn_events(struct ingest *g, int64_t now_ns)
{
    uint16_t event;
    int fd;
    while (crowd_event(g->monitor, &event, &fd)) {
        if (event == ZMQ_EVENT_ACCEPTED) {
            g->conn[fd] = (struct conn){ .since_ns = now_ns };
            crowd_in(g->places, fd, now_ns);
            make_room(g);
        } else if (event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_CLOSED) {
            gone(g, fd);
        }
    }
}

static void refill(double *tokens, double rate, double most, double s)
{
    *tokens = *tokens + rate * s < most ? *tokens + rate * s : most;
}

// May it send one more just now?  One that floods is dropped message by message; its sensor sends
// again what was not acknowledged, so that even so nothing is lost.  A flood beyond reason costs
// the connection.
bool peer_pays(struct ingest *g, struct peer *p, bool view, size_t len, int64_t now_ns)
{
    double s = p->filled_ns ? (double)(now_ns - p->filled_ns) / 1e9 : 1e9;
    refill(&p->tokens, RATE, BURST, s);
    refill(&p->view_tokens, VIEW_RATE, VIEW_RATE, s);
    p->filled_ns = now_ns;
    double *t = view ? &p->view_tokens : &p->tokens;
    if (*t >= 1) {
        *t -= 1 + (double)(len / COSTLY);
        return true;
    }
    p->throttled++;
    if (now_ns - p->second_ns > S_NS) {
        p->second_ns = now_ns;
        p->dropped_now = 0;
    }
    if (++p->dropped_now == FLOOD) {
        p->banned_until_ns = now_ns + BAN_NS;
        sconn_cut(g, p->fd);
    }
    return false;
}
