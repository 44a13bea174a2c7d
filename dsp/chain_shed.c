// SPDX-License-Identifier: GPL-3.0-or-later
// What is left out when a radio gives more than this machine can look at.
//
// The radio's ring holds some 0.8 s.  As it fills, bursts lose their samples (they are still told
// with place, level and BURST_NO_SAMPLES, and counted), least valuable first, so that samples, and
// with them whole bursts, are lost last:
//
//     waiting in the ring   0 ---- 0.1 s ------ 0.2 s ------ 0.35 s ------ 0.5 s ------ full
//     left out                none  3 of 4 later 3 of 4 wide  3 of 4 others 31 of 32 of  samples
//                                   parts of runs bursts too  too           all these
//
// A run goes on whether a part of it is looked at or not; wide bursts are a crowd's Wi-Fi most of
// the time: many, dear, and one of four says what all do.  What may be DroneID and the first part
// of a run are always looked at.  A recording waits, so of it nothing is ever left out.
#include "dsp/chain_in.h"

#define SHED_RUNS_S  0.10
#define SHED_WIDE_S  0.20
#define SHED_REST_S  0.35
#define SHED_MORE_S  0.50
#define WIDE_HZ      5e6        // narrower than any Wi-Fi, wider than any hopper's packet
#define KEEP_EVERY   4
#define KEEP_FEW     32         // ten thousand bursts a second, a millisecond each: 0.3 of a core

bool chain_sheds(struct dsp *d, const struct burst *b)
{
    bool run = b->part != BURST_WHOLE, wide = b->f_hi_hz - b->f_lo_hz > WIDE_HZ;
    double most_s = run ? SHED_RUNS_S : wide ? SHED_WIDE_S : SHED_REST_S;
    double behind_s = atomic_load(&d->behind_s);

    if (!(behind_s > most_s) || (b->hyp & HYP_DRONEID) || b->part == BURST_RUN_FIRST)
        return false;
    return ++d->turn[run ? 0 : wide ? 1 : 2] % (behind_s > SHED_MORE_S ? KEEP_FEW : KEEP_EVERY);
}
