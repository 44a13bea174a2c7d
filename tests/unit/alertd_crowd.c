// SPDX-License-Identifier: GPL-3.0-or-later
// Whoever can reach the sensors' port can open connections and say nothing: they take no descriptor
// that the page or an enrolled sensor needs.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "alertd/crowd.h"
#include "alertd_daemon.h"

#define FILES 1024              // the least that systems give
#define IDLE  1500              // connections held open, more than that

static unsigned port_of(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    assert_non_null(colon);
    return (unsigned)strtoul(colon + 1, NULL, 10);      // "http://localhost:18745/", too
}

// A connection under way from one address to another of this machine.
static int knock(const char *from, unsigned port)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(from) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (void *)&own, sizeof own), 0);
    (void)!connect(fd, (void *)&to, sizeof to);
    return fd;
}

// ---- Who goes -----------------------------------------------------------------------------------

static int listener;

static unsigned listen_here(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 64), 0);
    assert_int_equal(getsockname(listener, (void *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void the_greediest_goes_first(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    unsigned port = listen_here();
    int client[9], fd[9];
    assert_non_null(c);
    assert_int_equal(crowd_pick(c), -1);
    for (int i = 0; i < 9; i++) {       // one by one of three, four of one, two of another
        static const char *const from[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9",
            "127.0.0.9", "127.0.0.9", "127.0.0.9", "127.0.0.8", "127.0.0.8" };
        client[i] = knock(from[i], port);
        fd[i] = accept(listener, NULL, NULL);
        assert_true(fd[i] >= 0);
        crowd_in(c, fd[i], 100 + i);
    }
    assert_int_equal(crowd_all(c), 9);
    assert_int_equal(crowd_unproven(c), 9);
    assert_int_equal(crowd_pick(c), fd[3]);
    crowd_prove(c, fd[3], true);                    // it may stay
    assert_int_equal(crowd_pick(c), fd[4]);
    crowd_out(c, fd[4]);
    crowd_out(c, fd[4]);
    crowd_out(c, fd[5]);
    assert_int_equal(crowd_pick(c), fd[7]);         // two of 127.0.0.8 now
    crowd_prove(c, fd[3], false);
    crowd_in(c, fd[5], 200);
    assert_int_equal(crowd_pick(c), fd[3]);
    assert_int_equal(crowd_all(c), 8);
    crowd_prove_old(c, 106);
    assert_int_equal(crowd_unproven(c), 4);         // 106, 107, 108 and 200
    crowd_prove_old(c, 1000);
    assert_int_equal(crowd_unproven(c), 0);
    assert_int_equal(crowd_pick(c), -1);
    crowd_cut(fd[0], port + 1);                     // somebody else's: nothing
    struct pollfd p = { .fd = client[0], .events = POLLIN };
    assert_int_equal(poll(&p, 1, 0), 0);
    crowd_cut(fd[0], port);
    assert_int_equal(poll(&p, 1, 10000), 1);
    for (int i = 0; i < 9; i++) {
        close(client[i]);
        close(fd[i]);
    }
    close(listener);
    crowd_free(c);
}

static void numbers_out_of_range(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    assert_non_null(c);
    for (int k = 0; k < 2; k++) {
        int fd = k ? CROWD_FDS : -1;
        crowd_in(c, fd, 1);
        crowd_prove(c, fd, true);
        crowd_out(c, fd);
        crowd_cut(fd, 0);
    }
    assert_int_equal(crowd_all(c), 0);
    crowd_free(c);
}

// ---- The daemon with few descriptors ------------------------------------------------------------

static struct post post = { .web = "web: { host: 127.0.0.1, port: 18745, tls: no }\n" };
static struct unit unit[SENSORS];
static int idle[IDLE];

static bool gone(int fd)        // ZeroMQ's greeting waits there to be read, for ever
{
    char c;
    ssize_t n = fd < 0 ? 0 : recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    struct pollfd p = { .fd = fd };
    return n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN) ||
           (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR));
}

// All that were told to go come again.
static void crowd_in_front(unsigned port)
{
    for (int i = 0; i < IDLE; i++)
        if (gone(idle[i])) {
            if (idle[i] >= 0)
                close(idle[i]);
            idle[i] = knock("127.0.0.9", port);
        }
}

static bool page_answers(unsigned port)
{
    static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct pollfd p = { .fd = knock("127.0.0.1", port), .events = POLLOUT };
    char head[13] = "";
    bool ok = poll(&p, 1, 10000) == 1 && send(p.fd, ask, sizeof ask - 1, MSG_NOSIGNAL) > 0;
    p.events = POLLIN;
    ok = ok && poll(&p, 1, 10000) == 1 && recv(p.fd, head, 12, 0) == 12 &&
         !strcmp(head, "HTTP/1.1 200");
    close(p.fd);
    return ok;
}

static int set_up(void **state)
{
    (void)state;
    memset(idle, -1, sizeof idle);
    post_make(&post, unit);
    post_start(&post);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < IDLE; i++)
        if (idle[i] >= 0)
            close(idle[i]);
    return post_tear_down(&post, unit);
}

static void idle_connections_keep_nobody_out(void **state)
{
    struct rlimit mine, few = { FILES, FILES };
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &mine), 0);
    mine.rlim_cur = mine.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &mine) || mine.rlim_max < IDLE + 200) {
        puts("this process may not open enough files");
        skip();
    }
    assert_int_equal(prlimit(post.pid, RLIMIT_NOFILE, &few, NULL), 0);
    unsigned sensors = port_of(post.endpoint), page = port_of(post.page);
    for (int i = 0; i < 20; i++) {          // all that there is room for are in before the end
        crowd_in_front(sensors);
        usleep(50000);
        assert_true(page_answers(page));
    }
    unit_open(&unit[0], &post);
    for (unsigned i = 0; i < 30 && unit[0].acked < 30; i++) {
        if (unit[0].n < 30)
            unit_event(&unit[0], unit[0].n++, false);
        crowd_in_front(sensors);
        unit_finish(&unit[0], unit_name[0], 1);
    }
    assert_true(unit_finish(&unit[0], unit_name[0], 60));
    assert_true(page_answers(page));
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(the_greediest_goes_first), cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test_setup_teardown(idle_connections_keep_nobody_out, set_up, tear_down),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
