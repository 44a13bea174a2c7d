// SPDX-License-Identifier: GPL-3.0-or-later
// Hopping links from made-up findings: the modes of the facts are named, and a hopper that differs
// from them in any one thing is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/classifier_feed.h"

static struct feed feed;

static struct cls *fresh(void)
{
    char why[IQ_WHY];
    struct cls *c;
    if (cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig" }, why) < 0)
        fail_msg("%s", why);
    return c;
}

// ELRS 2.4/250Hz: facts, links.md 2.2
static struct feed_hopper elrs(void)
{
    return (struct feed_hopper){ .sf = 6, .bw_hz = 812500, .burst_s = 3.328e-3, .period_s = 4e-3,
        .per_hop = 4, .channels = 80, .start_hz = 2400.4e6, .step_hz = 1e6, .ppm = 12,
        .jitter_s = 10e-6, .t0_s = 0.0013, .until_s = 1.0, .freq_sigma_hz = 5e3 };
}

struct seen { unsigned tracks, drones, elrs; const struct track *first; char link[64]; };

static struct seen look(const struct cls *c)
{
    struct seen s = { 0 };
    const struct track *t;
    for (size_t i = 0; (t = cls_track(c, i)); i++) {
        s.tracks++;
        s.drones += t->verdict == VERDICT_DRONE;
        if (!strcmp(t->family, "expresslrs")) {
            s.elrs++;
            s.first = t;
            snprintf(s.link, sizeof s.link, "%s", t->link);
        }
        assert_true(t->p_drone >= 0 && t->p_drone <= 1);
        assert_true(t->confidence >= 0 && t->confidence <= 1);
        assert_true(t->first_s <= t->last_s);
        assert_true(t->freq_lo_hz <= t->freq_hi_hz);
    }
    return s;
}

static void named(const struct feed_hopper *h, const char *link)
{
    struct cls *c = fresh();
    feed_hop(&feed, h);
    feed_push(&feed, c);
    struct seen s = look(c);
    assert_int_equal(s.elrs, 1);
    assert_int_equal(s.tracks, 1);
    assert_string_equal(s.link, link);
    assert_int_equal(s.first->verdict, VERDICT_DRONE);
    assert_true(s.first->confidence >= 0.5 && s.first->confidence <= 0.95);
    assert_int_equal(s.first->role, ROLE_CONTROL);
    assert_true(s.first->n_why >= 3);
    assert_int_equal(s.first->bursts, feed.n);
    cls_free(c);
}

static void not_named(const struct feed_hopper *h)
{
    struct cls *c = fresh();
    feed_hop(&feed, h);
    feed_push(&feed, c);
    struct seen s = look(c);
    assert_int_equal(s.elrs, 0);
    assert_int_equal(s.drones, 0);
    cls_free(c);
}

static void elrs_is_named(void **state)
{
    (void)state;
    struct feed_hopper h = elrs();
    feed_init(&feed, 20e6, 2440e6, 1);
    named(&h, "ELRS 2.4/250Hz LoRa");
}

static void every_lora_mode(void **state)
{
    static const struct { const char *link; int sf; double burst_s, period_s; unsigned per_hop; }
    m[] = {
        { "ELRS 2.4/500Hz LoRa", 5, 1.585e-3, 2e-3, 4 },
        { "ELRS 2.4/333Hz-8ch LoRa", 5, 2.373e-3, 3.003e-3, 4 },
        { "ELRS 2.4/250Hz LoRa", 6, 3.328e-3, 4e-3, 4 },
        { "ELRS 2.4/150Hz LoRa", 7, 5.868e-3, 6.666e-3, 4 },
        { "ELRS 2.4/100Hz-8ch LoRa", 7, 7.601e-3, 10e-3, 4 },
        { "ELRS 2.4/50Hz LoRa", 8, 10.791e-3, 20e-3, 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            struct feed_hopper h = elrs();
            h.sf = m[i].sf;
            h.burst_s = m[i].burst_s;
            h.period_s = m[i].period_s;
            h.per_hop = m[i].per_hop;
            h.ppm = sign * (i % 2 ? 30 : 70);       // 70: a receiver off by 50 on top of 20
            h.until_s = 2;
            feed_init(&feed, 20e6, 2452e6, 2 + i);
            named(&h, m[i].link);
        }
}

static void fast_modes(void **state)
{
    struct feed_hopper h = elrs();
    (void)state;
    h.sf = 0;
    h.bw_hz = 0;
    h.symbol_bd = 650e3;
    h.index = 0.5;
    h.burst_s = 388e-6;
    h.period_s = 1e-3;
    h.per_hop = 2;
    h.jitter_s = 5e-6;
    feed_init(&feed, 20e6, 2440e6, 9);
    named(&h, "ELRS 2.4/F1000 FLRC");
    h.period_s = 2e-3;
    feed_init(&feed, 20e6, 2440e6, 10);
    named(&h, "ELRS 2.4/F500 FLRC");
    h.symbol_bd = 300e3;
    h.index = 0.667;
    h.burst_s = 480e-6;
    h.period_s = 1e-3;
    feed_init(&feed, 20e6, 2440e6, 11);
    named(&h, "ELRS 2.4/K1000 FSK LR1121");
}

static void sub_ghz(void **state)
{
    struct feed_hopper h = { .sf = 6, .bw_hz = 500e3, .burst_s = 4.384e-3, .period_s = 5e-3,
        .per_hop = 4, .channels = 13, .start_hz = 863.275e6, .step_hz = 525e3, .ppm = -15,
        .jitter_s = 15e-6, .t0_s = 0.002, .until_s = 1, .freq_sigma_hz = 4e3 };
    (void)state;
    feed_init(&feed, 8e6, 866.4e6, 12);
    named(&h, "ELRS 900/200Hz SX127x");
    h.channels = 40;
    h.start_hz = 903.5e6;
    h.step_hz = 600e3;
    h.burst_s = 8.768e-3;
    h.sf = 7;
    h.period_s = 10e-3;
    feed_init(&feed, 20e6, 915e6, 13);
    named(&h, "ELRS 900/100Hz SX127x");
}

// Listen before talk, interference, and a capture that sees two channels of eighty.
static void holes_and_narrow(void **state)
{
    struct feed_hopper h = elrs();
    (void)state;
    h.hole = 0.4;
    h.jitter_s = 20e-6;
    feed_init(&feed, 20e6, 2440e6, 20);
    named(&h, "ELRS 2.4/250Hz LoRa");
    h.hole = 0.05;
    h.until_s = 6;
    feed_init(&feed, 3.2e6, 2440.9e6, 21);
    named(&h, "ELRS 2.4/250Hz LoRa");
}

static void two_of_one_mode(void **state)
{
    struct feed_hopper h = elrs();
    struct cls *c = fresh();
    (void)state;
    feed_init(&feed, 20e6, 2440e6, 30);
    feed_hop(&feed, &h);
    h.ppm = -7;
    h.t0_s += 1.9e-3;
    feed_hop(&feed, &h);
    feed_push(&feed, c);
    struct seen s = look(c);
    assert_int_equal(s.elrs, 2);
    assert_int_equal(s.tracks, 2);
    cls_free(c);
}

// A stranger that shares everything with ELRS 250 Hz but one thing.
static void strangers(void **state)
{
    const struct feed_hopper e = elrs();
    struct feed_hopper x[16];
    unsigned n = 0;
    (void)state;

    x[n] = e; x[n++].period_s = 5e-3;
    x[n] = e; x[n++].period_s = 4.1e-3;
    x[n] = e; x[n++].period_s = 3.8e-3;
    x[n] = e; x[n++].per_hop = 1;
    x[n] = e; x[n++].per_hop = 2;
    x[n] = e; x[n++].per_hop = 3;
    x[n] = e; x[n++].per_hop = 8;
    x[n] = e; x[n++].start_hz = 2400.0e6;
    x[n] = e; x[n++].start_hz = 2400.7e6;
    x[n] = e; x[n++].step_hz = 1.3e6;
    x[n] = e; x[n++].burst_s = 2.6e-3;
    x[n] = e; x[n++].sf = 7;
    x[n] = e; x[n++].bw_hz = 406.25e3;
    x[n] = e; x[n++].jitter_s = 2e-3;
    x[n] = e; x[n].start_hz = 2432.4e6; x[n++].channels = 6;    // all of them in what we see
    for (unsigned i = 0; i < n; i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            feed_init(&feed, 20e6, 2440e6, 100 + 10 * i + seed);
            not_named(&x[i]);
        }
}

// Hoppers drawn at random from what such radios could be: one in a hundred may be misnamed
// (goals.md); two hundred draws here.
static void random_strangers(void **state)
{
    static const double bws[] = { 203.125e3, 406.25e3, 812.5e3, 1625e3, 500e3, 250e3 };
    unsigned wrong = 0;
    struct rng r;
    (void)state;

    rng_init(&r, 77);
    for (unsigned i = 0; i < 200; i++) {
        struct feed_hopper h = elrs();
        h.sf = 5 + (int)rng_below(&r, 4);
        h.bw_hz = bws[rng_below(&r, 6)];
        h.period_s = rng_between(&r, 2e-3, 25e-3);
        if (rng_below(&r, 2))
            h.period_s = round(h.period_s * 1e3) * 1e-3;    // people like whole milliseconds
        h.burst_s = h.period_s * rng_between(&r, 0.2, 0.9);
        h.per_hop = 1 + rng_below(&r, 8);
        h.channels = 4 + rng_below(&r, 77);
        h.step_hz = rng_below(&r, 2) ? 1e6 : rng_between(&r, 0.5e6, 2e6);
        h.start_hz = 2400e6 + rng_between(&r, 0, 2e6);
        h.until_s = 1.5;
        feed_init(&feed, 20e6, 2440e6, 5000 + i);
        feed_hop(&feed, &h);
        struct cls *c = fresh();
        feed_push(&feed, c);
        wrong += look(c).drones > 0;
        cls_free(c);
    }
    assert_true(wrong <= 2);
}

static void a_few_packets_name_nothing(void **state)
{
    struct feed_hopper h = elrs();
    (void)state;
    h.until_s = h.t0_s + 7 * h.period_s;        // two hops, at most one or two of them inside
    feed_init(&feed, 20e6, 2440e6, 40);
    not_named(&h);
}

static void sensors_on_lora(void **state)
{
    (void)state;
    feed_init(&feed, 20e6, 2440e6, 41);
    for (int i = 0; i < 400; i++)               // SX1280 nodes: any time, any of 80 channels
        feed_lora(&feed, rng_between(&feed.rng, 0, 4),
                  2400.4e6 + 1e6 * rng_below(&feed.rng, 80), 6, 812.5e3, 3.3e-3);
    struct cls *c = fresh();
    feed_push(&feed, c);
    assert_int_equal(look(c).drones, 0);
    cls_free(c);
}

static void same_again(void **state)
{
    char a[2][4096];
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct feed_hopper h = elrs();
        struct cls *c = fresh();
        feed_init(&feed, 20e6, 2440e6, 50);
        feed_hop(&feed, &h);
        feed_push(&feed, c);
        const struct track *t = cls_track(c, 0);
        snprintf(a[k], sizeof a[k], "%s %s %.17g %.17g %s %s", t->id, t->link, t->p_drone,
                 t->first_s, t->why[0], t->why[3]);
        cls_free(c);
    }
    assert_string_equal(a[0], a[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elrs_is_named),
        cmocka_unit_test(every_lora_mode),
        cmocka_unit_test(fast_modes),
        cmocka_unit_test(sub_ghz),
        cmocka_unit_test(holes_and_narrow),
        cmocka_unit_test(two_of_one_mode),
        cmocka_unit_test(strangers),
        cmocka_unit_test(random_strangers),
        cmocka_unit_test(a_few_packets_name_nothing),
        cmocka_unit_test(sensors_on_lora),
        cmocka_unit_test(same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
