// SPDX-License-Identifier: GPL-3.0-or-later
// The signal path of the simulator against closed forms: Gaussian pulses (known everywhere, band
// limited to any depth that matters) and tones.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sdr/kernel/turns.h"
#include "sdr/sim/voice.h"

#define N 4096

// exp(-(t/width)^2/2) in model samples around `mid`, and its continuous form.
static double pulse(double t, double mid, double width)
{
    double u = (t - mid) / width;
    return exp(-0.5 * u * u);
}

static void render(const struct voice_cfg *c, const float complex *iq, size_t n, size_t piece,
                   size_t block, float complex *x)
{
    struct voice_tables t = { 0 };
    struct voice *v = voice_new();
    size_t done = 0;
    assert_non_null(v);
    assert_int_equal(voice_start(v, c, &t), 0);
    memset(x, 0, N * sizeof *x);
    for (size_t at = 0; at < N; at += block) {
        size_t m = N - at < block ? N - at : block;
        while (done < n && voice_wants(v, at + m)) {
            size_t k = n - done < piece ? n - done : piece;
            assert_int_equal(voice_append(v, iq + done, k, done + k == n), 0);
            done += k;
        }
        if (!voice_add(v, at, m, x + at))
            break;
    }
    voice_tables_done(&t);
    voice_free(v);
}

static struct voice_cfg cfg(double start, double step, double turns)
{
    return (struct voice_cfg){ .start = start, .step = step, .turns = turns, .rate = 20e6,
                               .carrier_hz = 2.44e9 };
}

// Greatest distance of x from the pulse at (mid, width) in receiver samples, turned by `turns`,
// once its unknown phase is taken out.
static double pulse_error(const float complex *x, double mid, double width, double turns)
{
    double complex p = 0;
    double worst = 0;
    for (int n = 0; n < N; n++)
        p += x[n] * pulse(n, mid, width) * cexp(-I * 2 * M_PI * turns * n);
    p /= cabs(p);
    for (int n = 0; n < N; n++)
        worst = fmax(worst, cabs(x[n] - p * pulse(n, mid, width) * cexp(I * 2 * M_PI * turns * n)));
    return worst;
}

// Up, down and level, at places between samples, on and off centre: within -66 dB of the truth,
// which a shift of 0.001 of the pulse's width would already exceed.
static void test_place(void **state)
{
    (void)state;
    static const struct { double start, step, turns, width; } cases[] = {
        { 500.3, 1, 0, 4 },            { 500.3, 1, 0.23, 4 },        { 100.77, 0.13, 0.31, 4 },
        { 812.125, 1.0 / 61, -0.4, 3 }, { 300.9, 0.77, 0.05, 4 },    { 400.6, 4.17, 0, 40 },
        { 700.1, 3.9, 0.12, 60 },      { 1000.5, 1.00002, 0.1, 4 },
    };
    static float complex iq[N], x[N];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double mid = 10 * cases[i].width, step = cases[i].step;
        size_t n = (size_t)(2 * mid);
        for (size_t k = 0; k < n; k++)
            iq[k] = (float)pulse((double)k, mid, cases[i].width);
        struct voice_cfg c = cfg(cases[i].start, step, cases[i].turns);
        render(&c, iq, n, n, 512, x);
        double err = pulse_error(x, c.start + mid / step, cases[i].width / step, c.turns);
        if (err > 5e-4)
            fail_msg("case %zu: off by %g", i, err);
        assert_true(pulse_error(x, c.start + mid / step + 0.1, cases[i].width / step, c.turns) >
                    5e-4 || step < 0.05);
    }
}

// The same in pieces and in blocks of any size, bit for bit.
static void test_seams(void **state)
{
    (void)state;
    static float complex iq[3000], x[N], y[N];
    struct rng r;
    rng_init(&r, 1);
    for (int k = 0; k < 3000; k++)
        iq[k] = rng_cnormal(&r);
    struct voice_cfg c = cfg(33.4, 0.9, 0.12);
    static const size_t pieces[] = { 1, 7, 100, 2999 }, blocks[] = { 1, 63, 64, 1000 };
    c.ramp = 20;
    render(&c, iq, 3000, 3000, N, x);
    for (int i = 0; i < 4; i++) {
        c.ramp = pieces[i] < 20 || 3000 % pieces[i] ? 0 : 20;   // the last piece bounds the fall
        struct voice_cfg whole = c;
        render(&whole, iq, 3000, 3000, N, x);
        render(&c, iq, 3000, pieces[i], blocks[i], y);
        assert_memory_equal(x, y, sizeof x);
    }
}

static double tone_power(const float complex *x, double turns, double *ret_rest)
{
    double complex a = 0;
    double all = 0, w = 0, w2 = 0;
    for (int n = 1000; n < 3000; n++) {
        double h = pow(sin(M_PI * (n - 1000) / 2000.0), 4);
        a += h * x[n] * cexp(-I * 2 * M_PI * turns * n);
        w += h;
        w2 += h * h;
    }
    a /= w;
    for (int n = 1000; n < 3000; n++) {
        double h = pow(sin(M_PI * (n - 1000) / 2000.0), 4);
        all += h * h * pow(cabs(x[n] - a * cexp(I * 2 * M_PI * turns * n)), 2);
    }
    *ret_rest = all / w2;
    return creal(a) * creal(a) + cimag(a) * cimag(a);
}

// A tone at f of the model's rate: where it should be, alone (images 70 dB down), at full level;
// gone where it lies outside the capture.
static void test_tones(void **state)
{
    (void)state;
    static const struct { double f, step, turns; bool seen; } cases[] = {
        { 0.40, 0.125, 0, true },      { -0.40, 0.125, 0.3, true },  { 0.41, 1, 0, true },
        { 0.02, 4, 0, true },          { 0.1, 4, 0, true },          { 0.15, 4, 0, false },
        { 0.4, 4, 0, false },          { -0.3, 1, 0.45, true },      { 0.3, 1, 0.45, false },
        { 0.25, 2, -0.3, true },       { -0.25, 2, -0.3, false },    { 0.42, 0.01, -0.2, true },
    };
    static float complex iq[20000], x[N];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double at = cases[i].turns + cases[i].f * cases[i].step, rest;
        for (int k = 0; k < 20000; k++)
            iq[k] = (float complex)cexp(I * 2 * M_PI * cases[i].f * k);
        struct voice_cfg c = cfg(10.5, cases[i].step, cases[i].turns);
        render(&c, iq, 20000, 20000, 512, x);
        double p = 10 * log10(tone_power(x, at, &rest) + 1e-20), q = 10 * log10(rest + 1e-20);
        if (cases[i].seen ? fabs(p) > 0.05 || q > -70 : p > -70 || q > -70)
            fail_msg("case %zu: tone %.2f dB, rest %.1f dB", i, p, q);
    }
}

// Two rays: level at frequency f is |1 + a exp(j p - j 2 pi f delay)|, f absolute.
static void test_fading(void **state)
{
    (void)state;
    static float complex iq[8000], x[N];
    struct scene_fading f = { .delay_ns = 137, .level_db = -1, .phase_deg = 40 };
    struct voice_cfg c = cfg(10.5, 1.3, 0.2);
    c.fading = &f;
    c.turns = 0.2;
    for (double model = -0.3; model < 0.25; model += 0.05) {
        double rest, hz = c.carrier_hz + model * c.step * c.rate, a = pow(10, -1 / 20.0);
        for (int k = 0; k < 8000; k++)
            iq[k] = (float complex)cexp(I * 2 * M_PI * model * k);
        render(&c, iq, 8000, 8000, 512, x);
        double want = 20 * log10(cabs(1 + a * cexp(I * (40 * M_PI / 180 -
                                                        2 * M_PI * fmod(hz * 137e-9, 1)))));
        double got = 10 * log10(tone_power(x, c.turns + model * c.step, &rest));
        if (fabs(model * c.step + c.turns) < 0.42 && fabs(got - want) > 0.05)
            fail_msg("at %.2f: %.2f dB, expected %.2f", model, got, want);
    }
}

// Doppler: the second ray turns once in 1/doppler seconds.
static void test_doppler(void **state)
{
    (void)state;
    static float complex iq[8000], x[N];
    struct scene_fading f = { .doppler_hz = 10e3 };     // a turn in 2000 samples of 20 MHz
    struct voice_cfg c = cfg(0, 1, 0);
    c.fading = &f;
    c.carrier_hz = 0;
    for (int k = 0; k < 8000; k++)
        iq[k] = 1;
    render(&c, iq, 8000, 8000, 512, x);
    for (int n = 100; n < 4000; n += 100)
        assert_true(fabs(cabsf(x[n]) - 2 * fabs(cos(M_PI * n / 2000))) < 1e-3);
}

// Phases to complex values, and an oscillator's turns, against libm.
static void test_turns(void **state)
{
    (void)state;
    static uint32_t phase[1 << 16];
    static float complex x[1 << 16];
    struct rng r;
    rng_init(&r, 3);
    for (unsigned i = 0; i < 1 << 16; i++)      // multiples of an eighth of a turn, and any
        phase[i] = i < 64 ? (i / 8 << 29) + i % 8 - 4 : (uint32_t)rng_u64(&r);
    turns_ops()->run(phase, x, 1 << 16);
    for (unsigned i = 0; i < 1 << 16; i++) {
        double complex want = cexp(I * 2 * M_PI * 0x1p-32 * phase[i]);
        assert_true(cabs((double complex)x[i] - want) < 3e-7);
    }
    for (unsigned k = 0; k < 200; k++) {
        struct osc o;
        uint64_t at = rng_u64(&r) >> 30, at_phase = rng_u64(&r), inc = rng_u64(&r);
        osc_init(&o, at_phase, inc, 1);
        struct osc_turns t = osc_at(&o, at);
        double complex got = CMPLX((double)*t.re, (double)*t.im) * CMPLX((double)t.c, (double)t.s);
        double turns = (double)((at_phase + at * inc) >> 11) * 0x1p-53;
        assert_true(cabs(got - cexp(I * 2 * M_PI * turns)) < 3e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),  cmocka_unit_test(test_seams), cmocka_unit_test(test_tones),
        cmocka_unit_test(test_fading), cmocka_unit_test(test_doppler),
        cmocka_unit_test(test_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
