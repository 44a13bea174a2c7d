// SPDX-License-Identifier: GPL-3.0-or-later
// What a DroneID block is likely to say before anything was heard: its form, as LLRs.
//
// Tried only on a frame that failed without.  Serial numbers are ASCII, heights are small, times
// are of this century, the padding is mostly zeros; each bit is worth what it was worth on the few
// published and recorded frames, and no more, so that a wrong guess costs little.  Checks are never
// foretold: a frame read with this help passes both CRCs like any other.
#include "dsp/droneid/droneid.h"

#include <string.h>

#define SURE    5.f                     // the kind itself, by hypothesis
#define MOSTLY  3.f
#define OFTEN   1.5f
#define HARDLY  0.7f

static void expect(float *prior, int at, uint8_t value, uint8_t mask, float llr)
{
    for (int b = 0; b < 8; b++)
        if (mask >> (7 - b) & 1)
            prior[8 * at + b] = value >> (7 - b) & 1 ? -llr : llr;
}

static void expect_all(float *prior, int from, int to, uint8_t value, uint8_t mask, float llr)
{
    for (int i = from; i < to; i++)
        expect(prior, i, value, mask, llr);
}

// Behind both kinds of record lies the buffer of an older one, zeros for the most part.
static void padding(float *prior, int from)
{
    expect_all(prior, from, 142, 0, 0xff, MOSTLY);
    expect_all(prior, from > 142 ? from : 142, DID_FRAME, 0, 0xff, HARDLY);
}

void did_prior_flight(float prior[DID_BITS])
{
    memset(prior, 0, DID_BITS * sizeof(*prior));
    expect(prior, 0, 88, 0xff, SURE);
    expect(prior, 1, 0x10, 0xff, SURE);
    expect(prior, 2, 2, 0xff, SURE);
    expect(prior, 6, 0x10, 0xf0, MOSTLY);               // state: bit 12 set, 13 to 15 clear
    expect_all(prior, 7, 23, 0, 0x80, MOSTLY);          // serial: ASCII
    expect_all(prior, 21, 23, 0, 0xff, OFTEN);          // of 14 characters
    expect(prior, 32, 0, 0xfc, OFTEN);                  // below 1024 m
    expect(prior, 34, 0, 0xf8, OFTEN);                  // below 205 m
    expect(prior, 48, 1, 0xff, OFTEN);                  // 2004 to 2039
    expect_all(prior, 49, 51, 0, 0xff, MOSTLY);
    expect(prior, 67, 0, 0x80, OFTEN);
    expect(prior, 68, 0x10, 0xec, OFTEN);               // 19 digits (0x13), or none
    expect_all(prior, 69, 88, 0x30, 0xc0, OFTEN);
    expect_all(prior, 69, 88, 0x30, 0x30, HARDLY);
    expect(prior, 88, 0, 0xff, MOSTLY);
    padding(prior, 91);
}

void did_prior_licence(float prior[DID_BITS])
{
    memset(prior, 0, DID_BITS * sizeof(*prior));
    expect(prior, 0, 0x8d, 0xff, SURE);
    expect(prior, 1, 0x11, 0xff, SURE);
    expect_all(prior, 2, 18, 0, 0x80, MOSTLY);
    expect_all(prior, 16, 18, 0, 0xff, OFTEN);
    expect_all(prior, 91, 142, 0, 0xff, OFTEN);
    expect_all(prior, 144, DID_FRAME, 0, 0xff, HARDLY);
}
