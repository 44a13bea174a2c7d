// SPDX-License-Identifier: GPL-3.0-or-later
// Random numbers: the published sequences bit for bit, and the moments of what is made from them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"

#define N 200000

// State { 1, 2, 3, 4 }: the first outputs worked out by hand from the algorithm's definition,
// rotl(s0 + s3, 23) + s0, and the widely used check values of its other implementations.
static void xoshiro_as_published(void **state)
{
    (void)state;
    static const uint64_t want[] = { 41943041u, 58720359u, 3588806011781223u, 3591011842654386u,
                                     9228616714210784205u };
    struct rng r = { { 1, 2, 3, 4 } };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_true(rng_u64(&r) == want[i]);
}

// Seeding is splitmix64, whose published outputs for seed 0 begin so.
static void seeding_as_published(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 0);
    assert_true(r.s[0] == 0xe220a8397b1dcdafu);
    assert_true(r.s[1] == 0x6e789e6aa1b965f4u);
    assert_true(r.s[2] == 0x06c45d188009454fu);
}

static void below_is_even(void **state)
{
    (void)state;
    struct rng r;
    unsigned hit[7] = { 0 };
    double chi2 = 0;

    rng_init(&r, 1);
    for (int i = 0; i < N; i++) {
        uint32_t v = rng_below(&r, 7);
        assert_true(v < 7);
        hit[v]++;
    }
    for (int i = 0; i < 7; i++)
        chi2 += pow(hit[i] - N / 7.0, 2) / (N / 7.0);
    assert_true(chi2 < 22.5);           // 6 degrees of freedom, one in a thousand
    assert_int_equal(rng_below(&r, 1), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&r, UINT32_MAX) < UINT32_MAX);
}

static void uniform_moments(void **state)
{
    (void)state;
    struct rng r;
    double sum = 0, sq = 0;

    rng_init(&r, 2);
    for (int i = 0; i < N; i++) {
        double u = rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
        sq += u * u;
    }
    // Five standard errors of the mean of u and of u^2.
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1 / 12.0 / N));
    assert_true(fabs(sq / N - 1 / 3.0) < 5 * sqrt(4 / 45.0 / N));
    for (int i = 0; i < 1000; i++) {
        double v = rng_between(&r, -3, 5);
        assert_true(v >= -3 && v < 5);
    }
}

static void normal_moments(void **state)
{
    (void)state;
    struct rng r;
    double m1 = 0, m2 = 0, m4 = 0;
    unsigned tail = 0;

    rng_init(&r, 3);
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&r);
        m1 += x;
        m2 += x * x;
        m4 += x * x * x * x;
        tail += fabs(x) > 3;
    }
    assert_true(fabs(m1 / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m4 / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs(tail - 0.0026998 * N) < 5 * sqrt(0.0027 * N));
}

static void complex_moments(void **state)
{
    (void)state;
    struct rng r;
    double p = 0, cross = 0, re = 0;

    rng_init(&r, 4);
    for (int i = 0; i < N; i++) {
        float complex z = rng_cnormal(&r);
        p += crealf(z) * crealf(z) + cimagf(z) * cimagf(z);
        re += crealf(z) * crealf(z);
        cross += crealf(z) * cimagf(z);
    }
    assert_true(fabs(p / N - 1) < 5 * sqrt(1.0 / N));
    assert_true(fabs(re / N - 0.5) < 5 * sqrt(0.5 / N));
    assert_true(fabs(cross / N) < 5 * sqrt(0.25 / N));
}

// Streams forked from one seed share nothing that a correlation would show, nor with the parent.
static void forks_are_apart(void **state)
{
    (void)state;
    struct rng r, a, b, again;
    double ab = 0, ra = 0;

    rng_init(&r, 5);
    rng_fork(&a, &r, 0);
    rng_fork(&b, &r, 1);
    rng_fork(&again, &r, 1);
    for (int i = 0; i < N; i++) {
        double x = rng_uniform(&a) - 0.5, y = rng_uniform(&b) - 0.5, z = rng_uniform(&r) - 0.5;
        assert_true(y == rng_uniform(&again) - 0.5);
        ab += x * y;
        ra += x * z;
    }
    assert_true(fabs(ab / N) < 5 * sqrt(1 / 144.0 / N));
    assert_true(fabs(ra / N) < 5 * sqrt(1 / 144.0 / N));
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(xoshiro_as_published),
        cmocka_unit_test(seeding_as_published),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(uniform_moments),
        cmocka_unit_test(normal_moments),
        cmocka_unit_test(complex_moments),
        cmocka_unit_test(forks_are_apart),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
