// SPDX-License-Identifier: GPL-3.0-or-later
// What was watched, kept by the minute: from ledger messages through the core into the store and
// back, so that a minute of silence and a minute of blindness are told apart.
#include <jansson.h>

#include "alertd_store.h"
#include "base/utc.h"

#define M0 (T0 / 60 / S + 1)                // a whole minute

static struct feed feed;

static void send_ledger(int64_t from_ns, int64_t to_ns, const struct wire_band *b, unsigned n)
{
    struct wire_msg m = feed_head(&feed, 0, WIRE_LEDGER);
    m.ledger = (struct wire_ledger){ .from_ns = from_ns, .to_ns = to_ns, .n_bands = n };
    memcpy(m.ledger.band, b, n * sizeof *b);
    assert_int_equal(feed_send(&feed, 0, &m), CORE_TAKEN);
}

static struct wire_band band(double watched_s, double floor_dbfs)
{
    return (struct wire_band){ .lo_hz = 2400e6, .hi_hz = 2483.5e6, .watched_s = watched_s,
        .floor_dbm_hz = NAN, .floor_dbfs = floor_dbfs, .name = "2400", .radio = "a",
        .state = "watched", .lost_s = 0.5, .gain_db = 30, .smallest_dbfs = floor_dbfs + 57,
        .link_hz = 1e6, .link_s = 1e-3, .windows = 5, .visits = 7, .revisit_p95_s = 3,
        .revisit_max_s = 4, .away_s = 1 };
}

static json_t *read_back(const char *sensor, int64_t from, int64_t to)
{
    char *text = store_watch_json(dir, sensor, from, to);
    assert_non_null(text);
    json_t *o = json_loads(text, 0, NULL);
    assert_non_null(o);
    free(text);
    return o;
}

static double num(const json_t *e, const char *key)
{
    const json_t *v = json_object_get(e, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void is_state(const json_t *list, size_t i, const char *state, const char *from)
{
    const json_t *e = json_array_get(list, i);
    assert_non_null(e);
    assert_string_equal(json_string_value(json_object_get(e, "state")), state);
    if (from)
        assert_string_equal(json_string_value(json_object_get(e, "from")), from);
}

static void commit(struct store *s)
{
    struct core_work *w = core_collect(feed.c);
    assert_non_null(w);
    assert_int_equal(store_commit(s, w->batch), 0);
    core_work_free(w);
}

static void minutes_are_kept_and_gaps_told(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct wire_band b;
    char when[UTC_LEN];

    // Minute 0: six ledgers of 10 s, 4 s of each watched; one of them with a louder floor.
    for (int k = 0; k < 6; k++) {
        b = band(4, k == 3 ? -114 : -120);
        send_ledger((M0 * 60 + 10 * k) * S, (M0 * 60 + 10 * k + 10) * S, &b, 1);
    }
    commit(s);
    // Minute 2: nobody looked; minute 3: deaf; between 4 and 5: one over the border.
    b = band(0, NAN);
    b.smallest_dbfs = NAN;
    snprintf(b.state, sizeof b.state, "not-watched");
    send_ledger((M0 + 2) * 60 * S, ((M0 + 2) * 60 + 60) * S, &b, 1);
    b = band(30, -100);
    b.deaf_s = 20;
    send_ledger((M0 + 3) * 60 * S, ((M0 + 3) * 60 + 60) * S, &b, 1);
    b = band(8, -120);
    send_ledger(((M0 + 5) * 60 - 5) * S, ((M0 + 5) * 60 + 15) * S, &b, 1);
    commit(s);

    json_t *o = read_back("", M0, M0 + 8), *list = json_object_get(o, "ledger");
    const json_t *e = json_array_get(list, 0);
    utc_format(when, M0 * 60 * S, 0);
    is_state(list, 0, "watched", when);
    assert_true(fabs(num(e, "told_s") - 60) < 0.01 && fabs(num(e, "watched_s") - 24) < 0.01);
    assert_true(fabs(num(e, "lost_s") - 3) < 0.01 && fabs(num(e, "floor_dbfs") + 119) < 0.06);
    assert_true(num(e, "smallest_dbfs") == -57);            // the worst of the minute
    assert_true(num(e, "gain_db") == 30 && num(e, "revisit_p95_s") == 3);
    utc_format(when, (M0 + 1) * 60 * S, 0);
    is_state(list, 1, "not-told", when);
    is_state(list, 2, "not-watched", NULL);
    e = json_array_get(list, 2);
    assert_true(num(e, "watched_s") == 0 && isnan(num(e, "smallest_dbfs")));
    is_state(list, 3, "deaf", NULL);
    assert_true(isnan(num(json_array_get(list, 3), "smallest_dbfs")));
    is_state(list, 4, "watched", NULL);
    assert_true(fabs(num(json_array_get(list, 4), "watched_s") - 2) < 0.01);
    assert_true(fabs(num(json_array_get(list, 4), "told_s") - 5) < 0.01);
    assert_true(fabs(num(json_array_get(list, 5), "watched_s") - 6) < 0.01);
    is_state(list, 6, "not-told", NULL);                    // to the end of what was asked for
    assert_int_equal(json_array_size(list), 7);
    assert_true(json_is_false(json_object_get(o, "more")));
    json_decref(o);
    o = read_back("nobody", M0, M0 + 8);
    assert_int_equal(json_array_size(json_object_get(o, "ledger")), 0);
    json_decref(o);

    // It goes when its days are over, and is there after a restart until then.
    store_close(s);
    s = open_store();
    assert_int_equal(ask("SELECT count(*) FROM watch"), 5);
    while (store_purge(s, (M0 + 3) * 60 * S, 0) > 0)
        ;
    assert_int_equal(ask("SELECT count(*) FROM watch"), 3);
    store_close(s);
}

// The same message twice counts once, though its minute is added up.
static void a_message_counts_once(void **state)
{
    (void)state;
    struct store *s = open_store();
    struct wire_band b = band(10, -120);
    struct wire_msg m = feed_head(&feed, 0, WIRE_LEDGER);
    m.ledger = (struct wire_ledger){ .from_ns = M0 * 60 * S, .to_ns = (M0 * 60 + 10) * S,
                                     .n_bands = 1 };
    m.ledger.band[0] = b;
    assert_int_equal(feed_send(&feed, 0, &m), CORE_TAKEN);
    commit(s);
    uint8_t raw[WIRE_MAX];
    int len = wire_pack(&m, raw, sizeof raw);
    assert_true(len > 0);
    m.head.seq = 0;
    assert_int_equal(core_message(feed.c, KEY_A, &m, raw, (size_t)len, true), CORE_SEEN);
    commit(s);
    assert_int_equal(ask("SELECT watched_s * 10 FROM watch"), 100);
    store_close(s);
}

// Reads on from where each answer ends; the entries in all.
static size_t read_on(const char *sensor, int64_t from, int64_t to)
{
    size_t all = 0;
    bool more = true;

    for (unsigned tries = 0; more && tries < 1000; tries++) {
        char *text = store_watch_json(dir, sensor, from, to);
        if (!text)
            continue;                                       // this machine is too busy
        json_t *o = json_loads(text, 0, NULL), *list = json_object_get(o, "ledger");
        int64_t end_ns = 0, err_ns;
        assert_true(utc_parse(json_string_value(json_object_get(o, "to")), &end_ns, &err_ns) >= 0);
        assert_true(json_array_size(list) <= STORE_WATCH_ROWS);
        for (size_t i = 0; i < json_array_size(list); i++)
            is_state(list, i, "watched", NULL);
        all += json_array_size(list);
        more = json_is_true(json_object_get(o, "more"));
        assert_true(more ? end_ns / 60 / S > from : end_ns / 60 / S == to);
        from = end_ns / 60 / S;
        json_decref(o);
        free(text);
    }
    assert_false(more);
    return all;
}

// 3 sensors of 2 bands for 4000 minutes: answers are whole minutes that follow each other.
static void a_long_span_comes_in_parts(void **state)
{
    (void)state;
    struct store *s = open_store();
    store_close(s);
    ask("WITH RECURSIVE m(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM m WHERE x < 3999),"
        " s(n) AS (VALUES ('a'), ('b'), ('c')), b(hz) AS (VALUES (1e9), (2e9))"
        " INSERT INTO watch(minute, sensor, radio, band, lo_hz, hi_hz, told_s, watched_s, deaf_s,"
        " lost_s) SELECT 1000000 + x, n, 'r', 'band', hz, hz + 1e6, 60, 60, 0, 0"
        " FROM m, s, b");
    assert_int_equal(read_on("", 1000000, 1004000), 24000);
    assert_int_equal(read_on("b", 1000000, 1004000), 8000);
    assert_int_equal(read_on("d", 1000000, 1004000), 0);
    assert_int_equal(read_on("b", 1000000 - 44640, 1000000), 0);
}

// An earlier release's database gets the table; damage to it is damage.
static void an_older_database_gets_it(void **state)
{
    (void)state;
    store_close(open_store());
    ask("DROP TABLE watch");
    store_close(open_store());
    assert_int_equal(ask("SELECT count(*) FROM watch"), 0);
    char *text = store_watch_json("/no/such/folder", "", 0, 1);
    assert_null(text);
}

static int begin_all(void **state)
{
    int r = set_up(state);
    feed_init(&feed);
    return r;
}

static int end_all(void **state)
{
    core_free(feed.c);
    return tear_down(state);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_all, end_all)
    const struct CMUnitTest tests[] = {
        CASE(minutes_are_kept_and_gaps_told), CASE(a_message_counts_once),
        CASE(a_long_span_comes_in_parts), CASE(an_older_database_gets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
