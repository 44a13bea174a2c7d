// SPDX-License-Identifier: GPL-3.0-or-later
// The simulator's noise against the Gaussian's law: the map from random bits to values against
// libm, moments, tails, independence; the same bits on every instruction set.
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hw/hw.h"
#include "sdr/sim/noise.h"

#define N (1u << 22)
#define K_BITS 17

#ifdef __x86_64__
extern const struct noise_ops noise_ops_plain, noise_ops_v2, noise_ops_v3, noise_ops_v4;
static const struct noise_ops *const sets[] = { &noise_ops_plain, &noise_ops_v2, &noise_ops_v3,
                                                &noise_ops_v4 };
#else
extern const struct noise_ops noise_ops_plain;
static const struct noise_ops *const sets[] = { &noise_ops_plain };
#endif

static float complex *made(size_t n, uint64_t seed)
{
    float complex *x = calloc(n, sizeof *x);
    struct rng r;
    assert_non_null(x);
    rng_init(&r, seed);
    noise_add(noise_ops(), &r, 2, x, n);        // variance 1 of each part
    return x;
}

// What a word stands for (sdr/kernel/noise.h), in double.
static double complex meant(uint64_t w)
{
    uint64_t k = (w & NOISE_K) >> 24;
    double t = ((double)(w >> 41) + 0.5) * 0x1p-23, zeros = 0;
    while (k < (1u << (K_BITS - 1))) {
        k <<= 1;
        zeros++;
    }
    int64_t angle = (int64_t)(w & 0x3fffff) - (w & 0x200000 ? 0x400000 : 0);
    double a = ((double)angle + 0.5) * 0x1p-21 * M_PI / 4;
    double r = sqrt(-log(1 - t / 2) + zeros * log(2));
    double c = (w >> 22 & 1 ? -1 : 1) * cos(a), s = sin(a);
    return r * (w >> 23 & 1 ? CMPLX(s, c) : CMPLX(c, s));
}

// Within 1e-6 of the size at any size, for words of every number of zeros and both ends of t.
static void test_map(void **state)
{
    (void)state;
    struct rng r;
    uint64_t w[NOISE_BLOCK];
    rng_init(&r, 1);
    for (unsigned round = 0; round < 400; round++) {
        float complex x[NOISE_BLOCK] = { 0 };
        for (unsigned i = 0; i < NOISE_BLOCK; i++) {
            w[i] = rng_u64(&r) & ~NOISE_K;
            w[i] |= ((rng_u64(&r) & 0xffff) | 0x10000) >> i % K_BITS << 24;
            if (round < 2)
                w[i] = round ? w[i] | 0x7fffffull << 41 : w[i] & ~(0x7fffffull << 41);
        }
        noise_ops()->add(w, 1, (float *)x, NOISE_BLOCK);
        for (unsigned i = 0; i < NOISE_BLOCK; i++) {
            double complex want = meant(w[i]);
            if (!(cabs((double complex)x[i] - want) < 1e-6 * cabs(want) + 1e-10))
                fail_msg("%016llx: %g %g, expected %g %g", (unsigned long long)w[i],
                         (double)crealf(x[i]), (double)cimagf(x[i]), creal(want), cimag(want));
        }
    }
}

// Even moments of one part: 1, 3, 15 (their variance: 2, 96, 10170); odd ones 0 (1, 15).
static void test_moments(void **state)
{
    (void)state;
    static const double want[] = { 1, 0, 1, 0, 3, 0, 15 }, var[] = { 0, 1, 2, 15, 96, 0, 10170 };
    float complex *x = made(N, 2);
    double sum[2][7] = { { 0 } };
    for (size_t i = 0; i < N; i++)
        for (unsigned part = 0; part < 2; part++) {
            double v = part ? (double)cimagf(x[i]) : (double)crealf(x[i]), p = v;
            for (unsigned k = 1; k < 7; k++, p *= v)
                sum[part][k] += p;
        }
    for (unsigned part = 0; part < 2; part++)
        for (unsigned k = 1; k < 7; k++)
            if (var[k] > 0 && fabs(sum[part][k] / N - want[k]) > 5 * sqrt(var[k] / N))
                fail_msg("part %u, moment %u: %g", part, k, sum[part][k] / N);
    free(x);
}

// Beyond 0.5 to 5 sigma on each side of each part: within five standard deviations of the count.
static void test_tails(void **state)
{
    (void)state;
    float complex *x = made(N, 3);
    for (double s = 0.5; s < 5.2; s += 0.5) {
        double want = 0.5 * erfc(s / sqrt(2)) * N, got[4] = { 0 };
        for (size_t i = 0; i < N; i++) {
            double re = (double)crealf(x[i]), im = (double)cimagf(x[i]);
            got[0] += re > s;
            got[1] += re < -s;
            got[2] += im > s;
            got[3] += im < -s;
        }
        for (unsigned k = 0; k < 4; k++)
            if (fabs(got[k] - want) > 5 * sqrt(want) + 1)
                fail_msg("beyond %g sigma: %g, expected %g", s, got[k], want);
    }
    free(x);
}

// Powers beyond what once in 2 to 2^21 has.  From 2^17 on values are made another way.
static void test_rare(void **state)
{
    (void)state;
    enum { ROUNDS = 8, BITS = 22 };
    double got[BITS] = { 0 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        float complex *x = made(N, 100 + round);
        for (size_t i = 0; i < N; i++) {
            float re = crealf(x[i]), im = cimagf(x[i]), p = re * re + im * im;
            if (round && p < 2 * 14 * (float)M_LN2)         // the frequent ones once suffice
                continue;
            unsigned from = round ? 15 : 1;
            for (unsigned bits = from; bits < BITS && (double)p > 2 * bits * M_LN2; bits++)
                got[bits]++;
        }
        free(x);
    }
    for (unsigned bits = 1; bits < BITS; bits++) {
        double want = (bits < 15 ? 1 : ROUNDS) * exp2(-(double)bits) * N;
        if (fabs(got[bits] - want) > 5 * sqrt(want) + 1)
            fail_msg("once in 2^%u: %g, expected %g", bits, got[bits], want);
    }
}

// Neighbours share nothing, neither in value nor in power: eight generators take turns, so up to
// lags of several turns.  And the angle is as likely everywhere.
static void test_independence(void **state)
{
    (void)state;
    enum { M = 1 << 20 };
    float complex *x = made(M + 40, 4);
    for (unsigned lag = 0; lag <= 33; lag++) {
        double ii = 0, iq = 0, pp = 0;
        for (size_t i = 0; i < M; i++) {
            double a = (double)crealf(x[i]), b = (double)cimagf(x[i]);
            double c = (double)crealf(x[i + lag]), d = (double)cimagf(x[i + lag]);
            ii += a * c + b * d;
            iq += a * d;
            pp += (a * a + b * b - 2) * (c * c + d * d - 2);
        }
        // Variances of one term: 2, 1, 16; at lag 0 the first and the last are what they are.
        if (fabs(iq) > 5 * sqrt(M) || (lag && (fabs(ii) > 5 * sqrt(2.0 * M) ||
                                               fabs(pp) > 5 * sqrt(16.0 * M))))
            fail_msg("lag %u: %g %g %g", lag, ii / M, iq / M, pp / M);
    }
    double hit[64] = { 0 }, chi2 = 0;
    for (size_t i = 0; i < M; i++)
        hit[(unsigned)((carg(x[i]) + M_PI) / (2 * M_PI) * 64) & 63]++;
    for (unsigned k = 0; k < 64; k++)
        chi2 += pow(hit[k] - M / 64.0, 2) / (M / 64.0);
    assert_true(chi2 < 63 + 5 * sqrt(2 * 63));
    free(x);
}

// More values begin as fewer do, and they are added to what is there.
static void test_lengths(void **state)
{
    (void)state;
    float complex *all = made(1000, 5), x[1000];
    for (size_t n = 1; n < 1000; n += 37) {
        struct rng r;
        memset(x, 0, sizeof x);
        rng_init(&r, 5);
        noise_add(noise_ops(), &r, 2, x, n);
        assert_memory_equal(x, all, n * sizeof *x);
        assert_true(n == 1000 || x[n] == 0);
    }
    x[0] = 100;
    struct rng r;
    rng_init(&r, 5);
    noise_add(noise_ops(), &r, 2, x, 1);
    assert_true(x[0] == 100 + all[0]);
    free(all);
}

static void test_sets(void **state)
{
    (void)state;
    enum { M = 1 << 19 };
    static float complex x[M], y[M];
    for (unsigned k = 0; k < sizeof sets / sizeof *sets && k <= hw_isa(); k++) {
        struct rng r;
        rng_init(&r, 6);
        memset(y, 0, sizeof y);
        noise_add(sets[k], &r, 0.1, k ? y : x, M);
        if (k)
            assert_memory_equal(x, y, sizeof x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),          cmocka_unit_test(test_moments),
        cmocka_unit_test(test_tails),        cmocka_unit_test(test_independence),
        cmocka_unit_test(test_lengths),      cmocka_unit_test(test_sets),
        cmocka_unit_test(test_rare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
