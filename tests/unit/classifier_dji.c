// SPDX-License-Identifier: GPL-3.0-or-later
// DroneID frames to aircraft: what one sighting proves, and which frame is whose.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/classifier_feed.h"

static struct feed feed;

static struct finding *sighting(double t_s, double freq_hz, double level_dbfs)
{
    struct finding *f = feed_add(&feed, t_s, 643e-6, freq_hz, 9.015e6);
    assert_non_null(f);
    f->fp.kind = KIND_OFDM;
    f->fp.level_dbfs = level_dbfs;
    f->hyp = HYP_DRONEID;
    f->droneid = (struct droneid_seen){ .seen = true, .symbols = 9, .t_s = f->fp.t_s,
                                        .freq_hz = f->fp.freq_hz, .snr_db = { 3, 0.5 } };
    return f;
}

static void one_sighting_proves_nothing(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 11);
    sighting(0.1, 2444.5e6, -40);
    sighting(0.5, 2444.5e6, -40);               // not a multiple of 640 ms
    sighting(0.1 + 0.640 + 2e-3, 2444.5e6, -40);
    sighting(0.5 + 0.640, 2429.5e6, -40);       // on the clock, elsewhere
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 0);
    assert_int_equal(feed_drones(c), 0);
    cls_free(c);
}

static void a_pair_on_the_clock(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 12);
    sighting(0.1, 2444.5e6, -40);
    sighting(0.1 + 3 * 0.640 + 0.7e-3, 2444.51e6, -41);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 1);
    const struct track *t = cls_track(c, 0);
    assert_string_equal(t->link, "DJI DroneID burst");
    assert_int_equal(t->role, ROLE_IDENTIFICATION);
    assert_int_equal(t->verdict, VERDICT_DRONE);
    assert_false(t->claimed);
    cls_free(c);
}

// What proves an aircraft tells it, before any tick and without another finding.
static void told_with_its_proof(void **state)
{
    (void)state;
    struct decode helped;
    feed_init(&feed, 50e6, 2440e6, 13);
    struct finding *f = sighting(0.1, 2444.5e6, -40);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    cls_push(c, f, &helped);
    assert_null(cls_changed(c));                // a sighting alone is no proof
    f = sighting(0.2, 2429.5e6, -40);
    f->droneid.verified = true;
    cls_push(c, f, &helped);
    const struct track *t = cls_changed(c);
    assert_non_null(t);
    assert_int_equal(t->state, TRACK_NAMED);
    assert_int_equal(t->verdict, VERDICT_DRONE);
    assert_null(cls_changed(c));
    cls_free(c);
}

// Told ahead of its burst: the burst proves nothing a second time and is nobody else's either.
static void told_ahead(void **state)
{
    (void)state;
    struct decode helped;
    feed_init(&feed, 50e6, 2440e6, 14);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    for (int i = 0; i < 20; i++) {
        struct finding *f = sighting(0.1 + 0.640 * i, 2444.5e6, -40);
        f->id = (uint64_t)i + 1;
        f->ahead = f->reject = true;
        f->droneid.verified = true;
        cls_push(c, f, &helped);
        assert_true(i > 0 || cls_changed(c) != NULL);
        struct finding *burst = sighting(f->fp.t_s.v, 2444.5e6, -40);
        burst->id = f->id;
        burst->again = burst->droneid.verified = true;
        burst->tick = (uint64_t)((f->fp.t_s.v + 0.06) * 50e6);
        cls_push(c, burst, &helped);
    }
    cls_finish(c);
    assert_non_null(cls_track(c, 0));
    assert_int_equal(cls_track(c, 0)->bursts, 20);
    assert_null(cls_track(c, 1));
    cls_free(c);
}

// What repeats itself faster than the clock is no DroneID, however often it falls on the clock:
// frames of 10 ms and 5 ms, beacons of 102.4 ms, rare ones of them, and a crowd without any clock.
static void periodic_confusers(void **state)
{
    (void)state;
    static const struct { double period_s, share; } with[] = {
        { 5e-3, 0.2 }, { 10e-3, 1 }, { 10e-3, 0.05 }, { 20e-3, 1 }, { 40e-3, 1 }, { 80e-3, 1 },
        { 102.4e-3, 1 }, { 160e-3, 1 }, { 320e-3, 1 },
    };
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        feed_init(&feed, 50e6, 2440e6, 30 + i);
        for (double t = 0.1; t < 12; t += with[i].period_s)
            if (rng_uniform(&feed.rng) < with[i].share)
                sighting(t * (1 + 15e-6), 2444.5e6 + 300 * rng_normal(&feed.rng), -40);
        struct cls *c = feed_classifier(DRONEID_RECOGNISE);
        feed_push(&feed, c);
        assert_int_equal(feed_count(c, "dji-droneid"), 0);
        cls_free(c);
    }
    feed_init(&feed, 50e6, 2440e6, 29);
    for (int i = 0; i < 200; i++)               // 3 a second
        sighting(0.1 + 60 * rng_uniform(&feed.rng), 2444.5e6, -40);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 0);
    cls_free(c);
}

// Three aircraft on one centre, none of them ever verified or read, every other burst missed.
static void pairs_in_company(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 31);
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < 3; k++)
            if ((i + k) % 2)
                sighting(0.1 + 0.2113 * k + 0.640 * i, 2444.5e6 + 5e3 * k, -40 - 8 * k);
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_true(feed_count(c, "dji-droneid") >= 1);
    cls_free(c);
}

static struct decode *frame(const char *serial)
{
    struct decode *d = calloc(1, sizeof *d);
    d->protocol = PROTO_DJI_DRONEID;
    if (serial) {
        d->n_fields = 1;
        d->field[0] = (struct field){ .key = "serial", .type = FIELD_STR };
        snprintf(d->field[0].str, sizeof d->field[0].str, "%s", serial);
    }
    return d;
}

static void aircraft_by_serial(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 13);
    static const struct { double t, f, level; const char *serial; } x[] = {
        { 0.00, 2444.5e6, -30, "TEST0000000001" }, { 0.10, 2444.5e6, -50, "TEST0000000002" },
        { 0.64, 2444.5e6, -30, NULL },           // type 0x11: no serial; the louder's clock
        { 0.74, 2444.5e6, -50, "TEST0000000002" }, { 1.28, 2429.5e6, -31, "TEST0000000001" },
    };
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++) {
        struct finding *f = sighting(x[i].t, x[i].f, x[i].level);
        f->droneid.verified = f->droneid.crc_ok = true;
        f->decode = frame(x[i].serial);
        f->n_decode = 1;
    }
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 2);
    const struct track *a = cls_track(c, 0), *b = cls_track(c, 1);
    assert_string_equal(a->claimed_serial, "TEST0000000001");
    assert_int_equal(a->decodes, 3);
    assert_int_equal(a->bursts, 3);
    assert_string_equal(b->claimed_serial, "TEST0000000002");
    assert_int_equal(b->decodes, 2);
    assert_true(a->confidence > 0.99 && a->p_drone > 0.95);
    cls_free(c);
    for (unsigned i = 0; i < feed.n; i++)
        free(feed.f[i].decode);
}

// Two that hide their serials and look alike in level, centre and clock: told apart by session; a
// frame of a known session comes home although its aircraft got louder and moved.
static void aircraft_by_session(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 19);
    static const struct { double t, f, level; const char *session; } x[] = {
        { 0.00, 2444.5e6, -40, "0a0b0c0d" }, { 0.64, 2444.5e6, -40, "11223344" },
        { 1.28, 2444.5e6, -41, "0a0b0c0d" }, { 1.55, 2429.5e6, -20, "11223344" },
    };
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++) {
        struct finding *f = sighting(x[i].t, x[i].f, x[i].level);
        f->droneid.verified = f->droneid.crc_ok = true;
        f->decode = frame(x[i].session);
        f->decode->protocol = PROTO_DJI_DRONEID_ENCRYPTED;
        f->decode->field[0].key = "session";
        f->n_decode = 1;
    }
    struct cls *c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 2);
    assert_int_equal(cls_track(c, 0)->decodes, 2);
    assert_int_equal(cls_track(c, 1)->decodes, 2);
    assert_false(cls_track(c, 0)->claimed_serial[0]);
    cls_free(c);
    for (unsigned i = 0; i < feed.n; i++)
        free(feed.f[i].decode);
}

static void aircraft_apart(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 18);         // alike in all, but one hides what the other says
    for (int i = 0; i < 4; i++) {
        struct finding *f = sighting(i * 0.640, 2444.5e6, -40);
        f->droneid.verified = f->droneid.crc_ok = true;
        f->decode = frame(i < 2 ? "TEST0000000001" : NULL);
        if (i >= 2)
            f->decode->protocol = PROTO_DJI_DRONEID_ENCRYPTED;
        f->n_decode = 1;
    }
    struct cls *c = feed_classifier(DRONEID_DECODE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 2);
    cls_free(c);
    for (unsigned i = 0; i < feed.n; i++)
        free(feed.f[i].decode);
    feed_init(&feed, 50e6, 2440e6, 19);         // nothing is read: clock, centre and level tell
    for (int i = 0; i < 3; i++) {
        sighting(i * 0.640, 2444.5e6, -50)->droneid.verified = true;
        sighting(0.25 + i * 0.640, 2443.7e6, -42)->droneid.verified = true;
    }
    sighting(3 * 0.640, 2429.5e6, -56)->droneid.verified = true;    // the first, moved and fading
    c = feed_classifier(DRONEID_RECOGNISE);
    feed_push(&feed, c);
    assert_int_equal(feed_count(c, "dji-droneid"), 2);
    assert_int_equal(cls_track(c, 0)->bursts, 4);
    cls_free(c);
}

// A burst under a louder frame is not decoded and its level is a guess; it stands on the clock and
// the centre of an aircraft that is known.
static void a_covered_burst_is_no_second_aircraft(void **state)
{
    (void)state;
    feed_init(&feed, 50e6, 2440e6, 20);
    for (int i = 0; i < 5; i++) {
        struct finding *f = sighting(i * 0.640 + 0.2, 2440.5e6, i == 3 ? -66 : -43);
        if (i == 3)
            continue;
        f->droneid.verified = f->droneid.crc_ok = true;
        f->decode = frame("TEST0000000001");
        f->n_decode = 1;
    }
    struct cls *c = feed_classifier(DRONEID_DECODE);
    feed_push(&feed, c);
    assert_int_equal(feed_drones(c), 1);
    assert_int_equal(cls_track(c, 0)->bursts, 5);
    cls_free(c);
    for (unsigned i = 0; i < feed.n; i++)
        free(feed.f[i].decode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sighting_proves_nothing),
        cmocka_unit_test(told_with_its_proof), cmocka_unit_test(told_ahead),
        cmocka_unit_test(a_pair_on_the_clock),
        cmocka_unit_test(periodic_confusers),
        cmocka_unit_test(pairs_in_company),
        cmocka_unit_test(aircraft_by_serial),
        cmocka_unit_test(aircraft_apart),
        cmocka_unit_test(aircraft_by_session),
        cmocka_unit_test(a_covered_burst_is_no_second_aircraft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
