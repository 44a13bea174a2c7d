// SPDX-License-Identifier: GPL-3.0-or-later
// The real daemon and hostile, cut off and restarted sensors: who gets in, and every event once.
#include "alertd_daemon.h"

static struct post post;
static struct unit unit[SENSORS];

static int set_up(void **state)
{
    (void)state;
    post_make(&post, unit);
    post_start(&post);
    return 0;
}

static int tear_down(void **state) { (void)state; return post_tear_down(&post, unit); }

static bool comes(const char *sql, int64_t want)
{
    for (int64_t until = mono_now_ns() + 30 * S; mono_now_ns() < until; usleep(50000))
        if (post_ask(&post, sql) == want)
            return true;
    return false;
}

static void who_is_not_enrolled_stays_out(void **state)
{
    struct unit stranger = { .boot = 5 };
    (void)state;
    assert_int_equal(zmq_curve_keypair(stranger.own.public_z85, stranger.own.secret_z85), 0);
    unit_open(&stranger, &post);
    assert_true(unit_saw(&stranger, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 3000));
    unit_hello(&stranger, "north");
    assert_int_equal(unit_listen(&stranger, 300), 0);
    // The post says from where, and the words of the key, which the stranger knows of his.
    char phrase[KEYS_PHRASE], sql[300];
    assert_int_equal(keys_phrase(stranger.own.public_z85, phrase), 0);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
             " '%%\"from\":\"127.0.0.1\",\"words\":\"%s\"%%'", phrase);
    assert_true(comes(sql, 1));
    unit_close(&stranger);
    zmq_ctx_term(stranger.ctx);
}

// Killed nine times at moments that differ, the link cut in between: every message exactly once in
// the store, an alert for each, and nothing acknowledged is ever missing.
static void every_event_exactly_once(void **state)
{
    struct unit *u = &unit[0];
    uint32_t r = 7;
    (void)state;
    for (int round = 0; round < 9; round++) {
        unit_open(u, &post);
        unit_hello(u, "north");
        for (int i = 0; i < 25; i++) {
            unit_event(u, u->n, false);
            u->n++;
            r = r * 1664525 + 1013904223;
            unit_listen(u, (int)(r >> 29));
        }
        if (round % 3 == 2) {           // what was not acknowledged, again, beside new ones
            for (uint64_t k = u->acked; k < u->n; k++)
                unit_event(u, k, true);
            unit_listen(u, 30);
        }
        uint64_t acked = u->acked;
        post_end(&post, SIGKILL);
        unit_close(u);
        char sql[160];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE seq < %llu",
                 (unsigned long long)acked);
        assert_int_equal(post_ask(&post, sql), acked);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM thing WHERE kind = 0");
        assert_true(post_ask(&post, sql) >= (int64_t)acked);
        post_start(&post);
    }
    unit_open(u, &post);
    assert_true(unit_finish(u, "north", 90));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), u->n);
    assert_int_equal(post_ask(&post, "SELECT count(DISTINCT seq) FROM event"), u->n);
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
                                     " '%\"lane\":\"drone\"%'"), u->n);
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM alert_rev WHERE rev = 1 AND json LIKE"
                                     " '%\"lane\":\"drone\"%'"), u->n);
}

// Killed while a drone is heard: from the first moment of the next start it is not said to be heard
// now, and that is durable, for nobody has heard it since.
static void restart_claims_nothing(void **state)
{
    struct unit *u = &unit[0];
    (void)state;
    unit_open(u, &post);
    u->n = 1;
    assert_true(unit_finish(u, "north", 30));
    post_end(&post, SIGKILL);
    unit_close(u);
#define DRONES "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE '%\"lane\":\"drone\"%'"
    assert_int_equal(post_ask(&post, DRONES " AND json LIKE '%\"signal\":\"heard\"%'"), 1);
    post_start(&post);
    assert_int_equal(post_ask(&post, DRONES " AND json LIKE '%\"signal\":\"quiet\"%'"), 1);
    assert_int_equal(post_ask(&post, "SELECT max(rev) FROM alert_rev WHERE json LIKE"
                                     " '%\"signal\":\"quiet\"%'"), 2);
}

// Out of the list: the connection ends within a second, and does not come back; others go on.
static void revoked_is_cut(void **state)
{
    char path[256], why[KEYS_WHY];
    (void)state;
    for (int i = 0; i < 2; i++) {
        unit_open(&unit[i], &post);
        unit_hello(&unit[i], unit_name[i]);
        assert_true(unit_listen(&unit[i], 3000) > 0);
    }
    snprintf(path, sizeof path, "%s/keys", post.dir);
    assert_int_equal(keys_revoke(path, "north", why), 0);
    int64_t from = mono_now_ns();
    assert_true(unit_saw(&unit[0], ZMQ_EVENT_DISCONNECTED, 3000));
    double took_s = (double)(mono_now_ns() - from) / 1e9;
    print_message("cut after %.2f s\n", took_s);
    assert_true(took_s < 1);
    assert_true(unit_saw(&unit[0], ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 3000));
    unit[1].n = 5;
    assert_true(unit_finish(&unit[1], "tower", 60));
    assert_false(unit_saw(&unit[1], ZMQ_EVENT_DISCONNECTED, 100));
}

// Rubbish, frames too long, several frames, lying sizes: dropped; the one beside is served.
static void rubbish_is_dropped(void **state)
{
    static uint8_t junk[WIRE_MAX + 1];
    uint32_t r = 3;
    (void)state;
    for (int i = 0; i < 2; i++)
        unit_open(&unit[i], &post);
    for (int i = 0; i < 500; i++) {
        size_t n = (size_t)i * 7 % 900 + 1;
        for (size_t k = 0; k < n; k++) {
            r = r * 1664525 + 1013904223;
            junk[k] = (uint8_t)(r >> 24);
        }
        zmq_send(unit[0].socket, junk, n, i % 5 ? 0 : ZMQ_SNDMORE);
    }
    zmq_send(unit[0].socket, "\xdd\x00\xff\xff\xff", 5, 0);
    zmq_send(unit[0].socket, junk, sizeof junk, 0);
    assert_true(comes("SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
                      " '%\"malformed\"%' AND json LIKE '%\"north\"%'", 1));
    unit[1].n = 20;
    assert_true(unit_finish(&unit[1], "tower", 60));
    unit_close(&unit[0]);
    unit_open(&unit[0], &post);
    unit[0].n = 20;
    assert_true(unit_finish(&unit[0], "north", 60));
}

static long most_memory_mb(const struct post *p)
{
    char path[40], line[128];
    long kb = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb / 1024;
}

// A message of many frames stays in ZeroMQ until its last has come: nobody may fill memory so.
static void endless_message_is_cut(void **state)
{
    static uint8_t frame[60000];
    long before = most_memory_mb(&post);
    (void)state;
    for (int i = 0; i < 2; i++)
        unit_open(&unit[i], &post);
    unit_hello(&unit[0], "north");
    assert_true(unit_saw(&unit[0], ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 20000));
    for (int i = 0; i < 4000; i++)          // 240 MB
        zmq_send(unit[0].socket, frame, sizeof frame, ZMQ_SNDMORE);
    zmq_send(unit[0].socket, frame, 1, 0);
    assert_true(unit_saw(&unit[0], ZMQ_EVENT_DISCONNECTED, 60000));
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    assert_true(most_memory_mb(&post) - before < 200);
#endif
    (void)before;
    unit[1].n = 20;
    assert_true(unit_finish(&unit[1], "tower", 60));
}

// More than a sensor may send at once; instrumented code takes its time over each.
#ifdef __SANITIZE_THREAD__
#define FLOOD 4500
#else
#define FLOOD 8000
#endif

// One floods; the other is acknowledged meanwhile; and of the flood, too, nothing is lost.
static void flood_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        unit_open(&unit[i], &post);
        unit_hello(&unit[i], unit_name[i]);
    }
    unit[0].n = FLOOD;
    for (uint64_t k = 0; k < unit[0].n; k++)
        unit_event(&unit[0], k, false);
    unit[1].n = 20;
    assert_true(unit_finish(&unit[1], "tower", 90));
    assert_true(unit_finish(&unit[0], "north", 120));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), FLOOD + 20);
    // A thousand drones of one sensor are shown; all of the other are, too.
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
                                     " '%\"id\":\"tower\"%' AND json LIKE"
                                     " '%\"lane\":\"drone\"%'"), 20);
}

// The daemon may not write any more: nothing is acknowledged and nothing shown that is not stored;
// when it may again, everything is there once.
static void full_disk_loses_nothing(void **state)
{
    struct rlimit r = { 250000, RLIM_INFINITY }, old;
    struct unit *u = &unit[0];
    (void)state;
    assert_int_equal(prlimit(post.pid, RLIMIT_FSIZE, &r, &old), 0);
    unit_open(u, &post);
    unit_hello(u, "north");
    for (; u->n < 400; u->n++)
        unit_event(u, u->n, false);
    for (int i = 0; i < 20; i++)
        unit_listen(u, 50);
    uint64_t acked = u->acked;
    assert_true(acked < u->n);
    assert_true(post_ask(&post, "SELECT count(*) FROM event") >= (int64_t)acked);
    assert_int_equal(prlimit(post.pid, RLIMIT_FSIZE, &old, NULL), 0);
    assert_true(unit_finish(u, "north", 90));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), 400);
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
                                     " '%\"lane\":\"drone\"%'"), 400);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(who_is_not_enrolled_stays_out), CASE(every_event_exactly_once),
        CASE(restart_claims_nothing), CASE(revoked_is_cut),
        CASE(rubbish_is_dropped), CASE(flood_harms_nobody),
        CASE(endless_message_is_cut),
        CASE(full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
