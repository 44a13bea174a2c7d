// SPDX-License-Identifier: GPL-3.0-or-later
// Takes others' bursts out of samples, and leaves the rest as it is.
//
//     frames  |---- N ----|        each half over the next, under a square root of a raised cosine
//                   |---- N ----|  on the way in and out: together they weigh 1 everywhere.
//
// A frame in which somebody else was on the air keeps the bins of the bursts that are to be kept,
// and nothing else: skirts, images and what folds over at the edges go with their burst.  Noise as
// loud as the quiet part of the samples takes their place, or the hole would look like the floor,
// and the floor like signals.
#include "classifier/keep.h"

#include <errno.h>
#include <fftw3.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define BIN_HZ  16e3            // wide enough to be quick, narrow enough for two LoRa channels
#define MARGIN  0.1             // of its width, on both sides: skirts
#define LOOKS   16              // frames that tell how loud the noise is
#define EDGE_S  100e-6          // before and behind: starts are known to some 20 us, ends to less
#define SPILL   3               // bins, on both sides: the window's main lobe

struct mask {
    size_t        n;
    double        rate_hz;
    float        *window, *power;
    uint8_t      *keep;             // bins of the frame at hand
    float         noise;            // mean power of a bin
    struct rng    rng;
    float complex *z;
    fftwf_plan    there, back;
};

struct mask *mask_new(double rate_hz)
{
    struct mask *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->rate_hz = rate_hz;
    for (m->n = 64; m->n < 8192 && (double)m->n * BIN_HZ < rate_hz; m->n *= 2)
        ;
    m->window = malloc(m->n * sizeof *m->window);
    m->power = malloc(m->n * LOOKS * sizeof *m->power);
    m->keep = malloc(m->n);
    m->z = fftwf_malloc(m->n * sizeof *m->z);
    if (m->window && m->z && m->power && m->keep) {
        m->there = fftwf_plan_dft_1d((int)m->n, m->z, m->z, FFTW_FORWARD, FFTW_ESTIMATE);
        m->back = fftwf_plan_dft_1d((int)m->n, m->z, m->z, FFTW_BACKWARD, FFTW_ESTIMATE);
    }
    if (!m->there || !m->back) {
        mask_free(m);
        return NULL;
    }
    for (size_t i = 0; i < m->n; i++)
        m->window[i] = (float)sin(M_PI * ((double)i + 0.5) / (double)m->n);
    return m;
}

void mask_free(struct mask *m)
{
    if (!m)
        return;
    if (m->there)
        fftwf_destroy_plan(m->there);
    if (m->back)
        fftwf_destroy_plan(m->back);
    fftwf_free(m->z);
    free(m->window);
    free(m->power);
    free(m->keep);
    free(m);
}

// Twice a bin's mean: frames overlap by half, and what is new in each does not add up in phase.
static float complex noise(struct mask *m)
{
    return sqrtf(2 * m->noise) * rng_cnormal(&m->rng);
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void transform(struct mask *m, const float complex *x, size_t n, long at)
{
    for (size_t i = 0; i < m->n; i++) {
        long k = at + (long)i;
        m->z[i] = k >= 0 && k < (long)n ? x[k] * m->window[i] : 0;
    }
    fftwf_execute(m->there);
}

// From the quieter half of all bins of some frames: of noise the lower quartile is -ln(3/4) means.
static void learn_noise(struct mask *m, const float complex *x, size_t n)
{
    size_t got = 0;

    for (size_t i = 0; i < LOOKS && n >= m->n; i++) {
        transform(m, x, n, (long)((n - m->n) * i / LOOKS));
        for (size_t k = 0; k < m->n; k++)
            m->power[got++] = cabsf(m->z[k]) * cabsf(m->z[k]);
    }
    qsort(m->power, got, sizeof *m->power, by_size);
    m->noise = got ? m->power[got / 4] / 0.28768207f : 0;
}

// Marks the bins of a burst that is kept.
static void keep_bins(struct mask *m, const struct keep_box *b, double centre_hz)
{
    double bin_hz = m->rate_hz / (double)m->n, skirt_hz = MARGIN * (b->hi_hz - b->lo_hz);
    long lo = lround((b->lo_hz - skirt_hz - centre_hz) / bin_hz) - SPILL;
    long hi = lround((b->hi_hz + skirt_hz - centre_hz) / bin_hz) + SPILL, half = (long)m->n / 2;

    lo = lo < -half ? -half : lo;
    hi = hi > half - 1 ? half - 1 : hi;
    for (long k = lo; k <= hi; k++)
        m->keep[k < 0 ? k + (long)m->n : k] = 1;
}

static bool touches(const struct mask *m, const struct keep_box *b, double t_s)
{
    double frame_s = (double)m->n / m->rate_hz, more_s = b->plain ? 0 : EDGE_S;
    return b->t0_s - more_s < t_s + frame_s && b->t1_s + more_s > t_s;
}

// One frame from sample `at` (which may lie before the first), added to y.
static void frame(struct mask *m, const float complex *x, float complex *y, size_t n, long at,
                  double t0_s, double centre_hz, const struct keep_box *box, unsigned n_boxes)
{
    float complex *z = m->z;

    transform(m, x, n, at);
    bool others = false;
    memset(m->keep, 0, m->n);
    for (unsigned i = 0; i < n_boxes; i++)
        if (touches(m, &box[i], t0_s + (double)at / m->rate_hz)) {
            others = others || !box[i].plain;
            if (box[i].plain)
                keep_bins(m, &box[i], centre_hz);
        }
    for (size_t i = 0; others && i < m->n; i++)
        if (!m->keep[i])
            z[i] = noise(m);
    fftwf_execute(m->back);
    for (size_t i = 0; i < m->n; i++) {
        long k = at + (long)i;
        if (k >= 0 && k < (long)n)
            y[k] += z[i] * m->window[i] / (float)m->n;
    }
}

int mask_apply(struct mask *m, float complex *x, size_t n, double t0_s, double centre_hz,
               const struct keep_box *box, unsigned n_boxes)
{
    double t1_s = t0_s + (double)n / m->rate_hz, lo = centre_hz - m->rate_hz / 2;
    int inside = 0;

    for (unsigned i = 0; i < n_boxes; i++)
        inside += !box[i].plain && box[i].t0_s < t1_s && box[i].t1_s > t0_s && box[i].hi_hz > lo &&
                  box[i].lo_hz < lo + m->rate_hz;
    if (!inside)
        return 0;
    float complex *y = calloc(n, sizeof *y);
    if (!y)
        return -ENOMEM;
    rng_init(&m->rng, 1);
    learn_noise(m, x, n);
    for (long at = -(long)m->n / 2; at < (long)n; at += (long)m->n / 2)
        frame(m, x, y, n, at, t0_s, centre_hz, box, n_boxes);
    memcpy(x, y, n * sizeof *x);
    free(y);
    return inside;
}
