// SPDX-License-Identifier: GPL-3.0-or-later
// What is no hopper on a grid: Wi-Fi, Bluetooth, cells, video, strangers; and the table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "classifier/link.h"
#include "tests/unit/classifier_feed.h"

static struct feed feed;

// Pushes the feed; every track has this family (NULL: none at all), and as many drones.
static void all_are(const char *family, unsigned n_drones)
{
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_true(family ? feed_count(c, family) > 0 : feed_count(c, NULL) == 0);
    assert_int_equal(feed_count(c, family), feed_count(c, NULL));
    assert_int_equal(feed_drones(c), n_drones);
    cls_free(c);
}

static void ofdm(double t_s, double dur_s, double freq_hz, double bw_hz, double useful_s)
{
    struct finding *f = feed_add(&feed, t_s, dur_s, freq_hz, bw_hz);
    assert_non_null(f);
    f->fp.kind = KIND_OFDM;
    f->fp.useful_symbol_s = (struct meas){ useful_s, 20e-9 };
    f->fp.numerology = useful_s > 60e-6 ? OFDM_15K : OFDM_WIFI;
}

static void wifi(void **state)
{
    (void)state;
    feed_init(&feed, 40e6, 2440e6, 1);
    for (int i = 0; i < 40; i++) {
        ofdm(i * 3.7e-3, 0.4e-3, 2437e6, 16.25e6, 3.2e-6);
        feed.f[feed.n - 1].fp.wifi_stf = (struct meas){ 0.9, 0.02 };
    }
    all_are("wifi", 0);
    feed_init(&feed, 40e6, 2440e6, 2);
    for (int i = 0; i < 5; i++) {
        struct finding *f = feed_add(&feed, i * 0.1024, 1.2e-3, 2442e6, 11e6);
        f->fp.kind = KIND_DSSS;
        f->fp.barker_corr = (struct meas){ 0.8, 0.05 };
    }
    all_are("wifi", 0);
}

static void ble(void **state)
{
    static const double ch[] = { 2402e6, 2426e6, 2480e6 };
    (void)state;
    feed_init(&feed, 100e6, 2441e6, 3);
    for (int i = 0; i < 30; i++) {
        struct finding *f = feed_fsk(&feed, 0.02 * i, ch[i % 3], 1e6, 0.5, 376e-6);
        f->fp.fsk_head = 0xAA6B7D917100ull << 16 | (0x5555u & rng_below(&feed.rng, 65536));
        f->fp.fsk_head_bits = 64;
    }
    all_are("ble", 0);
}

static void bluetooth(void **state)
{
    (void)state;
    feed_init(&feed, 40e6, 2440e6, 4);
    for (int k = 0; k < 1600; k += 2)
        feed_fsk(&feed, 0.0002 + k * 625e-6 + 2e-6 * rng_normal(&feed.rng),
                 2402e6 + 1e6 * rng_below(&feed.rng, 79), 1e6, 0.32, 366e-6);
    all_are("bluetooth", 0);
}

static void cell(void **state)
{
    (void)state;
    feed_init(&feed, 1.92e6, 1890e6, 5);        // continuous, wider than the capture: a run
    for (int i = 0; i < 4; i++) {
        ofdm(i ? 0.25 * i : 0, 0.02, 1890e6, 1.0e6, 66.67e-6);
        struct finding *f = &feed.f[feed.n - 1];
        f->part = i ? BURST_RUN_MORE : BURST_RUN_FIRST;
        f->flags = BURST_EDGE;
        f->fp.lte_pss = (struct meas){ 0.8, 0.05 };
    }
    all_are("lte", 0);
    feed_init(&feed, 20e6, 5920e6, 6);          // sidelink: 1 ms subframes, LTE's prefixes
    for (int i = 0; i < 20; i++) {
        ofdm(i * 0.01, 0.93e-3, 5920e6, 9e6, 66.67e-6);
        feed.f[feed.n - 1].fp.symbol_period_s = (struct meas){ 71.43e-6, 10e-9 };
        feed.f[feed.n - 1].fp.long_cp_every = (struct meas){ 7, 0.1 };
    }
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_drones(c), 0);
    cls_free(c);
}

static void ocusync(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 7);
    for (int i = 0; i < 60; i++) {
        ofdm(i * 5e-3, 1.072e-3, 2450.5e6, 18e6, 66.67e-6);
        feed.f[feed.n - 1].fp.zc_len = 1201;
    }
    all_are("dji-ocusync", 1);
    feed_init(&feed, 50e6, 2440e6, 8);          // 15 kHz OFDM and nothing more: nobody's
    for (int i = 0; i < 60; i++)
        ofdm(i * 5e-3, rng_between(&feed.rng, 0.4e-3, 3e-3), 2450.5e6, 14e6, 66.67e-6);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_drones(c), 0);
    cls_free(c);
}

// OcuSync's bursts at an SNR where chance looks like LTE's synchronisation signal in some of them.
static void ocusync_faint(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 10);
    for (int i = 0; i < 60; i++) {
        ofdm(i * 5e-3, 1.072e-3, 2450.5e6, 18e6, 66.67e-6);
        struct fingerprint *p = &feed.f[feed.n - 1].fp;
        p->zc_len = i % 6 ? 0 : 1201;
        // raw 0.2 of 1 over a share of signal of 0.4: twelve deviations
        p->lte_pss = i % 10 ? (struct meas){ 0.3, 0.04 } : (struct meas){ 0.5, 0.04 };
    }
    all_are("dji-ocusync", 1);
    for (size_t i = 0; i < feed.n; i++)         // clear ones, but one in ten
        if (!(i % 10))
            feed.f[i].fp.lte_pss = (struct meas){ 0.9, 0.02 };
    all_are("dji-ocusync", 1);
}

// OcuSync's numerology without its frames, and strong frames without its reference symbols.
static void ocusync_not(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        feed_init(&feed, 30e6, 2440e6, 11);
        for (int i = 0; i < 90; i++) {
            ofdm(i * 5e-3, kind ? 1.072e-3 : 0.643e-3, 2440e6, 9e6, 66.67e-6);
            struct fingerprint *p = &feed.f[feed.n - 1].fp;
            p->symbol_period_s = (struct meas){ 71.354e-6, 5e-9 };
            p->lte_pss = (struct meas){ 0.2, 0.017 };
            p->snr_db = (struct meas){ 15, 0.3 };
            p->zc_len = kind ? 0 : 601;
        }
        struct cls *c = feed_classifier(DRONEID_RECOGNISE);
        feed_push(&feed, c);
        assert_int_equal(feed_drones(c), 0);
        cls_free(c);
    }
}

// Frames of its kind, but one in ten seconds, as chance finds them: nobody's.  Ten at once: its.
static void ocusync_sparse(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        feed_init(&feed, 30e6, 5785e6, 12);
        for (int i = 0; i < 10; i++) {
            ofdm(kind ? i * 0.02 : i * 10.0, 1.072e-3, 5785e6, 9e6, 66.67e-6);
            feed.f[feed.n - 1].fp.symbol_period_s = (struct meas){ 71.354e-6, 5e-9 };
        }
        struct cls *c = feed_classifier(DRONEID_RECOGNISE);
        feed_push(&feed, c);
        assert_int_equal(feed_drones(c), kind);
        cls_free(c);
    }
}

static void picture(double freq_hz)
{
    feed_init(&feed, 20e6, freq_hz, 9);
    for (int i = 0; i < 3; i++) {
        struct finding *f = feed_add(&feed, 0.25 * i, 0.02, freq_hz, 8e6);
        f->fp.kind = KIND_FM;
        f->fp.video = VIDEO_PAL;
        f->fp.line_rate_hz = (struct meas){ 15625, 2 };
        f->fp.line_corr = (struct meas){ 0.8, 0.05 };
        f->part = i ? BURST_RUN_MORE : BURST_RUN_FIRST;
    }
}

static void video(void **state)
{
    (void)state;
    picture(5740e6);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    const struct track *t = cls_track(c, 0);
    assert_string_equal(t->family, "analog-fpv");
    assert_string_equal(t->link, "Analog FPV 5.8 band F(Fatshark)");
    assert_int_equal(t->role, ROLE_VIDEO);
    assert_int_equal(t->verdict, VERDICT_DRONE);
    assert_int_equal(t->bursts, 1);
    double sure = t->confidence;
    cls_free(c);
    picture(2432e6);
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    t = cls_track(c, 0);
    assert_string_equal(t->family, "analog-fpv");
    assert_true(t->confidence < sure - 0.2);
    assert_string_equal(t->runner_up, "analog-av");
    cls_free(c);
    feed_init(&feed, 20e6, 5740e6, 10);         // FM without lines
    feed_add(&feed, 0, 0.02, 5740e6, 8e6)->fp.kind = KIND_FM;
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_drones(c), 0);
    cls_free(c);
}

// ---- Strangers and the table -------------------------------------------------------------------

static void strangers(void **state)
{
    (void)state;
    feed_init(&feed, 20e6, 2440e6, 14);         // an FSK hopper nobody knows
    for (int k = 0; k < 200; k++)
        feed_fsk(&feed, k * 7e-3, 2432e6 + 0.7e6 * rng_below(&feed.rng, 20), 250e3, 1.2, 2e-3);
    all_are("unknown-hopper", 0);
    feed_init(&feed, 20e6, 868e6, 15);          // a smart home
    for (int k = 0; k < 5; k++)
        feed_fsk(&feed, k * 0.1, 868.3e6, 10e3, 4, 20e-3);
    all_are("unknown", 0);
    feed_init(&feed, 20e6, 2440e6, 16);         // two blips of energy: not worth a line
    feed_add(&feed, 0.1, 1e-4, 2441e6, 1e6);
    feed_add(&feed, 0.2, 1e-4, 2447e6, 1e6);
    all_are(NULL, 0);
}

static void hostile_numbers(void **state)
{
    static const double bad[] = { NAN, INFINITY, -INFINITY, 0, -1, 1e308, -1e308 };
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    (void)state;
    feed_init(&feed, 20e6, 2440e6, 17);
    for (int i = 0; i < 4000; i++) {
        struct finding *f = feed_add(&feed, i * 1e-3, 1e-3, 2440e6, 1e6);
        double *num = (double *)&f->fp.t_s;
        f->fp.kind = (enum sig_kind)(i % KIND_COUNT);
        f->droneid.seen = i % 3 == 0;
        size_t n = (offsetof(struct fingerprint, env_cv) - offsetof(struct fingerprint, t_s)) /
                   sizeof(double);
        for (int k = 0; k < 3; k++)
            num[rng_below(&feed.rng, (uint32_t)n)] = bad[rng_below(&feed.rng, 7)];
    }
    for (unsigned i = 0; i < feed.n; i++) {
        struct decode d;
        feed.f[i].tick = i * 20000;
        cls_push(c, &feed.f[i], &d);
    }
    cls_finish(c);
    const struct track *t;
    for (size_t i = 0; (t = cls_track(c, i)); i++)
        assert_true(t->p_drone >= 0 && t->p_drone <= 1 && t->confidence >= 0);
    cls_free(c);
}

static void table_keeps_what_is_proven(void **state)
{
    struct links s = { .n = 0 };
    (void)state;
    for (int i = 0; i < 3 * CLS_TRACKS; i++) {
        struct link *l = links_new(&s, LINK_GROUP, i);
        assert_non_null(l);
        l->t.last_s = i;
        if (i % 8 == 0) {
            link_tell(&s, l);
            l->t.verdict = VERDICT_DRONE;
            l->t.confidence = 0.9;
            l->t.p_drone = 0.9;
        }
    }
    assert_int_equal(s.n, CLS_TRACKS);
    assert_int_equal(s.counts.evicted, 2 * CLS_TRACKS);
    unsigned proven = 0;
    for (unsigned i = 0; i < s.n; i++)
        proven += link_proven(s.link[i]);
    assert_int_equal(proven, 3 * CLS_TRACKS / 8);
    for (unsigned i = 0; i < s.n; i++)          // full of proven ones: the newcomer is refused
        s.link[i]->t.decodes = 1;
    assert_null(links_new(&s, LINK_GROUP, 0));
    assert_int_equal(s.counts.refused, 1);
    assert_int_equal(s.n, CLS_TRACKS);
    links_free(&s);
}

static void life_of_a_track(void **state)
{
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    struct decode d;
    const struct track *t;
    enum track_state seen[8];
    unsigned n = 0;
    (void)state;
    picture(5740e6);
    for (unsigned i = 0; i < 2; i++) {
        feed.f[i].tick = (uint64_t)(feed.f[i].fp.t_s.v * 20e6);
        cls_push(c, &feed.f[i], &d);
    }
    for (int i = 1; i < 1000; i++) {            // silence: only time goes by
        struct finding f = { .reject = true, .rate_hz = 20e6, .tick = (uint64_t)i * 1000000 };
        cls_push(c, &f, &d);
        while ((t = cls_changed(c)))
            if (n < 8 && (n == 0 || seen[n - 1] != t->state))
                seen[n++] = t->state;
    }
    assert_int_equal(n, 3);
    assert_int_equal(seen[0], TRACK_NAMED);
    assert_int_equal(seen[1], TRACK_QUIET);
    assert_int_equal(seen[2], TRACK_ENDED);
    assert_string_equal(cls_track(c, 0)->id, "t0001");
    cls_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wifi),
        cmocka_unit_test(ble),
        cmocka_unit_test(bluetooth),
        cmocka_unit_test(cell),
        cmocka_unit_test(ocusync), cmocka_unit_test(ocusync_faint),
        cmocka_unit_test(ocusync_not), cmocka_unit_test(ocusync_sparse),
        cmocka_unit_test(video),
        cmocka_unit_test(strangers),
        cmocka_unit_test(hostile_numbers),
        cmocka_unit_test(table_keeps_what_is_proven),
        cmocka_unit_test(life_of_a_track),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
