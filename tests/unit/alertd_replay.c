// SPDX-License-Identifier: GPL-3.0-or-later
// What the store keeps of the sensors, read back and told to an empty post at the same times, gives
// the same alerts: ids, revisions, every byte of them.
//
//     made stream --> core --> store 1 --event rows, in order--> core --> store 2
//                                 '------ alert_rev: equal ----------------'
#include "alertd_store.h"
#include "classifier/wire.h"

#define STEP_S 0.2              // the loop's tick

static struct feed feed, *const f = &feed;
static struct store *store;

static int begin(void **state)
{
    int r = set_up(state);
    feed_init(f);
    store = open_store();
    return r;
}

static int end(void **state)
{
    core_free(f->c);
    store_close(store);
    return tear_down(state);
}

static void commit(void)
{
    struct core_work *w = core_collect(f->c);
    assert_int_equal(store_commit(store, w->batch), 0);
    core_work_free(w);
}

// The bytes as they travel, so that they can be read back.
static void send(int who, const struct wire_msg *m)
{
    uint8_t raw[WIRE_MAX];
    int n = wire_pack(m, raw, sizeof raw);
    assert_true(n > 0);
    f->seq[who]++;
    assert_int_equal(core_message(f->c, who ? KEY_B : KEY_A, m, raw, (size_t)n, true), CORE_TAKEN);
}

static void track(int who, const char *id, const char *family, const char *role,
                  const char *state, const char *serial)
{
    static uint32_t revision;
    struct wire_msg m = feed_track(f, who, id, ++revision, family, role);
    snprintf(m.track.state, sizeof m.track.state, "%s", state);
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "%s", serial);
    m.track.level_dbfs = -40 - (double)(revision % 7);
    send(who, &m);
}

static void frame(int who, const char *id, const char *serial, double lat_deg)
{
    struct wire_msg m = feed_decode(f, who, id, serial, lat_deg, 14.0);
    m.decode.freq_hz = 2.4295e9;
    m.decode.snr_db = NAN;
    send(who, &m);
}

static void wellness(int who, unsigned k)
{
    struct wire_msg m = feed_health(f, who);
    struct wire_radio *r = &m.health.radio[0];
    r->lost = k > 200 ? 40000000 : 0;            // an outage that is told
    r->samples = 1000000 * (uint64_t)(1 + k);
    r->centre_hz = r->rate_hz = r->rate_measured_hz = r->gain_db = r->since_s = NAN;
    r->floor_dbfs = r->occupancy = m.health.lat_deg = m.health.lon_deg = m.health.alt_m = NAN;
    m.health.place_err_m = m.health.place_age_s = m.health.heading_deg = NAN;
    m.health.temperature_c = NAN;
    send(who, &m);
}

// Two minutes of an event: a racer that pauses, the police's drone that is copied, a stranger that
// enters a zone heard by both, a phone's broadcast, a sensor that falls silent.
static void step(unsigned k)
{
    if (k % 25 == 0)
        wellness(0, k);
    if (k % 25 == 0 && k < 300)
        wellness(1, k);
    if (k % 10 == 0)
        track(0, "r1", "expresslrs", "control", k > 150 && k < 400 ? "quiet" : "named", "");
    if (k > 40 && k % 10 == 3)
        track(0, "o1", "dji-droneid", "identification", "named", "OURS1");
    if (k > 40 && k % 3 == 0)
        frame(0, "o1", "OURS1", k > 300 && k % 2 ? 50.2 : 50.1);
    if (k > 60 && k % 10 == 5) {
        track(0, "s1", "dji-ocusync", "video", "named", "SER1");
        if (k < 290)
            track(1, "s1", "dji-ocusync", "video", "named", "SER1");
    }
    if (k > 60 && k % 4 == 1)
        frame(0, "s1", "SER1", 50.02 - 0.0001 * k);
    if (k > 100 && k % 20 == 7)
        track(0, "p1", "remote-id", "identification", k > 450 ? "ended" : "named", "PHONE");
}

#define STEPS 600

static void tick(unsigned k, unsigned every)
{
    core_tick(f->c);
    if (k % every == every - 1)
        commit();
}

static void live(unsigned every)
{
    for (unsigned k = 0; k < STEPS; k++) {
        step(k);
        tick(k, every);
        feed_time(f, STEP_S);
    }
    commit();
}

struct old { sqlite3 *db; sqlite3_stmt *event; bool more; };

static void old_open(struct old *o, const char *path)
{
    assert_int_equal(sqlite3_open(path, &o->db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(o->db, "SELECT z85, got_ns, raw FROM event JOIN peer ON"
                     " peer.id = peer ORDER BY event.id", -1, &o->event, NULL), SQLITE_OK);
    o->more = sqlite3_step(o->event) == SQLITE_ROW;
}

static void old_close(struct old *o)
{
    sqlite3_finalize(o->event);
    sqlite3_close(o->db);
}

// Everything that had come by now.
static void old_tell(struct old *o)
{
    struct wire_msg m;
    while (o->more && sqlite3_column_int64(o->event, 1) <= f->c->now_ns) {
        const void *raw = sqlite3_column_blob(o->event, 2);
        size_t n = (size_t)sqlite3_column_bytes(o->event, 2);
        assert_int_equal(wire_unpack(&m, raw, n), WIRE_OK);
        core_message(f->c, (const char *)sqlite3_column_text(o->event, 0), &m, raw, n, true);
        o->more = sqlite3_step(o->event) == SQLITE_ROW;
    }
}

static void again(const char *path, unsigned every)
{
    struct old o;
    core_free(f->c);
    store_close(store);
    store = open_store();
    assert_int_equal(store_last_n(store), 0);           // empty
    feed_init(f);
    old_open(&o, path);
    for (unsigned k = 0; k < STEPS; k++) {
        old_tell(&o);
        tick(k, every);
        feed_time(f, STEP_S);
    }
    commit();
    assert_false(o.more);
    old_close(&o);
}

static void set_aside(char path[300])
{
    char cmd[900];
    store_close(store);
    snprintf(path, 300, "%s-1/alertd.db", dir);
    snprintf(cmd, sizeof cmd, "mv '%s' '%s-1' && mkdir '%s'", dir, dir, dir);
    assert_int_equal(system(cmd), 0);
    store = open_store();
}

static int64_t differ(const char *path, const char *sql)
{
    char text[600], both[1400];
    snprintf(text, sizeof text, "ATTACH '%s' AS old", path);
    sqlite3 *db;
    sqlite3_stmt *st;
    char file[300];
    snprintf(file, sizeof file, "%s/alertd.db", dir);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    snprintf(both, sizeof both, "SELECT count(*) FROM (SELECT * FROM (%s main.alert_rev EXCEPT %s"
             " old.alert_rev) UNION ALL SELECT * FROM (%s old.alert_rev EXCEPT %s main.alert_rev))",
             sql, sql, sql, sql);
    assert_int_equal(sqlite3_prepare_v2(db, both, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void forget(const char *path)
{
    char cmd[900];
    snprintf(cmd, sizeof cmd, "rm -rf '%.*s'", (int)(strlen(path) - strlen("/alertd.db")), path);
    assert_int_equal(system(cmd), 0);
}

static void the_same_stream_gives_the_same_alerts(void **state)
{
    char path[300];
    (void)state;
    live(4);
    assert_true(ask("SELECT count(DISTINCT alert) FROM alert_rev") >= 6);
    assert_true(ask("SELECT count(*) FROM alert_rev") > 60);
    // What the stream is made for is in it.
    static const char *const in[] = { "\"conflict-places\"", "\"zone\":\"pitch\"", "\"ended\"",
                                      "\"quiet\"", "\"sensor-lost\"", "\"samples-lost\"" };
    for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++) {
        char sql[160];
        snprintf(sql, sizeof sql, "SELECT count(*) > 0 FROM alert_rev WHERE json LIKE '%%%s%%'",
                 in[i]);
        if (ask(sql) != 1)
            fail_msg("no %s", in[i]);
    }
    set_aside(path);
    again(path, 4);
    assert_int_equal(differ(path, "SELECT alert, rev, at_ns, json FROM"), 0);
    forget(path);
}

// A post that is slower gathers more into one revision; which alerts there are, and what each comes
// to, stays the same.
static void a_slower_post_gives_the_same_ids(void **state)
{
    char path[300];
    (void)state;
    live(5);
    set_aside(path);
    again(path, 12);
    assert_true(differ(path, "SELECT alert, rev, at_ns, json FROM") > 0);
    assert_int_equal(differ(path, "SELECT DISTINCT alert, json_extract(json, '$.incident') FROM"),
                     0);
    assert_int_equal(differ(path, "SELECT DISTINCT alert, json_extract(json, '$.severity'),"
                            " json_extract(json, '$.line.key'), json_extract(json, '$.zone'),"
                            " json_extract(json, '$.friend.state') FROM"), 0);
    forget(path);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(the_same_stream_gives_the_same_alerts), CASE(a_slower_post_gives_the_same_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
