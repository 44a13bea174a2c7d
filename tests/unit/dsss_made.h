// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11b transmissions at 1 Mb/s from their definition, for tests and curves: long preamble, then
// random bits.  Shares no code with the simulator's transmitters.
#pragma once

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/rng.h"

#define DSSS_SYMBOLS 1200

struct dsss_made {
    double   rate_hz;
    unsigned symbols;                   // in all
    bool     preamble;                  // 128 scrambled ones in front
    double   start;                     // capture index (fractional)
    double   f_hz, clock, amplitude, phase;
    signed char symbol[DSSS_SYMBOLS];
};

// Starts as the standard's own example: 01111110111011001110100010100100 ...
static inline void dsss_made_bits(struct dsss_made *m, struct rng *r)
{
    static const unsigned char seed[7] = { 1, 1, 0, 1, 1, 0, 0 };  // z^-7 first
    unsigned char s[7 + 128];
    signed char now = 1;
    for (int i = 0; i < 7; i++)
        s[i] = seed[6 - i];
    for (unsigned k = 0; k < DSSS_SYMBOLS; k++) {
        bool bit = rng_u64(r) & 1;
        if (m->preamble && k < 128)
            bit = (s[k + 7] = 1 ^ s[k + 7 - 4] ^ s[k]) != 0;
        now = bit ? (signed char)-now : now;
        m->symbol[k] = now;
    }
}

// Chip c, smoothly joined to its neighbours over 40 % of their length: 17 MHz wide at -20 dB.
static inline double dsss_made_chip(const struct dsss_made *m, long c)
{
    static const signed char code[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };
    return c < 0 || c >= 11 * (long)m->symbols ? 0 : m->symbol[c / 11] * code[c % 11];
}

static inline double dsss_made_value(const struct dsss_made *m, double chips)
{
    long c = (long)floor(chips);
    double u = chips - (double)c, edge = 0.4, v = dsss_made_chip(m, c);
    if (u < edge / 2)
        return v + (dsss_made_chip(m, c - 1) - v) * (0.5 - 0.5 * sin(M_PI * u / edge));
    if (u > 1 - edge / 2)
        return v + (dsss_made_chip(m, c + 1) - v) * (0.5 - 0.5 * sin(M_PI * (1 - u) / edge));
    return v;
}

static inline void dsss_made_add(const struct dsss_made *m, int64_t n0, size_t count,
                                 float complex *x)
{
    double per = 11e6 * m->clock / m->rate_hz;
    int64_t i = (int64_t)floor(m->start) - 1, end = (int64_t)(m->start + 11 * m->symbols / per) + 2;
    for (i = i < n0 ? n0 : i; i < end && i < n0 + (int64_t)count; i++) {
        double v = dsss_made_value(m, ((double)i - m->start) * per);
        double a = 2 * M_PI * fmod(m->phase + m->f_hz * (double)i / m->rate_hz, 1);
        x[i - n0] += (float)(m->amplitude * v) * ((float)cos(a) + I * (float)sin(a));
    }
}
