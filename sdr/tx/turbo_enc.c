// SPDX-License-Identifier: GPL-3.0-or-later
// LTE turbo encoder and rate matching, written from 3GPP 36.212, 5.1.1, 5.1.3.2 and 5.1.4.1.
//
//      in ----------------------------------> d0 (systematic)
//       |--> [g1/g0] -----------------------> d1
//       `--> [QPP interleaver] --> [g1/g0] -> d2      then 12 tail bits, shared out over the three
#include "sdr/tx/turbo_enc.h"

#include <string.h>

uint32_t crc24a(const uint8_t *p, size_t n)
{
    uint32_t r = 0;
    for (size_t i = 0; i < n; i++) {
        r ^= (uint32_t)p[i] << 16;
        for (int b = 0; b < 8; b++)
            r = r << 1 ^ (r & 0x800000 ? 0x1864cfb : 0);
    }
    return r & 0xffffff;
}

unsigned turbo_qpp(unsigned i)
{
    return (43 * i + 88 * i * i) % TURBO_K;     // f1, f2 of K = 1408, table 5.1.3-3
}

// One constituent encoder.  State bits: 4 = newest (D), 1 = oldest (D^3).
// g0 = 1 + D^2 + D^3 feeds back, g1 = 1 + D + D^3 is the parity.
struct rsc { unsigned s; };

static uint8_t rsc_step(struct rsc *r, unsigned in)
{
    unsigned d1 = r->s >> 2, d2 = r->s >> 1 & 1, d3 = r->s & 1;
    unsigned fed = in ^ d2 ^ d3;
    r->s = fed << 2 | d1 << 1 | d2;
    return (uint8_t)(fed ^ d1 ^ d3);
}

// Three steps that empty the register: the input equals the feedback.
static void rsc_tail(struct rsc *r, uint8_t x[3], uint8_t z[3])
{
    for (int i = 0; i < 3; i++) {
        x[i] = (uint8_t)((r->s >> 1 ^ r->s) & 1);
        z[i] = rsc_step(r, x[i]);
    }
}

void turbo_encode(const uint8_t in[TURBO_K], uint8_t d[3][TURBO_D])
{
    struct rsc a = { 0 }, b = { 0 };
    for (unsigned i = 0; i < TURBO_K; i++) {
        d[0][i] = in[i];
        d[1][i] = rsc_step(&a, in[i]);
        d[2][i] = rsc_step(&b, in[turbo_qpp(i)]);
    }
    uint8_t x[3], z[3], y[3], w[3];             // y, w: of the second encoder
    rsc_tail(&a, x, z);
    rsc_tail(&b, y, w);
    const uint8_t tail[3][4] = {                // 5.1.3.2.2
        { x[0], z[1], y[0], w[1] },
        { z[0], x[2], w[0], y[2] },
        { x[1], z[2], y[1], w[2] },
    };
    for (int s = 0; s < 3; s++)
        memcpy(d[s] + TURBO_K, tail[s], 4);
}

enum { COLS = 32, ROWS = 45, PADDED = COLS * ROWS, DUMMIES = PADDED - TURBO_D };

// Place k of a sub-block interleaver's output comes from this place of its input (5.1.4.1.1);
// -1 for a dummy.  The third stream is read one further.
static int subblock_source(int stream, unsigned k)
{
    static const uint8_t column[COLS] = {       // table 5.1.4-1
        0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30,
        1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31,
    };
    unsigned from = (column[k / ROWS] + COLS * (k % ROWS) + (stream == 2)) % PADDED;
    return (int)from - DUMMIES < 0 ? -1 : (int)from - DUMMIES;
}

// The circular buffer: all of v0, then v1 and v2 in turns.
static struct turbo_src buffer_source(unsigned j, int *ret_index)
{
    int stream = j < PADDED ? 0 : 1 + (int)((j - PADDED) & 1);
    unsigned k = j < PADDED ? j : (j - PADDED) / 2;
    *ret_index = subblock_source(stream, k);
    return (struct turbo_src){ (uint8_t)stream, (uint16_t)(*ret_index < 0 ? 0 : *ret_index) };
}

void turbo_match(struct turbo_src e[TURBO_E])
{
    unsigned j = 2 * ROWS;                      // k0 of redundancy version 0
    for (unsigned i = 0; i < TURBO_E; j = (j + 1) % (3 * PADDED)) {
        int index;
        struct turbo_src s = buffer_source(j, &index);
        if (index >= 0)
            e[i++] = s;
    }
}
