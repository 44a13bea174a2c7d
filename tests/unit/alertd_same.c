// SPDX-License-Identifier: GPL-3.0-or-later
// One emitter heard by two sensors, and two that must stay two.
#include "alertd_feed.h"

// Both sensors are there for ten minutes before anything happens: they see beginnings.
static void health(struct feed *f)
{
    for (int who = 0; who < 2; who++) {
        struct wire_msg m = feed_health(f, who);
        m.health.uptime_s = 600 + (double)f->now_ns / 1e9;
        m.health.radio[0].since_s = m.health.uptime_s;
        feed_send(f, who, &m);
        m = feed_head(f, who, WIRE_LEDGER);
        m.ledger = (struct wire_ledger){ .from_ns = m.head.t_ns - S, .to_ns = m.head.t_ns,
            .n_bands = 1, .band = { { .lo_hz = 2.4e9, .hi_hz = 5.9e9, .watched_s = 1 } } };
        feed_send(f, who, &m);
    }
}

struct says { const char *family, *link, *role, *serial, *state; double mhz, wide_mhz, first_s,
              level_dbfs; int64_t last_ns; };
static const struct says racer = { "expresslrs", "ELRS 2.4 F500", "control", "", "named", 2440, 70,
                                   0, -60, 0 };
static const struct says video = { "analog-fpv", "", "video", "", "named", 5800, 18, 0, -60, 0 };

static void tell(struct feed *f, int who, const char *id, const struct says *y)
{
    static uint32_t revision = 1;
    struct wire_msg m = feed_track(f, who, id, ++revision, y->family, y->role);
    snprintf(m.track.link, sizeof m.track.link, "%s", y->link);
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "%s", y->serial);
    snprintf(m.track.state, sizeof m.track.state, "%s", y->state);
    m.track.freq_lo_hz = (y->mhz - y->wide_mhz / 2) * 1e6;
    m.track.freq_hi_hz = (y->mhz + y->wide_mhz / 2) * 1e6;
    m.track.first_ns = T0 + (int64_t)(y->first_s * 1e9);
    m.track.last_ns = y->last_ns ? y->last_ns : T0 + f->now_ns;
    m.track.level_dbfs = y->level_dbfs;
    feed_send(f, who, &m);
}

static unsigned incidents(const struct feed *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->c->n_incidents; i++)
        n += !f->c->incident[i]->merged_into[0] && f->c->incident[i]->n_members;
    return n;
}

// Seconds in which both say the same as before, at the levels given.
static void go_on(struct feed *f, struct says a, struct says b, unsigned s, int alike)
{
    static const double wave[] = { 0, 4, -3, 6, 1, -5, 3, -1, 5, -4, 2, -6 };
    for (unsigned k = 0; k < s; k++) {
        health(f);
        a.level_dbfs = -60 + wave[k % 12];
        b.level_dbfs = -70 + (alike ? alike * wave[k % 12] : 0);
        tell(f, 0, "a", &a);
        tell(f, 1, "b", &b);
        feed_tick(f, 1);
    }
}

static const char *reason_of(const struct feed *f)
{
    for (size_t i = 0; i < f->c->n_incidents; i++)
        for (unsigned m = 0; m < f->c->incident[i]->n_members; m++)
            if (!strncmp(f->c->incident[i]->member[m].reason, "same family", 11))
                return f->c->incident[i]->member[m].reason;
    return "";
}

// Seen to begin together: one alert from the first, both sensors in it.
static void begin_together(void **state)
{
    struct feed *f = *state;
    struct says b = video;
    b.first_s = 0.4;
    b.mhz += 1;
    go_on(f, video, b, 3, 0);
    assert_int_equal(incidents(f), 1);
    assert_string_equal(reason_of(f), "same family and mode, same channel, heard within 0.4 s");
    assert_int_equal(feed_alert(f, "drone")->n_sensors, 2);
    assert_int_equal(feed_alert(f, "drone")->calls, 1);
}

// Found at another time, proven by levels: the younger alert goes with its own line.
static void levels_prove(void **state)
{
    struct feed *f = *state;
    struct says b = racer;
    b.first_s = -30;
    go_on(f, racer, b, 2, 1);
    assert_int_equal(incidents(f), 2);
    struct alert *young = NULL, *old = NULL;
    for (size_t i = 0; i < f->c->n_alerts; i++)
        if (!strcmp(f->c->alert[i]->lane, "drone"))
            *(!strcmp(f->c->alert[i]->sensors[0].id, "north") ? &young : &old) = f->c->alert[i];
    alert_note(f->c, young, "anna", "seen", "");
    snprintf(young->work, sizeof young->work, "seen");
    go_on(f, racer, b, 14, 1);
    assert_int_equal(incidents(f), 1);
    assert_non_null(strstr(reason_of(f), "levels change alike"));
    assert_string_equal(young->merged_into, old->id);
    assert_string_equal(young->reason, "merged");
    assert_string_equal(young->by[young->n_by - 1].did, "merged");
    assert_string_equal(old->work, "seen");             // who had seen it is kept
    assert_string_equal(old->by[0].who, "anna");
    assert_string_equal(old->signal, "heard");
    assert_int_equal(old->n_sensors, 2);
}

// Each of these is two drones, or may be.
#define STAY_TWO(name, change) \
static void name(void **state) \
{ \
    struct feed *f = *state; \
    struct says a = video, b = video; \
    int alike = 0; \
    change; \
    go_on(f, a, b, 30, alike); \
    assert_int_equal(incidents(f), 2); \
}
STAY_TWO(other_time, b.first_s = -10)
STAY_TWO(other_channel, b.mhz += 20)
STAY_TWO(other_width, b.wide_mhz = 6)
STAY_TWO(other_family, b.family = "hdzero")
STAY_TWO(other_role, b.role = "control")
STAY_TWO(other_mode, a = b = racer; b.link = "ELRS 2.4 F250")
STAY_TWO(no_mode, a = b = racer; a.link = b.link = "")
STAY_TWO(other_hop_band, a = b = racer; a.wide_mhz = b.wide_mhz = 20; b.mhz += 30)
STAY_TWO(two_serials, a.serial = "S1"; b.serial = "S2"; alike = 1)
STAY_TWO(broadcasts, a.role = b.role = "identification"; a.family = b.family = "remote-id")
STAY_TWO(strangers, a.family = b.family = "unknown-ofdm")
STAY_TWO(tentative, b.state = "tentative")

// Two racers of one mode at one sensor stay two, and the other sensor's may be either.
static void one_sensor_two(void **state)
{
    struct feed *f = *state;
    struct says second = racer;
    second.first_s = 0.5;
    health(f);
    tell(f, 0, "a", &racer);
    tell(f, 0, "c", &second);
    feed_tick(f, 1);
    assert_int_equal(incidents(f), 2);
    for (int k = 0; k < 20; k++) {
        health(f);
        tell(f, 0, "a", &racer);
        tell(f, 0, "c", &second);
        tell(f, 1, "b", &racer);
        feed_tick(f, 1);
    }
    assert_int_equal(incidents(f), 3);
}

// A sensor that has just begun to listen saw no beginning.
static void young_radio(void **state)
{
    struct feed *f = *state;
    for (int k = 0; k < 5; k++) {
        for (int who = 0; who < 2; who++) {
            struct wire_msg m = feed_health(f, who);
            m.health.uptime_s = 1 + k;
            m.health.radio[0].since_s = 1 + k;
            feed_send(f, who, &m);
            tell(f, who, "a", &video);
        }
        feed_tick(f, 1);
    }
    assert_int_equal(incidents(f), 2);
}

// Serials declared later: two after all, and the second one calls.
static void serials_split(void **state)
{
    struct feed *f = *state;
    struct says a = video, b = video;
    go_on(f, a, b, 3, 0);
    assert_int_equal(incidents(f), 1);
    a.serial = "S1";
    b.serial = "S2";
    go_on(f, a, b, 3, 0);
    assert_int_equal(incidents(f), 2);
    unsigned split = 0;
    for (size_t i = 0; i < f->c->n_incidents; i++)
        split += f->c->incident[i]->split_from[0] != 0;
    assert_int_equal(split, 1);
    assert_int_equal(f->c->n_alerts, 2);
    assert_int_equal(f->c->alert[1]->calls, 1);
    assert_string_equal(f->c->alert[1]->signal, "heard");
}

// Levels that go against each other: two, and they stay two.
static void levels_split(void **state)
{
    struct feed *f = *state;
    go_on(f, racer, racer, 3, 0);
    assert_int_equal(incidents(f), 1);
    go_on(f, racer, racer, 60, -1);
    assert_int_equal(incidents(f), 2);
    go_on(f, racer, racer, 60, 0);
    assert_int_equal(incidents(f), 2);
}

// One ended while it was clear, the other goes on; not so when its sensor no longer listens there.
static void ending(struct feed *f, bool listens, unsigned want)
{
    struct says b = video;
    go_on(f, video, b, 3, 0);
    assert_int_equal(incidents(f), 1);
    b.last_ns = T0 + f->now_ns;
    b.state = "quiet";
    for (int k = 0; k < 70; k++) {
        if (listens)
            health(f);
        else {
            struct wire_msg m = feed_health(f, 1);
            feed_send(f, 1, &m);
        }
        tell(f, 0, "a", &video);
        tell(f, 1, "b", &b);
        feed_tick(f, 1);
    }
    assert_int_equal(incidents(f), want);
}
static void end_splits(void **state)        { ending(*state, true, 2); }
static void deafness_splits_not(void **state) { ending(*state, false, 1); }

// A serial two transmitters of one radio claim at once: one incident, and it calls again.
static void second_calls(void **state)
{
    struct feed *f = *state;
    struct says a = video;
    a.serial = "S1";
    for (int k = 0; k < 12; k++) {
        tell(f, 0, "a", &a);
        tell(f, 0, "c", &a);
        feed_tick(f, 1);
    }
    assert_int_equal(incidents(f), 1);
    struct alert *v = NULL;
    for (size_t i = 0; i < f->c->n_alerts; i++)
        if (!strcmp(f->c->alert[i]->lane, "drone"))
            v = f->c->alert[i];
    assert_int_equal(v->calls, 2);
    assert_string_equal(v->call_reason, "second");
}

// The same feed gives the same incidents, members and reasons, whichever sensor is heard first.
static void replays(void **state)
{
    char text[2][4096] = { "", "" };
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        struct feed f;
        feed_init(&f);
        struct says b = racer;
        b.first_s = -20;
        go_on(&f, racer, b, 20, 1);
        go_on(&f, racer, b, 40, -1);
        for (size_t i = 0; i < f.c->n_incidents; i++)
            for (unsigned m = 0; m < f.c->incident[i]->n_members; m++) {
                size_t n = strlen(text[turn]);
                snprintf(text[turn] + n, sizeof text[0] - n, "%s %s %s %s\n", f.c->incident[i]->id,
                         f.c->incident[i]->split_from, f.c->incident[i]->member[m].track,
                         f.c->incident[i]->member[m].reason);
            }
        core_free(f.c);
    }
    assert_string_equal(text[0], text[1]);
    assert_true(strlen(text[0]) > 40);
}

// A flood of tracks of one kind from two sensors: no table grows, and none is folded by guess.
static void flood_is_bounded(void **state)
{
    struct feed *f = *state;
    char id[16];
    for (int k = 0; k < 400; k++) {
        snprintf(id, sizeof id, "x%d", k);
        tell(f, k & 1, id, &video);
        if (k % 100 == 0)
            feed_tick(f, 1);
    }
    health(f);
    feed_tick(f, 1);
    assert_string_equal(reason_of(f), "");
    assert_int_equal(incidents(f), 400);
}

// Two sensors, one serial: one incident, one alert, both named.
static void serial_folds(void **state)
{
    struct feed *f = *state;
    for (int who = 0; who < 2; who++) {
        struct wire_msg m = feed_track(f, who, "t1", 1, "dji-droneid", "identification");
        snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "SER1");
        feed_send(f, who, &m);
    }
    feed_commit(f);
    struct alert *a = feed_alert(f, "drone");
    assert_non_null(a);
    assert_int_equal(a->n_sensors, 2);
    assert_int_equal(f->c->n_incidents, 1);
    assert_string_equal(f->c->incident[0]->member[1].reason, "same serial");
}

// Named only later: the second incident is merged into the first, its alert says so.
static void serial_merges_later(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-droneid", "identification");
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "SER1");
    feed_send(f, 0, &m);
    m = feed_track(f, 1, "t9", 1, "dji-droneid", "identification");
    feed_send(f, 1, &m);
    feed_commit(f);
    assert_int_equal(f->c->n_alerts, 2);
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "SER1");
    m.track.revision = 2;
    m.head.seq = f->seq[1];
    feed_send(f, 1, &m);
    feed_commit(f);
    const struct alert *merged = NULL, *kept = NULL;
    for (size_t i = 0; i < 2; i++)
        if (f->c->alert[i]->merged_into[0])
            merged = f->c->alert[i];
        else
            kept = f->c->alert[i];
    assert_non_null(merged);
    assert_non_null(kept);
    assert_string_equal(merged->merged_into, kept->id);
    assert_int_equal(kept->n_sensors, 2);
    // And back: it claims another serial now.
    snprintf(m.track.claimed_serial, sizeof m.track.claimed_serial, "SER2");
    m.track.revision = 3;
    m.head.seq = f->seq[1];
    feed_send(f, 1, &m);
    feed_commit(f);
    assert_int_equal(kept->n_sensors, 1);
    // The incident that was merged stays that: it is a new one, and its alert calls.
    assert_int_equal(f->c->n_incidents, 3);
    assert_string_equal(f->c->incident[2]->serial, "SER2");
    assert_string_equal(f->c->incident[2]->split_from, kept->incident);
    assert_int_equal(f->c->incident[2]->alert->calls, 1);
    assert_string_equal(f->c->incident[2]->alert->signal, "heard");
}

#define T FEED_CASE
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(begin_together), T(levels_prove), T(other_time), T(other_channel), T(other_width),
        T(other_family), T(other_role), T(other_mode), T(no_mode), T(other_hop_band),
        T(two_serials), T(broadcasts), T(strangers), T(tentative), T(one_sensor_two),
        T(young_radio), T(serials_split), T(levels_split), T(end_splits), T(deafness_splits_not),
        T(serial_folds), T(serial_merges_later),
        T(second_calls), cmocka_unit_test(replays), T(flood_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
