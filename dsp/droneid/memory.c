// SPDX-License-Identifier: GPL-3.0-or-later
// DroneID with memory: what an aircraft has said helps to read it when it is too faint.
//
// Of the 173 bytes of a flight record some 130 stay as they were (header, serial, product, account,
// home, the stale tail); sequence, time and place move little.  The last good block of an aircraft
// therefore foretells most bits of its next one; told to the turbo decoder as a-priori LLRs they
// leave it a few hundred bits to find from the same 7200 received.
//
//     bits of the last block -> LLR by field: same for ever | rarely changes | upper bits | none
//
// Never invented: what is accepted must hold both CRCs (which are never foretold), and must bring
// news - another sequence number - so that a decoder that merely repeats its help is refused.
// On noise the foretold bits come out as foretold and the rest at random: of at most 3 aircraft and
// 16 decisions each, one in 2^40 / 48 = 2e10 failed bursts would pass both checks by chance.
//
// Bounded: AIRCRAFT blocks, TRIES decodings a call.
#include "dsp/droneid/droneid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AIRCRAFT   64
#define TRIES      3
#define ITERATIONS 8
#define AGE_S      120.0                // older blocks foretell too little
#define RASTER_HZ  0.5e6                // centres lie on it: what is left is the sender's crystal
#define SERIAL_AT  7
#define SERIAL     16
#define LEN_FLIGHT 88

struct known {
    bool     used;
    double   t_s;                       // last heard
    double   offset_hz;                 // against the raster
    double   snr_db;
    uint16_t sequence;
    uint8_t  block[DID_BLOCK];
};

struct droneid_memory {
    struct did_tables tables;
    struct did_turbo *turbo;
    struct known      known[AIRCRAFT];
    float             prior[DID_BITS];
};

struct droneid_memory *droneid_memory_new(void)
{
    struct droneid_memory *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    did_tables_init(&m->tables);
    m->turbo = did_turbo_new(&m->tables);
    if (!m->turbo) {
        free(m);
        return NULL;
    }
    return m;
}

void droneid_memory_free(struct droneid_memory *m)
{
    if (!m)
        return;
    did_turbo_free(m->turbo);
    free(m);
}

// ---- Learning ----------------------------------------------------------------------------------

static double raster_offset(double hz) { return hz - RASTER_HZ * nearbyint(hz / RASTER_HZ); }

// A flight record of version 2, the only kind whose next one can be foretold and brings news.
static bool is_flight(const uint8_t *raw)
{
    return raw[0] == LEN_FLIGHT && raw[1] == 0x10 && raw[2] == 2;
}

// The aircraft's own place, a free one, or the one unheard for longest.
static struct known *place(struct droneid_memory *m, const uint8_t *raw)
{
    struct known *best = &m->known[0];
    for (int i = 0; i < AIRCRAFT; i++) {
        struct known *k = &m->known[i];
        if (k->used && !memcmp(k->block + SERIAL_AT, raw + SERIAL_AT, SERIAL))
            return k;
        if (best->used && (!k->used || k->t_s < best->t_s))
            best = k;
    }
    return best;
}

static void remember(struct droneid_memory *m, const struct decode *d)
{
    struct known *k = place(m, d->raw);
    k->used = true;
    k->t_s = d->t_s.v;
    k->offset_hz = raster_offset(d->freq_hz.v);
    k->snr_db = d->snr_db;
    k->sequence = (uint16_t)(d->raw[3] | d->raw[4] << 8);
    memcpy(k->block, d->raw, DID_FRAME);        // raw keeps the padding behind raw_len
}

void droneid_memory_learn(struct droneid_memory *m, const struct finding *f)
{
    for (unsigned i = 0; i < f->n_decode; i++)
        if (f->decode[i].protocol == PROTO_DJI_DRONEID && is_flight(f->decode[i].raw))
            remember(m, &f->decode[i]);
}

// ---- Foretelling -------------------------------------------------------------------------------

// How sure bits are to stay: natural logarithm of the odds.
#define FOREVER 7.f                     // one in a thousand: header, serial, product, account
#define RARELY  4.f                     // one in fifty: state, home, the stale tail, upper bits
#define LIKELY  2.f                     // one in eight: middle bits of what moves

// Bits of a little-endian number of n bytes at `at`: the lowest `free` are open, the next `middle`
// likely, those above rare.  A carry near a power of two breaks the rule, and only costs the help.
static void number(float *prior, int at, int n, int open, int middle)
{
    for (int b = 0; b < 8 * n; b++) {
        float sure = b < open ? 0 : b < open + middle ? LIKELY : RARELY;
        prior[8 * (at + b / 8) + 7 - b % 8] = sure;
    }
}

static void bytes(float *prior, int from, int to, float sure)
{
    for (int i = 8 * from; i < 8 * to; i++)
        prior[i] = sure;
}

static void foretell(const struct known *k, float prior[DID_BITS])
{
    memset(prior, 0, DID_BITS * sizeof(*prior));
    bytes(prior, 0, 3, FOREVER);
    number(prior, 3, 2, 6, 4);          // 64 publications: 40 s
    bytes(prior, 5, 7, RARELY);
    bytes(prior, 7, 23, FOREVER);
    number(prior, 23, 4, 12, 4);        // 4096 units of 0.64 m: 2.6 km
    number(prior, 27, 4, 12, 4);
    number(prior, 31, 2, 6, 3);         // 64 m
    number(prior, 33, 2, 10, 3);        // 102 m
    number(prior, 35, 2, 16, 0);        // speeds and attitude: anything
    number(prior, 37, 2, 16, 0);
    number(prior, 39, 2, 16, 0);
    number(prior, 41, 2, 16, 0);
    number(prior, 43, 8, 18, 4);        // ms: 4 minutes
    number(prior, 51, 4, 10, 4);        // the pilot walks
    number(prior, 55, 4, 10, 4);
    bytes(prior, 59, 67, RARELY);
    bytes(prior, 67, 89, FOREVER);
    bytes(prior, 91, DID_FRAME, RARELY);        // 89, 90: CRC-16, never foretold; nor is CRC-24A
    for (int i = 0; i < 8 * DID_FRAME; i++)
        if (k->block[i / 8] >> (7 - i % 8) & 1)
            prior[i] = -prior[i];
}

// Lower is a better fit; negative: none.
static double misfit(const struct known *k, const struct finding *f)
{
    double age = f->droneid.t_s.v - k->t_s;
    if (!k->used || !(age > 0 && age < AGE_S))
        return -1;
    double off = raster_offset(f->droneid.freq_hz.v) - k->offset_hz;
    off -= RASTER_HZ * nearbyint(off / RASTER_HZ);
    // crystals of one kind differ by some kHz at 2.4 and 5.8 GHz, one drifts by less
    return fabs(off) / 1e3 + age / 30 + fabs(f->droneid.snr_db.v - k->snr_db) / 10;
}

static bool brings_news(const struct known *k, const uint8_t *raw)
{
    return (raw[3] | raw[4] << 8) != k->sequence;
}

static int attempt(struct droneid_memory *m, const struct known *k, const struct finding *f,
                   struct decode *ret)
{
    uint8_t block[DID_BLOCK];
    struct decode d;
    foretell(k, m->prior);
    if (!did_turbo_run(m->turbo, (const float (*)[DID_STREAM])f->soft->llr, m->prior, ITERATIONS,
                       true, block))
        return 0;
    if (!did_frame(block, &d) || d.protocol != PROTO_DJI_DRONEID || !is_flight(d.raw) ||
        !brings_news(k, d.raw))
        return 0;
    d.t_s = f->droneid.t_s;
    d.freq_hz = f->droneid.freq_hz;
    d.snr_db = f->droneid.snr_db.v;
    d.assisted = true;
    d.clipped = f->flags & BURST_CLIPPED;
    *ret = d;
    return 1;
}

int droneid_memory_help(struct droneid_memory *m, const struct finding *f, struct decode *ret)
{
    bool tried[AIRCRAFT] = { false };
    if (!f->soft || !f->droneid.seen)
        return 0;
    for (int n = 0; n < TRIES; n++) {
        int best = -1;
        for (int i = 0; i < AIRCRAFT; i++) {
            double fit = tried[i] ? -1 : misfit(&m->known[i], f);
            if (fit >= 0 && (best < 0 || fit < misfit(&m->known[best], f)))
                best = i;
        }
        if (best < 0)
            return 0;
        tried[best] = true;
        if (attempt(m, &m->known[best], f, ret)) {
            remember(m, ret);
            return 1;
        }
    }
    return 0;
}
