// SPDX-License-Identifier: GPL-3.0-or-later
// Sensors as the post sees them: what was received, states and equipment alerts, full tables.
#include "alertd_feed.h"

// ---- Which messages were received -------------------------------------------------------------

static void spans_melt(void **state)
{
    struct seqs s = { .boot = 1 }, back = { .boot = 1 };
    char text[SEQS_TEXT];
    (void)state;
    assert_int_equal(seqs_add(&s, 0, 0), SEQS_NEW);
    assert_int_equal(seqs_add(&s, 0, 0), SEQS_SEEN);
    assert_int_equal(seqs_add(&s, 5, 5), SEQS_NEW);         // live goes before late
    assert_int_equal(seqs_add(&s, 7, 9), SEQS_NEW);
    assert_int_equal(seqs_add(&s, 8, 8), SEQS_SEEN);
    assert_int_equal(seqs_add(&s, 6, 6), SEQS_NEW);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.next, 1);
    seqs_text(&s, text);
    assert_int_equal(seqs_parse(&back, text), 0);
    assert_int_equal(back.n, 1);
    assert_int_equal(back.span[0].to, 9);
    assert_int_equal(seqs_add(&s, 1, 4), SEQS_NEW);
    assert_int_equal(s.next, 10);
    assert_int_equal(s.n, 0);
    assert_true(seqs_has(&s, 9) && !seqs_has(&s, 10));
    assert_int_equal(seqs_add(&s, 3, 12), SEQS_NEW);        // partly seen
    assert_int_equal(s.next, 13);
    assert_int_equal(seqs_add(&s, 20, 19), SEQS_NO_ROOM);
    assert_int_equal(seqs_add(&s, 0, UINT64_MAX), SEQS_NO_ROOM);
    for (unsigned i = 0; i < SEQS_SPANS; i++)
        assert_int_equal(seqs_add(&s, 100 + 2 * i, 100 + 2 * i), SEQS_NEW);
    assert_int_equal(seqs_add(&s, 1000, 1000), SEQS_NO_ROOM);
    assert_int_equal(seqs_add(&s, 101, 101), SEQS_NEW);     // closes a hole: there is room
    assert_int_equal(seqs_parse(&back, "12 rubbish"), -EINVAL);
    assert_int_equal(seqs_parse(&back, ""), -EINVAL);
}

// In any order, with repeats: each number is new exactly once.  Held against a plain bitmap.
static void any_order_counts_once(void **state)
{
    uint32_t r = 12345;
    bool have[64] = { false };
    struct seqs s = { .boot = 1 };
    unsigned fresh = 0;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        r = r * 1664525 + 1013904223;
        unsigned k = r >> 26;
        assert_int_equal(seqs_add(&s, k, k) == SEQS_NEW, !have[k]);
        fresh += !have[k];
        have[k] = true;
        for (unsigned j = 0; j < 64; j++)
            assert_int_equal(seqs_has(&s, j), have[j]);
    }
    assert_int_equal(fresh, 64);
    assert_int_equal(s.next, 64);
}

// Acknowledged is what is committed, up to the first hole; resume says no more than that.
static void ack_follows_commit(void **state)
{
    struct feed *f = *state;
    for (uint64_t k = 0; k < 3; k++) {
        struct wire_msg m = feed_health(f, 0);
        m.head.seq = k == 2 ? 5 : k;
        feed_send(f, 0, &m);
    }
    struct wire_msg h = { .head = { .v = 1, .boot = 11, .kind = WIRE_HELLO,
                                    .stream = WIRE_STREAM_LINK },
                          .hello = { .v_lo = 1, .v_hi = 1, .n = 1, .held = { { 11, 0, 5 } } } };
    feed_send(f, 0, &h);
    assert_int_equal(f->c->n_reply, 1);
    assert_int_equal(f->c->reply[0].msg.span.to, 0);        // nothing is durable yet
    struct core_work *w = core_collect(f->c);
    assert_int_equal(w->n_ack, 1);
    assert_int_equal(w->ack[0].to, 1);
    core_committed(f->c, &w->ack[0]);
    core_work_free(w);
    f->c->n_reply = 0;
    feed_send(f, 0, &h);
    assert_int_equal(f->c->reply[0].msg.span.to, 2);
    // What the sensor says it lost closes the hole, and is counted.
    struct wire_msg l = { .head = { .v = 1, .kind = WIRE_LOST, .stream = WIRE_STREAM_LINK },
                          .span = { 11, 2, 4 } };
    feed_send(f, 0, &l);
    feed_send(f, 0, &l);
    w = core_collect(f->c);
    assert_int_equal(w->ack[0].to, 5);
    core_work_free(w);
    assert_int_equal(sensor_by_key(f->c, KEY_A)->lost, 3);
}

static void no_room_is_no_ack(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    assert_int_equal(core_message(f->c, KEY_A, &m, NULL, 0, false), CORE_TAKEN);
    struct core_work *w = core_collect(f->c);
    assert_int_equal(w->n_ack, 0);
    assert_int_equal(w->batch->events, 0);
    core_work_free(w);
    assert_int_equal(f->c->n_tracks, 1);                    // the picture follows
    // It comes again when there is room: stored then, and still one track and one alert.
    assert_int_equal(core_message(f->c, KEY_A, &m, (const uint8_t *)"x", 1, true), CORE_TAKEN);
    w = core_collect(f->c);
    assert_int_equal(w->batch->events, 1);
    assert_int_equal(w->n_ack, 1);
    core_work_free(w);
    assert_int_equal(f->c->n_alerts, 1);
}

// ---- States and troubles ----------------------------------------------------------------------

static void health(struct feed *f, const char *radio_state, double last_sample_s, uint64_t lost)
{
    struct wire_msg m = feed_health(f, 0);
    snprintf(m.health.radio[0].state, sizeof m.health.radio[0].state, "%s", radio_state);
    m.health.radio[0].last_sample_s = last_sample_s;
    m.health.radio[0].lost = lost;
    feed_send(f, 0, &m);
}

static enum sensor_state state_is(struct feed *f) { return sensor_by_key(f->c, KEY_A)->state; }

static void never_green_unless_it_hears(void **state)
{
    struct feed *f = *state;
    feed_tick(f, 1);
    assert_int_equal(state_is(f), SENSOR_UNKNOWN);
    health(f, "running", 0.1, 0);
    feed_tick(f, 1);
    assert_int_equal(state_is(f), SENSOR_OK);
    health(f, "running", 30, 0);                            // says running, gives nothing
    feed_tick(f, 1);
    assert_int_equal(state_is(f), SENSOR_SILENT);
    feed_tick(f, 4);
    assert_string_equal(feed_alert(f, "equipment")->rule, "sensor-deaf");
    for (int i = 0; i < 29; i++) {                          // its alert stands: not green yet
        health(f, "running", 0.1, 0);
        feed_tick(f, 1);
        assert_int_equal(state_is(f), SENSOR_DEGRADED);
    }
    for (int i = 0; i < 3; i++) {
        health(f, "running", 0.1, 0);
        feed_tick(f, 1);
    }
    assert_int_equal(state_is(f), SENSOR_OK);
    feed_tick(f, 20);
    assert_int_equal(state_is(f), SENSOR_LOST);
}

static void lost_comes_and_goes(void **state)
{
    struct feed *f = *state;
    health(f, "running", 0.1, 0);
    feed_tick(f, 1);
    feed_tick(f, 16);
    struct alert *a = feed_alert(f, "equipment");
    assert_string_equal(a->rule, "sensor-lost");
    assert_string_equal(a->signal, "heard");
    for (int i = 0; i < 40; i++) {
        health(f, "running", 0.1, 0);
        feed_tick(f, 1);
    }
    assert_string_equal(a->signal, "ended");
    assert_string_equal(a->work, "closed");
    assert_string_equal(a->reason, "mended");
}

static void loss_is_told(void **state)
{
    struct feed *f = *state;
    for (int i = 0; i < 20; i++) {
        health(f, "running", 0.1, (uint64_t)i * 50000);     // 50,000 lost of 1,050,000 each second
        feed_tick(f, 1);
    }
    assert_int_equal(state_is(f), SENSOR_DEGRADED);
    assert_string_equal(feed_alert(f, "equipment")->rule, "samples-lost");
}

// The message behind an outage counts the gap and not yet what came after it: fewer samples than
// the one before.  The gap is loss all the same.
static void gap_is_loss(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_health(f, 0);
    m.health.radio[0].samples = 258683904;
    m.health.radio[0].lost = 111132207;
    feed_send(f, 0, &m);
    m = feed_health(f, 0);
    m.health.radio[0].samples = 189060815;
    m.health.radio[0].lost = 180755296;
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    assert_true(sensor_by_key(f->c, KEY_A)->loss_share > 0.9);
    m = feed_health(f, 0);                                  // a new start counts from nothing
    m.health.radio[0].samples = 1000;
    feed_send(f, 0, &m);
    feed_tick(f, 31);
    feed_send(f, 0, &m);
    feed_tick(f, 1);
    assert_true(sensor_by_key(f->c, KEY_A)->loss_share == 0);
}

// Twenty starts without a link, each acknowledged up to its fifth message: three hellos, and what
// each holds is taken from there on, without a hole that nobody can close.
static void many_starts_go_on(void **state)
{
    struct feed *f = *state;
    const struct sensor *s = sensor_by_key(f->c, KEY_A);
    unsigned done = 0;
    for (unsigned first = 0; first < 20; first += 7) {
        struct wire_msg m = feed_head(f, 0, WIRE_HELLO);
        m.head.stream = WIRE_STREAM_LINK;
        m.hello = (struct wire_hello){ .v_lo = 1, .v_hi = 1, .n = 1, .held = { { 11, 0, 0 } } };
        for (unsigned i = first; i < first + 7 && i < 20; i++)
            m.hello.held[m.hello.n++] = (struct wire_held){ 100 + i, 5, 9 };
        feed_send(f, 0, &m);
    }
    for (unsigned i = 0; i < 20; i++)
        for (unsigned k = 5; k < 10; k++) {
            struct wire_msg m = feed_health(f, 0);
            m.head.boot = 100 + i;
            m.head.seq = k;
            m.head.late = true;
            feed_send(f, 0, &m);
        }
    for (unsigned i = 0; i < s->n_boot; i++)
        done += s->boot[i].boot >= 100 && s->boot[i].next == 10 && !s->boot[i].n;
    assert_int_equal(done, 20);
}

// A new start of a sensor: what it tracked before has ended.
static void restart_ends_tracks(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_string_equal(feed_alert(f, "drone")->signal, "heard");
    f->boot[0] = 12;
    f->seq[0] = 0;
    health(f, "running", 0.1, 0);
    feed_commit(f);
    assert_string_equal(feed_alert(f, "drone")->signal, "ended");
    // A message of the old start, late: history, not a sign of life.
    m = feed_track(f, 0, "t1", 2, "dji-ocusync", "video");
    m.head.boot = 11;
    m.head.seq = 1;
    m.head.late = true;
    feed_send(f, 0, &m);
    feed_commit(f);
    assert_string_equal(feed_alert(f, "drone")->signal, "ended");
}

static void revoked_is_gone(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "t1", 1, "dji-ocusync", "video");
    struct keys_peer p = { .name = "tower", .z85 = KEY_B };
    feed_send(f, 0, &m);
    feed_commit(f);
    core_peers(f->c, &p, 1);
    feed_commit(f);
    assert_null(sensor_by_key(f->c, KEY_A));
    m = feed_track(f, 0, "t2", 1, "dji-ocusync", "video");
    assert_int_equal(feed_send(f, 0, &m), CORE_REFUSED);
    assert_string_equal(feed_alert(f, "drone")->signal, "ended");
}

// ---- Full tables ------------------------------------------------------------------------------

static void flood(struct feed *f, int who, unsigned n, const char *family, const char *verdict)
{
    for (unsigned i = 0; i < n; i++) {
        char id[24];
        snprintf(id, sizeof id, "%s-%u", family, i);
        struct wire_msg m = feed_track(f, who, id, 1, family, "unknown");
        snprintf(m.track.verdict, sizeof m.track.verdict, "%s", verdict);
        m.track.confidence = 0.3;
        feed_send(f, who, &m);
        if (i % 512 == 511)
            feed_commit(f);
    }
    feed_commit(f);
}

// A sensor that tells of 20,000 strangers fills its quarter, and drives out nothing that is proven.
static void flood_keeps_the_proven(void **state)
{
    struct feed *f = *state;
    struct wire_msg m = feed_track(f, 0, "real", 1, "dji-ocusync", "video");
    feed_send(f, 0, &m);
    feed_commit(f);
    flood(f, 0, 8000, "wifi", "not-drone");
    assert_in_range(f->c->n_tracks, 2900, CORE_TRACKS / 4);
    m = feed_track(f, 1, "other", 1, "expresslrs", "control");
    feed_send(f, 1, &m);
    feed_commit(f);
    unsigned proven = 0;
    for (size_t i = 0; i < f->c->n_tracks; i++)
        proven += f->c->track[i]->w.confidence > 0.9;
    assert_int_equal(proven, 2);
    assert_int_equal(f->c->n_alerts, 2);
}

int main(void)
{
#define CASE FEED_CASE
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_melt), cmocka_unit_test(any_order_counts_once),
        CASE(ack_follows_commit), CASE(no_room_is_no_ack), CASE(never_green_unless_it_hears),
        CASE(lost_comes_and_goes), CASE(loss_is_told), CASE(gap_is_loss),
        CASE(many_starts_go_on),
        CASE(restart_ends_tracks), CASE(revoked_is_gone), CASE(flood_keeps_the_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
