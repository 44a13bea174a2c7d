// SPDX-License-Identifier: GPL-3.0-or-later
// Where a radio is to be, and where it is known to work.
//
//     wanted (any thread) --news--> ask: the child is tuned, or opened, there
//                                    |  samples of that centre          -> good = ask
//                                    '  a child that gives none there   -> ask = good
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sdr/radio/live.h"

#define MISSES 2

// Where it is wanted now, if anybody has said so since it was last forwarded: into l->ask.
bool live_news_of_place(struct live *l)
{
    struct iq_place p;
    uint64_t n = atomic_load(&l->wanted.count);

    if (n == l->tuned_count || n & 1)
        return false;
    n = board_read(&l->wanted, &p, sizeof p);
    l->tuned_count = n;
    const struct talk_ask *o = &l->opened;
    l->ask.centre_hz = p.centre_hz;
    l->ask.gain_db = isnan(p.gain_db) ? o->gain_db : p.gain_db;
    l->ask.bandwidth_hz = p.filter_hz > 0 ? p.filter_hz : o->bandwidth_hz;
    memcpy(l->ask.antenna, p.antenna[0] ? p.antenna : o->antenna, sizeof l->ask.antenna);
    memcpy(l->ask.settings, p.settings[0] ? p.settings : o->settings, sizeof l->ask.settings);
    return true;
}

static bool same_place(const struct talk_ask *a, const struct talk_ask *b)
{
    return fabs(a->centre_hz - b->centre_hz) < 1 && !(fabs(a->gain_db - b->gain_db) > 0) &&
           !(fabs(a->bandwidth_hz - b->bandwidth_hz) > 0) && !strcmp(a->antenna, b->antenna) &&
           !strcmp(a->settings, b->settings);
}

// A child that gave no samples where it was to open: refused there, or dead of it twice.  The next
// one opens where the last samples came from, else none ever would; who wants another place asks.
void live_judge_place(struct live *l)
{
    bool refused = l->fatal && l->fatal_code == EINVAL;

    if (l->rolling || !l->good.kind || (l->fatal && !refused) ||
        (++l->misses < MISSES && !refused) || same_place(&l->ask, &l->good))
        return;
    live_remark(l, REMARK_PLACE, REMARK_S, "it does not start at %.9g MHz with what is set there; "
                "back to %.9g MHz", l->ask.centre_hz / 1e6, l->good.centre_hz / 1e6);
    l->ask = l->good;
    l->misses = 0;
}
