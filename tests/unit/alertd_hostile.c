// SPDX-License-Identifier: GPL-3.0-or-later
// The real daemon before sensors whose keys are good and whose words are not: it lives, its memory
// stays small, and the sensor beside them loses nothing.
#include "alertd_daemon.h"

#ifdef __SANITIZE_THREAD__
#define MANY 300
#else
#define MANY 3000
#endif

static struct post post;
static struct unit unit[SENSORS];
static long memory_kb;          // at the start of a case

static long rss_kb(void)
{
    char path[64], line[128];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)post.pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        sscanf(line, "VmHWM: %ld", &kb);
    fclose(f);
    return kb;
}

static int set_up(void **state)
{
    (void)state;
    post_make(&post, unit);
    post_start(&post);
    memory_kb = rss_kb();
    for (int i = 0; i < 2; i++) {
        unit_open(&unit[i], &post);
        unit_hello(&unit[i], unit_name[i]);
        assert_true(unit_listen(&unit[i], 20000) > 0);
    }
    return 0;
}

static int tear_down(void **state) { (void)state; return post_tear_down(&post, unit); }

// What is left of the post when unit[0] is done with it: the other is served to the end.
static void stands(long most_mb)
{
    unit[1].n = 20;
    assert_true(unit_finish(&unit[1], "tower", 60));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE"
                                     " '%\"id\":\"tower\"%' AND json LIKE '%drone%'"), 20);
    long grown_mb = (rss_kb() - memory_kb) / 1024;
    print_message("%ld MB more\n", grown_mb);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    assert_in_range(grown_mb, 0, most_mb);
#endif
    (void)most_mb;
}

static struct wire_msg link_msg(enum wire_kind kind, uint64_t boot)
{
    return (struct wire_msg){ .head = { .v = 1, .boot = boot, .kind = kind,
                                        .stream = WIRE_STREAM_LINK } };
}

// Hellos without end, each with other boots, with all of the numbers there are waiting.
static void hello_without_end(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < MANY; k++) {
        struct wire_msg m = link_msg(WIRE_HELLO, k);
        m.hello = (struct wire_hello){ .v_lo = 1, .v_hi = 1, .n = 8 };
        for (unsigned i = 0; i < 8; i++)
            m.hello.held[i] = (struct wire_held){ 8 * k + i, k % 3 ? 0 : UINT64_C(1) << 52,
                                                  UINT64_C(1) << 53 };
        unit_send(&unit[0], &m, false);
    }
    stands(40);
}

// Numbers that jump: each event opens a hole; and holes of 2^53 told as lost.
static void numbers_that_jump(void **state)
{
    struct unit *u = &unit[0];
    (void)state;
    u->n = UINT64_MAX;          // whatever is acknowledged
    for (uint64_t k = 1; k <= MANY; k++) {
        struct wire_msg m = unit_msg(u, k);
        m.head.seq = k < MANY ? k * 1000003 : UINT64_C(1) << 53;
        unit_send(u, &m, false);
    }
    for (uint64_t k = 0; k < MANY; k++) {
        struct wire_msg m = link_msg(WIRE_LOST, k % 5 ? u->boot : k);
        m.span = (struct wire_span){ .boot = m.head.boot, .from = k * 7777777,
                                     .to = k % 7 ? k * 7777777 + 3 : UINT64_C(1) << 53 };
        unit_send(u, &m, false);
    }
    stands(40);
}

// The same key and the same boot from two places at once, each telling a third and both the rest;
// the post speaks to the newer one.
static void one_key_twice(void **state)
{
    struct unit *a = &unit[0], b = { .boot = a->boot, .own = a->own };
    (void)state;
    unit_open(&b, &post);
    a->n = b.n = 60;
    for (uint64_t k = 0; k < 60; k++) {
        if (k % 3 != 1)
            unit_event(a, k, false);
        if (k % 3 != 0)
            unit_event(&b, k, false);
    }
    for (int64_t until = mono_now_ns() + 60 * S; a->acked < 60 && b.acked < 60;) {
        assert_true(mono_now_ns() < until);
        unit_listen(a, 20);
        unit_listen(&b, 20);
    }
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), 60);
    a->n = a->acked = 60;
    unit_close(&b);
    zmq_ctx_term(b.ctx);
    stands(40);
}

// A message cut short, lengthened and turned at each of its bytes; nested deep; sealed rubbish.
static void every_byte_wrong(void **state)
{
    static uint8_t buf[WIRE_MAX], bad[WIRE_MAX];
    struct wire_msg m = unit_msg(&unit[0], 0);
    int n = wire_pack(&m, buf, sizeof buf);
    (void)state;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        memcpy(bad, buf, (size_t)n);
        for (int k = 0; k < 3; k++) {
            bad[i] = (uint8_t[]){ 0xdf, 0xc6, (uint8_t)~buf[i] }[k];    // map 32, bin 32
            zmq_send(unit[0].socket, bad, (size_t)n, ZMQ_DONTWAIT);
        }
        zmq_send(unit[0].socket, buf, (size_t)i, ZMQ_DONTWAIT);
    }
    memset(bad, 0x91, sizeof bad);
    for (int i = 0; i < 200; i++)
        zmq_send(unit[0].socket, bad, sizeof bad, ZMQ_DONTWAIT);
    static const uint8_t sealed[] = { 0x82, 0xa4, 'l', 'a', 't', 'e', 0xc3,     // late: true
                                      0xa6, 's', 'e', 'a', 'l', 'e', 'd', 0xc5, 0xff, 0xdf };
    memcpy(bad, sealed, sizeof sealed);
    for (int i = 0; i < 200; i++)
        zmq_send(unit[0].socket, bad, sizeof sealed + 0xffdf, ZMQ_DONTWAIT);
    stands(60);
}

// Views that nobody asked for, as large as there are.
static void views_unasked(void **state)
{
    static struct wire_msg m;
    (void)state;
    m = unit_msg(&unit[0], 0);
    m.head.kind = WIRE_PSD;
    m.head.stream = WIRE_STREAM_VIEW;
    m.psd = (struct wire_psd){ .radio = "a", .centre_hz = 2.44e9, .rate_hz = 20e6,
                               .floor_db = -100, .bins = WIRE_BINS };
    for (uint64_t k = 0; k < MANY; k++) {
        m.head.seq = k;
        unit_send(&unit[0], &m, false);
    }
    stands(60);
}

// A crowd of keys nobody knows: one at a time is put into words, which takes 64 MB a moment.
static void strangers(void **state)
{
    static struct unit s[60];
    (void)state;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(zmq_curve_keypair(s[i].own.public_z85, s[i].own.secret_z85), 0);
        unit_open(&s[i], &post);
    }
    stands(100);
    for (int i = 0; i < 60; i++) {
        unit_close(&s[i]);
        zmq_ctx_term(s[i].ctx);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(hello_without_end), CASE(numbers_that_jump), CASE(one_key_twice),
        CASE(every_byte_wrong), CASE(views_unasked), CASE(strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
