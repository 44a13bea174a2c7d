// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/radio/loss.h"

#include <math.h>

#define NS        1e9
#define FUTURE_S  0.1           // before the earliest arrival is known well
#define ODD_JUMP  4             // a jump counts so much against the stamps, a good one as -1
#define ODD_MAX   12            // three in a row, or every second one for a while
#define MISSING_MAX 16          // reads in a row without any stamp
#define WINDOW_NS 1000000000
#define DRIFT     200e-6        // crystal and host clock together
#define LATE_S    0.02          // a loss not told by the driver must stand out of the bus' jitter
#define TOLD_S    0.002         // one that was told need not

void loss_init(struct loss *l, double rate_hz, uint32_t mtu, bool stamps)
{
    *l = (struct loss){ .rate_hz = rate_hz, .mtu = mtu, .stamps = stamps, .best_ns = INFINITY };
}

void loss_overflow(struct loss *l)
{
    l->overflow = true;
    l->told = 2;                // this window holds samples from before as well
}

void loss_restart(struct loss *l)
{
    // The gap is seen at the end of the second by the host's clock, where the line stays.
    l->have = false;
    loss_overflow(l);
}

static struct loss_news by_stamp(struct loss *l, uint32_t n, int64_t stamp_ns, int64_t host_ns)
{
    struct loss_news r = { 0 };
    double ahead_s = (double)(stamp_ns - l->expect_ns) / NS;
    double age_ns = (double)(host_ns - stamp_ns) - n / l->rate_hz * NS;

    l->least_ns += DRIFT * (double)(host_ns - l->host_ns);
    if (l->have && fabs(ahead_s * l->rate_hz) >= 1.5) {     // stamps are cut to whole ns
        r.jumped = ahead_s < 0 || age_ns < l->least_ns - FUTURE_S * NS;
        r.by_s = r.jumped ? ahead_s : 0;
        if (!r.jumped)
            r.lost = (uint64_t)llround(ahead_s * l->rate_hz);
    }
    if (!r.lost && l->overflow)
        r.lost = 1;                     // something is missing, nobody knows how much
    l->odd = r.jumped ? l->odd + ODD_JUMP : l->odd ? l->odd - 1 : 0;
    r.distrusted = l->odd >= ODD_MAX;
    if (!l->have || r.jumped || age_ns < l->least_ns)
        l->least_ns = age_ns;
    l->expect_ns = stamp_ns + llround(n / l->rate_hz * NS);
    l->have = true;
    return r;
}

static uint64_t end_window(struct loss *l, int64_t host_ns)
{
    double off_ns = l->best_ns - l->base_ns, buffers = l->told ? 2 : 4;
    double least_s = fmax(l->told ? TOLD_S : LATE_S, buffers * l->mtu / l->rate_hz);
    uint64_t lost = 0;

    if (!l->have_base || off_ns < 0)
        l->base_ns = l->best_ns;
    else if (off_ns > least_s * NS)
        lost = (uint64_t)llround(off_ns / NS * l->rate_hz);
    else
        l->base_ns += fmin(off_ns, DRIFT * WINDOW_NS);
    l->have_base = true;
    l->best_ns = INFINITY;
    l->end_ns = host_ns + WINDOW_NS;
    l->told -= l->told > 0;
    return lost;
}

static struct loss_news by_host(struct loss *l, uint64_t index, uint32_t n, int64_t host_ns)
{
    struct loss_news r = { .lost = l->overflow };       // how much, the end of the second tells
    double off_ns = (double)host_ns - (double)(index + n) / l->rate_hz * NS;

    l->best_ns = fmin(l->best_ns, off_ns);
    if (!l->end_ns)
        l->end_ns = host_ns + WINDOW_NS;
    if (host_ns >= l->end_ns)
        r.lost += end_window(l, host_ns);
    return r;
}

struct loss_news loss_samples(struct loss *l, uint64_t index, uint32_t n, bool has_stamp,
                              int64_t stamp_ns, int64_t host_ns)
{
    struct loss_news r, h = by_host(l, index, n, host_ns);

    if (has_stamp)
        l->missing = 0;
    if (!l->stamps)
        r = h;
    else if (has_stamp)
        r = by_stamp(l, n, stamp_ns, host_ns);
    else {
        r = (struct loss_news){ .distrusted = ++l->missing > MISSING_MAX };
        l->expect_ns += llround(n / l->rate_hz * NS);   // the next stamp tells what was lost
    }
    if (r.distrusted) {
        l->stamps = false;
        l->have_base = false;
    }
    if (has_stamp || !l->stamps)
    l->overflow = false;
    l->host_ns = host_ns;
    return r;
}
