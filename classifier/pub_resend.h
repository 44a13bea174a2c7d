// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room, used by pub.c only: which message is sent next, and which again.
// No socket here: the sender is a function, so that tests can be the link.
//
//     boot:   | acknowledged | sent late | to be sent late | sent live        |
//             0             ack      late_next        late_end             last+1
#pragma once

#include "classifier/spool.h"

#define RESEND_COPIES 1024        // of the running boot's messages in memory, and
#define RESEND_COPY_BYTES (4u << 20)

// 0, or -EAGAIN: not now.
typedef int resend_send(void *arg, const uint8_t *p, size_t len);

struct resend_boot {
    uint64_t boot, ack, late_next, late_end, last1;     // last1: one past the newest
    uint64_t hole_end;          // behind what was told lost: the window may begin there
    bool     synced;            // the post has said where to resume since the last connection
    int64_t  moved_ns;          // when ack last grew, or something was first sent
    double   retry_s;           // doubles while nothing moves
};

struct resend_copy { uint64_t seq; uint32_t len; bool on_disk; uint8_t *p; };

struct resend {
    struct spool    *spool;
    resend_send       *send;
    void            *arg;
    bool             up;        // connected
    unsigned         n;
    struct resend_boot boot[SPOOL_BOOTS + 1];     // [0]: the running one, then newest first
    struct resend_copy copy[RESEND_COPIES];         // ring by seq
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

void resend_init(struct resend *l, struct spool *spool, uint64_t boot, double retry_s,
                 resend_send *send, void *arg);
void resend_done(struct resend *l);
void resend_up(struct resend *l, bool up, int64_t now_ns);
// The running boot's next message (its seq is resend_next): live if it can be, kept in any case.
uint64_t resend_next(const struct resend *l);
void resend_event(struct resend *l, const uint8_t *msg, size_t len, int64_t now_ns);
void resend_heard(struct resend *l, const struct wire_msg *m, int64_t now_ns);  // resume or ack
// What waits: hello where it is due, lost, late messages as far as the window goes.
void resend_work(struct resend *l, const char *name, int64_t now_ns);
bool resend_idle(const struct resend *l);       // everything is acknowledged
double resend_lag_s(const struct resend *l, int64_t now_ns);    // no acknowledgement for so long
