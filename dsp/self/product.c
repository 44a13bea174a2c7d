// SPDX-License-Identifier: GPL-3.0-or-later
// Asks a burst's samples whether it is made of stronger ones.  What the receiver makes is made of
// them sample by sample, with one complex factor for all of its time:
//
//     x = c p + rest     p = conj(y)    image            p = y^2, conj(y)^2, y^3, conj(y)^3
//                        p = a^2 conj(b) third order     p = 1   offset
//
//     frames of the capture --Hann--> DFT --bands--> a, b --> p --> DFT --bins of x--> sum X P*
//
// |sum X P*|^2 / sum |P|^2 is the power of c p.  Another transmitter's signal, at whatever time,
// is not of one phase with p, and leaves 1/n of its power there, n independent bins.  So a weak
// emitter under an image's place and time is told from the image.
#include "dsp/self/product.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"

#define LOG_MIN 7
#define LOG_MAX 12
#define N_MAX   (1 << LOG_MAX)
#define FRAMES  48
#define WIDTH   6               // bins of its band that are wanted
#define CLOCK_WIDE_HZ 250e3
#define SHARE   0.6             // of its power over the noise is explained: it is nothing else
#define SURE    14.0            // by chance: e^-14
#define FLOOR   0.25            // of all power: what of it is over the noise, at least

struct product_tool {
    struct dft    *dft[LOG_MAX + 1], *back[LOG_MAX + 1];
    float complex *raw, *x, *a, *b;
    float          window[LOG_MAX + 1][N_MAX];
    double         clock_hz;
};

struct product_tool *product_tool_new(double clock_hz)
{
    struct product_tool *t = calloc(1, sizeof *t);
    bool ok = t;

    if (ok)
        t->clock_hz = clock_hz;

    for (unsigned k = LOG_MIN; ok && k <= LOG_MAX; k++) {
        unsigned n = 1u << k;
        t->dft[k] = dft_new(n, DFT_FORWARD, 1);
        t->back[k] = dft_new(n, DFT_BACKWARD, 1);
        ok = t->dft[k] && t->back[k];
        for (unsigned i = 0; i < n; i++)
            t->window[k][i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / n));
    }
    float complex **all[] = { &t->raw, &t->x, &t->a, &t->b };
    for (unsigned i = 0; ok && i < 4; i++)
        ok = (*all[i] = dft_alloc(N_MAX)) != NULL;
    if (ok)
        return t;
    product_tool_free(t);
    return NULL;
}

void product_tool_free(struct product_tool *t)
{
    if (!t)
        return;
    for (unsigned k = LOG_MIN; k <= LOG_MAX; k++) {
        dft_free(t->dft[k]);
        dft_free(t->back[k]);
    }
    free(t->raw);
    free(t->x);
    free(t->a);
    free(t->b);
    free(t);
}

// How a product comes of its bands.
struct way { int a, b; unsigned order; };       // exponents, negative: conjugated

// One test: the transforms' length, the bins of x, and what adds up.
struct sums { double complex xp; double x, p; };
struct test {
    struct product_tool *t;
    const struct burst  *b;
    unsigned             log, n;
    int                  lo, hi;
};

static int bin_of(const struct test *c, double f_hz)
{
    double k = f_hz / c->b->rate_hz * c->n;
    return (int)lrint(fmin(fmax(k, -(double)c->n / 2), c->n / 2.0 - 1));
}

static unsigned wrap(const struct test *c, int k) { return (unsigned)k & (c->n - 1); }

// The part of spec (transformed) in a band, one bin more on each side, back in time.
static void band_of(const struct test *c, const float complex *spec, double lo_hz, double hi_hz,
                    float complex *dst)
{
    int lo = bin_of(c, lo_hz) - 1, hi = bin_of(c, hi_hz) + 1;

    memset(dst, 0, c->n * sizeof *dst);
    for (int k = lo; k <= hi; k++)
        dst[wrap(c, k)] = spec[wrap(c, k)];
    dft_run(c->t->back[c->log], dst, dst);
    for (unsigned i = 0; i < c->n; i++)
        dst[i] /= (float)c->n;
}

static float complex power_of(float complex v, int m)
{
    float complex u = m < 0 ? conjf(v) : v, r = 1;
    for (int i = 0; i < abs(m); i++)
        r *= u;
    return r;
}

// What was received with the window to the power of the product's order: as the product has it.
static void windowed(const struct test *c, unsigned order, float complex *dst)
{
    const float *w = c->t->window[c->log];
    for (unsigned i = 0; i < c->n; i++) {
        float v = w[i];
        for (unsigned k = 1; k < order; k++)
            v *= w[i];
        dst[i] = c->t->raw[i] * v;
    }
    dft_run(c->t->dft[c->log], dst, dst);
}

// A carrier at f_hz off the centre that goes on from frame to frame; `at` is the frame's place.
static void carrier(const struct test *c, double f_hz, uint64_t at, float complex *dst)
{
    double turns = f_hz / c->b->rate_hz, begin = fmod(turns * (double)at, 1);
    double complex v = cexp(2 * M_PI * I * begin), step = cexp(2 * M_PI * I * turns);
    for (unsigned i = 0; i < c->n; i++, v *= step)
        dst[i] = (float complex)v * c->t->window[c->log][i];
}

static void add_frame(const struct test *c, const struct suspect *s, const struct way *way,
                      uint64_t at, struct sums *sum)
{
    float complex *x = c->t->x, *a = c->t->a, *b = c->t->b;

    windowed(c, 1, x);
    if (s->kind == PRODUCT_DC || s->kind == PRODUCT_CLOCK) {
        carrier(c, s->kind == PRODUCT_CLOCK ? s->a_lo_hz : 0, at, a);
    } else {
        band_of(c, x, s->a_lo_hz, s->a_hi_hz, a);
        if (way->b)
            band_of(c, x, s->b_lo_hz, s->b_hi_hz, b);
        for (unsigned i = 0; i < c->n; i++)
            a[i] = power_of(a[i], way->a) * (way->b ? power_of(b[i], way->b) : 1);
        if (way->order > 1)
            windowed(c, way->order, x);
    }
    dft_run(c->t->dft[c->log], a, a);
    for (int k = c->lo; k <= c->hi; k++) {
        float complex u = x[wrap(c, k)], p = a[wrap(c, k)];
        sum->xp += (double complex)(u * conjf(p));
        sum->x += (double)(crealf(u) * crealf(u) + cimagf(u) * cimagf(u));
        sum->p += (double)(crealf(p) * crealf(p) + cimagf(p) * cimagf(p));
    }
}

// Sum of the window's even power, and how many bins are about one independent.
static double window_power(const struct test *c, unsigned order)
{
    const float *w = c->t->window[c->log];
    double sum = 0;
    for (unsigned i = 0; i < c->n; i++)
        sum += pow((double)w[i], 2 * order);
    return sum;
}

// The share of x that is this product; 0 where that may be chance.
static double share_of(const struct test *c, const struct suspect *s, const struct way *way)
{
    const struct burst *b = c->b;
    uint64_t from = b->n0 > b->cut.n0 ? b->n0 - b->cut.n0 : 0;
    uint64_t len = b->n1 - b->n0, most = len / c->n;
    unsigned frames = most < FRAMES ? (unsigned)most : FRAMES;
    struct sums sum = { 0 };

    for (unsigned k = 0; k < frames; k++) {
        uint64_t at = frames > 1 ? k * (len - c->n) / (frames - 1) : (len - c->n) / 2;
        cut_read(&b->cut, (int64_t)(from + at), c->n, c->t->raw);
        add_frame(c, s, way, at, &sum);
    }
    double bins = c->hi - c->lo + 1, apart = 0.7 + 0.8 * way->order;
    double n = frames * fmax(1, bins / apart);
    double noise = pow(10, (double)b->noise_dbfs_hz / 10) * b->rate_hz * frames * bins *
                   window_power(c, way->order);
    double own = cabs(sum.xp) * cabs(sum.xp) / fmax(sum.p, 1e-300);
    if (!(sum.x > 0) || !isfinite(own) || own / sum.x * n < SURE)
        return 0;
    return fmin(1, own / fmax(sum.x - noise, FLOOR * sum.x));
}

static double best_share(const struct test *c, const struct suspect *s)
{
    static const struct way image = { -1, 0, 1 }, third = { 2, -1, 3 }, offset = { 0, 0, 1 },
        harmonic[] = { { 2, 0, 2 }, { -2, 0, 2 }, { 3, 0, 3 }, { -3, 0, 3 } };
    double best = 0;

    switch (s->kind) {
    case PRODUCT_DC:
    case PRODUCT_CLOCK: return share_of(c, s, &offset);
    case PRODUCT_IMAGE: return share_of(c, s, &image);
    case PRODUCT_THIRD: return share_of(c, s, &third);
    case PRODUCT_HARMONIC:
        for (unsigned i = 0; i < 4; i++)
            best = fmax(best, share_of(c, s, &harmonic[i]));
        return best;
    default:            return 0;
    }
}

// By place and time alone, where there are no samples to ask.
static enum product by_time(const struct burst *b)
{
    for (unsigned i = 0; i < b->n_suspects; i++)
        if (b->suspect[i].same_time)
            return b->suspect[i].kind;
    return PRODUCT_NONE;
}

// A multiple of the clock in the band of what goes on and is narrow: exactly there, since the local
// oscillator comes of the same clock.
static bool on_clock(const struct product_tool *t, const struct burst *b, struct suspect *ret)
{
    double lo = b->centre_hz + b->f_lo_hz, hi = b->centre_hz + b->f_hi_hz;
    double k = t->clock_hz > 0 ? ceil(lo / t->clock_hz) : 0;

    if (b->part == BURST_WHOLE || !(k >= 1) || !(k * t->clock_hz < hi) || hi - lo > CLOCK_WIDE_HZ)
        return false;
    *ret = (struct suspect){ .kind = PRODUCT_CLOCK, .a_lo_hz = k * t->clock_hz - b->centre_hz };
    return true;
}

enum product product_test(struct product_tool *t, const struct burst *b)
{
    struct test c = { .t = t, .b = b, .log = LOG_MIN };
    double wide = b->f_hi_hz - b->f_lo_hz, sum = 0, best = 0;
    enum product kind = PRODUCT_NONE;

    struct suspect clock;
    bool clocked = on_clock(t, b, &clock);
    if (!b->n_suspects && !clocked)
        return PRODUCT_NONE;
    if (!b->cut.n || (b->flags & BURST_NO_SAMPLES) || b->n1 < b->n0 + (1u << LOG_MIN) ||
        !(wide > 0) || !isfinite(b->rate_hz / wide))
        return by_time(b);
    while (c.log < LOG_MAX && (1u << c.log) < WIDTH * b->rate_hz / wide &&
           (UINT64_C(2) << c.log) <= b->n1 - b->n0)
        c.log++;
    c.n = 1u << c.log;
    c.lo = bin_of(&c, b->f_lo_hz);
    c.hi = bin_of(&c, b->f_hi_hz);
    for (unsigned i = 0; i < b->n_suspects + clocked; i++) {
        const struct suspect *s = i < b->n_suspects ? &b->suspect[i] : &clock;
        double share = best_share(&c, s);
        sum += share;
        if (share > best) {
            best = share;
            kind = s->kind;
        }
    }
    return sum >= SHARE ? kind : PRODUCT_NONE;
}
