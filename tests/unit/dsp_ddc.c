// SPDX-License-Identifier: GPL-3.0-or-later
// ddc_run against closed forms: a tone's frequency, phase and time to -60 dB; an impulse's position
// (its energy centroid and symmetry); the promised stop-band; rates up and down, far and wide.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "dsp/ddc.h"

#define RATE 61.44e6

// A one-block cut of n samples made by the caller; the block is never unref'd, so it needs no pool.
struct made { struct iq_block b; struct cut c; float complex *x; };

static void made_new(struct made *m, uint32_t n)
{
    m->x = calloc(n, sizeof *m->x);
    assert_non_null(m->x);
    m->b = (struct iq_block){ .n0 = 1000, .n = n, .rate_hz = RATE, .format = IQ_CF32,
                              .data = m->x };
    m->c = (struct cut){ .n0 = 1000, .n = n, .n_blk = 1, .blk = { &m->b } };
}

static void fill_tone(struct made *m, double f, double rate, double amp)
{
    for (uint32_t i = 0; i < m->c.n; i++) {
        double ph = f / rate * i;
        ph = 2 * M_PI * (ph - floor(ph));
        m->x[i] += (float)(amp * cos(ph)) + I * (float)(amp * sin(ph));
    }
}

// Worst error of a tone at f+off read through a DDC at f, against exp(2 pi i off t), in dB.
static double tone_error_db(double in, double f, double off, double t0, double out, double pass)
{
    enum { N = 300 };
    struct made m;
    double span = N * in / out;
    made_new(&m, (uint32_t)(span + t0 + 200 * (in / out > 1 ? in / out : 1) + 400));
    fill_tone(&m, f + off, in, 1.0);
    float complex y[N];
    ddc_run(&m.c, in, f, t0, out, pass, y, N);
    double worst = 0;
    for (int j = 0; j < N; j++) {
        double t = (t0 + j * in / out) / in, ph = 2 * M_PI * off * t;
        double e = cabs((double complex)y[j] - (cos(ph) + I * sin(ph)));
        worst = fmax(worst, e);
    }
    free(m.x);
    return 20 * log10(worst + 1e-12);
}

static void test_tone(void **state)
{
    (void)state;
    static const struct { double in, f, out, pass; } t[] = {
        { 61.44e6, 12.3e6, 15.36e6, 10e6 },  { 50e6, -12.47e6, 15.36e6, 10e6 },
        { 125e6, 40e6, 250e3, 200e3 },       { 125e6, -1e6, 125e3, 80e3 },
        { 10e6, 1e6, 12.5e6, 8e6 },          { 1e6, 0, 1e6, 0.8e6 },
        { 1.92e6, 0.3e6, 3.84e6, 1.7e6 },    { 20e6, 3e6, 3.25e6, 2.5e6 },
        { 61.44e6, -30.2e6, 2.6e6, 2.3e6 },  { 20e6, 1e6, 2.999e6, 1.2e6 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = -1; k <= 1; k++) {
            double far = 180 * fmax(1, t[i].in / t[i].out) + 0.37;
            double e = tone_error_db(t[i].in, t[i].f, k * 0.49 * t[i].pass, far, t[i].out,
                                     t[i].pass);
            if (e > -60)
                print_error("case %zu, k %d: %.1f dB\n", i, k, e);
            assert_true(e < -60);
        }
}

static void test_stop_band(void **state)
{
    (void)state;
    static const struct { double in, out, pass; } t[] = {
        { 61.44e6, 15.36e6, 10e6 }, { 61.44e6, 1e6, 0.8e6 }, { 125e6, 130e3, 60e3 },
        { 20e6, 3.2e6, 2.8e6 },     { 20e6, 12e6, 8e6 },     { 50e6, 8.1e6, 4e6 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int k = 0; k < 40; k++) {
            double stop = t[i].out - t[i].pass / 2, f = stop + (t[i].in / 2 - stop) * k / 39;
            struct made m;
            float complex y[64];
            made_new(&m, (uint32_t)(700 * t[i].in / t[i].out));
            fill_tone(&m, k & 1 ? f : -f, t[i].in, 1.0);
            ddc_run(&m.c, t[i].in, 0, 300.3 * t[i].in / t[i].out, t[i].out, t[i].pass, y, 64);
            for (int j = 0; j < 64; j++)
                assert_true(cabsf(y[j]) < 1e-3);
            free(m.x);
        }
}

// An impulse at input sample p comes out symmetric around time p.
static void test_impulse(void **state)
{
    (void)state;
    static const double out[] = { 15.36e6, 30e6, 1e6, 61.44e6, 100e6 };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        enum { N = 129 };
        struct made m;
        float complex y[N];
        double d = RATE / out[i];
        made_new(&m, 40000);
        m.x[20000] = 1;
        ddc_run(&m.c, RATE, 0, 20000 - 64 * d, out[i], 0.5 * out[i], y, N);
        for (int j = 0; j < 64; j++)
            assert_true(cabsf(y[j] - y[128 - j]) < 1e-4 * cabsf(y[64]) + 1e-7);
        for (int j = 0; j < N; j++)
            assert_true(cabsf(y[j]) <= cabsf(y[64]));
        free(m.x);
    }
}

// Any start and any length give the same samples: no state, no dependence on the pieces.
static void test_pieces(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct made m;
    float complex *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
    made_new(&m, 200000);
    fill_tone(&m, 3.1e6, RATE, 0.3);
    fill_tone(&m, 2.2e6, RATE, 0.4);
    ddc_run(&m.c, RATE, 2.5e6, 500.25, 1.92e6, 1.4e6, a, N);
    for (int i = 0; i < N; i += 250)
        ddc_run(&m.c, RATE, 2.5e6, 500.25 + i * RATE / 1.92e6, 1.92e6, 1.4e6, b + i, 250);
    for (int i = 0; i < N; i++)
        assert_true(cabsf(a[i] - b[i]) < 1e-5);
    free(a);
    free(b);
    free(m.x);
}

static void test_hostile(void **state)
{
    (void)state;
    struct made m;
    float complex y[16];
    static const double bad[] = { NAN, INFINITY, -INFINITY, 0, -1, 1e300, 1e-300 };
    made_new(&m, 1);
    m.x[0] = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ddc_run(&m.c, bad[i], 0, 0, 1e6, 0.5e6, y, 16);
        ddc_run(&m.c, 1e6, bad[i], 0, 1e6, 0.5e6, y, 16);
        ddc_run(&m.c, 1e6, 0, bad[i], 1e6, 0.5e6, y, 16);
        ddc_run(&m.c, 1e6, 0, 0, bad[i], 0.5e6, y, 16);
        ddc_run(&m.c, 1e6, 0, 0, 1e6, bad[i], y, 16);
    }
    ddc_run(&m.c, 1e6, 0, 0, 1e6, 0.5e6, y, 0);
    ddc_run(&m.c, 125e6, 0, 0, 1e3, 0.9e3, y, 16);
    for (int i = 0; i < 16; i++)
        assert_true(isfinite(crealf(y[i])));
    free(m.x);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_tone), cmocka_unit_test(test_stop_band),
            cmocka_unit_test(test_impulse),
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
