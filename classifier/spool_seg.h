// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: one segment file of the spool.
#pragma once

#include "classifier/spool.h"

#define SEG_HEAD 64
#define SEG_REC  24             // before each sealed message
#define SEG_NAME 40

struct seg {
    const uint8_t *mac;         // 32 bytes, borrowed: the sensor's own secret
    unsigned no;
    uint64_t boot, first, last; // seq of what it holds; n records
    uint32_t n;
    uint64_t bytes;             // good ones, head included
    int64_t  born_mono_ns;      // of its newest record, on this boot's monotonic clock
    bool     damaged, torn;     // bytes that are no record of ours lie in it; at its end
};

void seg_name(const struct seg *g, char ret[SEG_NAME]);
bool seg_name_parse(const char *name, struct seg *ret);
// A new file with its head; its descriptor or -errno.
int  seg_make(int dir, const struct seg *g, const uint8_t post[32], int64_t now_ns);
// Appends; on -errno the file is cut back to what it was.
int  seg_add(int fd, struct seg *g, uint64_t seq, const uint8_t *p, size_t len);
// Reads the whole file for what is good; *ret_utc_ns when it was begun.  -EBADMSG: no segment, or
// nothing in it is ours; -EKEYREJECTED: it is sealed to another post; other -errno: not readable.
int  seg_scan(int dir, struct seg *g, const uint8_t post[32], int64_t *ret_utc_ns);
// The record at *off: its length into buf, *ret_seq, *off moved on; 0 at the end, -errno.
int  seg_read(int fd, struct seg *g, uint64_t *off, uint8_t *buf, size_t size, uint64_t *ret_seq);
