// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room, used by pub.c only: which message is to be sent next, and which again.
// No socket here: the sender is a function, so that tests can be the link.
//
//     boot:   | acknowledged | sent late | to be sent late | sent live        |
//             0             ack      late_next        late_end             last+1
#pragma once

#include "classifier/spool.h"

#define LINK_COPIES 1024        // of the running boot's messages in memory, and
#define LINK_COPY_BYTES (4u << 20)

// 0, or -EAGAIN: not now.
typedef int link_send(void *arg, const uint8_t *p, size_t len);

struct link_boot {
    uint64_t boot, ack, late_next, late_end, last1;     // last1: one past the newest
    bool     synced;            // the post has said where to resume since the last connection
    int64_t  moved_ns;          // when ack last grew, or something was first sent
    double   retry_s;           // doubles while nothing moves
};

struct link_copy { uint64_t seq; uint32_t len; bool on_disk; uint8_t *p; };

struct link {
    struct spool    *spool;
    link_send       *send;
    void            *arg;
    bool             up;        // connected
    unsigned         n;
    struct link_boot boot[SPOOL_BOOTS + 1];     // [0]: the running one, then newest first
    struct link_copy copy[LINK_COPIES];         // ring by seq
    uint64_t         copy_first, copy_next;     // seq
    size_t           copy_bytes;
    unsigned         window;    // late messages ahead of the acknowledgement
    uint64_t         probe_seq, probe_boot;     // a late message whose way is timed
    int64_t          probe_ns;
    double           retry_s;
    int64_t          hello_ns, heard_ns;
    uint64_t         sent, acked;
    uint8_t          late[WIRE_MAX], sealed[WIRE_MAX];
};

void link_init(struct link *l, struct spool *spool, uint64_t boot, double retry_s, link_send *send,
               void *arg);
void link_done(struct link *l);
void link_up(struct link *l, bool up, int64_t now_ns);
// The running boot's next message (its seq is link_next): live if it can be, kept in any case.
uint64_t link_next(const struct link *l);
void link_event(struct link *l, const uint8_t *msg, size_t len, int64_t now_ns);
void link_heard(struct link *l, const struct wire_msg *m, int64_t now_ns);  // resume or ack
// What waits: hello where it is due, lost, late messages as far as the window goes.
void link_work(struct link *l, const char *name, int64_t now_ns);
bool link_idle(const struct link *l);       // everything is acknowledged
double link_lag_s(const struct link *l, int64_t now_ns);    // no acknowledgement for so long
