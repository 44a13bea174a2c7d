// SPDX-License-Identifier: GPL-3.0-or-later
// LTE turbo code (36.212, 5.1.3.2) for K = 1408: encoder, and a soft decoder that stops at a valid
// CRC-24A.
//
// The four last bits of each stream carry the tails of both encoders (x, z of the first, x', z' of
// the second), spread over the streams like this:
//
//     stream 0:  x0  z1  x'0 z'1       stream 1:  z0  x2  z'0 x'2       stream 2:  x1  z2  x'1 z'2
#include "dsp/droneid/droneid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/droneid/hot.h"

#define TAIL 3

// Where tail bit j of encoder e stands: its input (x) and its parity (z).
static const uint8_t tail_x[TAIL][2] = { { 0, 0 }, { 2, 0 }, { 1, 1 } };     // stream, place + 2e
static const uint8_t tail_z[TAIL][2] = { { 1, 0 }, { 0, 1 }, { 2, 1 } };

static unsigned step(unsigned s, unsigned u, unsigned *ret_parity)
{
    unsigned s1 = s >> 2, s2 = s >> 1 & 1, s3 = s & 1, a = u ^ s2 ^ s3;
    *ret_parity = a ^ s1 ^ s3;
    return a << 2 | s >> 1;
}

static void encode_one(const uint8_t *in, const uint16_t *perm, uint8_t *parity, unsigned e,
                       uint8_t stream[3][DID_STREAM])
{
    unsigned s = 0, p;
    for (int i = 0; i < DID_BITS; i++) {
        s = step(s, in[perm ? perm[i] : i], &p);
        parity[i] = (uint8_t)p;
    }
    for (int j = 0; j < TAIL; j++) {
        unsigned u = (s >> 1 ^ s) & 1;                  // feeds back zero: a = 0
        s = step(s, u, &p);
        stream[tail_x[j][0]][DID_BITS + 2 * e + tail_x[j][1]] = (uint8_t)u;
        stream[tail_z[j][0]][DID_BITS + 2 * e + tail_z[j][1]] = (uint8_t)p;
    }
}

void did_encode(const struct did_tables *t, const uint8_t block[DID_BLOCK],
                uint8_t stream[3][DID_STREAM])
{
    for (int i = 0; i < DID_BITS; i++)
        stream[0][i] = block[i / 8] >> (7 - i % 8) & 1;
    encode_one(stream[0], NULL, stream[1], 0, stream);
    encode_one(stream[0], t->perm, stream[2], 1, stream);
}

struct did_turbo {
    _Alignas(64) float work[8 * SISO_STEPS + 8];
    float sys[2][SISO_STEPS + 1];       // inputs of both decoders, in their own order
    float par[2][SISO_STEPS + 1];
    float in[SISO_STEPS + 1];
    float ext[2][SISO_STEPS + 1];       // what each decoder found out, in its own order
    float post_par[2][SISO_STEPS + 1];
    const struct did_tables *t;
    droneid_siso_fn *siso;
};

struct did_turbo *did_turbo_new(const struct did_tables *t)
{
    struct did_turbo *d = aligned_alloc(64, (sizeof(*d) + 63) / 64 * 64);
    if (!d)
        return NULL;
    memset(d, 0, sizeof(*d));
    d->t = t;
    d->siso = did_hot()->siso;
    return d;
}

void did_turbo_free(struct did_turbo *d) { free(d); }

// Sorts the streams into the two decoders' order.
static void load(struct did_turbo *d, const float llr[3][DID_STREAM], const float *prior)
{
    for (int i = 0; i < DID_BITS; i++) {
        d->sys[0][i] = llr[0][i] + (prior ? prior[i] : 0);
        d->par[0][i] = llr[1][i];
        d->par[1][i] = llr[2][i];
    }
    for (int i = 0; i < DID_BITS; i++)
        d->sys[1][i] = d->sys[0][d->t->perm[i]];
    for (int e = 0; e < 2; e++)
        for (int j = 0; j < TAIL; j++) {
            d->sys[e][DID_BITS + j] = llr[tail_x[j][0]][DID_BITS + 2 * e + tail_x[j][1]];
            d->par[e][DID_BITS + j] = llr[tail_z[j][0]][DID_BITS + 2 * e + tail_z[j][1]];
        }
}

// Runs decoder e with what the other one found out; parity: beliefs of its parity bits too.
static void half(struct did_turbo *d, int e, bool parity)
{
    const uint16_t *perm = d->t->perm;
    memcpy(d->in, d->sys[e], sizeof(d->in));
    for (int i = 0; i < DID_BITS; i++) {
        int own = e ? i : perm[i], other = e ? perm[i] : i;
        d->in[own] += d->ext[1 - e][other];
    }
    d->siso(d->in, d->par[e], d->ext[e], parity ? d->post_par[e] : NULL, d->work);
}

// Full LLR of information bit perm[i].
static float posterior(const struct did_turbo *d, int i)
{
    return d->sys[1][i] + d->ext[0][d->t->perm[i]] + d->ext[1][i];
}

static bool decide(const struct did_turbo *d, uint8_t block[DID_BLOCK])
{
    bool any = false;
    memset(block, 0, DID_BLOCK);
    for (int i = 0; i < DID_BITS; i++)
        if (posterior(d, i) < 0) {
            block[d->t->perm[i] / 8] |= (uint8_t)(0x80 >> d->t->perm[i] % 8);
            any = true;
        }
    return any && did_crc24a(block, DID_BLOCK) == 0;
}

int did_turbo_run(struct did_turbo *d, const float llr[3][DID_STREAM], const float *prior,
                  int max_iter, bool fresh, uint8_t block[DID_BLOCK])
{
    load(d, llr, prior);
    if (fresh)
        memset(d->ext, 0, sizeof(d->ext));
    for (int it = 0; it < max_iter; it++)
        for (int e = 0; e < 2; e++) {
            half(d, e, it == max_iter - 1);     // beliefs of parity cost half as much again
            if (decide(d, block))
                return 1;
        }
    return 0;
}

void did_turbo_soft(const struct did_turbo *d, float stream[3][DID_STREAM])
{
    for (int i = 0; i < DID_BITS; i++) {
        stream[0][d->t->perm[i]] = tanhf(posterior(d, i) / 2);
        stream[1][i] = tanhf(d->post_par[0][i] / 2);
        stream[2][i] = tanhf(d->post_par[1][i] / 2);
    }
    for (int e = 0; e < 2; e++)
        for (int j = 0; j < TAIL; j++) {
            float x = d->sys[e][DID_BITS + j] + d->ext[e][DID_BITS + j];
            float z = d->post_par[e][DID_BITS + j];
            stream[tail_x[j][0]][DID_BITS + 2 * e + tail_x[j][1]] = tanhf(x / 2);
            stream[tail_z[j][0]][DID_BITS + 2 * e + tail_z[j][1]] = tanhf(z / 2);
        }
}
