// SPDX-License-Identifier: GPL-3.0-or-later
// Each bit is a step of frequency, smoothed by a Gaussian:
//
//     share of bit k in the frequency at t:   Q(c (t - 1/2)) - Q(c (t + 1/2)),   t from the middle
//     of the bit in symbols,  c = 2 pi BT / sqrt(ln 2)   (the Gaussian's -3 dB width is BT)
//
// The first bit is held before it, the last behind it: envelope and length are exact.
#include "sdr/tx/gfsk.h"

#include <math.h>

#include "sdr/kernel/turns.h"

#define PIECE 256
#define SPAN 2                  // bits on each side that still matter: the share is 1e-5 at BT 0.5

static double q(double x) { return 0.5 * erfc(x / sqrt(2)); }

// What a bit at distance t (symbols) adds to the frequency.
static double share(const struct gfsk *g, double t)
{
    double c = 2 * M_PI * g->bt / sqrt(log(2));
    if (g->bt <= 0)
        return fabs(t) < 0.5 ? 1 : 0;
    return q(c * (t - 0.5)) - q(c * (t + 0.5));
}

// Frequencies (real parts, in units of `turn` turns a sample) to phases in the middle of each step.
static void turns_of(double turn, float complex *iq, size_t n)
{
    const struct turns_ops *ops = turns_ops();
    uint32_t phase[PIECE];
    uint64_t sum = 0;                               // 2^48 is a turn
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < m; i++) {
            int64_t step = (int64_t)(turn * (double)crealf(iq[at + i]) * 0x1p48);
            phase[i] = (uint32_t)((sum + (uint64_t)(step / 2)) >> 16);
            sum += (uint64_t)step;
        }
        ops->run(phase, iq + at, m);
    }
}

void gfsk_modulate(const struct gfsk *g, const uint8_t *bit, size_t n, float complex *iq)
{
    double w[2 * SPAN + 1], turn = g->index / 2 / g->sps;
    for (unsigned s = 0; s < g->sps; s++) {
        double at = (s + 0.5) / g->sps - 0.5;       // from the middle of the present bit
        for (int k = -SPAN; k <= SPAN; k++)
            w[k + SPAN] = share(g, at - k);
        for (size_t i = 0; i < n; i++) {
            double f = 0;
            for (int k = -SPAN; k <= SPAN; k++) {
                size_t j = k < 0 && i < (size_t)-k ? 0 : i + (size_t)(ptrdiff_t)k;
                f += w[k + SPAN] * (bit[j < n ? j : n - 1] ? 1 : -1);
            }
            iq[i * g->sps + s] = (float)f;          // frequency first, phase below
        }
    }
    turns_of(turn, iq, n * g->sps);
}

uint8_t *bits_lsb(uint8_t *bit, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < 8 * n; i++)
        *bit++ = (p[i / 8] >> (i % 8)) & 1;
    return bit;
}
