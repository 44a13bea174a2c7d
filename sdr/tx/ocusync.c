// SPDX-License-Identifier: GPL-3.0-or-later
// Transmitter model: DJI OcuSync 2/3 video downlink and control uplink.  Statistically faithful:
// published numerology and symbol pattern, random data.
//
//      frame, 1.072 ms:  R0 D D D D D D R1 D D D D D D R0      R: Zadoff-Chu, D: QPSK, then QAM
//      half,  0.50 ms:   R0 D D D D D R1
//
//      |##frame##|##frame##|##frame##|      ^ up ^     |#half#|##frame##| ...
//      0                            3.22 ms            4.47   5.0
//
// The pattern of 5 ms (a line at 200 Hz in the envelope, 74 % on) is as seen on busy links; idle
// ones send halves only, every 2.5 or 2 ms.  Assumed, because nobody published it: the roots of
// R0 and R1, the half's symbols, the uplink's hop set and its place in the gap, one hop in 5 ms.
//
// mode: 10MHz, 20MHz, uplink, or a name of facts/links.json.  variant: both (uplink as well,
// value dB against the drone), idle25, idle20, 16qam, 64qam, parked (an uplink that stays at
// freq_hz).
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/ofdm15.h"

struct shape {
    double   rate_hz, bw_hz;            // bw_hz: 99 % of the power
    unsigned n, half, cp, cp_long;
    unsigned root0, root1;              // assumed
};

// CP as published: 72 at 15.36 MS/s, 8 more for the first, middle and last symbol.
static const struct shape ten = { 15.36e6, 8.94e6, 1024, 300, 72, 80, 71, 227 };
static const struct shape twenty = { 30.72e6, 17.87e6, 2048, 600, 144, 160, 71, 227 };
static const struct shape up = { 1.92e6, 1.09e6, 128, 36, 9, 10, 25, 34 };

static const struct mode {
    const char *name, *word, *link;
    const struct shape *shape;
} modes[] = {
    { "DJI OcuSync 2/3 downlink 10 MHz", "10MHz", "", &ten },   // no row of its own in the table
    { "DJI OcuSync 2/3 downlink 20 MHz", "20MHz", "DJI OcuSync 2/3 downlink 20 MHz", &twenty },
    { "DJI FPV V1 (Digital FPV / air unit)", "fpv", "DJI FPV V1 (Digital FPV / air unit)",
      &twenty },
    { "DJI OcuSync uplink 1.4 MHz-CA hopping", "uplink", "DJI OcuSync uplink 1.4 MHz-CA hopping",
      &up },
};
enum { MODES = sizeof modes / sizeof *modes, UPLINK = 3 };

enum part { FRAMES, HALF, UP };         // three frames in a row; half a frame; an uplink block

struct event { enum part part; double at_s; };

struct ocusync {
    const struct mode *mode;
    struct tx_args args;
    struct rng     rng;
    double         freq_hz, pilot_db, pilot_ppm, period_s;
    bool           parked;
    unsigned       qam, n_events;
    struct event   event[3];
    uint64_t       count;
    struct ofdm    down, up;
    double complex wave[3 * 15 * (2048 + 160)];
    float complex  iq[3 * 15 * (2048 + 160)];
};

static double complex qam_point(struct rng *rng, unsigned order)
{
    unsigned side = order == 64 ? 8 : order == 16 ? 4 : 2;
    double scale = sqrt(1.5 / (side * side - 1.0));         // mean power 1
    double re = 2.0 * rng_below(rng, side) + 1 - side, im = 2.0 * rng_below(rng, side) + 1 - side;
    return CMPLX(re * scale, im * scale);
}

// Carrier 0 carries a constant in every symbol, never data.
static unsigned symbol(struct ocusync *o, const struct shape *s, unsigned root, unsigned qam,
                       unsigned cp, double complex *out)
{
    double complex carrier[2 * 600 + 1];
    unsigned n = 2 * s->half + 1;
    if (root)
        ofdm_zc(root, n, carrier);
    for (unsigned i = 0; !root && i < n; i++)
        carrier[i] = qam_point(&o->rng, qam);
    carrier[s->half] = M_SQRT1_2;
    return ofdm_symbol(s == &up ? &o->up : &o->down, carrier, s->half, cp, out);
}

// A frame (15 symbols) or a half (7): R0 first and last of a frame, R1 in its middle or at the end.
static unsigned frame(struct ocusync *o, const struct shape *s, unsigned symbols,
                      double complex *out)
{
    unsigned n = 0, mid = symbols == 15 ? 7 : 6;
    for (unsigned i = 0; i < symbols; i++) {
        bool edge = i == 0 || i == mid || i == symbols - 1;
        unsigned root = i == mid ? s->root1 : edge ? s->root0 : 0;
        n += symbol(o, s, root, i == 1 ? 4 : o->qam, edge ? s->cp_long : s->cp, out + n);
    }
    return n;
}

// ---- schedule --------------------------------------------------------------------------------

static void add(struct ocusync *o, enum part part, double at_s)
{
    o->event[o->n_events++] = (struct event){ part, at_s };
}

static void set_schedule(struct ocusync *o, const char *v)
{
    bool uplink = o->mode == &modes[UPLINK], idle20 = words_have(v, "idle20");
    o->period_s = 5e-3;
    if (uplink) {
        add(o, UP, 3.6e-3);
    } else if (idle20 || words_have(v, "idle25")) {
        o->period_s = idle20 ? 2e-3 : 2.5e-3;
        add(o, HALF, 0);
        if (words_have(v, "both"))
            add(o, UP, 1e-3);
    } else {
        add(o, FRAMES, 0);
        if (words_have(v, "both"))
            add(o, UP, 3.6e-3);
        add(o, HALF, 4.47e-3);
    }
}

// A raster of 2 MHz inside the band, drawn anew each time.
static double uplink_hz(struct ocusync *o)
{
    if (o->parked)
        return o->freq_hz;
    bool high = o->freq_hz > 5e9;
    double first = high ? 5727.5e6 : 2404.5e6;
    return (first + 2e6 * rng_below(&o->rng, high ? 60 : 37)) * (1 + o->pilot_ppm * 1e-6);
}

// ---- model -----------------------------------------------------------------------------------

static const struct mode *find_mode(const char *name)
{
    for (unsigned i = 0; i < MODES; i++)
        if (!name || link_is(modes[i].name, name) || link_is(modes[i].word, name))
            return &modes[i];
    return NULL;
}

static int ocusync_make(void **ret_state, const struct tx_args *a, struct rng *rng,
                        char why[IQ_WHY])
{
    static const char *const known[] = { "both", "idle25", "idle20", "16qam", "64qam", "parked",
                                         NULL };
    const struct mode *m = find_mode(a->mode);
    if (!m) {
        snprintf(why, IQ_WHY, "ocusync: mode \"%s\" is none of 10MHz 20MHz fpv uplink, nor a name "
                 "of facts/links.json", a->mode);
        return -EINVAL;
    }
    if (!words_known("ocusync", a->variant, known, why))
        return -EINVAL;
    struct ocusync *o = calloc(1, sizeof *o);
    if (!o)
        return -ENOMEM;
    o->mode = m;
    o->args = *a;
    o->rng = *rng;
    o->parked = words_have(a->variant, "parked");
    o->freq_hz = args_has_freq(a) ? a->freq_hz : m->shape == &twenty ? 2449.5e6 : 2444.5e6;
    o->pilot_db = a->value < 0 || a->value > 0 ? a->value : 0;
    // Alone, the uplink is the emitter and the scene sets its crystal.
    o->pilot_ppm = m == &modes[UPLINK] ? 0 : rng_between(&o->rng, -3, 3);
    o->qam = words_have(a->variant, "64qam") ? 64 : words_have(a->variant, "16qam") ? 16 : 4;
    set_schedule(o, a->variant);
    ofdm_init(&o->down, m->shape->n);
    ofdm_init(&o->up, up.n);
    *ret_state = o;
    return 0;
}

static unsigned make_wave(struct ocusync *o, enum part part)
{
    const struct shape *s = part == UP ? &up : o->mode->shape;
    unsigned n = 0;
    if (part == FRAMES)
        for (int i = 0; i < 3; i++)
            n += frame(o, s, 15, o->wave + n);
    else
        n = frame(o, s, 7, o->wave);
    ofdm_unit_power(o->wave, n, o->iq);
    return n;
}

static double length_s(const struct shape *s, enum part part)
{
    unsigned frame_n = 15 * (s->n + s->cp) + 3 * (s->cp_long - s->cp);
    unsigned half_n = 7 * (s->n + s->cp) + 2 * (s->cp_long - s->cp);
    return (part == FRAMES ? 3 * frame_n : half_n) / s->rate_hz;
}

static int ocusync_next(void *state, struct tx_packet *ret_packet)
{
    struct ocusync *o = state;
    for (unsigned skips = 0; skips < ARGS_SKIPS; skips++) {
        const struct event *e = &o->event[o->count % o->n_events];
        const struct shape *s = e->part == UP ? &up : o->mode->shape;
        double t = (double)(o->count / o->n_events) * o->period_s + e->at_s;
        if (t + length_s(s, e->part) > args_until(&o->args))
            return 0;
        o->count++;
        double f = e->part == UP ? uplink_hz(o) : o->freq_hz;
        if (!args_seen(&o->args, f, s->bw_hz))
            continue;
        *ret_packet = (struct tx_packet){
            .t_s = t, .freq_hz = f, .bw_hz = s->bw_hz, .rate_hz = s->rate_hz,
            .n = make_wave(o, e->part), .iq = o->iq,
            .gain_db = e->part == UP ? (float)o->pilot_db : 0,
        };
        snprintf(ret_packet->link, sizeof ret_packet->link, "%s",
                 e->part == UP ? modes[UPLINK].link : o->mode->link);
        return 1;
    }
    return 0;
}

const struct tx_model tx_ocusync = {
    .name = "ocusync",
    .family = "dji-ocusync",
    .about = "DJI OcuSync OFDM, 10 and 20 MHz downlink, hopping uplink; roots and hops assumed",
    .make = ocusync_make,
    .next = ocusync_next,
    .drop = free,
};
