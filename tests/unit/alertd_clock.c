// SPDX-License-Identifier: GPL-3.0-or-later
// A sensor's clock is judged by what is measured on the link; only a slow link leaves it its word.
#include "alertd_feed.h"

static struct sensor *north(struct feed *f) { return sensor_by_key(f->c, KEY_A); }

// For so many seconds health comes, from a clock that is so far ahead, over a link that takes
// 10 ms, and now and then as long as `slow_s`.
static void hear(struct feed *f, int s, double ahead_s, double slow_s, bool locked, double err_s)
{
    for (int i = 0; i < s; i += 5) {
        struct wire_msg m = feed_health(f, 0);
        double way_s = i % 3 ? slow_s : 0.01;
        m.head.t_ns += (int64_t)((ahead_s - way_s) * 1e9);
        m.head.mono_ns = m.head.t_ns - (int64_t)(ahead_s * 1e9) - T0 + S;
        m.head.clock.locked = locked;
        m.head.clock.err_ns = err_s < 0 ? -1 : (int64_t)(err_s * 1e9);
        if (!locked)
            snprintf(m.head.clock.source, sizeof m.head.clock.source, "none");
        feed_send(f, 0, &m);
        for (int k = 0; k < 5; k++)
            feed_tick(f, 1);
    }
}

// No NTP on the machine, and sensor and post on one: their clock is the same.
static void one_host_without_ntp_is_quiet(void **state)
{
    struct feed *f = *state;
    hear(f, 300, 0, 0.01, false, 16);
    assert_false(north(f)->clock_bad);
    assert_int_equal(north(f)->state, SENSOR_OK);
    assert_null(feed_alert(f, "equipment"));
}

// The message that came fastest counts, not the one that waited.
static void jitter_is_no_clock(void **state)
{
    struct feed *f = *state;
    hear(f, 300, 0.2, 4, false, -1);
    assert_false(north(f)->clock_bad);
    assert_true(fabs((double)north(f)->clock_off_ns / 1e9 - 0.19) < 0.01);
}

static void nobody_keeps_it_and_it_is_off(void **state)
{
    struct feed *f = *state;
    hear(f, 60, -3, 0.01, false, 16);
    struct alert *a = feed_alert(f, "equipment");
    assert_non_null(a);
    assert_string_equal(a->rule, "clock");
    assert_string_equal(a->param[1].text, "3.0 s behind this post's");
    assert_int_equal(north(f)->state, SENSOR_DEGRADED);
}

// Three seconds on a slow link are no proof against a clock that says it is right; and that it says
// it is wrong weighs nothing against being right.
static void its_word_where_nothing_is_measured(void **state)
{
    struct feed *f = *state;
    hear(f, 60, -3, 0.01, true, 0.01);
    assert_false(north(f)->clock_bad);
    hear(f, 60, -3, 0.01, true, 5);
    assert_true(north(f)->clock_bad);
}

static const struct alert *alert_of(struct feed *f, const char *rule)
{
    for (size_t i = 0; i < f->c->n_alerts; i++)
        if (!strcmp(f->c->alert[i]->rule, rule))
            return f->c->alert[i];
    return NULL;
}

static void the_future_is_wrong_whatever_it_says(void **state)
{
    struct feed *f = *state;
    hear(f, 60, 1.5, 0.01, true, 0.001);
    assert_string_equal(alert_of(f, "clock")->param[1].text, "1.5 s ahead of this post's");
    hear(f, 120, 0, 0.01, true, 0.001);
    assert_string_equal(alert_of(f, "clock")->reason, "mended");
}

static void a_jump_is_told(void **state)
{
    struct feed *f = *state;
    hear(f, 60, 0, 0.01, true, 0.001);
    hear(f, 60, 0.3, 0.01, true, 0.001);                // slewed, however fast
    assert_null(alert_of(f, "clock-jump"));
    hear(f, 60, 3600.3, 0.01, true, 0.001);
    const struct alert *a = alert_of(f, "clock-jump");
    assert_non_null(a);
    assert_string_equal(a->param[1].text, "by +3600.0 s");
    assert_non_null(alert_of(f, "clock"));              // an hour ahead now
    hear(f, 200, 0.3, 0.01, true, 0.001);               // and back: the same alert, it stands
    assert_int_equal(a->calls, 1);
    assert_string_equal(a->reason, "mended");
    // A new start has another monotonic clock: no jump.
    f->boot[0]++;
    f->seq[0] = 0;
    struct wire_msg m = feed_health(f, 0);
    m.head.mono_ns = 5 * S;
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    assert_int_equal(north(f)->jumps, 2);
}

// The driver's time stamps jump; the box's clock does not.
static void stamps_that_jump_are_told(void **state)
{
    struct feed *f = *state;
    for (unsigned k = 0; k < 3; k++) {
        struct wire_msg m = feed_health(f, 0);
        m.health.radio[0].time_jumps = 7 * k;
        feed_send(f, 0, &m);
        feed_tick(f, 1);
        assert_int_equal(alert_of(f, "stamps-jump") != NULL, k > 0);
    }
    assert_string_equal(alert_of(f, "stamps-jump")->param[1].text, "a");
    assert_null(alert_of(f, "clock-jump"));
    assert_false(north(f)->clock_bad);
}

int main(void)
{
#define CASE FEED_CASE_ALONE
    const struct CMUnitTest tests[] = {
        CASE(one_host_without_ntp_is_quiet), CASE(jitter_is_no_clock),
        CASE(nobody_keeps_it_and_it_is_off), CASE(its_word_where_nothing_is_measured),
        CASE(the_future_is_wrong_whatever_it_says), CASE(a_jump_is_told),
        CASE(stamps_that_jump_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
