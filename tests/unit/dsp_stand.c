// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detectors: LoRa packets from a formula; what is no LoRa.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "tests/unit/lora_made.h"
#include "tests/unit/stand_made.h"

#define SEED 11

#define CENTRE_HZ 2440e6

// ---- Packets ------------------------------------------------------------------------------------

static struct lora_made packet(const struct scene *s, double f_hz, double bw, unsigned sf,
                               bool down, double at_s, double snr_db)
{
    return (struct lora_made){
        .rate_hz = s->rate, .bw_hz = bw, .sf = sf, .preamble = 10, .payload = 14, .down = down,
        .start = at_s * s->rate + 0.37, .f_hz = f_hz - s->centre, .clock = 1 + 8e-6,
        .amplitude = sqrt(pow(10, snr_db / 10) * bw / s->rate), .phase = 0.3,
    };
}

static void assert_told(const struct scene *s, unsigned i, const struct lora_made *m)
{
    assert_true(s->list.n > i);
    const struct stand_cand *c = &s->list.c[i];
    double symbol = ldexp(1, (int)m->sf) / m->bw_hz * m->rate_hz;
    assert_int_equal(c->sf, m->sf);
    assert_int_equal(c->down, m->down);
    assert_true(fabs(c->f_hz - m->f_hz) < 0.02 * m->bw_hz);
    assert_true(fabs(c->n0 - m->start) < 0.1 * symbol);
    assert_true(c->n1_known);
    assert_true(fabs(c->n1 - m->start - lora_made_samples(m)) < 0.1 * symbol);
}

static void found_in_every_mode(void **state)
{
    (void)state;
    for (unsigned sf = 5; sf <= 8; sf++) {
        struct scene s;
        scene_new(&s, SEED, 6e6, CENTRE_HZ, 30 * ldexp(1, (int)sf) / 812.5e3 + 3e-3, 1);
        // two at once, 25 kHz beside their channels, one of them backwards
        struct lora_made a = packet(&s, 2438.425e6, 812.5e3, sf, false, 0.7e-3, 2);
        struct lora_made b = packet(&s, 2441.375e6, 812.5e3, sf, true, 0.9e-3, 2);
        lora_made_add(&a, &s.rng, 0, s.n, s.x);
        lora_made_add(&b, &s.rng, 0, s.n, s.x);
        scene_run(&s, s.n);
        assert_int_equal(s.list.n, 2);
        assert_told(&s, s.list.c[0].down, &a);
        assert_told(&s, !s.list.c[0].down, &b);
        scene_free(&s);
    }
}

static void found_below_one_ghz(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, SEED, 2e6, 866e6, 80e-3, 1);
    struct lora_made a = packet(&s, 866.425e6, 500e3, 9, false, 3e-3, 0);
    struct lora_made b = packet(&s, 865.5e6, 500e3, 6, false, 50e-3, 4);
    lora_made_add(&a, &s.rng, 0, s.n, s.x);
    lora_made_add(&b, &s.rng, 0, s.n, s.x);
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 2);
    assert_told(&s, 0, &a);
    assert_told(&s, 1, &b);
    scene_free(&s);
}

// The next packet of a channel begins five symbols behind the last, as ELRS does it at SF7: sooner
// than an end is sure of itself.
static void packets_close_together(void **state)
{
    (void)state;
    struct scene s;
    struct lora_made m[3];
    scene_new(&s, SEED, 3e6, CENTRE_HZ, 18e-3, 1);
    for (unsigned i = 0; i < 3; i++) {
        m[i] = packet(&s, 2440.41e6, 812.5e3, 7, true, 1e-3, 0);
        m[i].start += i * (lora_made_samples(&m[0]) + 5 * 128 / 812.5e3 * s.rate);
        lora_made_add(&m[i], &s.rng, 0, s.n, s.x);
    }
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 3);
    for (unsigned i = 0; i < 3; i++) {
        double symbol = 128 / 812.5e3 * s.rate;
        double end = s.list.c[i].n1 - m[i].start - lora_made_samples(&m[i]);
        assert_true(fabs(s.list.c[i].n0 - m[i].start) < 0.1 * symbol);
        assert_true(fabs(end) < 1.1 * symbol);          // one of the pause at most
    }
    scene_free(&s);
}

// Beside a signal 40 dB up, and under one that fills its band for a while.
static void found_beside_and_below_others(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s, SEED, 8e6, CENTRE_HZ, 12e-3, 1);
    struct lora_made a = packet(&s, 2439.4e6, 812.5e3, 7, false, 2e-3, 3);
    lora_made_add(&a, &s.rng, 0, s.n, s.x);
    for (size_t i = 0; i < s.n; i++) {
        double t = (double)i / s.rate, turns = 2.1e6 * t;
        s.x[i] += 100 * cexpf(2 * (float)M_PI * I * (float)(turns - floor(turns)));
        if (t > 3.1e-3 && t < 3.5e-3)           // in the preamble: two and a half of its symbols
            s.x[i] += 10 * rng_cnormal(&s.rng);
    }
    scene_run(&s, s.n);
    assert_int_equal(s.list.n, 1);
    assert_told(&s, 0, &a);
    scene_free(&s);
}

static void blocks_do_not_matter(void **state)
{
    (void)state;
    struct scene s;
    static struct stand_list first;
    scene_new(&s, SEED, 3e6, CENTRE_HZ, 6e-3, 1);
    struct lora_made a = packet(&s, 2440.4e6, 812.5e3, 6, true, 1e-3, 0);
    lora_made_add(&a, &s.rng, 0, s.n, s.x);
    static const size_t steps[] = { 18000, 1, 777, 4096 };
    for (unsigned i = 0; i < 4; i++) {
        stand_free(s.stand);
        s.stand = stand_new(s.rate, s.centre);
        scene_run(&s, steps[i]);
        assert_int_equal(s.list.n, 1);
        if (!i)
            first = s.list;
        assert_memory_equal(&first.c[0], &s.list.c[0], sizeof first.c[0]);
    }
    // behind a gap the same again, as if anew
    stand_flush(s.stand, &s.list);
    struct iq_block b = { .n0 = 90000000, .n = (uint32_t)s.n, .rate_hz = s.rate, .lost = 3,
                          .centre_hz = s.centre, .format = IQ_CF32, .data = s.x };
    s.list.n = 0;
    stand_block(s.stand, &b, &s.list);
    stand_flush(s.stand, &s.list);
    assert_int_equal(s.list.n, 1);
    assert_true(fabs(s.list.c[0].n0 - 90e6 - first.c[0].n0) < 1e-3);
    scene_free(&s);
}

// With work for one group at a time each has its turn of a quarter of a second, to the packet.
static void groups_take_turns(void **state)
{
    (void)state;
    struct scene s;
    unsigned sent = 0, turns = 0;
    scene_new(&s, SEED, 2e6, 866e6, 2.2, 1);
    assert_true(s.stand->lora.groups > 2);
    s.stand->lora.budget = 1;
    for (double t = 10e-3; t < 2.15; t += 40e-3, sent++) {
        struct lora_made a = packet(&s, 866.425e6, 500e3, 7, false, t, 3);
        lora_made_add(&a, &s.rng, 0, s.n, s.x);
    }
    scene_run(&s, 1 << 15);
    assert_true(s.list.n >= 5 && s.list.n < sent / 2);
    for (unsigned i = 0; i < s.list.n; i++) {
        double t = s.list.c[i].n0 / s.rate - 10e-3;
        assert_true(fabs(t - 40e-3 * round(t / 40e-3)) < 1e-4);
        turns += i && t - (s.list.c[i - 1].n0 / s.rate - 10e-3) > 0.1;
    }
    assert_true(turns >= 1);
    scene_free(&s);
}

// ---- What is none -------------------------------------------------------------------------------

static void nothing_in_what_is_none(void **state)
{
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        struct scene s;
        scene_new(&s, SEED, 8e6, CENTRE_HZ, 40e-3, kind == 5 ? 0 : 1);
        double phase = 0, dev = 0;
        for (size_t i = 0; i < s.n; i++) {
            double t = (double)i / s.rate;
            if (i % 8 == 0)
                dev = rng_u64(&s.rng) & 1 ? 250e3 : -250e3;
            double hz = kind == 1 ? 0.41e6                                      // a carrier
                      : kind == 2 ? 0.41e6 + dev                                // 1 MBd FSK
                      : kind == 3 ? 5e6 * (fmod(t, 4e-3) / 4e-3 - 0.5)          // a slow sweep
                                  : 3e6 * (fmod(t, 64e-6) / 64e-6 - 0.5);       // a fast one
            phase += hz / s.rate;
            if (kind >= 1 && kind <= 4 && fmod(t, 2e-3) < 1.3e-3)
                s.x[i] += 30 * cexpf(2 * (float)M_PI * I * (float)(phase - floor(phase)));
        }
        scene_run(&s, 1 << 16);
        assert_int_equal(s.list.n, 0);
        scene_free(&s);
    }
}

static void nothing_in_recordings(void **state)
{
    (void)state;
    static const char *const names[] = {
        "ble_data_10M.cf32", "zigbee_10M.cf32", "wifi_11a_6M_20M.ci16", "wifi_11a_24M_20M.ci16",
        "wifi_11n_65M_20M.ci16", "fsk_two_1M_868.3MHz.ci8", "homematic_fsk_1M_868.3MHz.ci16",
        "wmbus_1.6M_868.95MHz.cu8", "dji_mavic_air_2_50M_2457.5MHz.cf32",
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        static struct stand_list list;
        if (!scene_recorded(names[i], &list))
            continue;
        for (unsigned k = 0; k < list.n; k++) {         // Wi-Fi's own: dsp_stand_comb.c
            assert_int_equal(list.c[k].kind, STAND_STF);
            assert_non_null(strstr(names[i], "wifi"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_in_every_mode),
        cmocka_unit_test(found_below_one_ghz),
        cmocka_unit_test(packets_close_together),
        cmocka_unit_test(found_beside_and_below_others),
        cmocka_unit_test(blocks_do_not_matter),
        cmocka_unit_test(groups_take_turns),
        cmocka_unit_test(nothing_in_what_is_none),
        cmocka_unit_test(nothing_in_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
