// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11's OFDM frames from their definition, for tests and curves: short and long training fields
// and symbols of random QPSK, in 20, 10 or 5 MHz.  Shares no code with the simulator's
// transmitters.
#pragma once

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/rng.h"

#define WIFI_SYMBOLS 64

struct wifi_made {
    double   rate_hz, slow;             // slow: 1, 2, 4 for 20, 10, 5 MHz
    unsigned symbols;                   // behind the training
    double   start;                     // capture index (fractional)
    double   f_hz, clock, amplitude, phase;
    bool     second;                    // the first symbol begins with half a short field, as 11n's
    double   echo_s, echo;              // a second path
    signed char re[WIFI_SYMBOLS][52], im[WIFI_SYMBOLS][52];
};

static inline void wifi_made_bits(struct wifi_made *m, struct rng *r)
{
    for (unsigned s = 0; s < WIFI_SYMBOLS; s++)
        for (unsigned k = 0; k < 52; k++) {
            m->re[s][k] = rng_u64(r) & 1 ? 1 : -1;
            m->im[s][k] = rng_u64(r) & 1 ? 1 : -1;
        }
}

// t us into the frame (of 20 MHz); mean power 1.
static inline double complex wifi_made_value(const struct wifi_made *m, double t)
{
    static const signed char stf[13] = { 1, -1, 1, -1, -1, 1, 0, -1, -1, 1, 1, 1, 1 };
    static const char ltf[] = "++--++-+-++++++--++-+-++++0+--++-+-+-----++--+-+-++++";
    double complex v = 0;
    int symbol = (int)floor((t - 16) / 4);
    if (t < 0 || symbol >= (int)m->symbols)
        return 0;
    bool field = t < 8 || (m->second && symbol == 0);
    if (field) {
        for (int k = 0; k < 13; k++)
            v += stf[k] * cexp(2 * M_PI * I * (k - 6) * 1.25 * t);
        return v * (1 + I) / sqrt(24);
    }
    double from = t < 16 ? 9.6 : 16.8 + 4 * symbol;
    for (int k = 0, c = 0; k < 53; k++) {
        double complex a = ltf[k] == '+' ? 1 : -1;
        if (k == 26)
            continue;
        if (t >= 16)
            a = (m->re[symbol][c] + I * m->im[symbol][c]) / sqrt(2);
        v += a * cexp(2 * M_PI * I * (k - 26) * 0.3125 * (t - from));
        c++;
    }
    return v / sqrt(52);
}

static inline double wifi_made_samples(const struct wifi_made *m)
{
    return (16 + 4 * m->symbols) * m->slow * 1e-6 * m->rate_hz / m->clock;
}

static inline void wifi_made_add(const struct wifi_made *m, int64_t n0, size_t count,
                                 float complex *x)
{
    double us = 1e6 / m->slow * m->clock / m->rate_hz;
    int64_t i = (int64_t)floor(m->start), end = (int64_t)(m->start + wifi_made_samples(m)) + 2;
    for (i = i < n0 ? n0 : i; i < end && i < n0 + (int64_t)count; i++) {
        double t = ((double)i - m->start) * us, a = m->phase + m->f_hz * (double)i / m->rate_hz;
        double complex v = wifi_made_value(m, t);
        if (m->echo > 0)
            v += m->echo * wifi_made_value(m, t - m->echo_s * 1e6 / m->slow);
        x[i - n0] += (float complex)(m->amplitude * v * cexp(2 * M_PI * I * (a - floor(a))));
    }
}
