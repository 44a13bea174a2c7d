// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the sensors' end of the post.  One thread owns the sockets, the allow-list and
// who is connected; it judges bytes and keys, and knows nothing of drones.
//
//     ZAP (inproc) ---- is this key enrolled? ----.
//     ROUTER (CURVE) -- whose, how much, is it a message? --> [items] --> loop
//     monitor --------- accepted, gone            '           [sends] <-- loop
//
// The handler answers before anything is bound, and before the first sensor is served it is proved
// over the real endpoint that an unknown key is refused and a known one let in.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alertd.h"
#include "base/queue.h"
#include "classifier/wire.h"
#include "hw/keys.h"

enum in_kind { IN_MESSAGE, IN_LINK, IN_PEERS, IN_COUNTS, IN_NOTE, IN_STRANGER };

// Somebody who is not enrolled: in raw of IN_STRANGER.  words: of the newest key, "" not yet known.
struct in_stranger { char from[64], words[KEYS_PHRASE]; uint64_t tries, keys; };

struct in_item {                // from the network to the loop; freed with in_item_free
    enum in_kind kind;
    char     z85[KEYS_Z85];     // who, from the key: IN_MESSAGE, IN_LINK, IN_COUNTS
    bool     up;                // IN_LINK
    uint64_t throttled, faults, refused, crowd; // IN_COUNTS: more by so many (refused: nobody's;
                                                // crowd: those of them that are told no other way)
    const char *why;            // IN_COUNTS: the last fault's name
    struct keys_peer *peers;    // IN_PEERS: all who are enrolled now
    size_t   n_peers;
    char    *note;              // IN_NOTE: a sentence for the log
    struct wire_msg msg;        // IN_MESSAGE, and the bytes it came in (without envelope)
    size_t   len;
    uint8_t  raw[];
};
void in_item_free(struct in_item *i);

struct in_send { char z85[KEYS_Z85]; size_t len; uint8_t raw[]; };     // from the loop to a sensor

struct ingest;
// Binds, proves, listens.  NULL with one sentence.  items: QUEUE_REFUSE; what finds it full waits
// for a second, then is dropped, and the sensors, not acknowledged, send it again.  sends: any;
// what cannot be sent is dropped (acks and resumes are said again).
struct ingest *ingest_start(const struct alertd_cfg *cfg, const struct keys_own *own,
                            struct queue *items, struct queue *sends, char why[ALERTD_WHY]);
const char *ingest_endpoint(const struct ingest *g);    // "tcp://127.0.0.1:5670"
void ingest_stop(struct ingest *g);     // NULL is fine
