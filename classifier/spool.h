// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: event messages on disk until the post has them, sealed to its key.
//
//     DIR/lock
//     DIR/NNNNNNNN-BOOT.seg     | head: magic, boot, when, post's key | rec | rec | rec ... torn |
//                                 rec: magic, length, seq, mac, sealed message
//     DIR/....seg.bad           set aside: damaged, another sensor's, or sealed to another post
//
// Segments are appended to and never changed; NNNNNNNN grows over all boots, so that it is their
// order whatever the clock did.  A segment goes when all of it is acknowledged; when the spool is
// over its size or age, or the disk is full, the oldest goes, and what was lost with it is told,
// each with its reason.  Files that cannot be used are never deleted while there is room for them.
// One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/wire.h"

#define SPOOL_WHY   512
#define SPOOL_BOOTS 64          // older ones go; each is a start of the sensor without a link
#define SPOOL_SPANS 64          // of lost messages at once

struct spool_cfg {
    const char *dir;            // made where its parent is there
    uint64_t    max_bytes;      // 0: 64 MB
    double      max_s;          // 0: 24 h
    uint8_t     post[32];       // the post's public key
    uint8_t     mac[32];        // a secret of this sensor: what it did not write is not its own
    uint64_t    boot;           // of this start
    int64_t     now_ns, mono_ns;
};

struct spool;

// Why messages are lost: over its size; over its age; no room on the disk (or another error of it);
// changed or cut by somebody; the post asks for what it had acknowledged.
enum spool_why { SPOOL_FULL, SPOOL_OLD, SPOOL_DISK, SPOOL_DAMAGED, SPOOL_ASKED, SPOOL_WHYS };

int  spool_new(struct spool **ret, const struct spool_cfg *cfg, char why[SPOOL_WHY]);
void spool_free(struct spool *s);           // what it holds stays on disk

// The running boot's next message.  0, or -errno: it could not be kept (counted).
int  spool_add(struct spool *s, uint64_t seq, const uint8_t *msg, size_t len, int64_t mono_ns);
// The first message of a boot from seq on, sealed: its length and *ret_seq, or -ENOENT.
int  spool_read(struct spool *s, uint64_t boot, uint64_t seq, uint8_t *buf, size_t size,
                uint64_t *ret_seq);
void spool_ack(struct spool *s, uint64_t boot, uint64_t next);   // all before next are durable
// Puts on the disk what was added, and lets go what is too old.  Every second or so.
void spool_tick(struct spool *s, int64_t mono_ns);

// Boots with messages on disk, newest first; how many.
unsigned spool_boots(const struct spool *s, struct wire_held ret[SPOOL_BOOTS]);
// Messages dropped with nobody having them; span i of those not acknowledged past yet.
bool     spool_lost(const struct spool *s, unsigned i, struct wire_span *ret);
void     spool_lose(struct spool *s, uint64_t boot, uint64_t from, uint64_t to,
                    enum spool_why why);
uint64_t spool_lost_total(const struct spool *s);       // all reasons
uint64_t spool_lost_by(const struct spool *s, enum spool_why why);
// Files found at the start: set aside as damaged or another sensor's, as sealed to another post,
// left where they are because they cannot be read.
struct spool_found { unsigned damaged, foreign, unreadable; };
struct spool_found spool_found(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);
