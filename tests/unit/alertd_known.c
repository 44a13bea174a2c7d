// SPDX-License-Identifier: GPL-3.0-or-later
// What somebody vouches for stays on screens and calls nobody, until its time is over or it is not
// any more what was vouched for.
#include "alertd_store.h"

static struct feed feed, *const f = &feed;
static uint32_t revision;

static int begin(void **state)
{
    int r = set_up(state);
    feed_init(f);
    f->cfg.n_ours = 1;
    revision = 0;
    return r;
}

static int end(void **state)
{
    core_free(f->c);
    return tear_down(state);
}

static void hear(const char *family, const char *role, const char *state, double conf)
{
    struct wire_msg m = feed_track(f, 0, "t1", ++revision, family, role);
    snprintf(m.track.state, sizeof m.track.state, "%s", state);
    m.track.confidence = conf;
    feed_send(f, 0, &m);
    m = feed_health(f, 0);
    feed_send(f, 0, &m);
    feed_tick(f, 1);
}

static void frame(const char *serial, double lat_deg)
{
    struct wire_msg d = feed_decode(f, 0, "t1", serial, lat_deg, 14.5);
    feed_send(f, 0, &d);
    feed_tick(f, 1);
}

static enum action_result say(struct alert *a, enum action_verb verb, const char *name,
                              double for_s, char said[160])
{
    static unsigned n;
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = verb, .rev = a->rev, .user = "anna", .text = "told by Bob",
                          .until_ns = T0 + f->now_ns + (int64_t)(for_s * 1e9) };
    snprintf(x->alert, sizeof x->alert, "%s", a->id);
    snprintf(x->key, sizeof x->key, "k%u", ++n);
    snprintf(x->name, sizeof x->name, "%s", name);
    core_act(f->c, x);
    struct core_work *w = core_collect(f->c);
    enum action_result r = w->answer[0]->result;
    if (said)
        snprintf(said, 160, "%s", w->answer[0]->why);
    core_work_free(w);
    return r;
}

// A control radio that is called known for an hour.
static struct alert *vouched(void)
{
    hear("expresslrs", "control", "named", 0.9);
    struct alert *a = feed_alert(f, "drone");
    assert_int_equal(say(a, ACT_KNOWN, "club's racer", 3600, NULL), ACT_DONE);
    assert_string_equal(a->known.name, "club's racer");
    assert_string_equal(a->known.who, "anna");
    assert_string_equal(a->by[0].did, "known");
    assert_string_equal(a->by[0].text, "club's racer, 2027-01-15T09:00:01Z: told by Bob");
    assert_string_equal(a->work, "seen");
    assert_int_equal(a->calls, 1);
    return a;
}

static void it_stays_and_calls_nobody(void **state)
{
    (void)state;
    struct alert *a = vouched();
    hear("expresslrs", "control", "quiet", 0.9);
    hear("expresslrs", "control", "named", 0.9);
    assert_string_equal(a->signal, "heard");            // still on the screen
    assert_string_equal(a->severity, "alarm");
    assert_int_equal(a->calls, 1);
}

static void its_time_ends_by_itself(void **state)
{
    (void)state;
    struct alert *a = vouched();
    for (int i = 0; i < 3590; i += 10) {
        feed_time(f, 9);
        hear("expresslrs", "control", "named", 0.9);
    }
    assert_string_equal(a->known.name, "club's racer");
    for (int i = 0; i < 20; i++)
        hear("expresslrs", "control", "named", 0.9);
    assert_string_equal(a->known.name, "");
    assert_string_equal(a->call_reason, "known");       // it is still there
    assert_int_equal(a->calls, 2);
    assert_string_equal(a->by[a->n_by - 1].text, "until");
}

// Closed and back again: the emitter is what was vouched for.  Silent when its time ends: no call.
static void a_return_calls_nobody(void **state)
{
    (void)state;
    struct alert *a = vouched();
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_CLOSE, .rev = a->rev, .user = "anna", .key = "c",
                          .reason = "authorised" };
    snprintf(x->alert, sizeof x->alert, "%s", a->id);
    core_act(f->c, x);
    feed_commit(f);
    hear("expresslrs", "control", "quiet", 0.9);
    feed_time(f, 40);
    hear("expresslrs", "control", "named", 0.9);
    assert_int_equal(f->c->n_alerts, 2);
    struct alert *b = f->c->alert[1];
    assert_string_equal(b->previous, a->id);
    assert_string_equal(b->known.name, "club's racer");
    assert_int_equal(b->calls, 0);
    hear("expresslrs", "control", "quiet", 0.9);
    feed_tick(f, 3600);
    assert_string_equal(b->known.name, "");
    assert_int_equal(b->calls, 0);
}

static void ends(struct alert *a, const char *because)
{
    assert_string_equal(a->known.name, "");
    assert_string_equal(a->by[a->n_by - 1].did, "known-over");
    assert_string_equal(a->by[a->n_by - 1].text, because);
    assert_true(a->calls >= 2);
}

static void another_signature_ends_it(void **state)
{
    (void)state;
    struct alert *a = vouched();
    hear("dji-ocusync", "video", "named", 0.9);
    ends(a, "signature");
}

static void a_serial_ends_it(void **state)
{
    (void)state;
    hear("dji-ocusync", "video", "named", 0.9);
    struct alert *a = feed_alert(f, "drone");
    assert_int_equal(say(a, ACT_KNOWN, "photographer", 3600, NULL), ACT_DONE);
    frame("SER1", 50.1);
    ends(a, "signature");
}

static struct alert *vouched_frame(const char *serial)
{
    hear("dji-droneid", "identification", "named", 0.9);
    frame(serial, 50.1);
    struct alert *a = feed_alert(f, "drone");
    assert_int_equal(say(a, ACT_KNOWN, "photographer", 3600, NULL), ACT_DONE);
    return a;
}

static void a_kilometre_ends_it(void **state)
{
    (void)state;
    struct alert *a = vouched_frame("SER1");
    for (int i = 0; i < 8; i++)
        frame("SER1", 50.1 + 0.001 * i);                // 780 m
    assert_string_equal(a->known.name, "photographer");
    for (int i = 8; i < 11; i++)
        frame("SER1", 50.1 + 0.001 * i);
    ends(a, "place");
}

static void a_zone_ends_it(void **state)
{
    (void)state;
    f->cfg.zone[0].lat_deg = 50.105;
    f->cfg.zone[0].lon_deg = 14.5;
    struct alert *a = vouched_frame("SER1");
    for (int i = 0; i < 6; i++)
        frame("SER1", 50.1 + 0.001 * i);
    ends(a, "place");
    assert_string_equal(a->severity, "critical");
}

// What is vouched for is copied: louder than anything.
static void a_copied_friend_ends_it(void **state)
{
    (void)state;
    struct alert *a = vouched_frame("OURS1");
    for (int i = 0; i < 5; i++)
        frame("OURS1", i % 2 ? 50.1 : 50.105);
    ends(a, "friend");
    assert_string_equal(a->call_reason, "friend");
    char said[160];
    assert_int_equal(say(a, ACT_KNOWN, "ours", 60, said), ACT_BAD);
    assert_non_null(strstr(said, "contradicts"));
}

static void nonsense_is_refused(void **state)
{
    char said[160];
    (void)state;
    hear("expresslrs", "control", "named", 0.9);
    struct alert *a = feed_alert(f, "drone");
    assert_int_equal(say(a, ACT_KNOWN, " ", 3600, said), ACT_BAD);
    assert_int_equal(say(a, ACT_KNOWN, "x", -1, said), ACT_BAD);
    assert_int_equal(say(a, ACT_KNOWN, "x", 90000, said), ACT_BAD);
    assert_non_null(strstr(said, "24 hours"));
    assert_int_equal(a->n_by, 0);
}

static void taken_back(void **state)
{
    (void)state;
    struct alert *a = vouched();
    assert_int_equal(say(a, ACT_UNKNOWN, "", 0, NULL), ACT_DONE);
    assert_string_equal(a->known.name, "");
    hear("dji-ocusync", "video", "named", 0.9);
    assert_int_equal(a->calls, 1);
}

static void a_restart_forgets_nothing(void **state)
{
    (void)state;
    struct store *s = open_store();
    hear("expresslrs", "control", "named", 0.9);
    struct alert *a = feed_alert(f, "drone");
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_KNOWN, .rev = 1, .user = "anna", .text = "w", .name = "n",
                          .key = "k", .until_ns = T0 + 3600 * S };
    snprintf(x->alert, sizeof x->alert, "%s", a->id);
    core_act(f->c, x);
    struct core_work *w = core_collect(f->c);
    assert_int_equal(store_commit(s, w->batch), 0);
    core_work_free(w);
    core_free(f->c);
    feed_core(f);
    assert_int_equal(core_load(f->c, s), 0);
    a = feed_alert(f, "drone");
    assert_string_equal(a->known.name, "n");
    assert_int_equal(a->known.until_ns, T0 + 3600 * S);
    assert_string_equal(a->known.sensors[0].id, "north");
    store_close(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(it_stays_and_calls_nobody), CASE(its_time_ends_by_itself),
        CASE(a_return_calls_nobody), CASE(another_signature_ends_it), CASE(a_serial_ends_it),
        CASE(a_kilometre_ends_it), CASE(a_zone_ends_it), CASE(a_copied_friend_ends_it),
        CASE(nonsense_is_refused), CASE(taken_back), CASE(a_restart_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
