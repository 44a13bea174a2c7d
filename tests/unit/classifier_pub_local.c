// SPDX-License-Identifier: GPL-3.0-or-later
// The sensor's local socket, and endpoints that lead nowhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "classifier/pub.h"
#include "tests/unit/post_made.h"
#include "tests/unit/wire_made.h"

static char dir[64], at[100];

static int start(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-local-%d", getpid());
    snprintf(at, sizeof at, "%s/s", dir);
    return mkdir(dir, 0700);
}

static int stop(void **state)
{
    (void)state;
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %.60s", dir);
    return system(cmd);
}

static struct pub *sensor(const char *endpoint, const char *local)
{
    static char why[PUB_WHY];
    char spool[100];
    struct pub_cfg c = { .post_z85 = POST_PUBLIC, .own = { SENSOR_PUBLIC, SENSOR_SECRET },
                         .spool_dir = spool, .endpoint = endpoint, .local = local,
                         .reconnect_s = 0.02 };
    struct pub *p = NULL;

    snprintf(spool, sizeof spool, "%s/spool", dir);
    if (!endpoint)
        c.spool_dir = NULL;             // nobody to keep anything for
    if (pub_new(&p, &c, why) < 0)
        fail_msg("%s", why);
    return p;
}

static void subscribers_get_events_and_views(void **state)
{
    (void)state;
    static struct wire_msg m, got;
    static uint8_t buf[WIRE_MAX];
    struct pub *p = sensor(NULL, at);
    void *ctx = zmq_ctx_new(), *sub = zmq_socket(ctx, ZMQ_SUB);
    bool track = false, psd = false;
    struct stat st;
    char ipc[120];
    int zero = 0;

    assert_int_equal(stat(at, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_false(pub_wanted(p).psd);
    snprintf(ipc, sizeof ipc, "ipc://%s", at);
    zmq_setsockopt(sub, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
    assert_int_equal(zmq_connect(sub, ipc), 0);
    for (int i = 0; i < 30000 && !(track && psd); i++) {
        if (pub_wanted(p).psd) {
            made_msg(&m, WIRE_PSD, 0, 0);
            pub_view(p, &m);
            made_msg(&m, WIRE_TRACK, 0, 0);
            pub_event(p, &m);
        }
        poll(NULL, 0, 1);
        int n = zmq_recv(sub, buf, sizeof buf, ZMQ_DONTWAIT);
        if (n < 0)
            continue;
        assert_int_equal(wire_unpack(&got, buf, (size_t)n), WIRE_OK);
        assert_true(got.head.boot == pub_boot(p));
        track = track || got.head.kind == WIRE_TRACK;
        psd = psd || got.head.kind == WIRE_PSD;
    }
    assert_true(track && psd);
    zmq_close(sub);
    zmq_ctx_term(ctx);
    for (int i = 0; i < 30000 && pub_wanted(p).psd; i++)
        poll(NULL, 0, 1);
    assert_false(pub_wanted(p).psd);    // the last one has gone: nothing is made for nobody
    pub_free(p, 0.1);
}

static void a_post_that_cannot_be_found_stalls_nothing(void **state)
{
    (void)state;
    static struct wire_msg m;
    struct pub_stats s;
    struct pub *p = sensor("tcp://no-such-host.invalid:5670", NULL);

    made_msg(&m, WIRE_TRACK, 0, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pub_event(p, &m), 0);
    for (int i = 0; i < 30000 && (pub_stats(p, &s), s.spool_bytes < 70000); i++)
        poll(NULL, 0, 1);
    assert_true(s.spool_bytes > 70000);
    assert_false(s.connected);
    pub_free(p, 0.1);
}

static void nonsense_is_counted_and_gets_no_number(void **state)
{
    (void)state;
    static struct wire_msg m;
    struct pub_stats s;
    struct pub *p = sensor(NULL, at);

    made_msg(&m, WIRE_TRACK, 0, 0);
    m.track.p_drone = NAN;
    assert_int_equal(pub_event(p, &m), 0);
    for (int i = 0; i < 30000 && (pub_stats(p, &s), s.refused == 0); i++)
        poll(NULL, 0, 1);
    assert_int_equal(s.refused, 1);
    made_msg(&m, WIRE_ACK, 0, 0);       // not a sensor's to tell
    assert_true(pub_event(p, &m) < 0);
    pub_free(p, 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(subscribers_get_events_and_views, start, stop),
        cmocka_unit_test_setup_teardown(a_post_that_cannot_be_found_stalls_nothing, start, stop),
        cmocka_unit_test_setup_teardown(nonsense_is_counted_and_gets_no_number, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
