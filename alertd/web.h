// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the web thread as the loop sees it.
//
//     [loop] --changes--> [web] --actions--> [loop] --answers--> [web]
//
// The loop makes the three queues, and starts the web when its store is open:
//
//     changes = queue_new(4096, QUEUE_WAIT)       the web never waits for the loop: no dead end
//     actions = queue_new(256,  QUEUE_REFUSE)     full: the person is told to try again
//     answers = queue_new(256,  QUEUE_WAIT)
//     web = web_start(&setup, why)                takes `world`: what there is just now
//     ... queue_push(changes, change)             after the commit, in order of n
//     web_stop(web)                               before the queues are closed
//     ... drain the queues: change_free, web_action_free
//
// A numbered change has an n greater than all before it (one change, one number): that number is
// what a browser resumes from.  CHANGE_VIEW has none, is never stored, and is the one to leave out
// when the queue is full.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alertd.h"
#include "base/queue.h"

struct web;

// What a client is given, in ms; tests hurry.
struct web_limits {
    int head_ms;                    // TLS handshake and head of the first request within
    int body_ms;                    // body within
    int idle_ms;                    // connection kept without a request, or a client not reading
    int stranger_ms;                // the same of somebody who is not signed in
    int action_ms;                  // an action is answered within, or 503
    int ping_ms;                    // silence of a stream before a ping
    int tick_ms;                    // how often all these are looked at
    size_t window;                  // changes that a client may be behind
};
extern const struct web_limits web_usual;

struct web_setup {
    const struct alertd_cfg *cfg;   // borrowed until web_stop
    bool     next_port;             // where the port is taken: the next free one (the demo)
    struct queue *changes;          // struct change *, the web pops and frees
    struct queue *actions;          // struct action *, the web pushes; malloc'd
    struct queue *answers;          // the same struct action *, filled; the web pops and frees
    struct change **world;          // newest state of each thing, any order; all are taken, also
    size_t   n_world;               //   when web_start fails (the array itself is not)
    uint64_t last_n;                // the store's newest change number
    const struct web_limits *limits;    // NULL: web_usual
};

// Listens, serves and owns its thread.  NULL with one sentence: port taken, no certificate, not
// loopback without TLS, accounts.db of a newer release, ...
struct web *web_start(const struct web_setup *s, char why[ALERTD_WHY]);
void web_stop(struct web *w);       // ends all connections in order; NULL is fine

unsigned    web_port(const struct web *w);          // the one in use
const char *web_url(const struct web *w);           // "https://localhost:8443/"
const char *web_fingerprint(const struct web *w);   // SHA-256 of the certificate, "" without TLS
// How many screens look at the spectrum just now: sensors are asked for views only while this is
// not 0.  Any thread.
unsigned    web_viewers(const struct web *w);

void web_action_free(struct action *a);             // with its json; NULL is fine

// A one-time sign-in link for `user` (made with `role` where there is none yet), for the daemon
// that starts for the first time and for the demo: "https://localhost:8443/#token=...".  0, or
// -errno with a sentence.  Not from the web's own thread.
#define WEB_LINK 320
int web_link(struct web *w, const char *user, const char *role, char ret[WEB_LINK],
             char why[ALERTD_WHY]);
