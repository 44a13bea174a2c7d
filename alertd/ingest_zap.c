// SPDX-License-Identifier: GPL-3.0-or-later
// Who is let in.  ZeroMQ asks for each connection (RFC 27): version, request id, domain, address,
// identity, mechanism, credentials; the answer's User-Id is the key itself, and every message of
// that connection then carries it.
//
// The list is a folder: looked at five times a second, read when it changed, and in any case every
// five seconds.  Who is no longer in it is cut at once.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "alertd/ingest_in.h"
#include "base/utc.h"

#define LOOK_NS INT64_C(200000000)
#define READ_NS INT64_C(5000000000)

int zap_bind(struct ingest *g)
{
    int linger = 0;
    g->zap = zmq_socket(g->ctx, ZMQ_REP);
    if (!g->zap || zmq_setsockopt(g->zap, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
        zmq_bind(g->zap, "inproc://zeromq.zap.01") < 0)
        return -errno;
    return 0;
}

static bool allowed(struct ingest *g, const char *z85)
{
    const struct peer *p = map_get(&g->by_key, z85);
    if (g->proof[0] && !strcmp(z85, g->proof))
        return true;
    return p && p->enrolled && mono_now_ns() >= p->banned_until_ns;
}

static void reply(struct ingest *g, const void *id, size_t id_len, const char *z85, bool ok)
{
    const char *status = ok ? "200" : "400", *text = ok ? "OK" : "not enrolled";
    zmq_send(g->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(g->zap, id, id_len, ZMQ_SNDMORE);
    zmq_send(g->zap, status, 3, ZMQ_SNDMORE);
    zmq_send(g->zap, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(g->zap, z85, ok ? strlen(z85) : 0, ZMQ_SNDMORE);
    zmq_send(g->zap, "", 0, 0);
}

#define FRAMES 7
void zap_answer(struct ingest *g)
{
    uint8_t frame[FRAMES][256];
    int len[FRAMES], more = 1;
    for (;;) {
        int n = 0;
        size_t size = sizeof more;
        do {
            uint8_t spare[256], *to = n < FRAMES ? frame[n] : spare;
            int r = zmq_recv(g->zap, to, sizeof spare, ZMQ_DONTWAIT);
            if (r < 0)
                return;
            if (n < FRAMES)
                len[n] = r < 256 ? r : 256;
            n++;
            zmq_getsockopt(g->zap, ZMQ_RCVMORE, &more, &size);
        } while (more);
        char z85[KEYS_Z85] = "";
        bool ok = n == FRAMES && len[5] == 5 && !memcmp(frame[5], "CURVE", 5) && len[6] == 32 &&
                  zmq_z85_encode(z85, frame[6], 32) && allowed(g, z85);
        reply(g, frame[1], n > 1 ? (size_t)len[1] : 0, z85, ok);
        // One that is enrolled and shut out for a flood is no stranger.
        if (ok || !strcmp(z85, g->stranger) || map_get(&g->by_key, z85))
            continue;
        char from[64] = "";
        if (n > 3)
            snprintf(from, sizeof from, "%.*s", len[3], (const char *)frame[3]);
        g->refused++;
        stranger_seen(g, from, z85);
    }
}

// ---- The list ---------------------------------------------------------------------------------

static struct peer *peer_of(struct ingest *g, const struct keys_peer *k)
{
    struct peer *p = map_get(&g->by_key, k->z85);
    if (p)
        return p;
    p = g->n_peers < KEYS_PEERS ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    p->key = *k;
    p->fd = -1;
    if (map_put(&g->by_key, p->key.z85, p) < 0) {
        free(p);
        return NULL;
    }
    return g->peer[g->n_peers++] = p;
}

// A file that cannot be read must not keep a revoked key in: who was known stays only while the
// file of that name is there.
static void list_without(struct ingest *g)
{
    char path[320];
    for (size_t i = 0; i < g->n_peers; i++) {
        snprintf(path, sizeof path, "%.200s/peers/%.47s.key", g->cfg->keys_dir,
                 g->peer[i]->key.name);
        if (access(path, F_OK))
            g->peer[i]->enrolled = false;
    }
}

static void cut_revoked(struct ingest *g)
{
    for (size_t i = g->n_peers; i-- > 0;) {
        struct peer *p = g->peer[i];
        if (p->enrolled)
            continue;
        sconn_cut_peer(g, p);
        map_del(&g->by_key, p->key.z85);
        g->peer[i] = g->peer[--g->n_peers];
        free(p);
    }
}

void list_tell(struct ingest *g)
{
    struct in_item *item = calloc(1, sizeof *item);
    if (!item || !(item->peers = calloc(g->n_peers + 1, sizeof *item->peers))) {
        free(item);
        return;
    }
    item->kind = IN_PEERS;
    for (size_t i = 0; i < g->n_peers; i++)
        item->peers[item->n_peers++] = g->peer[i]->key;
    g->list_moved = false;
    in_push(g, item);
}

int list_read(struct ingest *g, char why[ALERTD_WHY])
{
    struct keys_peer *k = NULL;
    bool changed = false;
    char key_why[KEYS_WHY] = "";
    size_t before = g->n_peers;
    int n = keys_peers(g->cfg->keys_dir, &k, key_why);
    if (n < 0) {
        snprintf(why, ALERTD_WHY, "%s", key_why);
        list_without(g);
    } else {
        for (size_t i = 0; i < g->n_peers; i++)
            g->peer[i]->enrolled = false;
        for (int i = 0; i < n; i++) {
            struct peer *p = peer_of(g, &k[i]);
            if (!p)
                continue;
            p->enrolled = true;
            changed = changed || strcmp(p->key.name, k[i].name);
            p->key = k[i];
        }
    }
    for (size_t i = 0; i < g->n_peers; i++)
        changed = changed || !g->peer[i]->enrolled;
    if (changed || g->n_peers != before) {
        cut_revoked(g);
        g->list_moved = true;
    }
    free(k);
    return n < 0 ? n : 0;
}

void list_look(struct ingest *g, int64_t now_ns)
{
    char path[300], why[ALERTD_WHY];
    struct stat st = { 0 };
    int64_t m, ct;
    if (now_ns - g->list_ns < LOOK_NS)
        return;
    snprintf(path, sizeof path, "%.255s/peers", g->cfg->keys_dir);
    (void)!stat(path, &st);
    m = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    ct = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec;
    // A change in the same tick of the file system's clock as the last look shows at the next
    // reading by time.
    if (m == g->list_mtime_ns && ct == g->list_ctime_ns && now_ns - g->list_ns < READ_NS)
        return;
    bool moved = m != g->list_mtime_ns || ct != g->list_ctime_ns;
    g->list_mtime_ns = m;
    g->list_ctime_ns = ct;
    g->list_ns = now_ns;
    if (list_read(g, why) < 0 && moved && in_room(g)) {
        struct in_item *item = calloc(1, sizeof *item);
        if (item && (item->note = strdup(why))) {
            item->kind = IN_NOTE;
            in_push(g, item);
        } else {
            free(item);
        }
    }
}
