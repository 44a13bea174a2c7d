// SPDX-License-Identifier: GPL-3.0-or-later
// Bluetooth Low Energy packets from the definition of their modulation, for tests and curves:
// 1 Mb/s, Gaussian BT 0.5, index 0.5.  Shares no code with the simulator's transmitter.
#pragma once

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/rng.h"

#define GFSK_BITS 2200

struct gfsk_made {
    double   rate_hz;
    unsigned bits;                      // in all
    bool     address;                   // preamble and advertisements' access address in front
    double   start;                     // capture index (fractional)
    double   f_hz, clock, amplitude, phase;
    unsigned char bit[GFSK_BITS];
};

static inline void gfsk_made_bits(struct gfsk_made *m, struct rng *r)
{
    static const char head[] = "01010101" "01101011" "01111101" "10010001" "01110001";
    for (unsigned i = 0; i < m->bits; i++)
        m->bit[i] = m->address && i < 40 ? head[i] == '1' : rng_u64(r) & 1;
}

// Integral of a Gaussian-filtered step of frequency that begins at 0, t in bits.
static inline double gfsk_made_ramp(double t)
{
    double s = sqrt(log(2)) / (2 * M_PI * 0.5);         // of the Gaussian, bits
    double z = t / s;
    return t * 0.5 * erfc(-z / sqrt(2)) + s * exp(-z * z / 2) / sqrt(2 * M_PI);
}

// Turns up to t bits into the packet: a quarter each.
static inline double gfsk_made_turns(const struct gfsk_made *m, double t)
{
    double sum = 0;
    int first = (int)t - 4 < 0 ? 0 : (int)t - 4;
    for (int k = 0; k < first && k < (int)m->bits; k++)
        sum += m->bit[k] ? 1 : -1;
    for (int k = first; k < (int)m->bits && k < t + 4; k++)
        sum += (m->bit[k] ? 1 : -1) * (gfsk_made_ramp(t - k) - gfsk_made_ramp(t - k - 1));
    return sum / 4;
}

static inline void gfsk_made_add(const struct gfsk_made *m, int64_t n0, size_t count,
                                 float complex *x)
{
    double per = 1e6 * m->clock / m->rate_hz;
    int64_t i = (int64_t)ceil(m->start), end = (int64_t)ceil(m->start + m->bits / per);
    for (i = i < n0 ? n0 : i; i < end && i < n0 + (int64_t)count; i++) {
        double turns = gfsk_made_turns(m, ((double)i - m->start) * per) + m->phase +
                       m->f_hz * (double)i / m->rate_hz;
        double a = 2 * M_PI * (turns - floor(turns));
        x[i - n0] += (float)m->amplitude * ((float)cos(a) + I * (float)sin(a));
    }
}
