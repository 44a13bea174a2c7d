// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: sample time against the machine's clocks.
//
// A block arrives some time after its last sample was taken: never before, often at once, sometimes
// late (the bus, the scheduler).  So of each second the block counts that came earliest:
//
//      arrival - index / rate       *     *
//                                 *    *     *   *          late ones lie above
//                                ---*------*----*--------   the line of the earliest: the anchor
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_WINDOWS 6

struct radio_clock {
    double   rate_hz;
    bool     known;
    uint64_t index;             // this sample had arrived
    int64_t  mono_ns;           // at this CLOCK_MONOTONIC
    int64_t  utc_less_mono_ns, err_ns;
    int64_t  end_ns;            // of the second being collected; 0: none yet
    double   best_ns;           // earliest arrival in it, relative to the anchor's line
    uint64_t best_index;
    int64_t  best_mono_ns;
    uint64_t best_samples;
    uint64_t jumps;             // of the system's clock
    int64_t  jump_ns;           // the last one's size
    struct { uint64_t samples, index; int64_t mono_ns; } past[CLOCK_WINDOWS];
    unsigned windows;
};

void    clock_init(struct radio_clock *c, double rate_hz);
// The sample before `index` had arrived at mono_ns; `samples` came in all, lost ones not counted;
// utc_less_mono_ns: the two clocks now.  True: there is a new anchor to be told.
bool    clock_arrived(struct radio_clock *c, uint64_t index, int64_t mono_ns, uint64_t samples,
                      int64_t utc_less_mono_ns);
int64_t clock_utc_ns(const struct radio_clock *c, uint64_t index);      // 0: not known
// The index due at mono_ns.
double  clock_index(const struct radio_clock *c, int64_t mono_ns);
// After an outage: the past says nothing about arrival any more; the line stays.
void    clock_restart(struct radio_clock *c);
// Over the last seconds, between earliest arrivals; 0 not known yet.  span_hz counts lost ones too.
double  clock_rate_hz(const struct radio_clock *c, double *ret_span_hz);
