// SPDX-License-Identifier: GPL-3.0-or-later
// Transmitter model: ExpressLRS 2.4 GHz, both ends of the link.
//
//      slot      0      1      2      3  |  4      5      6      7  |  8
//      pilot  [tlm]   ####   ####   #### | ####   ####   ####   ####| ...    4 (or 2) a channel
//      drone #### (one slot in 64, say)
//                        channel c                 channel c'
//
// Hop sequence, slots, air times and chirps are the real ones; payload symbols are random, so a
// frame here is faithful in everything but its bytes.  Telemetry takes the first slot of a dwell
// (the slot count is a multiple of both) and starts a little before the pilot's grid: the drone
// answers a fixed time after the end of the packet before.
//
// uid: its four low bytes are UID bytes 2 .. 5: hop seed, and chirp sign by the lowest bit.
// value: level of the drone against the pilot in dB; -6.   duty: share of slots that listen before
// talk lets through; 1.  variant: no-receiver (telemetry slots stay empty), normal, inverted,
// gemini (every uplink packet twice, 40 channels apart), 1:2 .. 1:128 (telemetry ratio), parked
// (all on freq_hz, for measurements).
#include "sdr/tx/elrs.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/gfsk.h"
#include "sdr/tx/lora.h"

#define BW_HZ   812500.0
#define ANSWER_S 300e-6         // end of a packet to the drone's start: 200 us set in the firmware,
                                // 100 us for receiving and starting up (assumed)
enum { OVER_LORA = 4, OVER_FSK = 8 };

#define LORA(name, word, sf, cr, pre, bytes, us, hop, tlm) \
    { name, word, sf, cr, pre, bytes, us * 1e-6, hop, tlm, 0, 0, 0, 0 }
// FLRC: 32 bits alternating, 32 bits sync, then 8 bytes, 24 CRC bits and 6 tail bits at rate 1/2.
#define FLRC(name, word, us) { name, word, 0, 0, 32, 8, us * 1e-6, 2, 128, 650e3, 162.5e3, 1, 252 }
// FSK: 16 bits alternating, 16 bits sync, 14 bytes.
#define FSK(name, word) { name, word, 0, 0, 16, 14, 1e-3, 2, 128, 300e3, 100e3, 0, 144 }

const struct elrs_mode elrs_modes[] = {         // facts, links.md 2.2
    LORA("ELRS 2.4/250Hz LoRa [ISM2G4]", "250Hz", 6, 4, 14, 8, 4000, 4, 64),
    LORA("ELRS 2.4/500Hz LoRa [ISM2G4]", "500Hz", 5, 2, 12, 8, 2000, 4, 128),
    LORA("ELRS 2.4/333Hz-8ch LoRa [ISM2G4]", "333Hz", 5, 4, 12, 13, 3003, 4, 128),
    LORA("ELRS 2.4/150Hz LoRa [ISM2G4]", "150Hz", 7, 4, 12, 8, 6666, 4, 32),
    LORA("ELRS 2.4/100Hz-8ch LoRa [ISM2G4]", "100Hz", 7, 4, 12, 13, 10000, 4, 32),
    LORA("ELRS 2.4/50Hz LoRa [ISM2G4]", "50Hz", 8, 4, 12, 8, 20000, 2, 16),
    FLRC("ELRS 2.4/F1000 FLRC [ISM2G4]", "F1000", 1000),
    FLRC("ELRS 2.4/F500 FLRC [ISM2G4]", "F500", 2000),
    FLRC("ELRS 2.4/D500 FLRC (DVDA x2) [ISM2G4]", "D500", 1000),
    FLRC("ELRS 2.4/D250 FLRC (DVDA x4) [ISM2G4]", "D250", 1000),
    FSK("ELRS 2.4/K1000 FSK LR1121 [ISM2G4]", "K1000"),
    FSK("ELRS 2.4/DK500 FSK (x2) LR1121 [ISM2G4]", "DK500"),
    FSK("ELRS 2.4/DK250 FSK (x4) LR1121 [ISM2G4]", "DK250"),
    { .link = NULL },
};

// ---- hop sequence ----------------------------------------------------------------------------

static unsigned lcg(uint32_t *seed)
{
    *seed = (214013u * *seed + 2531011u) & 0x7fffffff;
    return *seed >> 16;
}

// Each block starts with the sync channel, the others follow in order (channel 0 in the place the
// sync channel left); then each place but the first swaps with one drawn from its block.
void elrs_sequence(uint32_t uid, uint8_t channel[ELRS_SEQUENCE])
{
    enum { VERSION = 4 };               // of the air protocol, mixed into the seed
    uint32_t seed = uid ^ VERSION;
    for (unsigned i = 0; i < ELRS_SEQUENCE; i++) {
        unsigned at = i % ELRS_CHANNELS;
        channel[i] = (uint8_t)(at == 0 ? ELRS_SYNC : at == ELRS_SYNC ? 0 : at);
    }
    for (unsigned i = 0; i < ELRS_SEQUENCE; i++) {
        unsigned at = i % ELRS_CHANNELS, with = i - at;
        if (!at)
            continue;
        with += lcg(&seed) % (ELRS_CHANNELS - 1) + 1;
        uint8_t t = channel[i];
        channel[i] = channel[with];
        channel[with] = t;
    }
}

// ---- model -----------------------------------------------------------------------------------

struct elrs {
    const struct elrs_mode *mode;
    struct tx_args args;
    struct rng     rng;
    bool           inverted, alone, gemini, parked, twin_due;
    unsigned       ratio;
    double         drone_db, drone_ppm, burst_s, rate_hz, bw_hz;
    uint64_t       slot, slot0, hop0;   // slot0, hop0: where both counters stand at time 0
    uint8_t        channel[ELRS_SEQUENCE];
    size_t         n;
    float complex *iq;
};

static const struct elrs_mode *mode_named(const char *name)
{
    const struct elrs_mode *m = elrs_modes;
    if (!name)
        return m;
    while (m->link && !link_is(m->link, name) && !link_is(m->word, name))
        m++;
    return m->link ? m : NULL;
}

static struct lora lora_of(const struct elrs *e)
{
    const struct elrs_mode *m = e->mode;
    return (struct lora){ .sf = m->sf, .bw_hz = BW_HZ, .preamble = m->preamble, .sync = 0x12,
                          .payload = lora_payload_li(m->sf, m->bytes, m->cr),
                          .inverted = e->inverted, .over = OVER_LORA };
}

static void set_waveform(struct elrs *e)
{
    const struct elrs_mode *m = e->mode;
    if (m->sf) {
        struct lora l = lora_of(e);
        e->n = lora_chips(&l) * OVER_LORA;
        e->rate_hz = BW_HZ * OVER_LORA;
        e->bw_hz = BW_HZ;
    } else {
        e->n = (size_t)m->bits * OVER_FSK;
        e->rate_hz = m->rate_bd * OVER_FSK;
        e->bw_hz = 2 * m->deviation_hz + m->rate_bd;
    }
    e->burst_s = (double)e->n / e->rate_hz;
}

static unsigned ratio_named(const char *variant, unsigned standard)
{
    for (unsigned r = 2; r <= 128; r *= 2) {
        char word[8];
        snprintf(word, sizeof word, "1:%u", r);
        if (words_have(variant, word))
            return r;
    }
    return standard;
}

static void set_link(struct elrs *e, const struct tx_args *a)
{
    const char *v = a->variant;
    e->args = *a;
    e->alone = words_have(v, "no-receiver");
    e->parked = words_have(v, "parked");
    e->gemini = words_have(v, "gemini");
    e->inverted = words_have(v, "inverted") || (!words_have(v, "normal") && a->uid & 1);
    e->ratio = ratio_named(v, e->mode->ratio);
    e->drone_db = a->value < 0 || a->value > 0 ? a->value : -6;
    e->drone_ppm = rng_between(&e->rng, -10, 10);       // a second crystal of the same class
    elrs_sequence((uint32_t)a->uid, e->channel);
    e->slot0 = rng_below(&e->rng, 256);
    e->hop0 = rng_below(&e->rng, ELRS_SEQUENCE);
    set_waveform(e);
}

static int elrs_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    static const char *const known[] = { "no-receiver", "normal", "inverted", "gemini", "1:2",
                                         "1:4", "1:8", "1:16", "1:32", "1:64", "1:128", "parked",
                                         NULL };
    const struct elrs_mode *m = mode_named(a->mode);
    if (!m) {
        snprintf(why, IQ_WHY, "elrs: mode \"%s\" is not a 2.4 GHz mode of facts/links.json, nor "
                 "one of 500Hz 333Hz 250Hz 150Hz 100Hz 50Hz F1000 F500 D500 D250 K1000 DK500 DK250",
                 a->mode);
        return -EINVAL;
    }
    if (!words_known("elrs", a->variant, known, why))
        return -EINVAL;
    struct elrs *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    e->mode = m;
    e->rng = *rng;
    set_link(e, a);
    e->iq = malloc(e->n * sizeof *e->iq);
    if (!e->iq) {
        free(e);
        return -ENOMEM;
    }
    *ret_state = e;
    return 0;
}

static void elrs_drop(void *state)
{
    struct elrs *e = state;
    if (e)
        free(e->iq);
    free(e);
}

// Alternating preamble, the link's sync word, random bits (FLRC's are coded: random as well).
static void make_fsk(struct elrs *e)
{
    const struct elrs_mode *m = e->mode;
    uint8_t bit[256];
    assert(m->bits <= sizeof bit && 2 * m->preamble <= m->bits);
    struct rng word;
    rng_init(&word, e->args.uid);
    for (unsigned i = 0; i < m->bits; i++)
        bit[i] = i < m->preamble ? i & 1
               : (uint8_t)(rng_u64(i < 2 * m->preamble ? &word : &e->rng) >> 63);
    struct gfsk g = { .bt = m->bt, .index = 2 * m->deviation_hz / m->rate_bd, .sps = OVER_FSK };
    gfsk_modulate(&g, bit, m->bits, e->iq);
}

static void make_frame(struct elrs *e)
{
    if (e->mode->sf) {
        struct lora l = lora_of(e);
        lora_frame(&l, &e->rng, e->iq);
    } else {
        make_fsk(e);
    }
}

// What is sent in the present slot; false for nothing.
static bool slot_packet(struct elrs *e, struct tx_packet *p)
{
    uint64_t k = e->slot0 + e->slot;
    bool drone = k % e->ratio == 0;
    unsigned c = e->channel[(k / e->mode->per_hop + e->hop0) % ELRS_SEQUENCE];
    if (e->twin_due)
        c = (c + ELRS_CHANNELS / 2) % ELRS_CHANNELS;
    *p = (struct tx_packet){
        .t_s = (double)e->slot * e->mode->interval_s,
        .freq_hz = e->parked ? e->args.freq_hz : ELRS_FIRST_HZ + ELRS_STEP_HZ * c,
        .bw_hz = e->bw_hz, .rate_hz = e->rate_hz, .n = e->n, .iq = e->iq,
    };
    if (drone) {
        p->t_s += e->burst_s + ANSWER_S - e->mode->interval_s;
        p->freq_hz *= 1 + e->drone_ppm * 1e-6;
        p->gain_db = (float)(e->drone_db + 2 * sin(2 * M_PI * p->t_s / 7));     // it moves
    }
    bool held = e->args.duty > 0 && e->args.duty < 1 && rng_uniform(&e->rng) >= e->args.duty;
    return !held && p->t_s >= 0 && !(drone && e->alone) &&
           args_seen(&e->args, p->freq_hz, e->bw_hz);
}

// On to the next slot, or to the second antenna of this one.
static void step(struct elrs *e)
{
    e->twin_due = e->gemini && !e->twin_due;
    e->slot += !e->twin_due;
}

static int elrs_next(void *state, struct tx_packet *ret_packet)
{
    struct elrs *e = state;
    for (unsigned skips = 0; skips < ARGS_SKIPS; skips++) {
        struct tx_packet p;
        bool on_air = slot_packet(e, &p);
        if (p.t_s + e->burst_s > args_until(&e->args))
            return 0;
        step(e);
        if (!on_air)
            continue;
        make_frame(e);
        snprintf(p.link, sizeof p.link, "%s", e->mode->link);
        *ret_packet = p;
        return 1;
    }
    return 0;
}

const struct tx_model tx_elrs = {
    .name = "elrs",
    .family = "expresslrs",
    .about = "ExpressLRS 2.4 GHz, all modes, true hop sequence, pilot and drone; payload random",
    .make = elrs_make,
    .next = elrs_next,
    .drop = elrs_drop,
};
