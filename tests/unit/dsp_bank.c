// SPDX-License-Identifier: GPL-3.0-or-later
// The analysis bank against liquid-dsp's own (same prototype), against Parseval, and its stop-band.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <liquid/liquid.h>

#include "base/rng.h"
#include "dsp/front/bank.h"
#include "dsp/kernel/wola.h"

static float complex *noise(size_t n, uint64_t seed)
{
    struct rng r;
    float complex *x = calloc(n, sizeof *x);
    assert_non_null(x);
    rng_init(&r, seed);
    for (size_t i = 0; i < n; i++)
        x[i] = rng_cnormal(&r);
    return x;
}

// Magnitudes of our frame `frame` against the oracle's output block y; relative squared error.
static double differ(const float complex *ours, const float complex *y, unsigned m)
{
    double d = 0, s = 0;
    for (unsigned k = 0; k < m; k++) {
        double a = cabsf(ours[k]), b = cabsf(y[k]);
        d += (a - b) * (a - b);
        s += a * a;
    }
    return d / s;
}

// liquid-dsp's bank works sample by sample with its own delay: some delay must make all magnitudes
// equal, frame after frame.
static void same_as_oracle(unsigned channels, unsigned semi)
{
    unsigned taps = 2 * semi, frames = 43, hop = channels / 2;
    size_t n = (size_t)hop * (frames + 2 * taps);
    float complex *x = noise(n, 7);
    struct bank *b = bank_new(channels, taps, 70);
    assert_non_null(b);
    float complex *ours = calloc((size_t)frames * channels, sizeof *ours);
    unsigned steps = (unsigned)(n / hop);
    float complex *theirs = calloc((size_t)steps * channels, sizeof *theirs);
    float *h = calloc((size_t)channels * taps, sizeof *h);
    assert_true(ours && theirs && h);

    bank_spectra(b, x, frames, ours);
    for (unsigned i = 0; i < channels * taps; i++)
        h[i] = bank_prototype(b)[i];
    firpfbch2_crcf q = firpfbch2_crcf_create(LIQUID_ANALYZER, channels, semi, h);
    for (unsigned i = 0; i < steps; i++)
        firpfbch2_crcf_execute(q, x + (size_t)i * hop, theirs + (size_t)i * channels);
    firpfbch2_crcf_destroy(q);

    // The oracle may scale; find it from total powers.
    double po = 0, pt = 0;
    for (size_t i = 0; i < (size_t)frames * channels; i++)
        po += pow(cabsf(ours[i]), 2);
    size_t from = (size_t)(2 * taps) * channels, to = (size_t)(taps + frames) * channels;
    for (size_t i = from; i < to; i++)
        pt += pow(cabsf(theirs[i]), 2);
    double scale = sqrt(po / frames / (pt / (frames - taps)));
    for (size_t i = 0; i < (size_t)steps * channels; i++)
        theirs[i] *= (float)scale;

    double best = 1;
    for (unsigned delay = 0; delay < 3 * taps; delay++) {
        double worst = 0;
        for (unsigned f = 0; f < frames - 3; f++)
            if (f + delay < steps)
                worst = fmax(worst, differ(ours + (size_t)f * channels,
                                           theirs + (size_t)(f + delay) * channels, channels));
        best = fmin(best, worst);
    }
    // The scale is estimated from noise powers, hence the half per cent.
    assert_true(best < 0.005);
    bank_free(b);
    free(ours);
    free(theirs);
    free(h);
    free(x);
}

static void test_oracle(void **state)
{
    (void)state;
    same_as_oracle(64, 8);
    same_as_oracle(16, 1);
    same_as_oracle(256, 2);
    same_as_oracle(40, 3);              // no power of two; four and three windows at once
    same_as_oracle(100, 8);
    same_as_oracle(512, 8);             // hops of a page: folded part by part
}

static void test_parseval(void **state)
{
    (void)state;
    const unsigned m[] = { 16, 128, 1024 };
    for (unsigned i = 0; i < 3; i++) {
        struct bank *b = bank_new(m[i], 2, 80);
        unsigned frames = 4096 / m[i] * 16 + 8;
        float complex *x = noise((size_t)frames * m[i] / 2 + bank_window(b), 3 + i);
        float *p = calloc((size_t)frames * m[i], sizeof *p);
        double sum = 0;
        bank_power(b, x, frames, p);
        for (size_t k = 0; k < (size_t)frames * m[i]; k++)
            sum += p[k];
        // Power 1; standard error of the mean over `frames * m / 2` samples below 1.2 %.
        assert_true(fabs(sum / frames - 1) < 0.05);
        free(p);
        free(x);
        bank_free(b);
    }
}

// Packed powers may come by another way than transforms: the same to what is kept of them (8 bits
// of mantissa; a strong tone beside noise tells orders and signs apart).
static void test_packed(void **state)
{
    (void)state;
    const unsigned m[] = { 16, 40, 64, 128, 256, 512, 1024, 2048, 4096, 8192 };
    for (unsigned i = 0; i < sizeof m / sizeof *m; i++) {
        enum { FRAMES = 11 };           // eight at once and three
        struct bank *b = bank_new(m[i], 2, 80);
        size_t n = (size_t)FRAMES * m[i] / 2 + bank_window(b);
        float complex *x = noise(n, 11 + i);
        float *p = calloc((size_t)FRAMES * m[i], sizeof *p), top = 0;
        uint16_t *q = calloc((size_t)FRAMES * m[i], sizeof *q);
        for (size_t k = 0; k < n; k++)
            x[k] += 30 * cexpf(2 * (float)M_PI * I * fmodf(0.21f * (float)k, 1));
        bank_power(b, x, FRAMES, p);
        float most = bank_power_packed(b, x, FRAMES, q);
        for (size_t k = 0; k < (size_t)FRAMES * m[i]; k++) {
            top = fmaxf(top, p[k]);
            assert_true(fabsf(wola_unpack(q[k]) - p[k]) <= 0.004f * p[k] + 1e-5f);
        }
        assert_true(fabsf(most / top - 1) < 1e-4f);
        free(q);
        free(p);
        free(x);
        bank_free(b);
    }
}

static void tone(float complex *x, size_t n, double cycles)
{
    for (size_t i = 0; i < n; i++) {
        double a = 2 * M_PI * fmod(cycles * (double)i, 1);
        x[i] = (float)cos(a) + I * (float)sin(a);
    }
}

static void test_tones(void **state)
{
    (void)state;
    enum { M = 64 };
    struct bank *b = bank_new(M, 2, 80);
    size_t n = bank_window(b);
    float complex *x = calloc(n, sizeof *x);
    float p[M];
    assert_non_null(x);

    for (int tenth = -5; tenth <= 5; tenth++) {
        // Between channels 9 and 10 above the centre; lowest frequency first, so index M/2 + 10.
        tone(x, n, (10 + tenth * 0.1) / M);
        bank_power(b, x, 1, p);
        double sum = 0, far = 0;
        for (int k = 0; k < M; k++) {
            sum += p[k];
            if (fabs(k - M / 2 - (10 + tenth * 0.1)) >= 2.0)
                far = fmax(far, p[k]);
        }
        assert_true(fabs(10 * log10(sum)) < 0.6);           // ripple between channels
        assert_true(10 * log10(far / sum) < -70);
    }
    free(x);
    bank_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_parseval),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_tones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
