// SPDX-License-Identifier: GPL-3.0-or-later
// The receiver's image: found on noise, a tone, on bursts; not believed where a signal is its own
// mirror; taken away by iq_to_cf32.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "dsp/self/image.h"

#define RATE   2e6
#define LEN    2048
#define BLOCKS 300              // 0.3 s

struct world;
typedef float complex signal_fn(struct world *w, uint64_t i);
struct world { struct rng r; signal_fn *fn; double complex k; double noise; float complex hold; };

static float complex turn(double turns)
{
    return (float complex)cexp(2 * M_PI * I * (turns - floor(turns)));
}

static float complex nothing(struct world *w, uint64_t i) { (void)w; (void)i; return 0; }
static float complex tone(struct world *w, uint64_t i)
{
    (void)w;
    return 10 * turn(0.171 * (double)i);
}
// A packet of 3 ms every 10, of noise 0.2 wide, 20 dB over ours in its band, off the centre.
static float complex packets(struct world *w, uint64_t i)
{
    if (i % 20000 >= 6000)
        return 0;
    w->hold = 0.8f * w->hold + 2.5f * rng_cnormal(&w->r);
    return w->hold * turn(0.2 * (double)i);
}
// Real-valued and centred on us, loud: amplitude modulation by noise some 100 kHz wide ...
static float complex am(struct world *w, uint64_t i)
{
    (void)i;
    w->hold = 0.8f * w->hold + (float)rng_normal(&w->r);
    return 3 * w->hold * (float complex)cexp(0.7 * I);
}
// ... and BPSK over the whole band, as weak as the noise.
static float complex bpsk(struct world *w, uint64_t i)
{
    if (i % 2 == 0)
        w->hold = rng_below(&w->r, 2) ? 1 : -1;
    return w->hold * (float complex)cexp(1.2 * I);
}
static float complex mirrored(struct world *w, uint64_t i)
{
    (void)w;
    return 5 * turn(0.171 * (double)i) + 4 * turn(-0.171 * (double)i);
}

struct result { struct image_view v; double rejection_db; };

// rejection_db: of what is left of a lone sample's image.
static struct result hear(signal_fn *fn, double k_db, double phase, double noise, uint64_t seed)
{
    static float complex x[LEN], y[LEN];
    struct world w = { .fn = fn, .noise = noise,
                       .k = k_db > -200 ? pow(10, k_db / 20) * cexp(I * phase) : 0 };
    struct image *m = image_new();
    struct iq_block b = { .n = LEN, .rate_hz = RATE, .format = IQ_CF32, .data = x };
    struct result r;

    assert_non_null(m);
    rng_init(&w.r, seed);
    for (unsigned n = 0; n < BLOCKS; n++, b.n0 += LEN) {
        for (uint64_t i = 0; i < LEN; i++) {
            float complex s = fn(&w, b.n0 + i) + (float)noise * rng_cnormal(&w.r);
            x[i] = s + (float complex)w.k * conjf(s) + 0.3f;    // and an offset
        }
        image_block(m, &b);
    }
    r.v = image_view(m);
    x[0] = 1 + (float complex)w.k;          // of 1
    x[1] = I - (float complex)w.k * I;      // of i
    b.n = 2;
    iq_to_cf32(&b, 0, 2, y);
    r.rejection_db = -20 * log10((double)cabsf(y[0] + I * y[1]) / 2 + 1e-9);
    image_free(m);
    return r;
}

static void finds(void **state)
{
    static const double db[] = { -25, -30, -35, -40 };
    signal_fn *const fn[] = { nothing, tone, packets };
    (void)state;
    for (unsigned s = 0; s < 3; s++)
        for (unsigned i = 0; i < 4; i++) {
            struct result r = hear(fn[s], db[i], 1.1 + s + i, 1, 10 * s + i);
            double k = pow(10, db[i] / 20);
            double complex truth = k * cexp(I * (1.1 + s + i));
            // noise alone says -40 dB only after seconds
            if (s || db[i] > -35) {
                assert_true(cabs((double complex)r.v.k) > 0);
                assert_true(r.v.err > 0 && r.v.err < 0.004);
                assert_true(r.rejection_db > 45);
            }
            if (cabs((double complex)r.v.k) > 0)
                assert_true(cabs((double complex)r.v.k - truth) < 4 * r.v.err + 0.01 * k);
        }
}

static void believes_no_mirror(void **state)
{
    signal_fn *const fn[] = { nothing, tone, packets, am, bpsk, mirrored };
    (void)state;
    for (unsigned s = 0; s < 6; s++)
        for (uint64_t seed = 0; seed < 2; seed++) {
            struct result r = hear(fn[s], -999, 0, 1, seed);
            assert_true(cabs((double complex)r.v.k) <= 0);
            assert_true(r.v.changes == 0);
        }
}

// A walk over many windows: back at each, what its first visit found is taken away at once.
static void remembers_every_window(void **state)
{
    enum { WINDOWS = 40, VISIT = 48 };
    static float complex x[VISIT * LEN];
    struct world w = { .k = pow(10, -25 / 20.) };
    struct image *m = image_new();
    struct iq_block b = { .n = LEN, .rate_hz = RATE, .format = IQ_CF32 };
    (void)state;

    assert_non_null(m);
    rng_init(&w.r, 5);
    for (uint64_t i = 0; i < VISIT * LEN; i++) {
        float complex s = tone(&w, i) + rng_cnormal(&w.r);
        x[i] = s + (float complex)w.k * conjf(s);
    }
    for (unsigned i = 0; i < 2 * WINDOWS; i++)
        for (unsigned n = 0; n < VISIT; n++, b.n0 += LEN) {
            b.data = x + n * LEN;
            b.centre_hz = 1e9 + i % WINDOWS * 1e6;
            image_block(m, &b);
            if (n == 0)
                assert_true(i < WINDOWS ? b.image == 0 : cabsf(b.image) > 0.04f);
        }
    image_free(m);
}

// An image beside signals that are their own mirrors: right or not said.
static void beside_mirrors(void **state)
{
    signal_fn *const fn[] = { am, mirrored };
    (void)state;
    for (unsigned s = 0; s < 2; s++) {
        struct result r = hear(fn[s], -28, 0.4, 1, 7);
        double complex truth = pow(10, -28 / 20.) * cexp(0.4 * I);
        if (cabs((double complex)r.v.k) > 0)
            assert_true(cabs((double complex)r.v.k - truth) < 0.006);
    }
    assert_true(cabs((double complex)hear(mirrored, -28, 0.4, 1, 8).v.k) > 0);
}

// Each centre and gain has its own, and finds it again.
static void by_place(void **state)
{
    static float complex x[LEN];
    struct image *m = image_new();
    struct iq_block b = { .n = LEN, .rate_hz = RATE, .format = IQ_CF32, .data = x };
    struct rng r;
    float complex k[3] = { 0.05f, 0.05f * I, 0 }, seen[3] = { 0 };

    (void)state;
    assert_non_null(m);
    rng_init(&r, 3);
    for (unsigned n = 0; n < 720; n++, b.n0 += LEN) {
        unsigned at = n / 80 % 3;
        b.centre_hz = at == 1 ? 5e9 : 2.4e9;
        b.gain_db = at == 2 ? 20 : 10;
        for (unsigned i = 0; i < LEN; i++) {
            float complex s = rng_cnormal(&r) + 10 * turn(0.3 * (double)(b.n0 + i));
            x[i] = s + k[at] * conjf(s);
        }
        image_block(m, &b);
        if (n >= 240)                   // from its first block on when it comes again
            assert_true(cabsf(b.image - k[at]) < 0.008f);     // 3 errors of 80 blocks
        seen[at] = b.image;
    }
    assert_true(cabsf(seen[0] - k[0]) < 0.005f && cabsf(seen[1] - k[1]) < 0.005f);
    image_free(m);
}

// Anything may come: blocks of one sample, silence, absurd values, a constant.
static void anything(void **state)
{
    static float complex x[LEN];
    struct image *m = image_new();
    (void)state;
    assert_non_null(m);
    for (unsigned n = 0; n < 400; n++) {
        struct iq_block b = { .n0 = n * 7, .n = n % 5 ? 1 + n : LEN, .rate_hz = RATE,
                              .format = IQ_CF32, .data = x, .centre_hz = n % 50 * 1e6 };
        for (unsigned i = 0; i < LEN; i++)
            x[i] = n < 100 ? 0 : n < 200 ? 1e9f : n < 300 ? 1e-30f : (float)(i % 2);
        image_block(m, &b);
        assert_true(isfinite(crealf(b.image)) && isfinite(cimagf(b.image)));
        assert_true(cabsf(b.image) <= 0);
    }
    image_free(m);
}

// All formats give the same, for every length: the vector loop and its rest.
static void taken_away(void **state)
{
    int16_t x[2 * 40];
    float complex y[40];
    const float complex k = 0.03f - 0.02f * I;
    (void)state;
    for (unsigned i = 0; i < 80; i++)
        x[i] = (int16_t)(i * 311 % 2000 - 1000);
    struct iq_block b = { .n = 40, .format = IQ_CI16, .data = x, .image = k };
    for (uint32_t off = 0; off < 5; off++)
        for (uint32_t n = 1; n <= 40 - off; n++) {
            iq_to_cf32(&b, off, n, y);
            for (uint32_t i = 0; i < n; i++) {
                float complex s = CMPLXF((float)x[2 * (off + i)] / 32768,
                                         (float)x[2 * (off + i) + 1] / 32768);
                assert_true(cabsf(y[i] - (s - k * conjf(s))) < 1e-7f);
            }
        }
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(finds), cmocka_unit_test(believes_no_mirror),
        cmocka_unit_test(beside_mirrors), cmocka_unit_test(by_place), cmocka_unit_test(anything),
        cmocka_unit_test(taken_away), cmocka_unit_test(remembers_every_window),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
