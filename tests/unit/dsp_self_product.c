// SPDX-License-Identifier: GPL-3.0-or-later
// Images, harmonics and third-order products from their formulas, and other people's signals at the
// same place and time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "dsp/self/product.h"

#define RATE 10e6
#define N    60000
#define N0   10000
#define N1   50000
#define WIDE 200e3              // all of a walk of 100 samples a step: sinc^2

// Something of the width WIDE around f_hz, mean power 1, from N0 to N1: as good as any modulation.
static void signal(struct rng *r, double f_hz, float complex *x)
{
    // a new value every 100 samples, straight lines between
    float complex a = rng_cnormal(r), b = rng_cnormal(r);
    for (unsigned i = 0; i < N; i++) {
        if (i % 100 == 0) {
            a = b;
            b = rng_cnormal(r);
        }
        float t = (float)(i % 100) / 100;
        double turns = fmod(f_hz / RATE * i, 1);
        x[i] = (a + t * (b - a)) * (float complex)cexp(2 * M_PI * I * turns);
        if (i < N0 || i >= N1)
            x[i] = 0;
    }
}

struct scene { float complex a[N], b[N], other[N], x[N]; };

static double power(const float complex *x)
{
    double sum = 0;
    for (unsigned i = N0; i < N1; i++)
        sum += creal(x[i]) * creal(x[i]) + cimag(x[i]) * cimag(x[i]);
    return sum / (N1 - N0);
}

static struct cand cand_at(double f_hz, double wide, double level)
{
    return (struct cand){ .hyp = HYP_ENERGY, .part = BURST_WHOLE, .n0 = N0, .n1 = N1,
                          .f_lo_hz = f_hz - wide / 2, .f_hi_hz = f_hz + wide / 2,
                          .level_dbfs = (float)level };
}

// What comes of a burst at f_hz when `strong` are told beside it.
static enum product ask(struct product_tool *t, struct scene *s, double f_hz, double wide,
                        double noise, const struct cand *strong, unsigned n, unsigned *ret_suspects)
{
    struct iq_block blk = { .n = N, .rate_hz = RATE, .format = IQ_CF32, .data = s->x };
    struct cand x = cand_at(f_hz, wide, -50);
    struct product_near near = { .n = 0 };
    struct burst b = { .n0 = N0, .n1 = N1, .rate_hz = RATE, .f_lo_hz = x.f_lo_hz,
                       .f_hi_hz = x.f_hi_hz, .hyp = HYP_ENERGY, .level_dbfs = -50,
                       .noise_dbfs_hz = (float)(20 * log10(noise) - 10 * log10(RATE)),
                       .cut = { .n = N, .n_blk = 1, .blk = { &blk } } };

    for (unsigned i = 0; i < n; i++)
        product_near(&near, &x, &strong[i], RATE);
    product_suspects(&near, &x, RATE, &b);
    *ret_suspects = b.n_suspects;
    return product_test(t, &b);
}

static void products(void **state)
{
    struct product_tool *t = product_tool_new(0);
    struct scene *s = malloc(sizeof *s);
    struct rng r;
    (void)state;
    assert_non_null(t);
    assert_non_null(s);
    rng_init(&r, 4);
    const double fa = 0.7e6, fb = 2.4e6, noise = 1e-3;
    const struct { double f, wide; enum product kind; int how; } c[] = {
        { -0.7e6, WIDE, PRODUCT_IMAGE, 0 }, { -1.0e6, 3 * WIDE, PRODUCT_THIRD, 1 },
        { 4.1e6, 3 * WIDE, PRODUCT_THIRD, 2 }, { 1.4e6, 2 * WIDE, PRODUCT_HARMONIC, 3 },
        { -1.4e6, 2 * WIDE, PRODUCT_HARMONIC, 4 }, { -2.1e6, 3 * WIDE, PRODUCT_HARMONIC, 5 },
    };
    const struct cand strong[] = { cand_at(fa, WIDE, 0), cand_at(fb, WIDE, 0) };
    signal(&r, fa, s->a);
    signal(&r, fb, s->b);
    for (unsigned k = 0; k < 6; k++)
        for (unsigned other = 0; other < 2; other++) {
            unsigned suspects;
            signal(&r, c[k].f, s->other);       // of the same place, time and power
            for (unsigned i = 0; i < N; i++) {
                float complex a = s->a[i], b = s->b[i], p[] = { conjf(a), a * a * conjf(b),
                    b * b * conjf(a), a * a, conjf(a * a), conjf(a * a * a) };
                float complex x = other ? s->other[i] : p[c[k].how];
                s->x[i] = a + b + 0.01f * x * (float complex)cexp(0.7 * I);
            }
            for (unsigned i = 0; i < N; i++)
                s->x[i] += (float)noise * rng_cnormal(&r);
            enum product got = ask(t, s, c[k].f, c[k].wide, noise, strong, 2, &suspects);
            assert_true(suspects > 0);
            assert_int_equal(got, other ? PRODUCT_NONE : c[k].kind);
        }
    assert_true(power(s->a) > 0.3);
    free(s);
    product_tool_free(t);
}

// A carrier at zero for 4 ms is the offset; a signal around zero is not.
static void offset(void **state)
{
    struct product_tool *t = product_tool_new(0);
    struct scene *s = malloc(sizeof *s);
    struct rng r;
    unsigned suspects;
    (void)state;
    assert_non_null(t);
    assert_non_null(s);
    rng_init(&r, 5);
    signal(&r, 0, s->other);
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < N; i++)
            s->x[i] = 0.01f * (k ? s->other[i] : 1) + 1e-3f * rng_cnormal(&r);
        // long enough only where it goes on
        enum product got = ask(t, s, 0, 60e3, 1e-3, NULL, 0, &suspects);
        assert_int_equal(suspects, 0);
        assert_int_equal(got, PRODUCT_NONE);
        struct cand x = cand_at(0, 60e3, -40);
        struct product_near near = { .n = 0 };
        struct iq_block blk = { .n = N, .rate_hz = RATE, .format = IQ_CF32, .data = s->x };
        struct burst b = { .n0 = N0, .n1 = N1, .rate_hz = RATE, .f_lo_hz = -30e3, .f_hi_hz = 30e3,
                           .noise_dbfs_hz = -130, .cut = { .n = N, .n_blk = 1, .blk = { &blk } } };
        x.run = 1;
        product_suspects(&near, &x, RATE, &b);
        assert_int_equal(b.n_suspects, 1);
        assert_int_equal(product_test(t, &b), k ? PRODUCT_NONE : PRODUCT_DC);
    }
    free(s);
    product_tool_free(t);
}

// Who is suspected: weaker, at the place, at the time.
static void suspected(void **state)
{
    struct burst b = { 0 };
    struct cand x = cand_at(-1.1e6, WIDE, -50);
    (void)state;
    const struct { double f, level; uint64_t n0, n1; unsigned n; } c[] = {
        { 1.1e6, -20, N0, N1, 1 }, { 1.1e6, -40, N0, N1, 0 }, { 1.3e6, -20, N0, N1, 0 },
        { 1.1e6, -20, N0 + 30000, N1, 0 }, { 1.1e6, -20, 0, N0, 0 }, { 1.1e6, -20, 0, N, 1 },
    };
    for (unsigned i = 0; i < 6; i++) {
        struct product_near near = { .n = 0 };
        struct cand y = cand_at(c[i].f, WIDE, c[i].level);
        y.n0 = c[i].n0;
        y.n1 = c[i].n1;
        product_near(&near, &x, &y, RATE);
        product_near(&near, &x, &x, RATE);
        product_suspects(&near, &x, RATE, &b);
        assert_int_equal(b.n_suspects, c[i].n);
        if (b.n_suspects)
            assert_int_equal(b.suspect[0].same_time, i == 0);
    }
    // without samples: only what starts and ends with it
    struct product_tool *t = product_tool_new(0);
    assert_non_null(t);
    assert_int_equal(product_test(t, &b), PRODUCT_NONE);
    b.suspect[0].same_time = true;
    assert_int_equal(product_test(t, &b), PRODUCT_IMAGE);
    product_tool_free(t);
}

int main(void)
{
    const struct CMUnitTest t[] = { cmocka_unit_test(products), cmocka_unit_test(offset),
                                    cmocka_unit_test(suspected) };
    return cmocka_run_group_tests(t, NULL, NULL);
}
