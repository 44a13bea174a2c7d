// SPDX-License-Identifier: GPL-3.0-or-later
// The two arms of a direct-conversion receiver differ by some percent, so that each signal y comes
// with its mirror image,  x = y + k conj(y),  20 log10|k| = -25 to -40 dB.  What other people send
// knows nothing of our local oscillator, so at two mirrored frequencies
//
//                          k conj(Y[f]) + Y[-f]        |        Y[f] + k conj(Y[-f])
//     ----------------------------|--------------------0--------------------|------> f
//
//     E X[f]X[-f] = k (E|Y[f]|^2 + E|Y[-f]|^2)      whatever the signals are, and
//     var = |Y[f]|^2 |Y[-f]|^2 / n                  best where one side is loud, the other quiet
//
// That is measured in GROUPS pairs of narrow bands, from short transforms of some of each block.
// Each pair is a witness.  One lies where what stands there mirrors itself: a real-valued signal
// (AM, BPSK) whose carrier is our centre, two carriers at f and -f.  So:
//
//     - a pair's error is measured too: from the scatter over periods of 8 blocks, where that is
//       more than noise explains (a packet's phase is constant, the next one's is another);
//     - pairs must agree: those far off the others' median have no vote, and when they weigh more
//       than a quarter nobody is believed;
//     - a pair counts no better than SPREAD, so that no single strong signal speaks for all;
//     - the carrier itself, where the offset stands, is left out;
//     - what is believed is 6 standard errors from nothing, and no more than a poor receiver has.
//
// Until then nothing is done, and a receiver without image keeps its samples as they are.  It is
// remembered per centre and gain.  Only sample time counts, so the same samples give the same.
#include "dsp/self/image.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"

#define POINTS IMAGE_POINTS     // of a transform: pairs of 1/64 of the band
#define FRAMES 16               // transforms of a block: 3 % of the samples at 61.44 MS/s
#define FIRST  4                // pairs from here on: the offset, in a Hann window, fills 0 and 1
#define LAST   60               // to there: beyond, filters leave nothing
#define GROUPS ((LAST - FIRST) / 2)
#define PERIOD 8                // blocks, so some 8 ms: longer than a packet
#define PERIODS_LEAST 5         // before anything is believed: 40 ms
#define KEEP   (1 - 1 / 2048.0) // forgetting per period: 16 s
#define SPREAD 0.004            // of k over frequency that filters of real receivers leave (-48 dB)
#define EFFECT 1.5              // neighbours in a Hann window say partly the same: variance by that
#define FAR2   9.0              // squared standard errors: no vote
#define VOTES  0.75             // of the weight must agree
#define LEAST_GROUPS 12
#define SURE   6.0
#define LEAST  0.0018           // -55 dB: the converter's own limits are above
#define MOST   0.14             // -17 dB: no receiver, but a signal that is its own mirror
#define PLACES 512              // centres and gains remembered, as many as a walk has windows
                                // (SCAN_STEPS): with one more than fit each visit finds its own
                                // forgotten.  1 kB each, so 0.5 MB a radio
#define BETTER 0.2              // of a standard error: less news changes nothing

struct period { double complex s; double up, down; };
struct group  { double w, wkk; double complex wk; };    // precision, and sums of k weighted by it

struct place {
    double        centre_hz, gain_db;
    uint64_t      used;
    struct group  g[GROUPS];
    double        periods;      // forgotten like the sums
    unsigned      seen;         // of them, up to PERIODS_LEAST
    float complex k;
    double        err;
};

struct image {
    struct dft    *dft;
    float complex *x;
    float          window[POINTS];
    struct place   place[PLACES];
    struct place  *at;
    struct period  p[GROUPS];
    unsigned       blocks, frames;
    uint64_t       clock, changes;
    float          power[POINTS];
    bool           looked;
};

struct image *image_new(void)
{
    struct image *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->dft = dft_new(POINTS, DFT_FORWARD, FRAMES);
    m->x = dft_alloc((size_t)POINTS * FRAMES);
    if (!m->dft || !m->x) {
        image_free(m);
        return NULL;
    }
    for (unsigned i = 0; i < POINTS; i++)
        m->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / POINTS));
    for (unsigned i = 0; i < PLACES; i++)
        m->place[i].centre_hz = NAN;
    return m;
}

void image_free(struct image *m)
{
    if (!m)
        return;
    dft_free(m->dft);
    free(m->x);
    free(m);
}

static bool same(double a, double b) { return fabs(a - b) < 0.01; }

static void go_to(struct image *m, const struct iq_block *b)
{
    struct place *old = &m->place[0];

    if (m->at && same(m->at->centre_hz, b->centre_hz) && same(m->at->gain_db, b->gain_db))
        return;
    memset(m->p, 0, sizeof m->p);
    m->blocks = m->frames = 0;
    for (unsigned i = 0; i < PLACES; i++) {
        struct place *p = &m->place[i];
        if (same(p->centre_hz, b->centre_hz) && same(p->gain_db, b->gain_db)) {
            m->at = p;
            return;
        }
        if (p->used < old->used)
            old = p;
    }
    *old = (struct place){ .centre_hz = b->centre_hz, .gain_db = b->gain_db };
    m->at = old;
}

// Somewhere in its share of the block, so that no tone meets all transforms in one phase.
static uint32_t frame_at(const struct iq_block *b, uint32_t share, unsigned k)
{
    uint64_t h = (b->n0 / b->n * FRAMES + k + 1) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    return k * share + (uint32_t)(h % (share - POINTS + 1));
}

static void measure_power(struct image *m, unsigned frames)
{
    const float scale = 8 / (3.0f * POINTS * POINTS * (float)frames);  // of a Hann window

    memset(m->power, 0, sizeof m->power);
    for (unsigned k = 0; k < frames; k++)
        for (unsigned i = 0; i < POINTS; i++) {
            float complex v = m->x[k * POINTS + i];
            m->power[i] += scale * (crealf(v) * crealf(v) + cimagf(v) * cimagf(v));
        }
    m->looked = true;
}

const float *image_power(const struct image *m) { return m->looked ? m->power : NULL; }

static void look(struct image *m, const struct iq_block *b)
{
    unsigned frames = b->n / POINTS < FRAMES ? b->n / POINTS : FRAMES;

    if (!frames)
        return;
    memset(m->x, 0, sizeof *m->x * POINTS * FRAMES);
    for (unsigned k = 0; k < frames; k++) {
        float complex *x = m->x + (size_t)k * POINTS;
        iq_to_cf32(b, frame_at(b, b->n / frames, k), POINTS, x);
        for (unsigned i = 0; i < POINTS; i++)
            x[i] *= m->window[i];
    }
    dft_run(m->dft, m->x, m->x);
    measure_power(m, frames);
    for (unsigned k = 0; k < frames; k++)
        for (unsigned i = FIRST; i < FIRST + 2 * GROUPS; i++) {
            float complex u = m->x[k * POINTS + i], d = m->x[(k + 1) * POINTS - i];
            struct period *p = &m->p[(i - FIRST) / 2];
            p->s += (double complex)(u * d);
            p->up += (double)(crealf(u) * crealf(u) + cimagf(u) * cimagf(u));
            p->down += (double)(crealf(d) * crealf(d) + cimagf(d) * cimagf(d));
        }
    m->frames += frames;
}

static void add_period(struct image *m)
{
    struct place *a = m->at;

    a->periods = a->periods * KEEP + 1;
    a->seen += a->seen < PERIODS_LEAST;
    for (unsigned i = 0; i < GROUPS; i++) {
        struct period *p = &m->p[i];
        struct group *g = &a->g[i];
        g->w *= KEEP;
        g->wk *= KEEP;
        g->wkk *= KEEP;
        double all = p->up + p->down, both = p->up * p->down;
        if (!(both > 1e-30 * all * all) || !isfinite(all))
            continue;
        double complex k = p->s / all;
        double w = 2 * m->frames / EFFECT * all * all / both;
        g->w += w;
        g->wk += w * k;
        g->wkk += w * (creal(k) * creal(k) + cimag(k) * cimag(k));
    }
    memset(m->p, 0, sizeof m->p);
    m->blocks = m->frames = 0;
}

struct vote { double complex k; double w; };    // w: 1 / variance

static unsigned votes(const struct place *a, struct vote *v)
{
    unsigned n = 0;

    for (unsigned i = 0; i < GROUPS; i++) {
        const struct group *g = &a->g[i];
        if (!(g->w > 0))
            continue;
        double complex k = g->wk / g->w;
        double scatter = g->wkk - g->w * (creal(k) * creal(k) + cimag(k) * cimag(k));
        double worse = fmax(1, scatter / fmax(a->periods - 1, 1));
        v[n++] = (struct vote){ k, 1 / (worse / g->w + SPREAD * SPREAD) };
    }
    return n;
}

static double median(const struct vote *v, unsigned n, bool imag, double all)
{
    bool taken[GROUPS] = { false };
    double sum = 0, x = 0;

    while (sum < all / 2) {
        unsigned best = n;
        for (unsigned i = 0; i < n; i++) {
            double c = imag ? cimag(v[i].k) : creal(v[i].k);
            if (!taken[i] && (best == n || c < x)) {
                best = i;
                x = c;
            }
        }
        if (best == n)
            break;
        taken[best] = true;
        sum += v[best].w;
    }
    return x;
}

// What most pairs agree on; false: they do not.
static bool agree(const struct vote *v, unsigned n, double complex *ret_k, double *ret_err)
{
    double all = 0, in = 0, chi = 0;
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++)
        all += v[i].w;
    double complex k = CMPLX(median(v, n, false, all), median(v, n, true, all)), sum = 0;
    for (unsigned pass = 0; pass < 3; pass++) {
        sum = in = chi = kept = 0;
        for (unsigned i = 0; i < n; i++) {
            double d = cabs(v[i].k - k);
            if (d * d * v[i].w > FAR2)
                continue;
            sum += v[i].w * v[i].k;
            in += v[i].w;
            chi += d * d * v[i].w;
            kept++;
        }
        if (kept < LEAST_GROUPS || in < VOTES * all)
            return false;
        k = sum / in;
    }
    *ret_k = k;
    *ret_err = sqrt(EFFECT * fmax(1, chi / kept) / in);
    return true;
}

static void judge(struct image *m)
{
    struct place *a = m->at;
    struct vote v[GROUPS];
    double complex k;
    double err;

    if (a->seen < PERIODS_LEAST || !agree(v, votes(a, v), &k, &err) || cabs(k) > MOST)
        return;
    bool there = cabs(k) > fmax(LEAST, SURE * err);
    bool less = cabs((double complex)a->k - k) < fmax(LEAST / 4, BETTER * err);
    if (!there)
        k = 0;
    if (!there && !(cabs((double complex)a->k) > 0))
        return;
    if (there && less)
        return;
    a->k = (float complex)k;
    a->err = err;
    m->changes++;
}

void image_block(struct image *m, struct iq_block *b)
{
    go_to(m, b);
    m->at->used = ++m->clock;
    b->image = 0;
    m->looked = false;
    if (!(b->flags & (IQ_CLIPPED | IQ_NONFINITE)))
        look(m, b);
    b->image = m->at->k;                // by what was known before: nothing waits for it
    if (++m->blocks < PERIOD)
        return;
    if (m->frames)
        add_period(m);
    judge(m);
}

struct image_view image_view(const struct image *m)
{
    if (!m->at)
        return (struct image_view){ .changes = m->changes };
    return (struct image_view){ m->at->k, m->at->err, m->changes };
}
