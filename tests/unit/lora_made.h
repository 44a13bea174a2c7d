// SPDX-License-Identifier: GPL-3.0-or-later
// LoRa packets from the formula of their phase, for tests and curves: preamble, two sync symbols,
// 2.25 chirps the other way, random payload.  Shares no code with the simulator's transmitter.
#pragma once

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/rng.h"

struct lora_made {
    double   rate_hz, bw_hz;
    unsigned sf, preamble, payload;     // symbols
    bool     down;
    double   start;                     // capture index (fractional)
    double   f_hz;                      // centre, carrier error included
    double   clock;                     // of the sender's symbols: 1 + ppm * 1e-6
    double   amplitude, phase;
};

static inline double lora_made_symbols(const struct lora_made *m)
{
    return m->preamble + 4.25 + m->payload;
}

static inline double lora_made_samples(const struct lora_made *m)
{
    return lora_made_symbols(m) * ldexp(1, (int)m->sf) / m->bw_hz / m->clock * m->rate_hz;
}

// Turns of an up-chirp that starts at offset s of n (samples at one per bandwidth), t in 0..n:
// the frequency rises from s / n - 1/2, wraps at the upper edge.
static inline double lora_made_chirp(double t, double n, double s)
{
    double turns = t * t / (2 * n) + (s / n - 0.5) * t;
    return t > n - s ? turns - (t - (n - s)) : turns;
}

// Adds the packet to x (count samples from capture index n0).
static inline void lora_made_add(const struct lora_made *m, struct rng *r, int64_t n0, size_t count,
                                 float complex *x)
{
    double n = ldexp(1, (int)m->sf), per = m->bw_hz * m->clock / m->rate_hz;
    double whole = ceil(lora_made_symbols(m)), turned = m->phase;
    for (unsigned k = 0; k < (unsigned)whole; k++) {
        bool sync = k >= m->preamble && k < m->preamble + 2;
        bool sfd = k >= m->preamble + 2 && k < m->preamble + 5;
        double len = k == m->preamble + 4 ? n / 4 : n;
        double s = sync ? 8.0 * (k - m->preamble + 1) : 0;
        if (k > m->preamble + 4)
            s = rng_below(r, (uint32_t)n);
        double before = k <= m->preamble + 4 ? k : k - 0.75;
        double first = m->start + before * n / per;
        int64_t i = (int64_t)ceil(first), end = (int64_t)ceil(first + len / per);
        for (; i < end; i++) {
            if (i < n0 || i >= n0 + (int64_t)count)
                continue;
            double turns = lora_made_chirp(((double)i - first) * per, n, s);
            turns = sfd != m->down ? -turns : turns;
            turns += turned + m->f_hz * (double)i / m->rate_hz;
            turns -= floor(turns);
            double a = 2 * M_PI * turns;
            x[i - n0] += (float)m->amplitude * ((float)cos(a) + I * (float)sin(a));
        }
        double all = lora_made_chirp(len, n, s);
        turned += sfd != m->down ? -all : all;
    }
}
