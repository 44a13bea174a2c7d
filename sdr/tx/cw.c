// SPDX-License-Identifier: GPL-3.0-or-later
// An unmodulated carrier: without an end, or keyed.
//
//     no duration_s                    duration_s and period_s
//     |----------------- ... --|       |----|     |----|     |----|
//     one transmission in pieces       0          period     2 period
//
// A carrier has no width of its own; 10 kHz stands for it, the width of the narrowest energy tile.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"

#define CW_RATE_HZ 1e6          // edges of a keyed carrier rise within about 1 us
#define CW_BW_HZ   10e3
#define CW_PIECE   8192         // 8 ms: a piece is held in memory

struct cw {
    double        freq_hz, period_s, duration_s, until_s, t_s;
    size_t        left;         // samples of the present transmission still to send
    float complex one[CW_PIECE];
};

static int cw_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    (void)rng;
    if (!args_need_freq("cw", a, why))
        return -EINVAL;
    if (a->period_s > 0 && !(a->duration_s > 0 && a->duration_s <= a->period_s)) {
        snprintf(why, IQ_WHY, "duration_s is %g, expected more than 0 and up to period_s (%g)",
                 a->duration_s, a->period_s);
        return -EINVAL;
    }
    struct cw *c = malloc(sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct cw){ .freq_hz = a->freq_hz, .period_s = a->period_s, .until_s = a->until_s,
                      .duration_s = a->duration_s > 0 ? a->duration_s : a->until_s };
    for (int i = 0; i < CW_PIECE; i++)
        c->one[i] = 1;
    *ret_state = c;
    return 0;
}

static int cw_next(void *state, struct tx_packet *ret_packet)
{
    struct cw *c = state;
    bool first = !c->left;
    if (first) {
        double len_s = fmin(c->duration_s, c->until_s - c->t_s);
        if (!(len_s * CW_RATE_HZ >= 1))
            return 0;
        c->left = (size_t)(len_s * CW_RATE_HZ);
    }
    size_t n = c->left < CW_PIECE ? c->left : CW_PIECE;
    c->left -= n;
    *ret_packet = (struct tx_packet){ .t_s = c->t_s, .freq_hz = c->freq_hz, .bw_hz = CW_BW_HZ,
                                      .rate_hz = CW_RATE_HZ, .n = n, .iq = c->one,
                                      .continues = !first, .bit_exact = true };
    if (!c->left)               // the next one starts a period later, or never
        c->t_s = c->period_s > 0 ? c->t_s + c->period_s : c->until_s;
    return 1;
}

const struct tx_model tx_cw = {
    .name = "cw", .family = "cw",
    .about = "unmodulated carrier, steady or keyed (duration_s, period_s)",
    .bit_exact = true, .make = cw_make, .next = cw_next, .drop = free,
};
