// SPDX-License-Identifier: GPL-3.0-or-later
// The noise floor that the front tells, against the noise that is there, under signals that fill
// much of time and band; noise that rises; the first millisecond of a stream.
//
//   frames    the whole band, on and off        part of band   never off, nothing beside it
//   channels  eight bands, each on and off by itself
#include "tests/bench/detect.h"

#include <complex.h>
#include <stdio.h>
#include <string.h>

#include "dsp/fft.h"
#include "dsp/front/front.h"

#define RATE     20e6
#define PERIOD   (1u << 18)     // samples: signals repeat, so that they begin nowhere
#define SNR_DB   15
#define BANDS    8
#define EDGE     200            // samples of a rising edge: no splatter
#define LEARN_S  0.15
#define BLOCK    16384

enum kind { FRAMES, CHANNELS, PART };

static const char *const names[] = { "frames", "channels", "part of the band" };

// Noise of bins [lo, hi) of the band (0..1), for ever.
static float complex *make_band(struct rng *r, double lo, double hi, double snr_db)
{
    float complex *x = dft_alloc(PERIOD), *y = dft_alloc(PERIOD);
    struct dft *f = dft_new(PERIOD, DFT_BACKWARD, 1);
    float a = (float)sqrt(pow(10, 0.1 * snr_db) / PERIOD);

    for (unsigned k = (unsigned)(lo * PERIOD); k < (unsigned)(hi * PERIOD); k++)
        x[(k + PERIOD / 2) % PERIOD] = a * rng_cnormal(r);
    dft_run(f, x, y);
    dft_free(f);
    free(x);
    return y;
}

// On and off for times drawn anew.
struct gate { double left; float level; bool on; };

static float gate_step(struct gate *g, struct rng *r, double share, double on_s)
{
    if (--g->left <= 0) {
        double mean = g->on ? on_s * (1 - share) / share : on_s;
        g->on = !g->on;
        g->left = -log(1 - rng_uniform(r)) * mean * RATE + 1;
    }
    g->level += g->on ? 1.0f / EDGE : -1.0f / EDGE;
    g->level = g->level > 1 ? 1 : g->level < 0 ? 0 : g->level;
    return g->level;
}

struct bias { double sum, worst, n; double at[NOISE_POINTS]; };

static void note(struct bias *b, const struct noise_shape *s, double power_db)
{
    double truth = power_db - 10 * log10(RATE);

    for (unsigned k = 1; k < NOISE_POINTS - 1; k++)
        b->at[k] += s->dbfs_hz[k] - truth;
    b->n++;
}

static void finish(struct bias *b)
{
    for (unsigned k = 1; k < NOISE_POINTS - 1; k++) {
        double e = b->at[k] / b->n;
        b->sum += e / (NOISE_POINTS - 2);
        b->worst = fabs(e) > fabs(b->worst) ? e : b->worst;
    }
}

static struct bias run_busy(enum kind kind, double share, double on_s, double seconds)
{
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CF32, .block_len = BLOCK };
    struct front *f = front_new(&info);
    struct front_out *o = calloc(1, sizeof *o);
    float complex *x = calloc(BLOCK, sizeof *x), *band[BANDS];
    unsigned n = kind == CHANNELS ? BANDS : 1;
    struct gate g[BANDS] = { 0 };
    struct bias b = { 0 };
    struct rng r;

    rng_init(&r, 3);
    for (unsigned k = 0; k < n; k++)
        band[k] = kind == FRAMES ? make_band(&r, 0.02, 0.98, SNR_DB)
                : kind == PART   ? make_band(&r, 0.03, 0.03 + share * 0.94, SNR_DB)
                                 : make_band(&r, (k + 0.05) / BANDS, (k + 0.95) / BANDS, SNR_DB);
    for (uint64_t at = 0; (double)at < (LEARN_S + seconds) * RATE; at += BLOCK) {
        for (unsigned i = 0; i < BLOCK; i++) {
            x[i] = rng_cnormal(&r);
            for (unsigned k = 0; k < n; k++)
                x[i] += band[k][(at + i) % PERIOD] *
                        (kind == PART ? 1 : gate_step(&g[k], &r, share, on_s));
        }
        struct iq_block q = { .n0 = at, .n = BLOCK, .format = IQ_CF32, .rate_hz = RATE, .data = x };
        front_block(f, &q, o);
        if ((double)at > LEARN_S * RATE)
            note(&b, &o->noise, 0);
    }
    for (unsigned k = 0; k < n; k++)
        free(band[k]);
    finish(&b);
    front_free(f);
    free(o);
    free(x);
    return b;
}

// Noise that rises by so many dB a second.
static struct bias run_rise(double db_per_s, double seconds)
{
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CF32, .block_len = BLOCK };
    struct front *f = front_new(&info);
    struct front_out *o = calloc(1, sizeof *o);
    float complex *x = calloc(BLOCK, sizeof *x);
    struct bias b = { 0 };
    struct rng r;

    rng_init(&r, 4);
    for (uint64_t at = 0; (double)at < (LEARN_S + seconds) * RATE; at += BLOCK) {
        double db = db_per_s * (double)at / RATE;
        float a = (float)pow(10, 0.05 * db);
        for (unsigned i = 0; i < BLOCK; i++)
            x[i] = a * rng_cnormal(&r);
        struct iq_block q = { .n0 = at, .n = BLOCK, .format = IQ_CF32, .rate_hz = RATE, .data = x };
        front_block(f, &q, o);
        if ((double)at > LEARN_S * RATE)
            note(&b, &o->noise, db);
    }
    finish(&b);
    front_free(f);
    free(o);
    free(x);
    return b;
}

// Streams of 30 ms with one burst that begins within half a millisecond, or in the middle: found in
// how many, and candidates that are not it.
static void first_ms(unsigned runs, double snr_db)
{
    const size_t len = (size_t)(0.03 * RATE), burst = (size_t)(256e-6 * RATE);
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CF32, .block_len = BLOCK };
    struct front_out *o = calloc(1, sizeof *o);
    float complex *x = calloc(len, sizeof *x);
    unsigned seen[2] = { 0 }, other = 0;
    struct rng r;

    rng_init(&r, 6);
    float complex *band = make_band(&r, 0.6, 0.65, snr_db);     // 1 MHz
    for (unsigned i = 0; i < 2 * runs; i++) {
        struct front *f = front_new(&info);
        size_t at = (i % 2 ? len / 2 : 0) + rng_below(&r, (uint32_t)(0.5e-3 * RATE));
        unsigned from = rng_below(&r, PERIOD - (uint32_t)burst);
        bool hit = false;
        for (size_t k = 0; k < len; k++)
            x[k] = rng_cnormal(&r) + (k >= at && k < at + burst ? band[from + k - at] : 0);
        struct iq_block q = { .n = (uint32_t)len, .format = IQ_CF32, .rate_hz = RATE, .data = x };
        for (int end = 0; end < 2; end++) {
            if (end)
                front_flush(f, o);
            else
                front_block(f, &q, o);
            for (unsigned k = 0; k < o->list.n; k++) {
                const struct cand *c = &o->list.c[k];
                bool mine = c->n0 < at + burst && c->n1 > at && c->f_hi_hz > 2e6 &&
                            c->f_lo_hz < 3e6;
                hit = hit || mine;
                other += !mine;
            }
        }
        seen[i % 2] += hit;
        front_free(f);
    }
    struct range a = range_of(seen[0], runs), b = range_of(seen[1], runs);
    printf("\nBursts of 256 us x 1 MHz at %.1f dB that begin in the first half millisecond of a "
           "stream: found %.2f (%.2f-%.2f); 15 ms later %.2f (%.2f-%.2f); %u other candidates in "
           "%u streams.\n", snr_db, a.p, a.lo, a.hi, b.p, b.lo, b.hi, other, 2 * runs);
    free(band);
    free(o);
    free(x);
}

void bench_floor(double seconds)
{
    printf("\nFloor less noise, dB, signals of %d dB:\n\n"
           "| signals | occupied | on for, ms | mean | worst place | goal |\n"
           "|---|---|---|---|---|---|\n", SNR_DB);
    for (int k = 0; k < 3; k++)
        for (int high = 0; high < 2; high++)
            for (int slow = 0; slow < (k == PART ? 1 : 2); slow++) {
                double share = high ? 0.9 : 0.6, on_s = slow ? 8e-3 : 2e-3;
                struct bias b = run_busy((enum kind)k, share, on_s, seconds);
                printf("| %s | %.0f %% | ", names[k], share * 100);
                if (k == PART)
                    printf("always");
                else
                    printf("%.0f", on_s * 1e3);
                printf(" | %+.2f | %+.2f | %.1f |\n", b.sum, b.worst, high ? 1.0 : 0.3);
                fflush(stdout);
            }
    struct bias up = run_rise(1, 2 * seconds), down = run_rise(-1, 2 * seconds);
    printf("\nNoise that rises by 1 dB/s: %+.2f dB behind it; that falls: %+.2f.\n", up.sum,
           down.sum);
    first_ms(bench_quick() ? 50 : 400, -1.6);
}
