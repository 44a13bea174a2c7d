// SPDX-License-Identifier: GPL-3.0-or-later
// The table of states, and the search for a clock behind start times.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "base/rng.h"
#include "classifier/lattice.h"
#include "classifier/life.h"

static void life_moves(void **state)
{
    (void)state;
    enum track_state s = TRACK_TENTATIVE;
    assert_int_equal(life_move(&s, LIFE_HEARD), 0);
    assert_int_equal(s, TRACK_TENTATIVE);
    assert_int_equal(life_move(&s, LIFE_NAMED), 0);
    assert_int_equal(s, TRACK_NAMED);
    assert_int_equal(life_move(&s, LIFE_SILENT), 0);
    assert_int_equal(s, TRACK_QUIET);
    assert_int_equal(life_move(&s, LIFE_HEARD), 0);
    assert_int_equal(s, TRACK_NAMED);
    life_move(&s, LIFE_SILENT);
    assert_int_equal(life_move(&s, LIFE_GONE), 0);
    assert_int_equal(s, TRACK_ENDED);
}

static void life_refuses(void **state)
{
    (void)state;
    for (int e = 0; e < LIFE_EVENTS; e++) {         // the end is the end
        enum track_state s = TRACK_ENDED;
        assert_int_equal(life_move(&s, (enum life_event)e), -EPERM);
        assert_int_equal(s, TRACK_ENDED);
    }
    enum track_state s = TRACK_NAMED;
    assert_int_equal(life_move(&s, LIFE_GONE), -EPERM);     // it must have been quiet first
    assert_int_equal(s, TRACK_NAMED);
    s = TRACK_QUIET;
    assert_int_equal(life_move(&s, LIFE_NAMED), -EPERM);    // silence is no evidence
    assert_int_equal(s, TRACK_QUIET);
}

#define N 300

// n times of a clock, some missing, among strangers; how many of its own.
static size_t times(double *t, size_t n, double period, double ppm, double jitter, double missing,
                    size_t strangers, uint64_t seed)
{
    struct rng r;
    size_t k = 0, own = 0;

    rng_init(&r, seed);
    for (int i = 0; k + strangers < n; i++)
        if (rng_uniform(&r) >= missing) {
            t[k++] = 0.1234 + i * period * (1 + ppm * 1e-6) + jitter * rng_normal(&r);
            own++;
        }
    double span = t[k - 1] - t[0];
    while (k < n)
        t[k++] = t[0] + span * rng_uniform(&r);
    return own;
}

// The slope of 120 starts with 15 us of jitter over 1.6 s is good to 3 ppm; four times that here.
static void clock_is_found(void **state)
{
    static const double ppm[] = { -55, -20, 0, 3, 50 };
    double t[N];
    bool on[N];
    struct lattice l;
    (void)state;
    for (int i = 0; i < 5; i++) {
        size_t own = times(t, 120, 4e-3, ppm[i], 15e-6, 0.7, 0, (uint64_t)i);
        assert_int_equal(lattice_find(t, 120, 4e-3, 60e-6, &l, on), 1);
        assert_true(l.n >= own - 2);
        assert_true(fabs(l.ppm - ppm[i]) < 12);
        assert_true(l.sigma_s > 5e-6 && l.sigma_s < 25e-6);     // what was put in: 15 us
        assert_true(l.ln_chance < -50);
    }
}

static void clock_among_strangers(void **state)
{
    double t[N];
    bool on[N];
    struct lattice l;
    (void)state;
    size_t own = times(t, N, 10e-3, 17, 20e-6, 0.3, 150, 9);
    assert_int_equal(lattice_find(t, N, 10e-3, 60e-6, &l, on), 1);
    size_t right = 0;
    for (size_t i = 0; i < own; i++)
        right += on[i];
    assert_true(right >= own - 3);
    assert_true(l.n <= own + 12);       // 150 strangers in 1.2 % of the circle
    assert_true(fabs(l.ppm - 17) < 12);
}

static void no_clock_is_found_in_noise(void **state)
{
    double t[N];
    bool on[N];
    struct lattice l;
    struct rng r;
    int likely = 0;
    (void)state;
    rng_init(&r, 4);
    for (int k = 0; k < 200; k++) {
        for (int i = 0; i < 60; i++)
            t[i] = rng_uniform(&r);
        if (lattice_find(t, 60, 4e-3, 60e-6, &l, on) && l.ln_chance < -12)
            likely++;
    }
    assert_int_equal(likely, 0);        // e^-12 in 200 looks: one in 800 runs of this test
}

static void odd_input(void **state)
{
    double t[3] = { 1, 1, 1 };
    bool on[3];
    struct lattice l;
    int64_t k[3] = { 5, 5, 5 };
    (void)state;
    assert_int_equal(lattice_find(t, 2, 1e-3, 1e-5, &l, on), 0);
    assert_int_equal(lattice_find(t, 3, 1e-3, 1e-3, &l, on), 0);    // as wide as the slot
    assert_int_equal(lattice_find(t, 3, 1e-3, 1e-5, &l, on), 1);
    assert_true(l.ln_chance > -12);
    assert_int_equal(lattice_fit(&l, k, t, 3), -EDOM);
    assert_int_equal(lattice_fit(&l, k, t, 0), -EDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_moves),
        cmocka_unit_test(life_refuses),
        cmocka_unit_test(clock_is_found),
        cmocka_unit_test(clock_among_strangers),
        cmocka_unit_test(no_clock_is_found_in_noise),
        cmocka_unit_test(odd_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
