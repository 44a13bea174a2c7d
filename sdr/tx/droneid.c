// SPDX-License-Identifier: GPL-3.0-or-later
// Transmitter model: DJI DroneID bursts, bit-exact.
//
//      9 symbols:  |dummy| d | d |ZC600| d |ZC147| d | d | d|     643.2 us
//      8 symbols:        | d | d |ZC600| d |ZC147| d | d | d|     571.4 us
//                                                                 one burst every 640 ms,
//      13 on one centre, then the next.  Every third is a licence (type 0x11), the others are
//      positions (0x10); both are written into one buffer, so the tail behind a position is what
//      the licence before it left there.
//
// variant, words divided by blanks or commas:
//      8, 9            symbols; 9
//      0x10, 0x11      only that type
//      infp, cryp      encrypted shell instead
//      leak            carrier leak at 0 Hz, as strong as measured on real ones
//      stale           stale tail instead of zeros
//      real            leak stale
//      2.4, 5.8        hop in that band only
//      seal            set length byte and CRC-16 of payload_hex
//      badcrc16        a CRC-16 that fails under a CRC-24A that holds
#include "sdr/tx/droneid.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/ofdm15.h"
#include "sdr/tx/args.h"

enum { SYMBOLS = 9, HALF = 300, PER_SYMBOL = 1200, PER_CENTRE = 13 };

// ---- waveform --------------------------------------------------------------------------------

void droneid_encode(const uint8_t padded[DRONEID_PADDED], uint8_t scrambled[TURBO_E])
{
    uint8_t block[DRONEID_BLOCK], in[TURBO_K], d[3][TURBO_D];
    struct turbo_src e[TURBO_E];
    uint32_t crc = crc24a(padded, DRONEID_PADDED);
    memcpy(block, padded, DRONEID_PADDED);
    for (int i = 0; i < 3; i++)
        block[DRONEID_PADDED + i] = (uint8_t)(crc >> (16 - 8 * i));
    for (unsigned i = 0; i < TURBO_K; i++)
        in[i] = block[i / 8] >> (7 - i % 8) & 1;
    turbo_encode(in, d);
    turbo_match(e);
    ofdm_gold(0x12345678, TURBO_E, scrambled);
    for (unsigned i = 0; i < TURBO_E; i++)
        scrambled[i] ^= d[e[i].stream][e[i].index];
}

// 1200 bits onto k = -300 .. -1, 1 .. 300.
static void map_bits(const uint8_t *bit, double complex carrier[DRONEID_CARRIERS])
{
    for (unsigned i = 0; i < DRONEID_CARRIERS; i++)
        if (i != HALF) {
            carrier[i] = ofdm_qpsk(bit[0], bit[1]);
            bit += 2;
        }
}

unsigned droneid_burst(const uint8_t scrambled[TURBO_E], unsigned symbols, double complex dc,
                       double complex out[DRONEID_NINE])
{
    struct ofdm o;
    double complex carrier[DRONEID_CARRIERS];
    uint8_t gold[PER_SYMBOL];
    unsigned n = 0;
    ofdm_init(&o, 1024);
    for (unsigned s = SYMBOLS - symbols; s < SYMBOLS; s++) {
        if (s == 3 || s == 5) {
            ofdm_zc(s == 3 ? 600 : 147, DRONEID_CARRIERS, carrier);
        } else if (s == 0) {            // zeros under a sequence that starts anew
            ofdm_gold(0x12345678, PER_SYMBOL, gold);
            map_bits(gold, carrier);
        } else {
            map_bits(scrambled, carrier);
            scrambled += PER_SYMBOL;
        }
        carrier[HALF] = dc;
        unsigned cp = s == 0 || s == SYMBOLS - 1 ? 80 : 72;
        n += ofdm_symbol(&o, carrier, HALF, cp, out + n);
    }
    return n;
}

// ---- model -----------------------------------------------------------------------------------

struct droneid {
    unsigned             symbols;
    bool                 leak, stale, only_position, only_licence, infp, cryp, bad_crc16;
    unsigned             n_given;       // bytes of payload_hex
    uint8_t              given[DRONEID_PADDED];
    struct droneid_plane plane;
    uint32_t             session;
    struct rng           rng;
    struct tx_args       args;
    double               period_s;
    unsigned             centre0, n_centres;
    uint64_t             count;         // bursts so far
    uint8_t              buf[DRONEID_PADDED];
    double complex       wave[DRONEID_NINE];
    float complex        iq[DRONEID_NINE];
};

static int read_payload(struct droneid *d, const struct tx_args *a, bool seal, char why[IQ_WHY])
{
    int n = hex_bytes(a->payload_hex, d->given, sizeof d->given);
    if (n < 4) {
        snprintf(why, IQ_WHY, "droneid: payload_hex must be 4 to %d bytes in hex", DRONEID_PADDED);
        return -EINVAL;
    }
    d->n_given = (unsigned)n;
    if (seal)
        droneid_seal(d->given, d->n_given);
    return 0;
}

static int droneid_make(void **ret_state, const struct tx_args *a, struct rng *rng,
                        char why[IQ_WHY])
{
    static const char *const known[] = {
        "8", "9", "0x10", "0x11", "infp", "cryp", "leak", "stale", "real", "2.4", "5.8", "seal",
        "badcrc16", NULL,
    };
    if (!words_known("droneid", a->variant, known, why))
        return -EINVAL;
    struct droneid *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    const char *v = a->variant;
    bool real = words_have(v, "real");
    d->symbols = words_have(v, "8") ? 8 : 9;
    d->leak = real || words_have(v, "leak");
    d->stale = real || words_have(v, "stale");
    d->only_position = words_have(v, "0x10");
    d->only_licence = words_have(v, "0x11");
    d->infp = words_have(v, "infp");
    d->cryp = words_have(v, "cryp");
    d->bad_crc16 = words_have(v, "badcrc16");
    d->rng = *rng;
    d->session = (uint32_t)rng_u64(&d->rng);
    droneid_plane_init(&d->plane, a->uid);
    d->args = *a;
    d->period_s = a->period_s > 0 ? a->period_s : 0.640;
    d->centre0 = words_have(v, "5.8") ? 4 : 0;
    d->n_centres = words_have(v, "5.8") || words_have(v, "2.4") ? 4 : 8;
    int r = a->payload_hex ? read_payload(d, a, words_have(v, "seal"), why) : 0;
    if (r < 0) {
        free(d);
        return r;
    }
    *ret_state = d;
    return 0;
}

// Order seen on one Mavic 2 (facts, 1.2): 32 places of 13 bursts.  Indices into the eight centres.
static double centre_at(const struct droneid *d, uint64_t slot)
{
    static const double centre_hz[8] = {
        2414.5e6, 2429.5e6, 2444.5e6, 2459.5e6, 5756.5e6, 5776.5e6, 5796.5e6, 5816.5e6,
    };
    static const char order[] = "22217401246253447463035102657265";
    unsigned i = (unsigned)(order[slot % 32] - '0');
    return centre_hz[d->centre0 + i % d->n_centres];
}

// Writes the next frame into the buffer.
static size_t next_frame(struct droneid *d, double t_s)
{
    if (!d->stale)
        memset(d->buf, 0, sizeof d->buf);
    if (d->n_given) {
        memcpy(d->buf, d->given, d->n_given);
        return d->n_given;
    }
    if (d->infp || d->cryp)
        return d->cryp && (!d->infp || d->count % 2) ? droneid_cryp(d->session, &d->rng, d->buf)
                                                     : droneid_infp(d->session, &d->rng, d->buf);
    if (d->stale || d->only_licence || (!d->only_position && d->count % 3 == 0)) {
        size_t n = droneid_licence(&d->plane, d->buf);
        if (!d->stale)
            memset(d->buf + n, 0, sizeof d->buf - n);
        if (d->only_licence || (!d->only_position && d->count % 3 == 0))
            return n;
    }
    return droneid_position(&d->plane, t_s, d->buf);
}

static void make_wave(struct droneid *d, struct tx_packet *p, size_t len)
{
    uint8_t scrambled[TURBO_E];
    // Measured on real ones: 0.35 of a data carrier at -65 degrees.
    double complex dc = d->leak ? 0.35 * cexp(-65 * M_PI / 180 * I) : 0;
    if (d->bad_crc16)
        d->buf[len - 1] ^= 0x5a;
    droneid_encode(d->buf, scrambled);
    unsigned n = droneid_burst(scrambled, d->symbols, dc, d->wave);
    ofdm_unit_power(d->wave, n, d->iq);
    p->n = n;
    p->iq = d->iq;
    p->payload_len = (uint16_t)len;
    memcpy(p->payload, d->buf, len);
}

static int droneid_next(void *state, struct tx_packet *ret_packet)
{
    struct droneid *d = state;
    for (;; d->count++) {
        double t = (double)d->count * d->period_s;
        double f = args_has_freq(&d->args) ? d->args.freq_hz
                                           : centre_at(d, d->count / PER_CENTRE);
        double len_s = (d->symbols == 9 ? DRONEID_NINE : DRONEID_EIGHT) / DRONEID_RATE_HZ;
        if (t + len_s > args_until(&d->args))
            return 0;
        size_t len = next_frame(d, t);          // also of a burst out of sight: it counts on
        if (!args_seen(&d->args, f, DRONEID_BW_HZ))
            continue;
        *ret_packet = (struct tx_packet){
            .t_s = t, .freq_hz = f, .bw_hz = DRONEID_BW_HZ, .rate_hz = DRONEID_RATE_HZ,
            .bit_exact = true, .link = "DJI DroneID burst",
        };
        make_wave(d, ret_packet, len);
        d->count++;
        return 1;
    }
}

const struct tx_model tx_droneid = {
    .name = "droneid",
    .family = "dji-droneid",
    .about = "DJI DroneID bursts (8, 9, 0x10, 0x11, infp, cryp, leak, stale, real)",
    .bit_exact = true,
    .make = droneid_make,
    .next = droneid_next,
    .drop = free,
};
