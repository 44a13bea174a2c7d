// SPDX-License-Identifier: GPL-3.0-or-later
// A radio's noise floor against its own history, and a converter that is overdriven.
#include "alertd_feed.h"

// Health every 5 s at a floor, for so many minutes.
static void hear(struct feed *f, double minutes, double floor_dbfs, double gain_db, bool clipping)
{
    for (int k = 0; k < (int)(12 * minutes); k++) {
        for (int who = 0; who < 2; who++) {         // the other one is there and well
            struct wire_msg m = feed_health(f, who);
            m.health.radio[0].centre_hz = 2.44e9;
            m.health.radio[0].rate_hz = 20e6;
            m.health.radio[0].gain_db = gain_db;
            m.health.radio[0].floor_dbfs = (who ? -150 : floor_dbfs) + 0.2 * (k % 3);
            m.health.radio[0].clipping = !who && clipping;
            feed_send(f, who, &m);
        }
        feed_tick(f, 5);
    }
}

static struct alert *trouble(struct feed *f, double was, double is)
{
    hear(f, 20, was, 30, false);
    assert_null(feed_alert(f, "equipment"));
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_OK);
    hear(f, 0.75, is, 30, false);
    assert_null(feed_alert(f, "equipment"));        // not for less than a minute
    hear(f, 0.5, is, 30, false);
    return feed_alert(f, "equipment");
}

static void rise_is_told(void **state)
{
    struct feed *f = *state;
    struct alert *a = trouble(f, -140, -131);
    assert_non_null(a);
    assert_string_equal(a->line_key, "floor-high");
    assert_string_equal(a->param[1].text, "of radio a at 2440.0 MHz 9 dB");
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_DEGRADED);
    hear(f, 2, -140, 30, false);
    assert_string_equal(a->reason, "mended");
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_OK);
}

static void fall_is_told(void **state)
{
    struct feed *f = *state;
    struct alert *a = trouble(f, -140, -152);
    assert_non_null(a);
    assert_string_equal(a->line_key, "floor-low");
}

// Five decibels, another gain, or too little history: none is a trouble.
static void small_is_nothing(void **state) { assert_null(trouble(*state, -140, -135)); }

static void gain_is_nothing(void **state)
{
    struct feed *f = *state;
    hear(f, 20, -140, 30, false);
    hear(f, 20, -120, 45, false);
    assert_null(feed_alert(f, "equipment"));
}

static void new_is_nothing(void **state)
{
    struct feed *f = *state;
    hear(f, 5, -140, 30, false);
    hear(f, 8, -120, 30, false);
    assert_null(feed_alert(f, "equipment"));
}

// An hour of it stays a trouble: a jammer does not become usual by going on.
static void long_stays(void **state)
{
    struct feed *f = *state;
    struct alert *a = trouble(f, -140, -120);
    hear(f, 60, -120, 30, false);
    assert_string_equal(a->signal, "heard");
}

// The post restarts while it is jammed: the trouble stands, and what is usual is still known.
static void a_restart_knows_what_is_usual(void **state)
{
    struct feed *f = *state;
    trouble(f, -140, -125);
    struct change **world;
    size_t n = core_world(f->c, &world);
    core_free(f->c);
    feed_core(f);
    struct sensor *s = sensor_by_key(f->c, KEY_A);
    for (size_t i = 0; i < n; i++) {
        struct sensor_kept old = { .name = "" };
        if (world[i]->kind == CHANGE_SENSOR && !strcmp(world[i]->id, "north")) {
            assert_int_equal(fields_read(world[i]->json, world[i]->len, sensor_fields, &old), 0);
            assert_int_equal(old.n_floors, 1);
            s->heard_ns = old.heard_ns;
            floor_back(f->c, s, old.floor, old.n_floors);
        }
        change_free(world[i]);
    }
    free(world);
    hear(f, 3, -125, 30, false);
    assert_int_equal(s->state, SENSOR_DEGRADED);
    assert_string_equal(feed_alert(f, "equipment")->line_key, "floor-high");
    core_free(f->c);
    feed_core(f);                               // two hours later: it may stand elsewhere
    s = sensor_by_key(f->c, KEY_A);
    s->heard_ns = T0 + f->now_ns - 7200 * S;
    struct floor_kept k = { .radio = "a", .centre_hz = 2.44e9, .rate_hz = 20e6, .gain_db = 30,
                            .usual_dbfs = -140, .minutes = 180 };
    floor_back(f->c, s, &k, 1);
    assert_null(s->floor);
}

static void clipping_is_told(void **state)
{
    struct feed *f = *state;
    hear(f, 1, -140, 30, false);
    hear(f, 0.5, -140, 30, true);
    assert_string_equal(feed_alert(f, "equipment")->line_key, "clipping");
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_DEGRADED);
}

// A radio of eight that loses a tenth is told, though all together lose little.
static void worst_radio_counts(void **state)
{
    struct feed *f = *state;
    for (int k = 0; k < 6; k++) {
        struct wire_msg m = feed_health(f, 0);
        m.health.n_radios = WIRE_RADIOS;
        for (unsigned i = 0; i < WIRE_RADIOS; i++) {
            struct wire_radio *r = &m.health.radio[i];
            *r = (struct wire_radio){ .state = "running", .last_sample_s = 0.1,
                                      .floor_dbfs = NAN, .centre_hz = NAN };
            snprintf(r->name, sizeof r->name, "r%u", i);
            r->samples = 100000 * (uint64_t)(k + 1);
            r->lost = i ? 0 : 3000 * (uint64_t)k;
        }
        feed_send(f, 0, &m);
        feed_tick(f, 5);
    }
    assert_true(fabs(sensor_by_key(f->c, KEY_A)->loss_share - 3.0 / 103) < 1e-6);
    assert_string_equal(feed_alert(f, "equipment")->line_key, "samples-lost");
}

// When its last sample came is not known: not green.
static void unknown_is_not_green(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_health(f, 0);
    m.health.radio[0].last_sample_s = NAN;
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_SILENT);
}

// More centres than there is room for, hostile figures: the longest unseen gives way.
static void places_are_bounded(void **state)
{
    struct feed *f = *state;
    static const double bad[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300 };
    for (int k = 0; k < 500; k++) {
        struct wire_msg m = feed_health(f, 0);
        m.health.radio[0].centre_hz = k % 7 ? 1e6 * k : bad[k % 5];
        m.health.radio[0].gain_db = k % 3 ? 1 : NAN;
        m.health.radio[0].floor_dbfs = k % 5 ? -100 : bad[k % 3 + 2];
        feed_send(f, 0, &m);
        feed_tick(f, 1);
    }
    assert_non_null(sensor_by_key(f->c, KEY_A)->floor);
}

int main(void)
{
#define CASE FEED_CASE
    const struct CMUnitTest tests[] = {
        CASE(rise_is_told), CASE(fall_is_told), CASE(small_is_nothing), CASE(gain_is_nothing),
        CASE(new_is_nothing), CASE(long_stays), CASE(a_restart_knows_what_is_usual),
        CASE(clipping_is_told), CASE(worst_radio_counts),
        CASE(unknown_is_not_green), CASE(places_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
