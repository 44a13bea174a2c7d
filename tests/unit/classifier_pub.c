// SPDX-License-Identifier: GPL-3.0-or-later
// The sensor's end of the link against a small post: every event exactly once, live first, whatever
// is cut, killed or restarted.  Waits are for conditions, never for times.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "classifier/pub.h"
#include "tests/unit/post_made.h"
#include "tests/unit/wire_made.h"

static char dir[64];
static struct post post;
static struct relay relay;
static unsigned starts;

static int start(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-pub-%d-%u", getpid(), ++starts);
    memset(&post, 0, sizeof post);
    post.port = port_free();
    post_start(&post);
    relay_start(&relay, post.port);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char cmd[100];
    relay_stop(&relay);
    post_stop(&post);
    snprintf(cmd, sizeof cmd, "rm -rf %.60s", dir);
    return system(cmd);
}

static struct pub *sensor(const char *endpoint, uint64_t spool_bytes, double retry_s)
{
    static char why[PUB_WHY];
    char at[64];
    struct pub_cfg c = { .post_z85 = POST_PUBLIC, .own = { SENSOR_PUBLIC, SENSOR_SECRET },
                         .name = "gate", .spool_dir = dir, .spool_bytes = spool_bytes,
                         .retry_s = retry_s, .endpoint = at, .reconnect_s = 0.02 };
    struct pub *p = NULL;

    snprintf(at, sizeof at, "%s", endpoint ? endpoint : "");
    if (!endpoint)
        snprintf(at, sizeof at, "tcp://127.0.0.1:%d", relay.port);
    if (pub_new(&p, &c, why) < 0)
        fail_msg("%s", why);
    return p;
}

static void tell(struct pub *p, unsigned n)
{
    static struct wire_msg m;

    for (unsigned i = 0; i < n; i++) {
        made_msg(&m, i % 8 ? WIRE_TRACK : WIRE_HEALTH, 0, 0);
        while (pub_event(p, &m) == -EAGAIN)
            poll(NULL, 0, 1);
    }
}

#define UNTIL(condition) do { \
        for (int w = 0; !(condition); w++) { \
            if (w > 30000) \
                fail_msg("never: %s", #condition); \
            poll(NULL, 0, 1); \
        } \
    } while (0)

static uint64_t acked(struct pub *p)
{
    struct pub_stats s;
    pub_stats(p, &s);
    return s.acked;
}

static bool connected(struct pub *p)
{
    struct pub_stats s;
    pub_stats(p, &s);
    return s.connected;
}

// Of boot i: how many of [from, to) came, and came late.
static unsigned held(unsigned i, unsigned from, unsigned to, unsigned *ret_late)
{
    unsigned n = 0, late = 0;
    for (unsigned s = from; s < to; s++) {
        n += post.boot[i].got[s] > 0;
        late += post.boot[i].late[s];
    }
    if (ret_late)
        *ret_late = late;
    return n;
}

static void live_and_acknowledged(void **state)
{
    (void)state;
    struct pub *p = sensor(NULL, 0, 0);
    unsigned late;

    UNTIL(connected(p));
    tell(p, 300);
    UNTIL(acked(p) == 300);
    pub_free(p, 5);
    assert_int_equal(held(0, 0, 300, &late), 300);
    assert_int_equal(late, 0);
    assert_int_equal(atomic_load(&post.faults), 0);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(post.boot[0].got[i], 1);
}

static void a_cut_link_delays_and_loses_nothing(void **state)
{
    (void)state;
    struct pub *p = sensor(NULL, 0, 0);
    unsigned late;

    UNTIL(connected(p));
    tell(p, 50);
    UNTIL(acked(p) == 50);
    atomic_store(&relay.cut, true);
    UNTIL(!connected(p));
    tell(p, 3000);                      // more than memory holds: the rest from the spool, sealed
    atomic_store(&relay.cut, false);
    UNTIL(connected(p));
    tell(p, 20);
    UNTIL(acked(p) == 3070);
    pub_free(p, 5);
    assert_int_equal(held(0, 0, 3070, NULL), 3070);
    assert_int_equal(held(0, 50, 3050, &late), 3000);
    assert_int_equal(late, 3000);
    assert_int_equal(atomic_load(&post.n_boots), 1);
    assert_int_equal(atomic_load(&post.faults), 0);
}

// While a backlog waits, what happens now overtakes it.
static void live_goes_before_late(void **state)
{
    (void)state;
    struct pub *p;
    unsigned late;

    atomic_store(&relay.cut, true);
    p = sensor(NULL, 0, 0);
    tell(p, 4000);
    atomic_store(&post.mute, true);     // the window stays shut: the backlog cannot end
    atomic_store(&relay.cut, false);
    UNTIL(connected(p));
    UNTIL(held(0, 0, 1, NULL) == 1);
    tell(p, 5);
    UNTIL(held(0, 4000, 4005, NULL) == 5);
    held(0, 4000, 4005, &late);
    assert_int_equal(late, 0);
    assert_true(held(0, 0, 4000, NULL) < 4000);
    atomic_store(&post.mute, false);
    tell(p, 1);
    UNTIL(acked(p) == 4006);
    pub_free(p, 5);
}

static void the_post_is_killed_and_comes_back(void **state)
{
    (void)state;
    struct pub *p = sensor(NULL, 0, 0);

    UNTIL(connected(p));
    tell(p, 100);
    post_stop(&post);                   // somewhere in the middle
    tell(p, 100);
    UNTIL(!connected(p));
    tell(p, 100);
    post_start(&post);
    UNTIL(acked(p) == 300);
    pub_free(p, 5);
    assert_int_equal(held(0, 0, 300, NULL), 300);
}

static void a_frozen_link_is_given_up_and_resent(void **state)
{
    (void)state;
    struct pub *p = sensor(NULL, 0, 0.2);

    UNTIL(connected(p));
    atomic_store(&relay.frozen, true);  // as on a mobile link: no word that it is gone
    tell(p, 200);
    atomic_store(&relay.cut, true);
    atomic_store(&relay.frozen, false);
    UNTIL(!connected(p));
    atomic_store(&relay.cut, false);
    UNTIL(acked(p) == 200);
    pub_free(p, 5);
    assert_int_equal(held(0, 0, 200, NULL), 200);
}

static void what_is_not_acknowledged_is_sent_again(void **state)
{
    (void)state;
    struct pub *p = sensor(NULL, 0, 0.05);

    UNTIL(connected(p));
    atomic_store(&post.drop_every, 7);
    tell(p, 500);
    UNTIL(acked(p) > 400);
    atomic_store(&post.drop_every, 0);
    UNTIL(acked(p) == 500);
    pub_free(p, 5);
    assert_int_equal(held(0, 0, 500, NULL), 500);
}

static void an_unknown_key_gets_no_link(void **state)
{
    (void)state;
    struct pub_stats s;
    struct pub *p;

    atomic_store(&post.refuse, true);
    p = sensor(NULL, 0, 0);
    tell(p, 10);
    UNTIL((pub_stats(p, &s), s.handshakes_refused > 0));
    assert_false(s.connected);
    assert_int_equal(s.sent, 0);
    assert_int_equal(s.denial, PUB_DENIED_KEY);
    atomic_store(&post.refuse, false);  // enrolled now: everything comes
    UNTIL(acked(p) == 10);
    pub_stats(p, &s);
    assert_int_equal(s.denial, PUB_NOT_DENIED);
    pub_free(p, 5);
}

static void a_full_spool_says_what_it_lost(void **state)
{
    (void)state;
    struct pub_stats s;
    struct pub *p;
    unsigned lost = 0;

    atomic_store(&relay.cut, true);
    p = sensor(NULL, 1 << 20, 0);       // about 1300 messages
    tell(p, 6000);
    UNTIL((pub_stats(p, &s), s.lost > 0));
    atomic_store(&relay.cut, false);
    UNTIL(acked(p) == 6000);
    pub_free(p, 5);
    for (unsigned i = 0; i < 6000; i++) {
        lost += post.boot[0].lost[i];
        assert_true(post.boot[0].got[i] || post.boot[0].lost[i]);
        if (i && post.boot[0].lost[i])
            assert_true(post.boot[0].lost[i - 1]);      // the oldest, and no others
    }
    assert_in_range(lost, 3000, 5500);
    assert_int_equal(s.lost_by[SPOOL_FULL], s.lost);
}

static void views_only_on_request(void **state)
{
    (void)state;
    static struct wire_msg m;
    struct pub *p = sensor(NULL, 0, 0);

    UNTIL(connected(p));
    assert_false(pub_wanted(p).psd);
    made_msg(&m, WIRE_PSD, 0, 0);
    for (int i = 0; i < 20; i++)
        pub_view(p, &m);
    tell(p, 1);
    UNTIL(acked(p) == 1);
    assert_int_equal(atomic_load(&post.views), 0);
    atomic_store(&post.wish, 1);
    atomic_store(&relay.cut, true);     // it asks with its next resume
    UNTIL(!connected(p));
    atomic_store(&relay.cut, false);
    UNTIL(pub_wanted(p).psd && pub_wanted(p).bursts);
    for (int i = 0; i < 20; i++)
        pub_view(p, &m);
    UNTIL(atomic_load(&post.views) > 0);
    pub_free(p, 5);
}

// The program itself as the sensor that is killed; see main.
static pid_t child(unsigned n)
{
    char count[16], port[16];
    pid_t pid = fork();

    snprintf(count, sizeof count, "%u", n);
    snprintf(port, sizeof port, "%d", relay.port);
    if (pid == 0) {
        execl("/proc/self/exe", "sensor", dir, port, count, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void a_killed_sensor_resends_after_its_start(void **state)
{
    (void)state;
    unsigned late;
    int how;
    struct stat st;
    char ready[100];

    atomic_store(&relay.cut, true);
    pid_t pid = child(700);
    snprintf(ready, sizeof ready, "%s/ready", dir);
    UNTIL(stat(ready, &st) == 0);
    kill(pid, SIGKILL);
    waitpid(pid, &how, 0);
    atomic_store(&relay.cut, false);
    struct pub *p = sensor(NULL, 0, 0);
    tell(p, 30);
    UNTIL(acked(p) == 730);
    assert_int_equal(atomic_load(&post.n_boots), 2);
    unsigned old = post.boot[0].boot == pub_boot(p);
    assert_int_equal(held(old, 0, 700, &late), 700);
    assert_int_equal(late, 700);
    assert_int_equal(held(!old, 0, 30, NULL), 30);
    pub_free(p, 5);
    // Acknowledged, nothing of it is left: a third start has nothing to say.
    p = sensor(NULL, 0, 0);
    UNTIL(connected(p));
    tell(p, 1);
    UNTIL(acked(p) == 1);
    struct pub_stats s;
    pub_stats(p, &s);
    assert_int_equal(s.sent, 1);
    pub_free(p, 5);
}

static int child_main(char **argv)
{
    char at[64], why[PUB_WHY], ready[100];
    struct pub_cfg c = { .post_z85 = POST_PUBLIC, .own = { SENSOR_PUBLIC, SENSOR_SECRET },
                         .spool_dir = argv[1], .endpoint = at };
    struct pub *p;
    struct pub_stats s;
    unsigned n = (unsigned)strtoul(argv[3], NULL, 10);

    snprintf(at, sizeof at, "tcp://127.0.0.1:%s", argv[2]);
    if (pub_new(&p, &c, why) < 0)
        return 1;
    tell(p, n);
    // All are on their way to the disk once the queue is empty: 700 messages are over 400 kB.
    do {
        poll(NULL, 0, 5);
        pub_stats(p, &s);
    } while (s.spool_bytes < n * 700u);
    poll(NULL, 0, 100);
    snprintf(ready, sizeof ready, "%s/ready", argv[1]);
    fclose(fopen(ready, "w"));
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(live_and_acknowledged, start, stop),
        cmocka_unit_test_setup_teardown(a_cut_link_delays_and_loses_nothing, start, stop),
        cmocka_unit_test_setup_teardown(live_goes_before_late, start, stop),
        cmocka_unit_test_setup_teardown(the_post_is_killed_and_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(a_frozen_link_is_given_up_and_resent, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_acknowledged_is_sent_again, start, stop),
        cmocka_unit_test_setup_teardown(an_unknown_key_gets_no_link, start, stop),
        cmocka_unit_test_setup_teardown(a_full_spool_says_what_it_lost, start, stop),
        cmocka_unit_test_setup_teardown(views_only_on_request, start, stop),
        cmocka_unit_test_setup_teardown(a_killed_sensor_resends_after_its_start, start, stop),
    };
    if (argc == 4)
        return child_main(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
