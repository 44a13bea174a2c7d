// SPDX-License-Identifier: GPL-3.0-or-later
// The noise floor from made-up rows of power: flat, sloped and rolled-off noise, under signals that
// pause and signals that never do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "dsp/front/floor.h"

#define SLOW 1024
static const struct grid grid = {
    .rate_hz = 20e6, .fast_n = 128, .slow_n = SLOW, .hop = 64, .row = 512, .hop_s = 3.2e-6,
    .row_s = 25.6e-6, .fast_hz = 156250, .slow_hz = 19531.25, .ring = 4096,
};

// Noise shape in dB at x = -0.5 .. 0.5 of the band, and signal power over noise (linear) of a row.
typedef double shape_fn(double x);
typedef double signal_fn(double x, unsigned row);

static double flat(double x) { (void)x; return 0; }
static double sloped(double x) { return 4 * x; }
static double rolled(double x) { return fabs(x) > 0.42 ? -80 * (fabs(x) - 0.42) : 0; }
static double none(double x, unsigned row) { (void)x; (void)row; return 0; }
static double lte(double x, unsigned row) { (void)row; return fabs(x) < 0.39 ? 10 : 0; }
static double frames(double x, unsigned row) { return fabs(x) < 0.45 && row % 100 < 60 ? 100 : 0; }
static double edge_to_edge(double x, unsigned row) { (void)x; return row % 400 < 200 ? 10 : 0; }

static struct noise_floor *learn(shape_fn *shape, signal_fn *signal, unsigned rows, uint64_t seed)
{
    struct noise_floor *f = floor_new(&grid, IQ_CF32);
    struct rng r;
    uint16_t p[SLOW];

    assert_non_null(f);
    rng_init(&r, seed);
    floor_begin(f);
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned k = 0; k < SLOW; k++) {
            double x = (k + 0.5) / SLOW - 0.5;
            double mean = pow(10, 0.1 * shape(x)) * (1 + signal(x, row));
            float v = (float)(-1e-9 * mean * log(1 - rng_uniform(&r)));
            union { float f; uint32_t u; } bits = { v };
            p[k] = (uint16_t)((bits.u + 0x8000) >> 16);     // as the front packs powers
        }
        floor_row(f, p, 1, false);
        floor_solve(f);
    }
    floor_end(f);
    floor_solve(f);
    return f;
}

// Largest error in dB over the part of the band within |x| < within.
static double worst(struct noise_floor *f, shape_fn *shape, double within)
{
    double w = 0;
    for (unsigned k = 0; k < SLOW; k++) {
        double x = (k + 0.5) / SLOW - 0.5;
        if (fabs(x) < within)
            w = fmax(w, fabs(10 * log10(floor_now(f).slow[k] / 1e-9) - shape(x)));
    }
    return w;
}

static void check(shape_fn *shape, signal_fn *signal, unsigned rows, double within, double limit)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct noise_floor *f = learn(shape, signal, rows, seed);
        double w = worst(f, shape, within);
        floor_free(f);
        if (w > limit)
            print_message("seed %d: off by %.2f dB, limit %.2f\n", (int)seed, w, limit);
        assert_true(w <= limit);
    }
}

static void test_noise(void **state)
{
    (void)state;
    check(flat, none, 4000, 0.5, 0.5);
    check(sloped, none, 4000, 0.45, 0.6);
    check(rolled, none, 4000, 0.41, 0.7);
}

static void test_from_the_start(void **state)
{
    (void)state;
    check(flat, none, 40, 0.5, 1.2);        // a millisecond
}

static void test_signals(void **state)
{
    (void)state;
    check(flat, lte, 4000, 0.5, 0.7);       // never pauses, fills 78 %
    check(flat, frames, 4000, 0.5, 0.9);    // 60 % of the time, with 10 dB more
    check(flat, edge_to_edge, 4000, 0.5, 0.6);
}

static void test_empty(void **state)
{
    (void)state;
    struct noise_floor *f = floor_new(&grid, IQ_CU8);
    uint16_t p[SLOW] = { 0 };
    assert_false(floor_solve(f));
    for (unsigned row = 0; row < 200; row++)
        floor_row(f, p, 1, true);
    assert_true(floor_solve(f));
    // Digital silence of 8-bit samples: quantisation noise, 2 * step^2 / 12 over all cells.
    for (unsigned k = 0; k < SLOW; k++)
        assert_true(floor_now(f).slow[k] >= 2.0 / 12 / 128 / 128 / SLOW * 0.999);
    floor_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_from_the_start),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
