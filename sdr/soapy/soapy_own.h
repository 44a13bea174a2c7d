// SPDX-License-Identifier: GPL-3.0-or-later
// Inside sdr/soapy: the device from within.  Whose field is whose stands beside it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "sdr/sdr.h"
#include "sdr/soapy/soapy_dev.h"

_Static_assert(SOAPY_WHY == IQ_WHY, "sentences go through");

#define DEPTH 128               // blocks of about 1 ms: what drivers for USB radios buffer, 0.1 s
#define SLOTS (DEPTH + 2)       // and one in the reader's hand, one being filled
#define PIECE 4096              // samples converted at a time

// A block on its way: its own copy, for a recording that begins anew takes its blocks with it.
struct slot {
    struct iq_block b;
    uint64_t        index;      // of its first sample, rounds counted
    char           *data;
};

struct soapy_dev {
    struct soapy_cfg  cfg;
    struct iq_info    info;
    double            tune_lo_hz, tune_hi_hz;
    struct slot       slot[SLOTS];
    // the air's thread
    struct iq_source *src;
    struct queue     *queue;
    pthread_t         thread;
    bool              started;
    uint64_t          base;         // index of the present round's first sample
    uint64_t          kept, pushed; // blocks since one was lost; all
    // shared
    atomic_bool       quit, wanted;
    atomic_llong      start_ns, offset_ns, now_index;
    _Atomic double    gain_db;
    // the reader's thread
    double            want_hz;      // where the scene's receiver was tuned to
    const struct slot *in_hand;     // or NULL
    uint32_t          at;
    uint64_t          next, blocks;
    int64_t           jumped_ns;
    bool              floats, fresh, gone;
    float complex     piece[PIECE];
};

int   soapy_air_open(struct soapy_dev *d, char why[SOAPY_WHY]);    // its source
void *soapy_air_run(void *dev);                                    // its thread

static inline double soapy_air_s(const struct soapy_dev *d, uint64_t index)
{
    return (double)index / d->info.rate_hz;
}
