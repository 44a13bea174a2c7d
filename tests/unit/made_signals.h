// SPDX-License-Identifier: GPL-3.0-or-later
// Signals from their closed forms, for tests: each is sampled at any rate straight from its formula
// and laid into noise of known density, as one burst with margins and deliberately rough extents.
#pragma once

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "dsp/burst.h"

struct made {
    struct iq_block b;
    struct burst    burst;
    float complex  *x;
    size_t          n;
    // truth: start in capture seconds, length, centre offset
    double          rate, t0, dur, f;
};

static inline float complex made_turn(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

// One signal: value at time t (0 <= t < dur) at baseband; mean power 1.
typedef double complex made_fn(double t, void *arg);

// Lays fn into noise: snr_db in width_hz; extents off by up to a fifth of the length (50 us at
// most) and the width by up to a quarter.  Noise density is 1 / rate.
static inline void made_burst(struct made *m, struct rng *r, double rate, double f, double dur,
                              double width, double snr_db, made_fn *fn, void *arg)
{
    double lead = 160e-6 + rng_uniform(r) * 40e-6;
    memset(m, 0, sizeof *m);
    m->rate = rate;
    m->dur = dur;
    m->f = f;
    m->t0 = lead;
    m->n = (size_t)((dur + lead + 200e-6) * rate);
    m->x = malloc(m->n * sizeof *m->x);
    double amp = sqrt(pow(10, snr_db / 10) * width / rate);
    for (size_t i = 0; i < m->n; i++) {
        double t = (double)i / rate - lead;
        m->x[i] = rng_cnormal(r);
        if (t >= 0 && t < dur)
            m->x[i] += (float complex)(amp * fn(t, arg)) * made_turn(f * t);
    }
    m->b = (struct iq_block){ .n = (uint32_t)m->n, .rate_hz = rate, .format = IQ_CF32,
                              .data = m->x };
    double slack = fmin(50e-6, dur / 5), lo = f - width / 2, hi = f + width / 2;
    struct burst *b = &m->burst;
    b->id = 1;
    b->hyp = HYP_ENERGY;
    b->origin = IQ_SIMULATION;
    b->rate_hz = rate;
    b->n0 = (uint64_t)((lead + slack * rng_between(r, -1, 1)) * rate);
    b->n1 = (uint64_t)((lead + dur + slack * rng_between(r, -1, 1)) * rate);
    b->run_n0 = b->n0;
    b->f_lo_hz = fmax(-rate / 2, lo + width * rng_between(r, -0.25, 0.1));
    b->f_hi_hz = fmin(rate / 2, hi + width * rng_between(r, -0.1, 0.25));
    b->noise_dbfs_hz = (float)(-10 * log10(rate));
    b->cut = (struct cut){ .n = (uint32_t)m->n, .n_blk = 1, .blk = { &m->b } };
}

static inline void made_free(struct made *m) { free(m->x); m->x = NULL; }

// ---- LoRa: preamble of 12 up-chirps, two sync symbols, 2.25 down-chirps, random payload ---------
struct made_lora { int sf; double bw, sign; unsigned n; uint16_t sym[64]; };

static inline double made_lora_dur(const struct made_lora *l)
{
    return (14 + 2.25 + l->n) * (double)(1 << l->sf) / l->bw;
}

static inline double complex made_lora(double t, void *arg)
{
    const struct made_lora *l = arg;
    double m = 1 << l->sf, u = t * l->bw / m, v, k0 = 0, dir = 1;      // u: time in symbols
    if (u < 14) {
        v = u - floor(u);
        k0 = u < 12 ? 0 : u < 13 ? m / 4 : m / 2;
    } else if (u < 16.25) {
        v = u - 14 - floor(u - 14);
        dir = -1;
    } else {
        v = u - 16.25 - floor(u - 16.25);
        k0 = l->sym[(unsigned)(u - 16.25) % 64] % (1u << l->sf);
    }
    // Chips into the symbol with the wrap at the band's edge: phase in turns of a chirp from -bw/2.
    double c = v * m, wrap = m - k0,
        ph = dir > 0 ? c * c / (2 * m) + (k0 / m - 0.5) * c : c / 2 - c * c / (2 * m);
    if (dir > 0 && c >= wrap)
        ph -= c - wrap;
    return made_turn(l->sign * ph);
}

// ---- FSK: random bits, Gaussian-shaped when bt > 0; phase integrated on a fine grid -----------
#define MADE_FSK_OVER 32
struct made_fsk { double rate, dev, bt; unsigned bits; uint8_t *bit; double *phase; };

static inline void made_fsk_make(struct made_fsk *f, struct rng *r, unsigned preamble)
{
    size_t n = (size_t)f->bits * MADE_FSK_OVER;
    double *level = calloc(n + 1, sizeof *level), ph = 0;
    f->bit = malloc(f->bits);
    f->phase = malloc((n + 1) * sizeof *f->phase);
    for (unsigned i = 0; i < f->bits; i++)
        f->bit[i] = i < preamble ? !(i & 1) : rng_below(r, 2);
    for (size_t i = 0; i < n; i++) {
        double v = 0;
        if (f->bt <= 0) {
            v = f->bit[i / MADE_FSK_OVER] ? 1 : -1;
        } else {
            // Gaussian of standard deviation sqrt(ln 2) / (2 pi B) over the rectangular bits: a sum
            // of error functions of the five bits around.
            double t = (i + 0.5) / MADE_FSK_OVER, s = sqrt(log(2)) / (2 * M_PI * f->bt) * sqrt(2);
            for (int k = (int)t - 2; k <= (int)t + 2; k++) {
                double b = k < 0 || k >= (int)f->bits ? 0 : f->bit[k] ? 1 : -1;
                v += b * 0.5 * (erf((t - k) / s) - erf((t - k - 1) / s));
            }
        }
        level[i] = v;
    }
    for (size_t i = 0; i <= n; i++) {
        f->phase[i] = ph;
        ph += level[i] * f->dev / f->rate / MADE_FSK_OVER;
    }
    free(level);
}

static inline double complex made_fsk(double t, void *arg)
{
    const struct made_fsk *f = arg;
    double u = t * f->rate * MADE_FSK_OVER;
    size_t i = (size_t)u, n = (size_t)f->bits * MADE_FSK_OVER;
    i = i >= n ? n - 1 : i;
    return made_turn(f->phase[i] + (u - (double)i) * (f->phase[i + 1] - f->phase[i]));
}

static inline void made_fsk_free(struct made_fsk *f) { free(f->bit); free(f->phase); }

// ---- OFDM: QPSK on carriers -n/2..n/2 without 0; every `per`-th symbol's prefix longer ----------
struct made_ofdm {
    double useful, cp, extra; unsigned per, carriers, symbols, s; uint8_t *qpsk;
    // these symbols carry a Zadoff-Chu sequence, carriers + 1 long
    int zc_root[4], zc_symbol[4];
};

static inline void made_ofdm_make(struct made_ofdm *o, struct rng *r)
{
    o->qpsk = malloc((size_t)o->carriers * o->symbols);
    for (size_t i = 0; i < (size_t)o->carriers * o->symbols; i++)
        o->qpsk[i] = (uint8_t)rng_below(r, 4);
}

static inline double made_ofdm_dur(const struct made_ofdm *o)
{
    unsigned longer = o->per ? (o->symbols + o->per - 1) / o->per : 0;
    return o->symbols * (o->useful + o->cp) + longer * o->extra;
}

static inline double complex made_ofdm_value(const struct made_ofdm *o, unsigned s, unsigned c)
{
    for (int i = 0; i < 4; i++)
        if (o->zc_root[i] && o->zc_symbol[i] == (int)s) {
            unsigned n = c < o->carriers / 2 ? c : c + 1, len = o->carriers + 1;
            unsigned long q = (unsigned long)o->zc_root[i] * n * (n + 1) % (2ul * len);
            return made_turn(-(double)q / (2.0 * len));
        }
    return made_turn(0.125 + o->qpsk[(size_t)s * o->carriers + c] / 4.0);
}

static inline double complex made_ofdm(double t, void *arg)
{
    const struct made_ofdm *o = arg;
    unsigned s = 0;
    double at = 0, cp = o->cp;
    for (;; s++) {
        cp = o->cp + (o->per && s % o->per == 0 ? o->extra : 0);
        if (t < at + cp + o->useful || s + 1 >= o->symbols)
            break;
        at += cp + o->useful;
    }
    // Carriers by turning one phasor: exact to 1e-12 over a thousand steps.
    double u = (t - at - cp) / o->useful;
    double complex step = cexp(2 * M_PI * I * u),
        w = cexp(-2 * M_PI * I * u * (o->carriers / 2)), sum = 0;
    for (unsigned c = 0; c < o->carriers; c++, w *= step) {
        if (c == o->carriers / 2)
            w *= step;
        sum += made_ofdm_value(o, s, c) * w;
    }
    return sum / sqrt(o->carriers);
}

// ---- 802.11b: differential BPSK of the Barker code, rectangular chips -------------------------
struct made_barker { uint8_t bit[1024]; double chip_hz; };

static inline double complex made_barker(double t, void *arg)
{
    static const int code[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };
    const struct made_barker *b = arg;
    long chip = (long)(t * b->chip_hz);
    return code[chip % 11] * (b->bit[chip / 11 % 1024] ? 1.0 : -1.0);
}

// ---- FM video: sync pulses, blanking, a picture of slowly changing bars and detail ------------
struct made_video { double line_s, dev; double bar[16]; double phase, last, step; };

static inline double made_video_level(const struct made_video *v, double t)
{
    double line = t / v->line_s, u = (line - floor(line)) * v->line_s;
    long n = (long)line;
    if (n % 312 < 8)                                    // field sync: broad pulses
        return u < v->line_s - 4.7e-6 ? -0.4 : 0;
    if (u < 4.7e-6)
        return -0.4;
    if (u < 10e-6 || u > v->line_s - 1.5e-6)
        return 0;
    int k = (int)((u - 10e-6) / (v->line_s - 11.5e-6) * 16);
    double drift = 0.3 * sin(n * 0.05 + k);             // the picture changes down the field
    return 0.6 * v->bar[k & 15] + 0.2 + 0.2 * drift;
}

// Must be asked in order of time: the phase is integrated.
static inline double complex made_video(double t, void *arg)
{
    struct made_video *v = arg;
    v->phase += (made_video_level(v, t) - 0.25) * v->dev * (t - v->last);
    v->last = t;
    return made_turn(v->phase);
}

// ---- carriers ---------------------------------------------------------------------------------
static inline double complex made_cw(double t, void *arg) { (void)t; (void)arg; return 1; }
static inline double complex made_am(double t, void *arg)
{
    double f = *(double *)arg;
    return (1 + 0.7 * cos(2 * M_PI * f * t)) / sqrt(1.245);
}
static inline double complex made_noise(double t, void *arg)
{
    (void)t;
    return rng_cnormal(arg);
}
