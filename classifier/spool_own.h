// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: spool.c (at work) and spool_open.c (what an earlier start left) only.
#pragma once

#include "classifier/spool.h"
#include "classifier/spool_seg.h"

#define SPOOL_SEGS 512          // files at most; the oldest go

struct spool {
    struct spool_cfg cfg;
    int       dir, lock, fd;    // fd: the segment written to, -1 none
    bool      dirty, writing;   // writing: the last segment is the one at fd
    unsigned  n;
    struct seg seg[SPOOL_SEGS];       // in order of no
    unsigned  next_no;
    uint64_t  bytes, seg_bytes, lost_by[SPOOL_WHYS];
    struct spool_found found;
    unsigned  n_bad;            // files set aside that lie there
    unsigned  n_lost;
    struct wire_span lost[SPOOL_SPANS];
    int       read_fd;          // where the last read stopped
    unsigned  read_no;
    uint64_t  read_off, read_next;
};

void spool_oldest_drop(struct spool *s, enum spool_why why);
void spool_read_close(struct spool *s);
