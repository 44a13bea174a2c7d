// SPDX-License-Identifier: GPL-3.0-or-later
// One serial, two transmitters: on the force's own list it calls again and is critical, and what
// one honest aircraft does never looks like that.
#include "alertd_feed.h"

static void track(struct feed *f, int who, const char *serial, uint32_t revision)
{
    struct wire_msg m = feed_track(f, who, "t1", revision, "dji-droneid", "identification");
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "%s", serial);
    feed_send(f, who, &m);
}

struct at { double after_s, lat_deg; int who; double freq_hz; };

static struct alert *frames(struct feed *f, const char *serial, const struct at *at, unsigned n)
{
    track(f, 0, serial, 1);
    track(f, 1, serial, 1);
    feed_commit(f);
    for (unsigned k = 0; k < n; k++) {
        feed_time(f, at[k].after_s);
        struct wire_msg d = feed_decode(f, at[k].who, "t1", serial, at[k].lat_deg, 14.5);
        d.decode.freq_hz = at[k].freq_hz ? at[k].freq_hz : 2.4295e9;
        feed_send(f, at[k].who, &d);
        feed_commit(f);
    }
    return feed_alert(f, "drone");
}
#define FRAMES(f, serial, at) frames(f, serial, at, sizeof(at) / sizeof((at)[0]))

// 0.01 degrees of latitude are 1.1 km.
static const struct at to_and_fro[] = { { 0.6, 50.10, 0, 0 }, { 0.6, 50.11, 0, 0 },
    { 0.6, 50.10, 0, 0 }, { 0.6, 50.11, 0, 0 }, { 0.6, 50.10, 0, 0 } };

static void two_places_of_ours_call(void **state)
{
    struct feed *f = *state;
    track(f, 0, "OURS1", 1);
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    assert_string_equal(a->friend_state, "claims-ours");
    assert_string_equal(a->severity, "alarm");
    uint32_t calls = a->calls;
    FRAMES(f, "OURS1", to_and_fro);
    assert_string_equal(a->friend_state, "conflict-places");
    assert_string_equal(a->friend_name, "Patrol");
    assert_string_equal(a->friend_what, "1.1 km in 0.6 s");
    assert_string_equal(a->severity, "critical");
    assert_string_equal(a->call_reason, "friend");
    assert_int_equal(a->calls, calls + 1);
    FRAMES(f, "OURS1", to_and_fro);             // still so: said once
    assert_int_equal(a->calls, calls + 1);
}

// Each sensor hears the one that is near it.
static void two_sensors_two_places(void **state)
{
    static const struct at at[] = { { 0.6, 50.1, 0, 0 }, { 0.6, 50.2, 1, 0 }, { 0.6, 50.1, 0, 0 },
                                    { 0.6, 50.2, 1, 0 } };
    assert_string_equal(FRAMES(*state, "OURS1", at)->friend_state, "conflict-places");
}

// A stranger's serial used twice is marked, and is a second drone; no friend is in it.
static void two_places_of_a_stranger(void **state)
{
    struct alert *a = FRAMES(*state, "SER1", to_and_fro);
    assert_string_equal(a->friend_state, "twice-places");
    assert_string_equal(a->call_reason, "second");
    assert_string_equal(a->severity, "alarm");
    assert_int_equal(a->drones, 2);
}

// Moved for good while it was never silent: copied, or carried off by nobody.
static void a_jump_that_stays(void **state)
{
    static const struct at at[] = { { 0.6, 50.1, 0, 0 }, { 0.6, 50.1, 0, 0 }, { 0.6, 50.1, 0, 0 },
        { 0.6, 50.3, 0, 0 }, { 0.6, 50.3, 0, 0 }, { 0.6, 50.3, 0, 0 } };
    assert_string_equal(FRAMES(*state, "OURS1", at)->friend_state, "conflict-places");
}

// What honest aircraft do: fly fast, hop, fail to fix their place, fly where two sensors' clocks
// differ, come again ten minutes later somewhere else.
static void honest_ones_are_let_be(void **state)
{
    static const struct at bad_fix[] = { { 0.6, 50.1, 0, 0 }, { 0.6, 50.1, 0, 0 },
        { 0.6, 51.1, 0, 0 }, { 0.6, 50.1, 0, 0 }, { 0.6, 40.0, 0, 0 }, { 0.6, 50.1, 0, 0 } };
    static const struct at fast[] = { { 1, 50.1, 0, 0 }, { 1, 50.1006, 0, 0 },
        { 1, 50.1012, 1, 0 }, { 1, 50.1018, 0, 0 }, { 1, 50.1, 1, 0 } };       // 67 m/s
    static const struct at hops[] = { { 0.64, 50.1, 0, 2.4295e9 }, { 0.64, 50.1, 0, 2.4595e9 },
        { 0.64, 50.1, 0, 2.4295e9 }, { 0.64, 50.1, 0, 5.7765e9 }, { 0.64, 50.1, 0, 2.4295e9 } };
    static const struct at heard_twice[] = { { 0.6, 50.1, 0, 2.4295e9 }, { 0.3, 50.1, 1, 2.4595e9 },
        { 0.3, 50.1, 0, 2.4295e9 }, { 0.3, 50.1, 1, 2.4595e9 }, { 0.3, 50.1, 0, 2.4295e9 } };
    static const struct at again[] = { { 0.6, 50.1, 0, 0 }, { 0.6, 50.1, 0, 0 },
        { 0.6, 50.1, 0, 0 }, { 600, 50.3, 0, 0 }, { 0.6, 50.3, 0, 0 }, { 0.6, 50.3, 0, 0 } };
    struct feed *f = *state;
#define HONEST(at) assert_string_equal(FRAMES(f, "OURS1", at)->friend_state, "claims-ours"); \
    feed_time(f, 100)
    HONEST(bad_fix);
    HONEST(fast);
    HONEST(hops);
    HONEST(heard_twice);
    HONEST(again);
}

static void two_carriers_of_ours(void **state)
{
    static const struct at at[] = { { 0.34, 50.1, 0, 2.4295e9 }, { 0.3, 50.1, 0, 2.4595e9 },
        { 0.34, 50.1, 0, 2.4295e9 }, { 0.3, 50.1, 0, 2.4595e9 }, { 0.34, 50.1, 0, 2.4295e9 } };
    struct alert *a = FRAMES(*state, "OURS1", at);
    assert_string_equal(a->friend_state, "conflict-carriers");
    assert_string_equal(a->call_reason, "friend");
}

// Two video links beside each other for ten seconds, each with the serial.
static void two_links_of_ours(void **state)
{
    struct feed *f = *state;
    for (unsigned k = 0; k < 8; k++) {
        for (int two = 0; two < 2; two++) {
            struct wire_msg m = feed_track(f, 0, two ? "t2" : "t1", 1 + k, "dji-ocusync", "video");
            snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "OURS1");
            m.track.freq_lo_hz += two * 3e7;
            m.track.freq_hi_hz += two * 3e7;
            feed_send(f, 0, &m);
        }
        feed_commit(f);
        assert_string_equal(feed_alert(f, "drone")->friend_state, "claims-ours");
        feed_time(f, 1.3);
    }
    for (int two = 0; two < 2; two++) {
        struct wire_msg m = feed_track(f, 0, two ? "t2" : "t1", 20, "dji-ocusync", "video");
        snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "OURS1");
        m.track.freq_lo_hz += two * 3e7;
        m.track.freq_hi_hz += two * 3e7;
        feed_send(f, 0, &m);
    }
    feed_commit(f);
    assert_string_equal(feed_alert(f, "drone")->friend_state, "conflict-carriers");
}

static void stands(struct feed *f, int who, double lat_deg)
{
    struct wire_msg m = feed_health(f, who);
    m.health.place_known = true;
    m.health.lat_deg = lat_deg;
    m.health.lon_deg = 14;
    m.health.place_err_m = 10;
    feed_send(f, who, &m);
}

static void sensors_too_far_apart(void **state)
{
    struct feed *f = *state;
    stands(f, 0, 50);
    stands(f, 1, 50.2);                         // 22 km: may both hear it
    track(f, 0, "OURS1", 1);
    track(f, 1, "OURS1", 1);
    feed_tick(f, 1);
    struct alert *a = feed_alert(f, "drone");
    assert_string_equal(a->friend_state, "claims-ours");
    stands(f, 1, 51);                           // 111 km
    track(f, 1, "OURS1", 2);
    feed_tick(f, 1);
    assert_string_equal(a->friend_state, "conflict-sensors");
    assert_string_equal(a->friend_what, "north and tower, 111 km apart");
    assert_string_equal(a->call_reason, "friend");
}

static struct alert *model(struct feed *f, const char *says)
{
    track(f, 0, "OURS1", 1);
    struct wire_msg d = feed_decode(f, 0, "t1", "OURS1", 50.1, 14);
    feed_str(&d.decode, "product", says);
    feed_send(f, 0, &d);
    feed_commit(f);
    return feed_alert(f, "drone");
}

static void another_model(void **state)
{
    struct alert *a = model(*state, "Mavic 3");
    assert_string_equal(a->friend_state, "conflict-model");
    assert_string_equal(a->friend_what, "says Mavic 3, listed as Mini 2");
    assert_string_equal(a->call_reason, "friend");
    assert_string_equal(a->severity, "critical");
}

static void same_model_said_otherwise(void **state)
{
    assert_string_equal(model(*state, "DJI MINI-2")->friend_state, "claims-ours");
}

// It says to be the patrol's aircraft, and speaks a language which that does not.
static void another_link(void **state)
{
    struct feed *f = *state;
    f->cfg.ours[0].n_links = 2;
    snprintf(f->cfg.ours[0].link[0], 24, "dji-droneid");
    snprintf(f->cfg.ours[0].link[1], 24, "dji-ocusync");
    track(f, 0, "OURS1", 1);
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    assert_string_equal(a->friend_state, "claims-ours");
    struct wire_msg m = feed_track(f, 1, "t9", 1, "remote-id", "identification");
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "OURS1");
    feed_send(f, 1, &m);
    feed_commit(f);
    assert_string_equal(a->friend_state, "conflict-model");
    assert_string_equal(a->friend_what, "heard as remote-id");
}

// Seen and closed as authorised; then it is copied: a new alert that calls and says why.
static void closed_one_comes_back(void **state)
{
    struct feed *f = *state;
    track(f, 0, "OURS1", 1);
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_CLOSE, .rev = 1, .key = "k", .user = "anna",
                          .reason = "authorised" };
    snprintf(x->alert, sizeof x->alert, "%s", a->id);
    core_act(f->c, x);
    feed_commit(f);
    for (unsigned k = 0; k < 5; k++) {
        feed_time(f, 0.6);
        struct wire_msg d = feed_decode(f, 0, "t1", "OURS1", k % 2 ? 50.11 : 50.1, 14);
        feed_send(f, 0, &d);
        feed_commit(f);
    }
    assert_int_equal(f->c->n_alerts, 2);
    assert_string_equal(f->c->alert[1]->previous, a->id);
    assert_string_equal(f->c->alert[1]->call_reason, "friend");
    assert_string_equal(f->c->alert[1]->severity, "critical");
}

int main(void)
{
#define CASE FEED_CASE
    const struct CMUnitTest tests[] = {
        CASE(two_places_of_ours_call), CASE(two_sensors_two_places),
        CASE(two_places_of_a_stranger), CASE(a_jump_that_stays), CASE(honest_ones_are_let_be),
        CASE(two_carriers_of_ours), CASE(two_links_of_ours), CASE(sensors_too_far_apart),
        CASE(another_model), CASE(same_model_said_otherwise), CASE(another_link),
        CASE(closed_one_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
