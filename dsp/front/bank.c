// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/bank.h"

#include <math.h>
#include <stdlib.h>

#include <liquid/liquid.h>

#include "dsp/fft.h"
#include "dsp/kernel/wola.h"

// Transforms done in one go.  Measured: batches pay only where one transform is tiny.
#define BATCH_SMALL 8
#define SMALL_CHANNELS 64

struct bank {
    unsigned       channels, taps, batch;
    float         *h;                   // prototype
    float complex *folded, *spec;       // batch transforms, in and out
    struct dft    *fft;
    const struct wola_ops *ops;
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

struct bank *bank_new(unsigned channels, unsigned taps, double stop_db)
{
    struct bank *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->channels = channels;
    b->taps = taps;
    b->batch = channels <= SMALL_CHANNELS ? BATCH_SMALL : 1;
    b->ops = wola_ops();
    b->h = (float *)dft_alloc(((size_t)channels * taps + 1) / 2);
    b->folded = dft_alloc((size_t)channels * b->batch);
    b->spec = dft_alloc((size_t)channels * b->batch);
    b->fft = dft_new(channels, DFT_FORWARD, b->batch);
    if (!b->h || !b->folded || !b->spec || !b->fft) {
        bank_free(b);
        return NULL;
    }
    make_prototype(b, stop_db);
    return b;
}

void bank_free(struct bank *b)
{
    if (!b)
        return;
    dft_free(b->fft);
    free(b->h);
    free(b->folded);
    free(b->spec);
    free(b);
}

unsigned bank_channels(const struct bank *b) { return b->channels; }
unsigned bank_hop(const struct bank *b) { return b->channels / 2; }
unsigned bank_window(const struct bank *b) { return b->channels * b->taps; }
const float *bank_prototype(const struct bank *b) { return b->h; }

// Up to `batch` frames into b->spec.  Those past n hold older ones' rubbish, nobody reads them.
static void run(struct bank *b, const float complex *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        b->ops->fold((const float *)(x + (size_t)i * b->channels / 2), b->h, 2 * b->channels,
                     b->taps, (float *)(b->folded + (size_t)i * b->channels));
    dft_run(b->fft, b->folded, b->spec);
}

void bank_spectra(struct bank *b, const float complex *x, unsigned frames, float complex *ret)
{
    for (unsigned at = 0; at < frames; at += b->batch) {
        unsigned n = frames - at < b->batch ? frames - at : b->batch;
        run(b, x + (size_t)at * b->channels / 2, n);
        for (size_t i = 0; i < (size_t)n * b->channels; i++)
            ret[(size_t)at * b->channels + i] = b->spec[i];
    }
}

void bank_power(struct bank *b, const float complex *x, unsigned frames, float *ret)
{
    unsigned half = b->channels / 2;

    for (unsigned at = 0; at < frames; at += b->batch) {
        unsigned n = frames - at < b->batch ? frames - at : b->batch;
        run(b, x + (size_t)at * half, n);
        for (unsigned i = 0; i < n; i++) {
            const float *s = (const float *)(b->spec + (size_t)i * b->channels);
            float *r = ret + (size_t)(at + i) * b->channels;
            b->ops->power(s + 2 * half, half, r);
            b->ops->power(s, half, r + half);
        }
    }
}

float bank_power_packed(struct bank *b, const float complex *x, unsigned frames, uint16_t *ret)
{
    unsigned half = b->channels / 2;
    float most = 0;

    for (unsigned at = 0; at < frames; at += b->batch) {
        unsigned n = frames - at < b->batch ? frames - at : b->batch;
        run(b, x + (size_t)at * half, n);
        for (unsigned i = 0; i < n; i++) {
            const float *s = (const float *)(b->spec + (size_t)i * b->channels);
            uint16_t *r = ret + (size_t)(at + i) * b->channels;
            most = fmaxf(most, b->ops->power_pack(s + 2 * half, half, r));
            most = fmaxf(most, b->ops->power_pack(s, half, r + half));
        }
    }
    return most;
}
