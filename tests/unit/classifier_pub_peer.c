// SPDX-License-Identifier: GPL-3.0-or-later
// The sensor's end of the link against peers that are no post, or a bad one: they speak nonsense,
// hang up, fall silent, flood.  The sensor goes on, says which, and loses nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "classifier/pub.h"
#include "classifier/pub_socket.h"
#include "classifier/sensord.h"
#include "tests/unit/post_made.h"
#include "tests/unit/wire_made.h"

static char dir[64];
static unsigned starts;

static int start(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-peer-%d-%u", getpid(), ++starts);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %.60s", dir);
    return system(cmd);
}

static struct pub *sensor(int port, const char *post_key, double dead_s)
{
    static char why[PUB_WHY];
    char at[64];
    struct pub_cfg c = { .own = { SENSOR_PUBLIC, SENSOR_SECRET }, .name = "gate",
                         .spool_dir = dir, .endpoint = at, .reconnect_s = 0.02,
                         .dead_s = dead_s };
    struct pub *p = NULL;

    snprintf(c.post_z85, sizeof c.post_z85, "%s", post_key);
    snprintf(at, sizeof at, "tcp://127.0.0.1:%d", port);
    if (pub_new(&p, &c, why) < 0)
        fail_msg("%s", why);
    return p;
}

static void tell(struct pub *p, unsigned n)
{
    static struct wire_msg m;

    for (unsigned i = 0; i < n; i++) {
        made_msg(&m, WIRE_TRACK, 0, 0);
        assert_int_equal(pub_event(p, &m), 0);
    }
}

static struct pub_stats stats(struct pub *p)
{
    struct pub_stats s;
    pub_stats(p, &s);
    return s;
}

#define UNTIL(condition) do { \
        for (int w = 0; !(condition); w++) { \
            if (w > 30000) \
                fail_msg("never: %s", #condition); \
            poll(NULL, 0, 1); \
        } \
    } while (0)

// ---- No post at all --------------------------------------------------------------------------

enum talk { TALK_NOISE, TALK_SSH, TALK_HANGS_UP, TALK_NO_SECRETS, TALK_LONG, TALK_BAD_WELCOME,
            TALKS };

struct liar { int fd, port; enum talk talk; _Atomic unsigned met; _Atomic bool stop; pthread_t t; };

// ZMTP 3.1 (its specification): signature, version, mechanism of 20 bytes, as server.
static void greet(int fd, const char *mechanism)
{
    uint8_t g[64] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1 };
    memcpy(g + 12, mechanism, strlen(mechanism));
    g[32] = 1;
    send(fd, g, sizeof g, MSG_NOSIGNAL);
}

static void speak(int fd, enum talk talk)
{
    uint8_t b[1024];

    memset(b, 0x5a, sizeof b);
    switch (talk) {
    case TALK_NOISE:
        for (int i = 0; i < 64; i++)
            send(fd, b, sizeof b, MSG_NOSIGNAL);
        break;
    case TALK_SSH: send(fd, "SSH-2.0-x\r\n", 11, MSG_NOSIGNAL); break;
    case TALK_NO_SECRETS: greet(fd, "NULL"); break;
    case TALK_LONG:                             // a command of 2^63 bytes
        greet(fd, "CURVE");
        memset(b, 0x7f, 9);
        b[0] = 6;
        send(fd, b, sizeof b, MSG_NOSIGNAL);
        break;
    case TALK_BAD_WELCOME:
        greet(fd, "CURVE");
        memcpy(b, "\x04\xa8\x07WELCOME", 10);
        send(fd, b, 170, MSG_NOSIGNAL);
        break;
    default: break;
    }
    poll(&(struct pollfd){ .fd = fd }, 1, talk == TALK_HANGS_UP ? 0 : 20);
}

static void *lie(void *arg)
{
    struct liar *l = arg;

    while (!atomic_load(&l->stop)) {
        if (poll(&(struct pollfd){ .fd = l->fd, .events = POLLIN }, 1, 10) <= 0)
            continue;
        int fd = accept(l->fd, NULL, NULL);
        speak(fd, l->talk);
        close(fd);
        atomic_fetch_add(&l->met, 1);
    }
    return NULL;
}

static void liar_start(struct liar *l, enum talk talk)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

    *l = (struct liar){ .talk = talk, .port = port_free(),
                        .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    a.sin_port = htons((uint16_t)l->port);
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    assert_int_equal(bind(l->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(l->fd, 8), 0);
    assert_int_equal(pthread_create(&l->t, NULL, lie, l), 0);
}

static void liar_stop(struct liar *l)
{
    atomic_store(&l->stop, true);
    pthread_join(l->t, NULL);
    close(l->fd);
}

static void who_speaks_nonsense_is_no_post(void **state)
{
    (void)state;
    static struct post post;
    struct liar l;
    struct pub *p = NULL;

    for (enum talk t = 0; t < TALKS; t++) {
        liar_start(&l, t);
        p = sensor(l.port, POST_PUBLIC, 0);
        if (t == 0 || t + 1 == TALKS)           // the test's post knows a few starts only
            tell(p, 10);
        UNTIL(atomic_load(&l.met) >= 2 ||
              (atomic_load(&l.met) && stats(p).handshakes_refused));
        struct pub_stats s = stats(p);
        assert_true(!s.connected && s.sent == 0 && s.lost == 0);
        liar_stop(&l);
        if (t + 1 < TALKS)
            pub_free(p, 0);
    }
    memset(&post, 0, sizeof post);              // at last the post itself: nothing was lost
    post.port = l.port;
    post_start(&post);
    UNTIL(stats(p).acked == 20);
    pub_free(p, 5);
    assert_int_equal(atomic_load(&post.faults), 0);
    post_stop(&post);
}

static void another_posts_key_is_told_apart(void **state)
{
    (void)state;
    static struct post post;
    memset(&post, 0, sizeof post);
    post.port = port_free();
    post_start(&post);
    struct pub *p = sensor(post.port, SENSOR_PUBLIC, 0);
    UNTIL(stats(p).handshakes_refused > 0);
    assert_int_equal(stats(p).denial, PUB_DENIED_END);
    pub_free(p, 0);
    post_stop(&post);
}

// ---- A bad post ------------------------------------------------------------------------------

// A ROUTER with the post's own key that lets everybody in.
static void *router(void *ctx, int port)
{
    char at[64];
    int one = 1, zero = 0;
    void *r = zmq_socket(ctx, ZMQ_ROUTER);

    zmq_setsockopt(r, ZMQ_CURVE_SERVER, &one, sizeof one);
    zmq_setsockopt(r, ZMQ_CURVE_SECRETKEY, POST_SECRET, KEYS_Z85);
    zmq_setsockopt(r, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt(r, ZMQ_LINGER, &zero, sizeof zero);
    snprintf(at, sizeof at, "tcp://127.0.0.1:%d", port);
    assert_int_equal(zmq_bind(r, at), 0);
    return r;
}

static void a_silent_post_is_tried_anew(void **state)
{
    (void)state;
    void *ctx = zmq_ctx_new();
    int port = port_free();
    void *r = router(ctx, port);
    struct pub *p = sensor(port, POST_PUBLIC, 0.2);

    tell(p, 5);
    UNTIL(stats(p).handshakes >= 2);            // it stood, nobody answered, another one
    assert_false(stats(p).connected);
    assert_int_equal(stats(p).lost, 0);
    pub_free(p, 0);
    zmq_close(r);
    zmq_ctx_term(ctx);
}

// It sends thirty times what the socket holds, and hangs up while nobody reads.  With ZeroMQ's own
// heartbeats libzmq ends the whole program when the next one is due.
static void a_post_that_floods_and_hangs_up_ends_nothing(void **state)
{
    (void)state;
    static struct relay relay;
    void *ctx = zmq_ctx_new(), *mine = zmq_ctx_new(), *d, *m;
    char why[PUB_WHY], id[64], at[64];
    static char b[1000];
    int port = port_free(), on, k = 0;
    size_t size = sizeof on;
    void *r = router(ctx, port);

    memset(&relay, 0, sizeof relay);
    relay_start(&relay, port);
    snprintf(at, sizeof at, "tcp://127.0.0.1:%d", relay.port);
    struct pub_cfg c = { .post_z85 = POST_PUBLIC, .own = { SENSOR_PUBLIC, SENSOR_SECRET },
                         .endpoint = at };
    assert_int_equal(pub_dealer(mine, &c, &d, &m, why), 0);
    const int beats[] = { ZMQ_HEARTBEAT_IVL, ZMQ_HEARTBEAT_TTL };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(zmq_getsockopt(d, beats[i], &on, &size), 0);
        assert_int_equal(on, 0);
    }
    UNTIL(zmq_send(d, "x", 1, ZMQ_DONTWAIT) >= 0);
    int n = zmq_recv(r, id, sizeof id, 0);
    zmq_recv(r, b, sizeof b, 0);
    for (int i = 0; i < 30000; i++) {
        zmq_send(r, id, (size_t)n, ZMQ_SNDMORE);
        zmq_send(r, b, sizeof b, ZMQ_DONTWAIT);
    }
    poll(NULL, 0, 300);                         // for what fits to arrive
    atomic_store(&relay.cut, true);
    poll(NULL, 0, 300);
    while (zmq_recv(d, b, sizeof b, ZMQ_DONTWAIT) >= 0)
        k++;
    assert_in_range(k, 1, 30000);
    zmq_close(m);
    zmq_close(d);
    zmq_close(r);
    relay_stop(&relay);
    zmq_ctx_term(mine);
    zmq_ctx_term(ctx);
}

// ---- What the journal says ------------------------------------------------------------------

static struct link_told told;
static const struct sensord_cfg cfg = { .endpoint = "tcp://post:5670", .keys_dir = "/keys",
                                        .spool_dir = "/spool", .spool_bytes = 64 << 20,
                                        .spool_s = 24 * 3600 };

// The next sentence holds word; "" none is due.
static void says(const struct pub_stats *p, double now_s, const char *word)
{
    char text[LINK_TEXT] = "";
    int level = link_words(&told, p, &cfg, now_s, text);
    if (!level != !*word || !strstr(text, word))
        fail_msg("level %d \"%s\", expected \"%s\"", level, text, word);
}

static void the_journal_says_which_and_what_to_do(void **state)
{
    (void)state;
    struct pub_stats p = { 0 };

    memset(&told, 0, sizeof told);
    says(&p, 1, "");
    says(&p, 11, "no answer from tcp://post:5670");
    says(&p, 12, "");
    p.denial = PUB_DENIED_KEY;
    p.denials = 1;
    says(&p, 13, "tyto keys enrol");
    says(&p, 14, "");
    p.denial = PUB_DENIED_TALK;
    says(&p, 15, "is no command post");
    p.denial = PUB_DENIED_END;
    says(&p, 16, "");                           // once may be a post that starts
    p.denials = 3;
    says(&p, 17, "hangs up before the handshake");
    p.denial = PUB_NOT_DENIED;
    p.connected = true;
    says(&p, 18, "answers at");
    p.connected = false;
    says(&p, 19, "is cut");
    static const char *const why[SPOOL_WHYS] = { "is full (64 MB)", "longer than 24 h",
        "no room on the disk of /spool", "damaged or tampered", "had acknowledged" };
    for (int i = 0; i < SPOOL_WHYS; i++) {
        p.lost_by[i] = 7;
        says(&p, 20, why[i]);
        says(&p, 20, "");
        p.lost_by[i] = 9;
        says(&p, 30, "");                       // not again at once
    }
    says(&p, 700, "its 2 oldest events");       // but how many since
    memset(&told, 0, sizeof told);
    p = (struct pub_stats){ .connected = true, .found = { .foreign = 2 }, .dropped = 3 };
    says(&p, 1, "answers");
    says(&p, 1, "2 sealed to another post");
    says(&p, 1, "3 events came faster");
    says(&p, 1, "");
}

static void a_lying_gpsd_is_named(void **state)
{
    (void)state;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    char port[16], text[LINK_TEXT];
    const char *why;
    struct place_told t = { 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    snprintf(port, sizeof port, "%u", ntohs(a.sin_port));
    struct hw_gps *g = hw_gps_new(NULL, port);
    assert_int_equal(place_words(&t, g, 1, text), 0);
    int c = accept(fd, NULL, NULL);
    static const char lies[] = "{\"class\":\"TPV\",\"mode\":3,\"lat\":91,\"lon\":1e300}\n"
                               "{\"class\":\"TPV\",\"mode\":3,\"lat\":NaN,\"lon\":1}\n";
    assert_int_equal(send(c, lies, strlen(lies), MSG_NOSIGNAL), (ssize_t)strlen(lies));
    UNTIL(hw_gps_refused(g, &why) == 2);
    assert_int_equal(place_words(&t, g, 2, text), LOG_WARN);
    assert_non_null(strstr(text, "2 times what cannot be"));
    assert_non_null(strstr(text, why));
    assert_int_equal(place_words(&t, g, 3, text), 0);
    assert_int_equal(place_words(&t, NULL, 3000, text), 0);
    hw_gps_free(g);
    close(c);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_speaks_nonsense_is_no_post, start, stop),
        cmocka_unit_test_setup_teardown(another_posts_key_is_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(a_silent_post_is_tried_anew, start, stop),
        cmocka_unit_test(a_post_that_floods_and_hangs_up_ends_nothing),
        cmocka_unit_test(the_journal_says_which_and_what_to_do),
        cmocka_unit_test(a_lying_gpsd_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
