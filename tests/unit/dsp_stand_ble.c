// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detector of advertisements: packets from a formula, the law of its statistic, what is
// none of it.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/unit/gfsk_made.h"
#include "tests/unit/stand_made.h"

#define SEED 21

// ---- Law ----------------------------------------------------------------------------------------

static void short_walks_are_gaussian(void **state)
{
    (void)state;
    for (double rho = 0.01; rho < 0.06; rho += 0.01)        // a step's part has variance 1/2
        assert_true(fabs(log(walk_tail(10000, rho)) / (-10000 * rho * rho) - 1) < 0.01);
    assert_true(walk_tail(40, 0.98) < 1e-30);
    assert_true(walk_tail(40, 0) == 1);
}

static void walks_end_as_the_law_says(void **state)
{
    (void)state;
    struct rng r;
    unsigned over[3] = { 0 }, trials = 60000;
    static const double rho[] = { 0.25, 0.33, 0.4 };
    rng_init(&r, 4);
    for (unsigned t = 0; t < trials; t++) {
        double re = 0, im = 0;
        for (int k = 0; k < 40; k++) {
            double a = 2 * M_PI * rng_uniform(&r);
            re += cos(a);
            im += sin(a);
        }
        for (int i = 0; i < 3; i++)
            over[i] += hypot(re, im) > 40 * rho[i];
    }
    for (int i = 0; i < 3; i++) {
        double share = over[i] / (double)trials / walk_tail(40, rho[i]);
        assert_true(share > 0.75 && share < 1.25);
    }
}

// ---- Packets ------------------------------------------------------------------------------------

// SNR in 1 MHz.
static struct gfsk_made packet(struct scene *s, double f_hz, unsigned bits, double at_s, double snr)
{
    struct gfsk_made m = {
        .rate_hz = s->rate, .bits = bits, .address = true, .start = at_s * s->rate + 0.4,
        .f_hz = f_hz - s->centre, .clock = 1 + 30e-6, .phase = 0.2,
        .amplitude = sqrt(pow(10, snr / 10) * 1e6 / s->rate),
    };
    gfsk_made_bits(&m, &s->rng);
    return m;
}

static void assert_told(const struct scene *s, const struct gfsk_made *m)
{
    double us = s->rate / 1e6;
    for (unsigned i = 0; i < s->list.n; i++) {
        const struct stand_cand *c = &s->list.c[i];
        if (fabs(c->n0 - m->start) > 1.0 * us)
            continue;
        assert_int_equal(c->kind, STAND_BLE);
        assert_true(fabs(c->f_hz - m->f_hz) < 20e3);
        assert_true(fabs(c->n1 - c->n0 - 128 * us) < 1e-3 * us && !c->n1_known);
        return;
    }
    fail();
}

static void advertisements_are_found(void **state)
{
    (void)state;
    static const double rates[] = { 4e6, 20e6, 61.44e6 };
    for (unsigned i = 0; i < 3; i++) {
        struct scene s;
        scene_new(&s, SEED, rates[i], 2426.8e6, 4e-3, 1);
        struct gfsk_made a = packet(&s, 2426.06e6, 376, 0.7e-3, 10);
        struct gfsk_made b = packet(&s, 2425.93e6, 128, 1.9e-3, 10);
        gfsk_made_add(&a, 0, s.n, s.x);
        gfsk_made_add(&b, 0, s.n, s.x);
        scene_run(&s, i == 1 ? 777 : s.n);
        assert_int_equal(s.list.n, 2);
        assert_told(&s, &a);
        assert_told(&s, &b);
        scene_free(&s);
    }
}

// Wi-Fi's likeness over all of it, as strong as the packet in 20 MHz: 13 dB less in 1 MHz.
static void found_within_a_wide_signal(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, SEED, 20e6, 2430e6, 3e-3, 1);
    struct gfsk_made a = packet(&s, 2426.0e6, 200, 1e-3, 40);
    gfsk_made_add(&a, 0, s.n, s.x);
    for (size_t i = 0; i < s.n; i++)
        s.x[i] += (float)a.amplitude * rng_cnormal(&s.rng);
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 1);
    assert_told(&s, &a);
    scene_free(&s);
}

// At the end of what was received.
static void ends_are_ends(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, SEED, 4e6, 2426e6, 1.2e-3, 1);
    struct gfsk_made a = packet(&s, 2426e6, 376, 1.155e-3, 15);
    gfsk_made_add(&a, 0, s.n, s.x);
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 1);
    assert_true(fabs(s.list.c[0].n0 - a.start) < 5);
    scene_run(&s, 100);
    assert_int_equal(s.list.n, 1);
    scene_free(&s);
}

// ---- What is none -------------------------------------------------------------------------------

// Data at the same rate with another address, on the channel; and noise, whose tail is the law's.
static void other_data_is_none(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, SEED, 4e6, 2426.5e6, 60e-3, 1);
    for (unsigned i = 0; i < 20; i++) {
        struct gfsk_made a = packet(&s, 2426e6, 2000, 0.5e-3 + i * 2.9e-3, 30);
        a.address = false;
        gfsk_made_bits(&a, &s.rng);
        gfsk_made_add(&a, 0, s.n, s.x);
    }
    scene_run(&s, 1 << 16);
    assert_int_equal(s.list.n, 0);
    scene_free(&s);
}

struct tail { uint64_t n, over[3]; double limit[3]; };

static void count(void *arg, const float *p, unsigned n)
{
    struct tail *t = arg;
    t->n += n;
    for (unsigned i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            t->over[k] += p[i] > t->limit[k];
}

static void noise_keeps_to_the_law(void **state)
{
    (void)state;
    static const double rho[] = { 0.25, 0.33, 0.4 };
    struct scene s;
    struct tail t = { 0 };
    scene_new(&s, SEED, 4.2e6, 2426.5e6, 0.2, 1);
    double steps = s.stand->ble.steps;
    for (int k = 0; k < 3; k++)
        t.limit[k] = rho[k] * rho[k] * steps * steps;
    s.stand->ble.on_power = count;
    s.stand->ble.on_power_arg = &t;
    scene_run(&s, 1 << 16);
    assert_int_equal(s.list.n, 0);
    for (int k = 0; k < 3; k++) {
        double share = (double)t.over[k] / (double)t.n / walk_tail((unsigned)steps, rho[k]);
        assert_true(share > 0.6 && share < 1.5);
    }
    assert_true(walk_tail((unsigned)steps, 0.81) < 1e-13);
    scene_free(&s);
}

// No channel of theirs in the capture, or nobody knows where it is: no work.
static void elsewhere_it_rests(void **state)
{
    (void)state;
    struct stand *s = stand_new(20e6, 3800e6);
    assert_true(stand_idle(s, 3800e6));
    stand_free(s);
    s = stand_new(20e6, 0);
    assert_true(stand_idle(s, 0));
    stand_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_walks_are_gaussian),
        cmocka_unit_test(walks_end_as_the_law_says),
        cmocka_unit_test(advertisements_are_found),
        cmocka_unit_test(found_within_a_wide_signal),
        cmocka_unit_test(ends_are_ends),
        cmocka_unit_test(other_data_is_none),
        cmocka_unit_test(noise_keeps_to_the_law),
        cmocka_unit_test(elsewhere_it_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
