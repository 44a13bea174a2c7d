// SPDX-License-Identifier: GPL-3.0-or-later
// The core comes back from the store: the same alerts, and nothing claimed that nobody hears now.
#include "alertd_store.h"

static void commit(struct feed *f, struct store *s)
{
    struct core_work *w = core_collect(f->c);
    assert_int_equal(store_commit(s, w->batch), 0);
    for (size_t i = 0; i < w->n_ack; i++)
        core_committed(f->c, &w->ack[i]);
    core_work_free(w);
}

static void restart_is_the_same(void **state)
{
    (void)state;
    struct feed f;
    struct store *s = open_store();
    feed_init(&f);
    struct wire_msg m = feed_track(&f, 0, "t1", 1, "dji-droneid", "identification");
    feed_send(&f, 0, &m);
    m = feed_decode(&f, 0, "t1", "SER\"1\xff", 50.001, 14);     // hostile text survives as text
    feed_send(&f, 0, &m);
    m = feed_track(&f, 0, "t2", 1, "expresslrs", "control");
    m.head.seq = 7;                                             // a hole before it
    feed_send(&f, 0, &m);
    commit(&f, s);
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_SEEN, .rev = 1, .key = "k1", .user = "anna" };
    snprintf(x->alert, sizeof x->alert, "%s", f.c->alert[0]->id);
    core_act(f.c, x);
    commit(&f, s);
    uint64_t n = f.c->n;
    struct alert was = *f.c->alert[0];
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    assert_int_equal(f.c->n_alerts, 2);
    assert_int_equal(f.c->n_tracks, 2);
    assert_int_equal(f.c->n_incidents, 2);
    assert_true(f.c->n > n);
    struct alert *a = map_get(&f.c->alerts, was.id);
    assert_non_null(a);
    assert_int_equal(a->rev, was.rev);
    assert_string_equal(a->work, "seen");
    assert_string_equal(a->severity, "critical");
    assert_string_equal(a->serial, "SER\"1\xef\xbf\xbd");
    assert_int_equal(a->first_ns, was.first_ns);
    assert_true(fabs(a->where.lat_deg - 50.001) < 1e-7);
    assert_int_equal(a->n_by, 1);
    // The sensor's messages: what was received is known, the hole too.
    const struct sensor *sn = sensor_by_key(f.c, KEY_A);
    assert_int_equal(sn->n_boot, 1);
    assert_int_equal(sn->boot[0].next, 2);
    assert_int_equal(sn->boot[0].durable, 2);
    assert_true(seqs_has(&sn->boot[0], 7));
    // And what people did: the same key, the same answer.
    x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_SEEN, .rev = 1, .key = "k1", .user = "anna" };
    snprintf(x->alert, sizeof x->alert, "%s", was.id);
    core_act(f.c, x);
    struct core_work *w = core_collect(f.c);
    assert_int_equal(w->n_answer, 1);
    assert_int_equal(w->answer[0]->result, ACT_DONE);
    assert_int_equal(a->rev, was.rev + 1);      // not heard since: the restart says so
    core_work_free(w);
    // It goes on where it was: the track's next word makes no second alert.
    m = feed_track(&f, 0, "t2", 2, "expresslrs", "control");
    m.head.seq = 8;
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_int_equal(f.c->n_alerts, 2);
    core_free(f.c);
    store_close(s);
}

static void tick(struct feed *f, struct store *s, int n, bool heard)
{
    for (int i = 0; i < n; i++) {
        struct wire_msg m = feed_health(f, 0);
        if (heard)
            feed_send(f, 0, &m);
        feed_time(f, 1);
        core_tick(f->c);
        commit(f, s);
    }
}

// What was lost is not mended by a restart of the post, only by half a minute of hearing it.
static void restart_mends_nothing(void **state)
{
    struct feed f;
    (void)state;
    struct store *s = open_store();
    feed_init(&f);
    tick(&f, s, 2, true);
    tick(&f, s, 20, false);
    assert_string_equal(feed_alert(&f, "equipment")->rule, "sensor-lost");
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    tick(&f, s, 50, false);
    assert_string_equal(feed_alert(&f, "equipment")->work, "new");
    assert_string_equal(f.c->alert[0]->signal, "quiet");        // nobody knows
    tick(&f, s, 20, false);
    assert_string_equal(f.c->alert[0]->signal, "heard");        // still so
    assert_int_equal(f.c->alert[0]->calls, 1);
    tick(&f, s, 25, true);
    assert_string_equal(f.c->alert[0]->work, "new");            // not well for long enough
    tick(&f, s, 10, true);
    assert_string_equal(f.c->alert[0]->reason, "mended");
    core_free(f.c);
    store_close(s);
}

// While the post was down the sensor began anew, and the drone flew away: not heard for ever.
static void restart_leaves_no_ghost(void **state)
{
    struct feed f;
    (void)state;
    struct store *s = open_store();
    feed_init(&f);
    struct wire_msg m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video");
    feed_send(&f, 0, &m);
    m = feed_track(&f, 1, "t2", 1, "expresslrs", "control");    // whose sensor never comes back
    feed_send(&f, 1, &m);
    commit(&f, s);
    core_free(f.c);
    store_close(s);

    f.now_ns += 40 * S;
    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    const struct alert *a = f.c->alert[!strcmp(f.c->alert[0]->family, "expresslrs")];
    assert_string_equal(a->signal, "quiet");                // nobody has said so yet
    tick(&f, s, 3, true);                                   // the sensor goes on, not this link
    assert_string_equal(a->signal, "quiet");
    assert_true(fabs(a->quiet_s - 41) < 0.1);
    assert_int_equal(a->calls, 1);
    m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video"); // not even a new revision of it
    m.head.late = true;
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_string_equal(a->signal, "quiet");                // that was before
    m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video");
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_string_equal(a->signal, "heard");
    assert_int_equal(a->calls, 1);                          // known: it does not call again
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    f.boot[0]++;
    f.seq[0] = 0;
    tick(&f, s, 2, true);                                   // the sensor began anew
    a = f.c->alert[!strcmp(f.c->alert[0]->family, "expresslrs")];
    const struct alert *b = f.c->alert[!!strcmp(f.c->alert[0]->family, "expresslrs")];
    assert_string_equal(a->signal, "ended");
    assert_string_equal(b->signal, "quiet");
    tick(&f, s, 70, true);
    assert_string_equal(b->signal, "quiet");
    assert_int_equal(sensor_by_key(f.c, KEY_B)->state, SENSOR_LOST);
    core_free(f.c);
    store_close(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(restart_is_the_same), CASE(restart_mends_nothing), CASE(restart_leaves_no_ghost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
