// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: the sensor's end of the link (docs/WIRE.md).  A thread of its own
// numbers, packs, keeps and sends what the chains tell; nothing of the link ever stalls a chain.
//
//     chain threads --pub_event--> [queue, refuses] --.                 .--> DEALER, CURVE -> post
//                   --pub_view---> [queue, refuses] --+--> [pub thread] +--> spool (sealed)
//                                                           ^ acks      '--> XPUB, local socket
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "classifier/spool.h"
#include "classifier/wire.h"
#include "hw/keys.h"

#define PUB_WHY 512

struct pub_cfg {
    const char *endpoint;       // "tcp://post:5670"; NULL: no post, the local socket only
    char        post_z85[KEYS_Z85];
    struct keys_own own;
    const char *name;           // the sensor's, for people
    const char *spool_dir;
    uint64_t    spool_bytes;    // 0: the spool's own bounds
    double      spool_s;
    const char *local;          // path of a Unix socket, NULL none
    double      retry_s;        // unacknowledged so long: sent again.  0: 10 s
    double      dead_s;         // silent so long: another connection.  0: 60 s
    double      reconnect_s;    // first pause before a connection is tried again.  0: 0.5 s
};

// Why there is no link though somebody answers: it said that it does not know our key; it speaks
// something else; it hung up before the end (a wrong key of the post's ends so, and a proxy with
// nobody behind it).
enum pub_denial { PUB_NOT_DENIED, PUB_DENIED_KEY, PUB_DENIED_TALK, PUB_DENIED_END };

struct pub_stats {
    bool     connected;         // the post has shaken hands and answered
    uint64_t sent, acked, dropped;      // dropped: the queue was full, before a number was given
    uint64_t spool_bytes, lost, refused;    // refused: packing found a value the wire may not hold
    uint64_t handshakes, handshakes_refused;
    enum pub_denial denial;     // why the last one failed; PUB_NOT_DENIED since one succeeded
    unsigned denials;           // in a row
    uint64_t lost_by[SPOOL_WHYS];       // lost, by reason (classifier/spool.h)
    struct spool_found found;   // in the spool at the start
};

struct pub;
int  pub_new(struct pub **ret, const struct pub_cfg *cfg, char why[PUB_WHY]);
// The message is copied; of the head the caller sets kind, t_ns, clock and origin.  Any thread,
// never waits: 0, or -EAGAIN (counted).
int  pub_event(struct pub *p, const struct wire_msg *m);
int  pub_view(struct pub *p, const struct wire_msg *m);
struct wire_view pub_wanted(const struct pub *p);       // what anybody looks at
void pub_stats(const struct pub *p, struct pub_stats *ret);
uint64_t pub_boot(const struct pub *p);
// Sends and waits for acknowledgements at most drain_s; what is then left waits in the spool.
void pub_free(struct pub *p, double drain_s);
