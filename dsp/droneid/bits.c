// SPDX-License-Identifier: GPL-3.0-or-later
// Tables and checks of the bit chain: turbo interleaver, rate matching, Gold sequence, both CRCs.
#include "dsp/droneid/droneid.h"

#include <string.h>

#define GOLD_SKIP 1600                  // 36.211, 7.2: Nc
#define GOLD_INIT 0x12345678u           // c_init of DroneID; 31 bits used

// Sub-block interleaver (36.212, 5.1.4.1.1): 32 columns, 45 rows hold 1412 bits behind 28 dummies.
#define COLS  32
#define ROWS  45
#define DUMMY (COLS * ROWS - DID_STREAM)
#define WRAP  (3 * COLS * ROWS)
#define K0    (2 * ROWS)                // redundancy version 0 starts two columns in

static void gold_init(uint8_t *out, int n)
{
    uint32_t x1 = 1, x2 = GOLD_INIT & 0x7fffffff;
    for (int i = 0; i < GOLD_SKIP + n; i++) {
        if (i >= GOLD_SKIP)
            out[i - GOLD_SKIP] = (x1 ^ x2) & 1;
        uint32_t b1 = (x1 >> 3 ^ x1) & 1;
        uint32_t b2 = (x2 >> 3 ^ x2 >> 2 ^ x2 >> 1 ^ x2) & 1;
        x1 = x1 >> 1 | b1 << 30;
        x2 = x2 >> 1 | b2 << 30;
    }
}

// Which bit of stream s stands at place k of its interleaved stream; negative for a dummy.
static int interleaved(int s, int k)
{
    static const uint8_t column[COLS] = {
        0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30,
        1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31,
    };
    int at = column[k / ROWS] + COLS * (k % ROWS);
    if (s == 2)                         // the third stream is read one further
        at = (at + 1) % (COLS * ROWS);
    return at - DUMMY;
}

static void source_init(uint16_t *source)
{
    int e = 0;
    for (int j = K0; e < DID_CODED; j = (j + 1) % WRAP) {
        int s = 0, k = j;
        if (j >= COLS * ROWS) {         // streams 2 and 3 alternate behind the first
            s = 1 + (j - COLS * ROWS) % 2;
            k = (j - COLS * ROWS) / 2;
        }
        int at = interleaved(s, k);
        if (at >= 0)
            source[e++] = (uint16_t)(s * DID_STREAM + at);
    }
}

void did_tables_init(struct did_tables *t)
{
    for (int i = 0; i < DID_BITS; i++)  // 36.212, table 5.1.3-3, K = 1408
        t->perm[i] = (uint16_t)((43 * (uint32_t)i + 88 * (uint32_t)i * (uint32_t)i) % DID_BITS);
    source_init(t->source);
    gold_init(t->gold, DID_CODED);
}

uint32_t did_crc24a(const uint8_t *p, size_t n)
{
    uint32_t r = 0;
    for (size_t i = 0; i < n; i++) {
        r ^= (uint32_t)p[i] << 16;
        for (int b = 0; b < 8; b++)
            r = r & 0x800000 ? (r << 1 ^ 0x864cfb) & 0xffffff : r << 1;
    }
    return r;
}

uint16_t did_crc16(const uint8_t *p, size_t n)
{
    uint32_t r = 0x3692;
    for (size_t i = 0; i < n; i++) {
        r ^= p[i];
        for (int b = 0; b < 8; b++)
            r = r & 1 ? r >> 1 ^ 0x8408 : r >> 1;
    }
    return (uint16_t)r;
}

void did_rate_recover(const struct did_tables *t, const float on_air[DID_CODED],
                      float llr[3][DID_STREAM])
{
    float *flat = &llr[0][0];           // source[] counts through all three streams
    memset(llr, 0, sizeof(float[3][DID_STREAM]));
    for (int e = 0; e < DID_CODED; e++)
        flat[t->source[e]] += t->gold[e] ? -on_air[e] : on_air[e];
}

void did_rate_match(const struct did_tables *t, const float stream[3][DID_STREAM],
                    float on_air[DID_CODED])
{
    const float *flat = &stream[0][0];
    for (int e = 0; e < DID_CODED; e++) {
        float v = flat[t->source[e]];
        on_air[e] = t->gold[e] ? -v : v;
    }
}
