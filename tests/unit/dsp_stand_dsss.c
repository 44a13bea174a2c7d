// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detector of 802.11b's long preambles: packets from a formula, the law of its statistic,
// what is none of it.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/unit/dsss_made.h"
#include "tests/unit/gfsk_made.h"
#include "tests/unit/stand_made.h"

// SNR in 11 MHz.
static struct dsss_made packet(struct scene *s, double f_hz, double at_s, double snr)
{
    struct dsss_made m = {
        .rate_hz = s->rate, .symbols = 400, .preamble = true, .start = at_s * s->rate + 0.41,
        .f_hz = f_hz - s->centre, .clock = 1 + 20e-6, .phase = 0.7,
        .amplitude = sqrt(pow(10, snr / 10) * 11e6 / s->rate),
    };
    dsss_made_bits(&m, &s->rng);
    return m;
}

static void assert_told(const struct scene *s, const struct dsss_made *m)
{
    for (unsigned i = 0; i < s->list.n; i++) {
        const struct stand_cand *c = &s->list.c[i];
        if (fabs(c->n0 - m->start) > 0.5 * s->rate / 1e6 || fabs(c->f_hz - m->f_hz) > 30e3)
            continue;
        assert_int_equal(c->kind, STAND_DSSS);
        return;
    }
    fail();
}

// 802.11's own example of them.
static void the_bits_are_right(void **state)
{
    (void)state;
    static const char first[] = "01111110111011001110100010100100";
    unsigned char bit[DSSS_STEPS + 1];
    dsss_preamble(bit);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(bit[i], first[i] - '0');
}

static void packets_are_found(void **state)
{
    (void)state;
    static const double rates[] = { 10e6, 20e6, 61.44e6 };
    for (unsigned i = 0; i < 3; i++) {
        struct scene s;
        scene_new(&s, 41, rates[i], i == 2 ? 2422e6 : 2437.4e6, 1.6e-3, 1);
        double f = i == 2 ? 2417e6 : 2437e6;        // the first turn's
        struct dsss_made a = packet(&s, f + 60e3, 0.2e-3, 3);
        struct dsss_made b = packet(&s, f - 45e3, 0.9e-3, 8);
        dsss_made_add(&a, 0, s.n, s.x);
        dsss_made_add(&b, 0, s.n, s.x);
        scene_run(&s, i == 1 ? 777 : s.n);
        assert_int_equal(s.list.n, 2);
        assert_told(&s, &a);
        assert_told(&s, &b);
        scene_free(&s);
    }
}

// With something over it that is as wide, 2 dB weaker.
static void found_under_another(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 41, 20e6, 2437e6, 1e-3, 1);
    struct dsss_made a = packet(&s, 2437e6, 0.3e-3, 20);
    dsss_made_add(&a, 0, s.n, s.x);
    float noise = (float)sqrt(pow(10, 1.8));
    for (size_t i = 0; i < s.n; i++)
        s.x[i] += noise * rng_cnormal(&s.rng);
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 1);
    assert_told(&s, &a);
    scene_free(&s);
}

// Data of 1 Mb/s with Barker's code and without it, at any strength.
static void other_data_is_none(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 41, 20e6, 2437e6, 6e-3, 1);
    for (unsigned i = 0; i < 4; i++) {
        struct dsss_made m = packet(&s, 2437e6, 0.1e-3 + i * 1.4e-3, 5.0 * i);
        struct gfsk_made g = { .rate_hz = s.rate, .bits = 1200, .start = m.start, .clock = 1,
                               .f_hz = i & 1 ? 2.5e6 : -2.2e6, .amplitude = i > 1 ? 20 : 0 };
        m.preamble = false;
        m.symbols = DSSS_SYMBOLS;
        dsss_made_bits(&m, &s.rng);
        gfsk_made_bits(&g, &s.rng);
        dsss_made_add(&m, 0, s.n, s.x);
        gfsk_made_add(&g, 0, s.n, s.x);
    }
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 0);
    scene_free(&s);
}

static void noise_keeps_to_the_law(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, 41, 20e6, 2437e6, 0.15, 1);
    struct dsss *d = &s.stand->dsss;
    scene_run(&s, 1 << 16);
    assert_int_equal(s.list.n, 0);
    double passed = (double)d->screened / (double)d->tried;     // made for 1e-3 at most
    assert_true(passed > 0.6e-3 && passed < 1.3e-3);
    assert_true(walk_tail(2 * DSSS_STEPS, d->limit) < 1.01e-12);
    scene_free(&s);
}

// Thirteen channels in four turns; every second one channel 6's.
static void turns_reach_all(void **state)
{
    (void)state;
    struct stand *s = stand_new(100e6, 2440e6);
    struct dsss *d = &s->dsss;
    unsigned seen = 0;
    assert_int_equal(d->streams, 14);
    for (int64_t turn = 0; turn < 6; turn++) {
        dsss_turn(d, turn);
        if (turn & 1)
            assert_true(d->first <= 5 && d->last > 5);
        for (unsigned c = d->first; c < d->last; c++)
            seen |= 1u << c;
    }
    assert_int_equal(seen, 0x1fff);
    stand_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_right),
        cmocka_unit_test(packets_are_found),
        cmocka_unit_test(found_under_another),
        cmocka_unit_test(other_data_is_none),
        cmocka_unit_test(noise_keeps_to_the_law),
        cmocka_unit_test(turns_reach_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
