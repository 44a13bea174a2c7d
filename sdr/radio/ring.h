// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: the shared memory between tyto-radio (writes) and the source (reads).
//
//     head | slot 0 | slot 1 | ... | slot N-1 |       N a power of two, one block a slot
//            ^read          ^written                  both count slots from 0 for ever
//
//     slot = struct ring_slot, then block_len samples in the driver's own format
//
// The writer never waits: with no slot free it drops what comes, counts it, and goes on once a
// quarter is free again (one gap instead of a hundred).  The reader believes nothing it finds here:
// vendor code runs on the other side.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

#define RING_MAGIC     UINT64_C(0x3152474e49525954)
#define RING_SLOTS_MAX 1024
#define RING_BYTES_MAX (129u << 20)     // 128 MB of samples and their heads: 0.84 s of 20 MS/s.
                                        // 16-bit samples touch half of it: two radios and the rest
                                        // fit into 2 GB
#define RING_S         1.0              // as long as the reader may be held up, where it fits

// What a slot says about its samples.
struct ring_slot {
    uint64_t seq;               // of the slot, from 0
    uint64_t index;             // of the first sample since the child began, lost ones counted
    uint64_t lost;              // directly before it
    int64_t  mono_ns;           // CLOCK_MONOTONIC when its last sample had arrived
    double   centre_hz;
    uint32_t n, pad;
    double   gain_db;
    uint64_t spare;             // to 64 bytes: samples begin on a cache line
};

enum ring_count { RING_OVERFLOWS, RING_TIMEOUTS, RING_ERRORS, RING_JUMPS, RING_LATE, RING_COUNTS };

struct ring_head {
    uint64_t magic;
    alignas(64) _Atomic uint64_t written;
    alignas(64) _Atomic uint64_t read;
    alignas(64) _Atomic uint32_t asleep;    // the reader waits: wake it
    alignas(64) _Atomic uint64_t count[RING_COUNTS];
};

// Both sides work these out for themselves; they stand nowhere in the shared memory.
struct ring_shape { uint32_t slots, block_len; size_t stride, bytes; };
struct ring_shape ring_shape(double rate_hz, uint32_t block_len);

// ---- The writer ------------------------------------------------------------------------------

struct ring_out {
    struct ring_head *head;
    struct ring_shape shape;
    int      wake_fd;           // eventfd
    size_t   size;              // bytes a sample
    double   rate_hz, centre_hz, gain_db;
    uint64_t index;             // of the next sample
    uint64_t lost;              // directly before it and not yet written down
    uint64_t seq;               // of the slot being filled
    uint32_t n;                 // samples in it
    bool     dropping;
};

void ring_out_init(struct ring_out *r, void *memory, struct ring_shape shape, int wake_fd,
                   size_t size, double rate_hz, double centre_hz);     // gain: by ring_tuned
// n samples, the last of which had arrived at mono_ns.
void ring_put(struct ring_out *r, const void *samples, uint32_t n, int64_t mono_ns);
void ring_lose(struct ring_out *r, uint64_t n, int64_t mono_ns);
void ring_tuned(struct ring_out *r, double centre_hz, double gain_db, int64_t mono_ns);
void ring_count(struct ring_out *r, enum ring_count c);

// ---- The reader ------------------------------------------------------------------------------

struct ring_in {
    struct ring_head *head;
    struct ring_shape shape;
    double   rate_hz;
    uint64_t seq;               // of the next slot
    uint64_t index;             // of the next sample if none is lost
    uint64_t lost;              // so far
    int64_t  began_ns;          // CLOCK_MONOTONIC when the child was started
};

void ring_in_init(struct ring_in *r, void *memory, struct ring_shape shape, double rate_hz,
                  int64_t now_ns);
// 1 and the next slot; 0: none yet; -EBADMSG with a few words: what is there cannot be.
int  ring_take(struct ring_in *r, struct ring_slot *ret, const void **ret_samples,
               const char **ret_why);
void ring_release(struct ring_in *r);       // the slot taken last
uint32_t ring_waiting(const struct ring_in *r);     // slots not taken yet
// Says that the reader will wait; false: there is something, do not.
bool ring_sleep(struct ring_in *r);
