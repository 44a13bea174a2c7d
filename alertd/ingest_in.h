// SPDX-License-Identifier: GPL-3.0-or-later
// Inside ingest: what its files share.  All of it belongs to the ingest thread.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "alertd/crowd.h"
#include "alertd/ingest.h"
#include "alertd/map.h"

struct peer {                   // one enrolled key
    struct keys_peer key;
    bool     enrolled;          // as of the last reading of the list
    int      fd;                // of the connection it was last heard on; -1 none
    uint8_t  rid[256];          // ... and its address at the ROUTER
    size_t   rid_len;
    double   tokens, view_tokens;
    int64_t  filled_ns;
    bool     told_up;
    uint64_t throttled, faults, told_throttled, told_faults;
    const char *why;            // the last fault
    uint64_t dropped_now;       // in the second that began at second_ns
    int64_t  second_ns, banned_until_ns;
};

#define STRANGERS 4
struct stranger {               // an address from which somebody tries who is not enrolled
    char     from[64], z85[KEYS_Z85];
    uint64_t tries, told_tries, keys;
    int64_t  seen_ns, told_ns, hashed_ns;
};

struct conn {                   // by file descriptor
    int64_t  since_ns;          // 0: none
    struct peer *peer;
    bool     heard;             // a whole message came since the last sweep,
    uint64_t whole_bytes;       // ... and so many bytes when one last had
};

struct ingest {
    const struct alertd_cfg *cfg;
    struct keys_own own;
    struct queue *items, *sends;
    void    *ctx, *zap, *router, *monitor;
    char     endpoint[256];
    unsigned port;              // of the endpoint, 0: not TCP
    struct map by_key;
    struct peer *peer[KEYS_PEERS];
    size_t   n_peers;
    struct conn *conn;          // CROWD_FDS of them
    struct crowd *places;     // proven: where a sensor was last heard
    struct in_item *held;       // did not fit into items
    int64_t full_ns;            // since when, 0: there is room
    bool     links_moved, list_moved;           // to be told to the loop
    uint64_t refused, told_refused, crowd, told_crowd;
    struct stranger strange[STRANGERS];
    struct queue *hash;         // keys to be put into words
    pthread_t hasher;
    int64_t  list_ns, list_mtime_ns, list_ctime_ns, counts_ns, sweep_ns;
    char     proof[KEYS_Z85];   // a key that is let in for the proof only
    char     stranger[KEYS_Z85];        // the one that must be refused: not counted
    pthread_t thread;
    atomic_bool stop;
    int      wake;              // eventfd: stop
    struct queue *ready;        // one verdict of the start: a sentence, "" all is well
};

// The allow-list and the handler (ingest_zap.c).
int  zap_bind(struct ingest *g);
void zap_answer(struct ingest *g);              // all requests there are
int  list_read(struct ingest *g, char why[ALERTD_WHY]);
void list_tell(struct ingest *g);
void list_look(struct ingest *g, int64_t now_ns);       // re-reads it when it changed

#define INGEST_RATE 1000.0      // messages a second of one sensor (ingest_conn.c)

// Connections (ingest_conn.c).
void sconn_events(struct ingest *g, int64_t now_ns);
// Was it the newest connection of its sensor?  Only there answers go.
bool sconn_heard(struct ingest *g, struct peer *p, int fd);
void sconn_cut(struct ingest *g, int fd);
void sconn_cut_peer(struct ingest *g, const struct peer *p);
void sconn_sweep(struct ingest *g, int64_t now_ns);      // cuts those that never say who they are
void sconn_tell(struct ingest *g);
bool peer_pays(struct ingest *g, struct peer *p, bool view, size_t len, int64_t now_ns);

// ingest_proof.c: 0, or -errno with a sentence.
int  proof_run(struct ingest *g, char why[ALERTD_WHY]);

bool in_room(struct ingest *g);
void in_push(struct ingest *g, struct in_item *i);      // takes; dropped where there is no room

// Who is refused (ingest_stranger.c).
int  stranger_start(struct ingest *g);          // its thread
void stranger_stop(struct ingest *g);
void stranger_seen(struct ingest *g, const char *from, const char *z85);
void stranger_tell(struct ingest *g, int64_t now_ns);
