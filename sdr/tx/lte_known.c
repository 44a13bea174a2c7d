// SPDX-License-Identifier: GPL-3.0-or-later
// Synchronisation and reference signals of LTE, written from 3GPP 36.211: 6.10.1, 6.11.1, 6.11.2.
#include <math.h>
#include <stdint.h>

#include "sdr/tx/lte.h"
#include "sdr/tx/ofdm15.h"

void lte_pss(unsigned id2, double complex d[LTE_SYNC])
{
    static const unsigned root[3] = { 25, 29, 34 };
    double complex z[63];
    ofdm_zc(root[id2 % 3], 63, z);
    for (unsigned i = 0; i < LTE_SYNC; i++)
        d[i] = z[i < 31 ? i : i + 1];           // the middle one would fall on 0 Hz
}

void lte_sss_shifts(unsigned id1, unsigned *ret_m0, unsigned *ret_m1)
{
    unsigned q1 = id1 / 30, q = (id1 + q1 * (q1 + 1) / 2) / 30, m = id1 + q * (q + 1) / 2;
    *ret_m0 = m % 31;
    *ret_m1 = (*ret_m0 + m / 31 + 1) % 31;
}

// x(i + 5) = sum of x(i + tap) over the taps; x(4) = 1, the others before it 0; as +1 and -1.
static void m_sequence(unsigned taps, int8_t s[31])
{
    uint8_t x[31 + 5] = { 0, 0, 0, 0, 1 };
    for (unsigned i = 0; i < 31; i++) {
        for (unsigned t = 0; t < 5; t++)
            x[i + 5] ^= taps >> t & 1 & x[i + t];
        s[i] = x[i] ? -1 : 1;
    }
}

void lte_sss(unsigned cell, unsigned subframe, double d[LTE_SYNC])
{
    int8_t s[31], c[31], z[31];
    unsigned id2 = cell % 3, m0, m1;
    m_sequence(1 << 2 | 1, s);
    m_sequence(1 << 3 | 1, c);
    m_sequence(1 << 4 | 1 << 2 | 1 << 1 | 1, z);
    lte_sss_shifts(cell / 3, &m0, &m1);
    unsigned a = subframe ? m1 : m0, b = subframe ? m0 : m1;    // swapped in subframe 5
    for (unsigned n = 0; n < 31; n++) {
        d[2 * n] = s[(n + a) % 31] * c[(n + id2) % 31];
        d[2 * n + 1] = s[(n + b) % 31] * c[(n + id2 + 3) % 31] * z[(n + a % 8) % 31];
    }
}

unsigned lte_crs(unsigned cell, unsigned ns, unsigned l, unsigned blocks, double complex *r)
{
    enum { MOST = 110 };                        // blocks of the widest carrier thinkable
    uint8_t bit[4 * MOST];
    ofdm_gold(1024 * (7 * (ns + 1) + l + 1) * (2 * cell + 1) + 2 * cell + 1, sizeof bit, bit);
    for (unsigned m = 0; m < 2 * blocks; m++) {
        unsigned at = m + MOST - blocks;
        r[m] = ofdm_qpsk(bit[2 * at], bit[2 * at + 1]);
    }
    return ((l ? 3 : 0) + cell % 6) % 6;
}
