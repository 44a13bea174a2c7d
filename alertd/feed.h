// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the fused feed for other programs (contract, section 5), off by default.
//
//     [loop] --copies of committed changes--> [feed] PUB (CURVE) --> readers
//
// A message has two frames: the kind ("alert", "incident", "track", "sensor", "zone", "health"),
// by which a reader subscribes, and {"n":NUMBER,"id":"...","gone":false,"json":{...}}.  A reader
// too slow loses messages, as PUB does, and sees it in the numbers; what there is just now it asks
// the API for.
//
// Who may read is a list of its own, KEYS_DIR/readers/peers: a sensor's key reads nothing, and a
// reader's key sends nothing.
#pragma once

#include "alertd/alertd.h"
#include "hw/keys.h"

struct feed_out;
// Binds `bind` ("tcp://*:5671").  NULL with one sentence.
struct feed_out *feed_start(const struct alertd_cfg *cfg, const struct keys_own *own,
                            char why[ALERTD_WHY]);
// A copy goes out; never waits: what finds no room is left out.  Views are not fed.
void feed_give(struct feed_out *f, const struct change *c);     // NULL is fine
const char *feed_endpoint(const struct feed_out *f);
void feed_stop(struct feed_out *f);                             // NULL is fine
