// SPDX-License-Identifier: GPL-3.0-or-later
// Who sends what is no message, and who knocks without being enrolled: told, once, and bounded.
#include "alertd_store.h"

static struct feed feed, *const f = &feed;

static int begin(void **state)
{
    int r = set_up(state);
    feed_init(f);
    return r;
}

static int end(void **state)
{
    core_free(f->c);
    return tear_down(state);
}

static unsigned equipment(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->c->n_alerts; i++)
        n += !strcmp(f->c->alert[i]->lane, "equipment");
    return n;
}

static void seconds(int n)
{
    for (int i = 0; i < n; i++) {
        for (int who = 0; who < 2; who++) {
            struct wire_msg m = feed_health(f, who);
            feed_send(f, who, &m);
        }
        feed_tick(f, 1);
    }
}

static void fault(void) { core_counts(f->c, KEY_A, 0, 1, "bad-value"); }

static void five_faults_are_told(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        fault();
        seconds(20);
    }
    assert_int_equal(equipment(), 0);
    fault();
    fault();
    seconds(1);
    struct alert *a = feed_alert(f, "equipment");
    assert_non_null(a);
    assert_string_equal(a->line_key, "malformed");
    assert_string_equal(a->sensors[0].id, "north");
    assert_string_equal(a->param[1].text, "6, bad-value");
    assert_int_equal(sensor_by_key(f->c, KEY_A)->state, SENSOR_DEGRADED);
    assert_int_equal(sensor_by_key(f->c, KEY_B)->state, SENSOR_OK);
    for (int k = 0; k < 10; k++) {          // it goes on: the same alert
        fault();
        seconds(200);
    }
    assert_string_equal(a->signal, "heard");
    assert_int_equal(a->calls, 1);
    seconds(340);
    assert_string_equal(a->reason, "mended");
    assert_int_equal(equipment(), 1);
}

static void one_now_and_then_is_not(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        fault();
        seconds(125);
    }
    assert_int_equal(equipment(), 0);
    assert_int_equal(sensor_by_key(f->c, KEY_A)->faults, 30);
}

static void knock(const char *from, const char *words, uint64_t keys)
{
    struct in_stranger s = { .tries = 1, .keys = keys };
    snprintf(s.from, sizeof s.from, "%s", from);
    snprintf(s.words, sizeof s.words, "%s", words);
    core_stranger(f->c, &s);
}

#define WORDS "poem brave orchid dolphin crystal fantasy"

static void a_stranger_is_named(void **state)
{
    (void)state;
    for (int k = 0; k < 100; k++) {
        knock("10.0.0.7", k == 2 ? WORDS : "", 1);
        seconds(1);
    }
    struct alert *a = feed_alert(f, "equipment");
    assert_string_equal(a->line_key, "peer-refused");
    assert_int_equal(a->n_params, 2);
    assert_string_equal(a->param[0].text, "10.0.0.7");
    assert_string_equal(a->param[1].text, WORDS);
    assert_int_equal(a->calls, 1);
    assert_int_equal(a->rev, 1);
    seconds(250);
    knock("10.0.0.7", "", 1);
    seconds(100);
    assert_string_equal(a->signal, "heard");
    seconds(250);
    assert_string_equal(a->reason, "mended");
    assert_int_equal(equipment(), 1);
}

// Another address is another; what has no place of its own is one together.
static void many_strangers_are_bounded(void **state)
{
    char from[20];
    (void)state;
    for (int k = 0; k < 200; k++) {
        snprintf(from, sizeof from, "10.0.0.%d", k % 4);
        knock(from, WORDS, 1 + (uint64_t)k / 4);
        f->c->post.refused_crowd += 50;
        seconds(1);
    }
    assert_int_equal(equipment(), 5);
}

static void restart_knows_them(void **state)
{
    struct store *s = open_store();
    (void)state;
    knock("10.0.0.7", WORDS, 1);
    knock("10.0.0.8", WORDS, 1);
    f->c->post.refused_crowd++;
    core_tick(f->c);
    struct core_work *w = core_collect(f->c);
    assert_int_equal(store_commit(s, w->batch), 0);
    core_work_free(w);
    core_free(f->c);
    feed_core(f);
    assert_int_equal(core_load(f->c, s), 0);
    assert_int_equal(equipment(), 3);
    knock("10.0.0.8", WORDS, 1);
    seconds(1);
    assert_int_equal(equipment(), 3);       // none beside those of before
    seconds(340);
    for (size_t i = 0; i < f->c->n_alerts; i++)
        assert_string_equal(f->c->alert[i]->reason, "mended");
    store_close(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(five_faults_are_told), CASE(one_now_and_then_is_not), CASE(a_stranger_is_named),
        CASE(many_strangers_are_bounded), CASE(restart_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
