// SPDX-License-Identifier: GPL-3.0-or-later
// Tracks to alerts: words by role, folding by serial, zones, late news, what people do.
#include "alertd_feed.h"

#include "alertd/web.h"

static struct alert *alert_of(struct feed *f, const char *family, const char *role, double conf,
                              const char *verdict)
{
    struct wire_msg m = feed_track(f, 0, "t1", 1, family, role);
    m.track.confidence = conf;
    snprintf(m.track.verdict, sizeof m.track.verdict, "%s", verdict);
    feed_send(f, 0, &m);
    feed_commit(f);
    return feed_alert(f, "drone");
}

#define SAYS(name, family, role, conf, verdict, key, sev) \
static void name(void **state) \
{ \
    struct alert *a = alert_of(*state, family, role, conf, verdict); \
    if (!*key) { \
        assert_null(a); \
        return; \
    } \
    assert_non_null(a); \
    assert_string_equal(a->line_key, key); \
    assert_string_equal(a->severity, sev); \
    assert_int_equal(a->rev, 1); \
    assert_int_equal(a->calls, 1); \
}
SAYS(video_is_a_drone, "dji-ocusync", "video", 0.9, "drone", "drone", "alarm")
SAYS(control_is_a_radio, "expresslrs", "control", 0.9, "drone", "control", "alarm")
SAYS(broadcast_is_a_broadcast, "remote-id", "identification", 0.9, "drone", "identification",
     "watch")
SAYS(unsure_is_watched, "expresslrs", "control", 0.4, "drone", "unknown", "watch")
SAYS(stranger_is_watched, "unknown-hopper", "unknown", 0.9, "drone", "unknown", "watch")
SAYS(wifi_is_nothing, "wifi", "unknown", 0.99, "not-drone", "", "")
SAYS(unknown_is_nothing, "unknown", "unknown", 0.6, "unknown", "", "")

static void frame_makes_it_a_drone(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-droneid", "identification", 0.9, "drone");
    assert_string_equal(a->line_key, "identification");
    struct wire_msg d = feed_decode(f, 0, "t1", "SER1", 51, 14);
    feed_send(f, 0, &d);
    feed_commit(f);
    assert_string_equal(a->line_key, "drone");
    assert_string_equal(a->serial, "SER1");
    assert_string_equal(a->where.kind, "claimed");
    assert_true(fabs(a->where.lat_deg - 51) < 1e-9);
    assert_int_equal(a->rev, 2);
}

// A frame is its link being heard: what is said of both agrees, also when the track is older.
static void frame_is_heard(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-droneid", "identification", 0.9, "drone");
    struct wire_msg m = feed_track(f, 0, "t1", 2, "dji-droneid", "identification");
    feed_time(f, 4);
    struct wire_msg d = feed_decode(f, 0, "t1", "SER1", 51, 14);
    feed_send(f, 0, &d);
    feed_commit(f);
    assert_true(a->last_ns == d.head.t_ns && a->where.at_ns == d.head.t_ns);
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_true(a->last_ns == d.head.t_ns && f->c->track[0]->w.last_ns == d.head.t_ns);
}

// A position inside a zone: critical, and it calls again saying so.  Out and in again: once more.
static void zone_calls_again(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-droneid", "identification", 0.9, "drone");
    struct wire_msg d = feed_decode(f, 0, "t1", "SER1", 50.1, 14);
    feed_send(f, 0, &d);
    feed_commit(f);
    assert_string_equal(a->zone, "");
    uint32_t calls = a->calls;
    feed_time(f, 1);
    struct wire_msg m = feed_track(f, 0, "t1", 2, "dji-droneid", "identification");
    feed_send(f, 0, &m);
    d = feed_decode(f, 0, "t1", "SER1", 50.001, 14);
    feed_send(f, 0, &d);
    feed_commit(f);
    assert_string_equal(a->severity, "critical");
    assert_string_equal(a->zone, "pitch");
    assert_string_equal(a->call_reason, "zone");
    assert_int_equal(a->calls, calls + 1);
}

// What the log says: the first revision and each that calls, not those between, none again.
static bool says(struct feed *f)
{
    bool calls = false;
    struct core_work *w = core_collect(f->c);
    for (size_t i = 0; i < w->n_change; i++)
        calls = calls || (w->change[i]->kind == CHANGE_ALERT && w->change[i]->calls);
    core_work_free(w);
    return calls;
}

static void calls_are_said(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-droneid", "identification");
    feed_send(f, 0, &m);
    assert_true(says(f));
    for (double lat = 50.1; lat > 49; lat -= 0.1) {         // in, and out again
        feed_time(f, 1);
        m = feed_decode(f, 0, "t1", "SER1", lat, 14);
        feed_send(f, 0, &m);
        assert_int_equal(says(f), fabs(lat - 50) < 1e-6);
    }
}

// The sensor's clock is set back by an hour: what it hears now is where the aircraft is now.  Late
// frames, and those of another radio that is a moment behind, do not move it back.
static void clock_set_back_moves_on(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-droneid", "identification", 0.9, "drone");
    static const struct { double ahead_s, lat_deg, want_deg; bool late; } step[] = {
        { 3600, 50.1, 50.1, false }, { 0, 50.2, 50.2, false }, { -8, 50.3, 50.2, false },
        { -60, 50.4, 50.2, true },
    };
    for (unsigned i = 0; i < sizeof step / sizeof step[0]; i++) {
        struct wire_msg d = feed_decode(f, 0, "t1", "SER1", step[i].lat_deg, 14);
        d.head.t_ns += (int64_t)(step[i].ahead_s * 1e9);
        d.head.late = step[i].late;
        feed_send(f, 0, &d);
        feed_time(f, 6);
        struct wire_msg m = feed_track(f, 0, "t1", 2 + i, "dji-droneid", "identification");
        feed_send(f, 0, &m);
        feed_commit(f);
        assert_true(fabs(a->where.lat_deg - step[i].want_deg) < 1e-9);
    }
}

static void ours_is_only_said(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "OURS1");
    feed_send(f, 0, &m);
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    assert_string_equal(a->friend_state, "claims-ours");
    assert_string_equal(a->severity, "alarm");
}

// What happened ten minutes ago makes no sound; when it is heard now, it does.
static void late_is_silent(void **state)
{
    struct feed *f = *state;
    feed_time(f, 600);
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    m.head.t_ns = T0;
    m.head.late = true;
    feed_send(f, 0, &m);
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    assert_true(a->late);
    assert_int_equal(a->calls, 0);
    assert_int_equal(a->received_ns, T0 + 600 * S);
    m = feed_track(f, 0, "t1", 2, "dji-ocusync", "video");
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_false(a->late);
    assert_int_equal(a->calls, 1);
}

static void other_origins_are_refused(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    snprintf(m.head.origin, sizeof m.head.origin, "simulation");
    assert_int_equal(feed_send(f, 0, &m), CORE_TAKEN);      // received: it need not come again
    feed_tick(f, 1);
    assert_null(feed_alert(f, "drone"));
    assert_string_equal(feed_alert(f, "equipment")->rule, "origin-refused");
    f->cfg.exercise = true;
    m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    snprintf(m.head.origin, sizeof m.head.origin, "simulation");
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_string_equal(feed_alert(f, "drone")->origin, "simulation");
}

static void foreign_name_is_dropped(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_health(f, 0);
    snprintf(m.health.name, sizeof m.health.name, "tower");
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    struct sensor *s = sensor_by_key(f->c, KEY_A);
    assert_int_equal(s->foreign, 1);
    assert_false(s->have_health);
    assert_string_equal(feed_alert(f, "equipment")->rule, "foreign-name");
}

// ---- What people do ---------------------------------------------------------------------------

static struct action *act(enum action_verb v, const struct alert *a, uint32_t rev, const char *key)
{
    struct action *x = calloc(1, sizeof *x);
    x->verb = v;
    x->rev = rev;
    snprintf(x->alert, sizeof x->alert, "%s", a->id);
    snprintf(x->key, sizeof x->key, "%s", key);
    snprintf(x->user, sizeof x->user, "anna");
    return x;
}

static enum action_result result(struct feed *f, struct action *x, char json[4096])
{
    core_act(f->c, x);
    struct core_work *w = core_collect(f->c);
    assert_int_equal(w->n_answer, 1);
    enum action_result r = w->answer[0]->result;
    if (json)
        snprintf(json, 4096, "%s", w->answer[0]->json ? w->answer[0]->json : "");
    core_work_free(w);
    return r;
}

static void actions_are_judged(void **state)
{
    struct feed *f = *state;
    char first[4096], again[4096];
    struct alert *a = alert_of(f, "dji-ocusync", "video", 0.9, "drone");
    assert_int_equal(result(f, act(ACT_SEEN, a, 1, "k1"), first), ACT_DONE);
    assert_string_equal(a->work, "seen");
    assert_int_equal(a->rev, 2);
    assert_non_null(strstr(first, "\"rev\":2,"));
    // The same key: the same answer, and nothing happens.
    assert_int_equal(result(f, act(ACT_SEEN, a, 1, "k1"), again), ACT_DONE);
    assert_string_equal(first, again);
    assert_int_equal(a->rev, 2);
    // The same key for something else.
    assert_int_equal(result(f, act(ACT_NOTE, a, 2, "k1"), NULL), ACT_BAD);
    // A revision that is past in what matters.
    assert_int_equal(result(f, act(ACT_SEEN, a, 1, "k2"), again), ACT_STALE);
    assert_non_null(strstr(again, "\"rev\":2,"));
    struct action *x = act(ACT_CLOSE, a, 2, "k3");
    assert_int_equal(result(f, x, NULL), ACT_BAD);          // no reason
    x = act(ACT_CLOSE, a, 2, "k4");
    snprintf(x->reason, sizeof x->reason, "pilot-found");
    assert_int_equal(result(f, x, NULL), ACT_DONE);
    assert_string_equal(a->work, "closed");
    assert_string_equal(a->signal, "heard");                // still transmitting
    assert_int_equal(result(f, act(ACT_SEEN, &(struct alert){ .id = "nobody" }, 1, "k5"), NULL),
                     ACT_NO_SUCH);
    assert_int_equal(result(f, act(ACT_SEEN, a, 99, "k6"), NULL), ACT_BAD);
}

// A key given twice with another text: told so, or the second text were lost behind a 200.
static void one_key_says_one_thing(void **state)
{
    struct feed *f = *state;
    static const struct { const char *text; int want; } step[] = {
        { "two men", ACT_DONE }, { "two men", ACT_DONE }, { "a van", ACT_BAD } };
    struct alert *a = alert_of(f, "dji-ocusync", "video", 0.9, "drone");
    for (unsigned i = 0; i < 3; i++) {
        struct action *x = act(ACT_NOTE, a, 1, "k1");
        snprintf(x->text, sizeof x->text, "%s", step[i].text);
        assert_int_equal(result(f, x, NULL), step[i].want);
    }
    assert_int_equal(a->n_by, 1);
}

// Two people in one batch: the second has not seen what the first did.
static void second_person_is_told(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-ocusync", "video", 0.9, "drone");
    core_act(f->c, act(ACT_SEEN, a, 1, "k1"));
    core_act(f->c, act(ACT_SEEN, a, 1, "k2"));
    struct core_work *w = core_collect(f->c);
    assert_int_equal(w->n_answer, 2);
    assert_int_equal(w->answer[0]->result, ACT_DONE);
    assert_int_equal(w->answer[1]->result, ACT_STALE);
    core_work_free(w);
}

// Level and place alone: a revision now and then, and nobody's click is stale for it.
static void soft_changes_are_not_stale(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-ocusync", "video", 0.9, "drone");
    uint32_t rev = a->rev;
    for (uint32_t k = 2; k < 22; k++) {
        feed_time(f, 0.5);
        struct wire_msg m = feed_track(f, 0, "t1", k, "dji-ocusync", "video");
        m.track.level_dbfs = -40 + k;
        feed_send(f, 0, &m);
        feed_commit(f);
    }
    assert_in_range(a->rev, rev + 1, rev + 3);
    assert_int_equal(result(f, act(ACT_SEEN, a, rev, "k1"), NULL), ACT_DONE);
}

// Closed, silent for a while, heard again: another alert, linked to the old one.
static void return_is_a_new_alert(void **state)
{
    struct feed *f = *state;
    struct alert *a = alert_of(f, "dji-ocusync", "video", 0.9, "drone");
    struct action *x = act(ACT_CLOSE, a, 1, "k1");
    snprintf(x->reason, sizeof x->reason, "left");
    assert_int_equal(result(f, x, NULL), ACT_DONE);
    struct wire_msg m = feed_track(f, 0, "t1", 2, "dji-ocusync", "video");
    snprintf(m.track.state, sizeof m.track.state, "quiet");
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_string_equal(a->signal, "quiet");
    feed_time(f, 60);
    m = feed_track(f, 0, "t1", 3, "dji-ocusync", "video");
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_int_equal(f->c->n_alerts, 2);
    assert_string_equal(f->c->alert[1]->previous, a->id);
    assert_string_equal(f->c->alert[1]->work, "new");
    assert_string_equal(a->work, "closed");
}

// The same events give the same ids in another core of the same installation.
static void ids_are_derived(void **state)
{
    struct feed *f = *state, other;
    feed_init(&other);
    char id[CORE_ID];
    snprintf(id, sizeof id, "%s", alert_of(f, "dji-ocusync", "video", 0.9, "drone")->id);
    assert_string_equal(alert_of(&other, "dji-ocusync", "video", 0.9, "drone")->id, id);
    core_free(other.c);
}

int main(void)
{
#define CASE FEED_CASE
    const struct CMUnitTest tests[] = {
        CASE(video_is_a_drone), CASE(control_is_a_radio), CASE(broadcast_is_a_broadcast),
        CASE(unsure_is_watched), CASE(stranger_is_watched), CASE(wifi_is_nothing),
        CASE(unknown_is_nothing), CASE(frame_makes_it_a_drone), CASE(zone_calls_again),
        CASE(frame_is_heard), CASE(calls_are_said), CASE(clock_set_back_moves_on),
        CASE(ours_is_only_said),
        CASE(late_is_silent), CASE(other_origins_are_refused), CASE(foreign_name_is_dropped),
        CASE(actions_are_judged), CASE(one_key_says_one_thing), CASE(second_person_is_told),
        CASE(soft_changes_are_not_stale),
        CASE(return_is_a_new_alert), CASE(ids_are_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
