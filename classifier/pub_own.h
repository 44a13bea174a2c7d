// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: pub.c (opening, handing over) and pub_run.c (its thread) only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "classifier/pub.h"
#include "classifier/pub_resend.h"

#define PUB_EVENTS 2048         // queued: seconds of the busiest scene
#define PUB_VIEWS  64
#define PUB_ANEW_S 0.5          // a refused handshake ends ZeroMQ's own tries: a new socket
#define PUB_DEAD_S 60.0         // a post asked after 30 s of silence (pub_resend.c) has answered by
                                // then, or hangs

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
    double        dead_s;
    double        anew_s;               // how long it may be down before the socket is made anew
    bool          denied;       // the last handshake was refused
    unsigned      wish_post, watchers;
    uint8_t       buf[WIRE_MAX];
    struct wire_msg msg;                // being packed, or just heard
    _Atomic unsigned wanted;
    _Atomic bool     connected, stop;
    _Atomic int64_t  drain_ns;
    atomic_int       denial;
    atomic_uint      denials;
    struct spool_found found;
    _Atomic uint64_t lost_by[SPOOL_WHYS];
    _Atomic uint64_t sent, acked, dropped, spool_bytes, lost, refused, shakes, shakes_refused;
};

void *pub_run(void *pub);               // the thread
int   pub_dealer_send(void *pub, const uint8_t *msg, size_t len);
void  pub_dealer_close(struct pub *p);
