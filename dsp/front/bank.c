// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/bank.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <liquid/liquid.h>

#include "dsp/fft.h"
#include "dsp/kernel/powers.h"
#include "dsp/kernel/wola.h"

// Windows folded in one go: two times the kernel's four.  Transforms in one go only where one is
// tiny (measured).
#define BATCH 8
#define SMALL_CHANNELS 64
#define PADDED_CHANNELS 256     // from here on rows are half a page or more

struct bank {
    unsigned       channels, taps, stride;      // stride: samples from one transform to the next
    bool           together;            // all of a batch in one plan
    float         *h, *packed;          // prototype; as the kernel reads it
    float complex *folded, *spec;       // batch transforms, in and out
    struct dft    *fft;
    float         *turns;               // of the other way to powers; NULL: not for this length
    const struct wola_ops *ops;
    const struct powers_ops *powers;
};

static void make_prototype(struct bank *b, double stop_db)
{
    unsigned n = b->channels * b->taps;
    double sum = 0;

    liquid_firdes_kaiser(n, 0.5f / (float)b->channels, (float)stop_db, 0, b->h);
    for (unsigned i = 0; i < n; i++)
        sum += (double)b->h[i] * b->h[i];
    double scale = 1 / sqrt(sum * b->channels);
    for (unsigned i = 0; i < n; i++)
        b->h[i] = (float)(b->h[i] * scale);
}

static void pack_prototype(struct bank *b)
{
    float *to = b->packed;

    for (unsigned c = 0; c < b->channels; c += WOLA_TAPS) {
        unsigned from = c + WOLA_TAPS <= b->channels ? c : b->channels - WOLA_TAPS;
        for (unsigned k = 0; k < b->taps; k++, to += WOLA_TAPS)
            memcpy(to, b->h + k * b->channels + from, WOLA_TAPS * sizeof *to);
    }
}

// Turns of a step over `radix` stretches of `len` values, as kernel/powers.c reads them: for 16
// values at a time 16 cosines and 16 sines, for the first result that is turned, the second ..
static float *put_turns(unsigned radix, unsigned len, float *to)
{
    for (unsigned m = 0; m < len; m += 16)
        for (unsigned k = 1; k < radix; k++, to += 32)
            for (unsigned i = 0; i < 16; i++) {
                double a = -2 * M_PI * (m + i) * k / ((double)radix * len);
                to[i] = (float)cos(a);
                to[i + 16] = (float)sin(a);
            }
    return to;
}

void powers_turns(unsigned n, float *ret)
{
    // Steps of 8, or of 4 where 8 does not go on in 8s and 4s, down to 16 points.
    for (unsigned left = n / 16; left > 1;) {
        unsigned radix = left >= 8 && left != 16 ? 8 : 4;
        left /= radix;
        ret = put_turns(radix, left * 16, ret);
    }
}

static bool make_turns(struct bank *b)
{
    unsigned n = b->channels;

    b->powers = powers_ops();
    if (!b->powers || n < POWERS_LEAST || n > POWERS_MOST || (n & (n - 1)))
        return true;
    b->turns = (float *)dft_alloc((POWERS_TURNS(n) + 1) / 2);
    if (b->turns)
        powers_turns(n, b->turns);
    return b->turns;
}

struct bank *bank_new(unsigned channels, unsigned taps, double stop_db)
{
    struct bank *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->channels = channels;
    b->taps = taps;
    b->together = channels <= SMALL_CHANNELS && channels % 8 == 0;
    // Not a power of two: the folded windows would fall into one set of the first cache.
    b->stride = (channels + 7) / 8 * 8 + (channels >= PADDED_CHANNELS ? 8 : 0);
    b->ops = wola_ops();
    b->h = (float *)dft_alloc(((size_t)channels * taps + 1) / 2);
    b->packed = (float *)dft_alloc((size_t)b->stride * taps / 2);
    b->folded = dft_alloc((size_t)b->stride * BATCH);
    b->spec = dft_alloc((size_t)b->stride * BATCH);
    b->fft = dft_new(channels, DFT_FORWARD, b->together ? BATCH : 1);
    bool ok = make_turns(b);
    if (!ok || !b->h || !b->packed || !b->folded || !b->spec || !b->fft) {
        bank_free(b);
        return NULL;
    }
    make_prototype(b, stop_db);
    pack_prototype(b);
    return b;
}

void bank_free(struct bank *b)
{
    if (!b)
        return;
    dft_free(b->fft);
    free(b->h);
    free(b->packed);
    free(b->turns);
    free(b->folded);
    free(b->spec);
    free(b);
}

unsigned bank_channels(const struct bank *b) { return b->channels; }
unsigned bank_hop(const struct bank *b) { return b->channels / 2; }
unsigned bank_window(const struct bank *b) { return b->channels * b->taps; }
const float *bank_prototype(const struct bank *b) { return b->h; }

// Up to BATCH frames into b->spec.  Those past n hold older ones' rubbish, nobody reads them.
static void fold(struct bank *b, const float complex *x, unsigned n)
{
    b->ops->fold((const float *)x, b->packed, 2 * b->channels, b->taps, n, 2 * b->stride,
                 (float *)b->folded);
}

static void run(struct bank *b, const float complex *x, unsigned n)
{
    fold(b, x, n);
    for (unsigned i = 0; i < (b->together ? 1 : n); i++)
        dft_run(b->fft, b->folded + (size_t)i * b->stride, b->spec + (size_t)i * b->stride);
}

void bank_spectra(struct bank *b, const float complex *x, unsigned frames, float complex *ret)
{
    for (unsigned at = 0; at < frames; at += BATCH) {
        unsigned n = frames - at < BATCH ? frames - at : BATCH;
        run(b, x + (size_t)at * b->channels / 2, n);
        for (unsigned i = 0; i < n; i++)
            memcpy(ret + (size_t)(at + i) * b->channels, b->spec + (size_t)i * b->stride,
                   b->channels * sizeof *ret);
    }
}

void bank_power(struct bank *b, const float complex *x, unsigned frames, float *ret)
{
    unsigned half = b->channels / 2;

    for (unsigned at = 0; at < frames; at += BATCH) {
        unsigned n = frames - at < BATCH ? frames - at : BATCH;
        run(b, x + (size_t)at * half, n);
        for (unsigned i = 0; i < n; i++) {
            const float *s = (const float *)(b->spec + (size_t)i * b->stride);
            float *r = ret + (size_t)(at + i) * b->channels;
            b->ops->power(s + 2 * half, half, r);
            b->ops->power(s, half, r + half);
        }
    }
}

float bank_power_packed(struct bank *b, const float complex *x, unsigned frames, uint16_t *ret)
{
    float most = 0;

    for (unsigned at = 0; at < frames; at += BATCH) {
        unsigned n = frames - at < BATCH ? frames - at : BATCH;
        if (b->turns) {
            fold(b, x + (size_t)at * b->channels / 2, n);
            most = fmaxf(most, b->powers->run((float *)b->folded, b->channels, n, 2 * b->stride,
                                              b->turns, ret + (size_t)at * b->channels));
            continue;
        }
        run(b, x + (size_t)at * b->channels / 2, n);
        most = fmaxf(most, b->ops->power_pack((const float *)b->spec, b->channels, n, 2 * b->stride,
                                              ret + (size_t)at * b->channels));
    }
    return most;
}
