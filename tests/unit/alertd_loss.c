// SPDX-License-Identifier: GPL-3.0-or-later
// What a radio loses is remembered: outages that repeat are told, once; one short one is not.
#include "alertd_feed.h"

#define RATE 20e6

static struct wire_radio radio;         // its counters

// Five seconds, of which the radio lost so many; ticks as often as the loop does, in seconds.
static void five(struct feed *f, double lost_s, unsigned overflows, bool clipping)
{
    struct wire_msg m = feed_health(f, 0);
    radio.samples += (uint64_t)((5 - lost_s) * RATE);
    radio.lost += (uint64_t)(lost_s * RATE);
    radio.overflows += overflows;
    radio.clipping = clipping;
    snprintf(radio.name, sizeof radio.name, "a");
    snprintf(radio.state, sizeof radio.state, "running");
    radio.last_sample_s = 0.1;
    radio.floor_dbfs = radio.centre_hz = NAN;
    m.health.radio[0] = radio;
    feed_send(f, 0, &m);
    for (int i = 0; i < 5; i++)
        feed_tick(f, 1);
}

static void minutes(struct feed *f, double n)
{
    for (int i = 0; i < (int)(12 * n); i++)
        five(f, 0, 0, false);
}

static enum sensor_state state_is(struct feed *f) { return sensor_by_key(f->c, KEY_A)->state; }

static void one_short_outage(void **state)
{
    struct feed *f = *state;
    minutes(f, 1);
    five(f, 0.5, 1, false);
    assert_int_equal(state_is(f), SENSOR_DEGRADED);     // 1.7 % of half a minute
    minutes(f, 0.5);
    assert_int_equal(state_is(f), SENSOR_OK);
    minutes(f, 5);
    assert_null(feed_alert(f, "equipment"));
}

static void one_long_outage(void **state)
{
    struct feed *f = *state;
    minutes(f, 1);
    five(f, 4, 1, false);
    struct alert *a = feed_alert(f, "equipment");
    assert_non_null(a);
    assert_string_equal(a->rule, "samples-lost");
    assert_string_equal(a->param[1].text, "13.3 % of radio a");     // 4 of 30 s
    minutes(f, 1.5);
    assert_string_equal(a->reason, "mended");
    assert_int_equal(state_is(f), SENSOR_OK);
}

// A second every minute for twenty: one alert that stands, and that ends when they have ended.
static void outages_that_repeat(void **state)
{
    struct feed *f = *state;
    minutes(f, 1);
    for (int k = 0; k < 20; k++) {
        five(f, 1, 1, false);
        minutes(f, 11.0 / 12);
        if (k >= 3)
            assert_int_equal(state_is(f), SENSOR_DEGRADED);
    }
    struct alert *a = feed_alert(f, "equipment");           // fails where there are two
    assert_non_null(a);
    assert_string_equal(a->signal, "heard");
    assert_int_equal(a->calls, 1);
    minutes(f, 7);
    assert_string_equal(a->signal, "heard");                // it may come again
    minutes(f, 5);
    assert_string_equal(a->reason, "mended");
    assert_int_equal(state_is(f), SENSOR_OK);
}

// About the bound, now more, now less: one alert, not one after the other.
static void the_edge_does_not_flap(void **state)
{
    struct feed *f = *state;
    for (int k = 0; k < 240; k++)
        five(f, k / 12 % 2 ? 0.045 : 0.056, 1, false);
    assert_non_null(feed_alert(f, "equipment"));
    assert_int_equal(feed_alert(f, "equipment")->calls, 1);
}

static void little_is_nothing(void **state)
{
    struct feed *f = *state;
    for (int k = 0; k < 240; k++) {
        five(f, 0.03, 1, false);                            // 0.6 %, always
        assert_int_equal(state_is(f), SENSOR_OK);
    }
    assert_null(feed_alert(f, "equipment"));
}

// The driver says that something was lost, and not how much.
static void overflows_without_a_number(void **state)
{
    struct feed *f = *state;
    minutes(f, 1);
    for (int k = 0; k < 4; k++) {
        assert_null(k < 2 ? feed_alert(f, "equipment") : NULL);
        five(f, 0, 1, false);
        minutes(f, 2);
    }
    struct alert *a = feed_alert(f, "equipment");
    assert_non_null(a);
    assert_string_equal(a->rule, "samples-lost");
    assert_string_equal(a->param[1].text, "3 times in ten minutes, radio a");
}

static void clipped_again_and_again(void **state)
{
    struct feed *f = *state;
    minutes(f, 1);
    five(f, 0, 0, true);                                    // a phone passes
    minutes(f, 1);
    assert_null(feed_alert(f, "equipment"));
    assert_int_equal(state_is(f), SENSOR_OK);
    for (int k = 0; k < 10; k++) {
        five(f, 0, 0, true);
        minutes(f, 1);
    }
    struct alert *a = feed_alert(f, "equipment");
    assert_non_null(a);
    assert_string_equal(a->rule, "clipping");
    minutes(f, 12);
    assert_string_equal(a->reason, "mended");
}

static bool says(struct feed *f, const char *what)
{
    struct change *h = sensor_change(f->c, sensor_by_key(f->c, KEY_A));
    bool is = strstr(h->json, what) != NULL;
    change_free(h);
    return is;
}

// What was said by a sensor that is not heard any more is not said on.
static void lost_sensor_runs_no_radio(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_head(f, 0, WIRE_LEDGER);
    m.ledger = (struct wire_ledger){ .from_ns = T0 - 10 * S, .to_ns = T0, .n_bands = 1,
        .band = { { .lo_hz = 2.4e9, .hi_hz = 2.48e9, .watched_s = 10 } } };
    feed_send(f, 0, &m);
    five(f, 0, 0, false);
    assert_true(says(f, "\"state\":\"running\"") && says(f, "\"share\":"));
    for (int i = 0; i < 20; i++)
        feed_tick(f, 1);
    assert_int_equal(state_is(f), SENSOR_LOST);
    assert_false(says(f, "\"state\":\"running\"") || says(f, "\"share\":"));
    assert_true(says(f, "\"state\":\"unknown\""));
    m = feed_health(f, 0);
    m.health.radio[0].last_sample_s = 30;                   // back, running, and deaf
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    assert_int_equal(state_is(f), SENSOR_SILENT);
    assert_false(says(f, "\"state\":\"running\""));
}

int main(void)
{
#define CASE FEED_CASE_ALONE
    const struct CMUnitTest tests[] = {
        CASE(one_short_outage), CASE(one_long_outage), CASE(outages_that_repeat),
        CASE(the_edge_does_not_flap), CASE(little_is_nothing), CASE(overflows_without_a_number),
        CASE(clipped_again_and_again), CASE(lost_sensor_runs_no_radio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
