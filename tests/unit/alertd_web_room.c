// SPDX-License-Identifier: GPL-3.0-or-later
// Who gets a place where places are few: a machine that holds connections open keeps nobody out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alertd/web_in.h"
#include "tests/unit/alertd_ask.h"

// So patient that nobody is cut by the clock while a test lasts.
static const struct web_limits patient = { .head_ms = 600000, .body_ms = 600000, .idle_ms = 600000,
                                           .stranger_ms = 600000, .action_ms = 10000,
                                           .ping_ms = 15000, .tick_ms = 20, .window = 500 };

// The same, but with strangers.
static const struct web_limits strict = { .head_ms = 600000, .body_ms = 600000, .idle_ms = 600000,
                                          .stranger_ms = 100, .action_ms = 10000,
                                          .ping_ms = 15000, .tick_ms = 20, .window = 500 };

static int start_with(const struct web_limits *limits)
{
    post_new(&post, false);
    post.limits = limits;
    if (!post_start(&post, NULL, 0, 0))
        return -1;
    post_session(&post, "duty", ROLE_SUPERVISOR, utc_now_ns() / 1000000000, cookie);
    return 0;
}

static int start_patient(void **state) { (void)state; return start_with(&patient); }
static int start_strict(void **state)  { (void)state; return start_with(&strict); }

// Asked from that address; 0: no answer.
static int asked_from(const char *from, const char *path, bool with_cookie)
{
    static struct client c;
    struct answer a = { 0 };
    char h[200];

    assert_true(client_open_from(&c, web_port(post.web), false, from));
    snprintf(h, sizeof h, "Cookie: %s\r\n", cookie);
    bool ok = client_ask(&c, &a, false, "GET", path, with_cookie ? h : "", NULL);
    client_close(&c);
    free(a.body);
    return ok ? a.status : 0;
}

#define HOLDERS 600

// Three machines, six hundred connections: some say nothing, some half a head, some ask for the
// page and stay.
static void holds_nobody_out(void **state)
{
    static const char *const from[] = { "127.0.0.2", "127.0.0.4", "127.0.0.5" };
    static const char *const says[] = { "", "GET / HTTP/1.1\r\nHost: local",
                                        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" };
    static struct client c[HOLDERS];
    static struct follower screen;
    struct event e;
    char want[24];

    (void)state;
    follow(&screen, "/api/v1/events", "");
    assert_true(event_next(&screen.l, &e, WAIT_MS) && event_next(&screen.l, &e, WAIT_MS));
    for (int i = 0; i < HOLDERS; i++) {
        const char *s = says[i / 3 % 3];
        assert_true(client_open_from(&c[i], web_port(post.web), false, from[i % 3]));
        client_send(&c[i], s, strlen(s));       // may be refused already
    }
    assert_int_equal(asked_from("127.0.0.3", "/", false), 200);
    assert_int_equal(asked_from("127.0.0.3", "/api/v1/me", true), 200);
    assert_int_equal(asked_from("127.0.0.2", "/api/v1/me", true), 200);     // their neighbour too
    assert_int_equal(asked_from("127.0.0.1", "/api/v1/me", true), 200);
    post_change(&post, CHANGE_TRACK, "T", "{}");
    assert_true(event_next(&screen.l, &e, WAIT_MS));        // who was there stays
    snprintf(want, sizeof want, "%llu", (unsigned long long)post.n);
    assert_string_equal(e.id, want);
    struct answer a = get("/metrics");
    const char *at = strstr(a.body, "tyto_web_moved_total{why=\"address\"} ");
    assert_non_null(at);
    assert_true(strtoul(strchr(at, '}') + 2, NULL, 10) > HOLDERS - 3 * WEB_STRANGERS_SAME - 20);
    free(a.body);
    for (int i = 0; i < HOLDERS; i++)
        client_close(&c[i]);
    client_close(&screen.c);
}

// The same with people who are signed in: their idle connections make room, their screens stay.
static void nor_do_signed_in_ones(void **state)
{
    static struct client c[2 * WEB_PER_ADDRESS];
    char h[200];

    (void)state;
    snprintf(h, sizeof h, "Cookie: %s\r\n", cookie);
    for (int i = 0; i < 2 * WEB_PER_ADDRESS; i++) {
        struct answer a = { 0 };
        assert_true(client_open_from(&c[i], web_port(post.web), false,
                                     i & 1 ? "127.0.0.2" : "127.0.0.4"));
        assert_true(client_ask(&c[i], &a, false, "GET", "/api/v1/me", h, NULL));
        assert_int_equal(a.status, 200);
        free(a.body);
    }
    assert_int_equal(asked_from("127.0.0.3", "/api/v1/me", true), 200);
    for (int i = 0; i < 2 * WEB_PER_ADDRESS; i++)
        client_close(&c[i]);
}

// Who is not signed in and rests is soon gone; who is stays.
static void strangers_do_not_rest(void **state)
{
    struct client stranger, mate;
    struct answer a = { 0 };
    char h[200];

    (void)state;
    snprintf(h, sizeof h, "Cookie: %s\r\n", cookie);
    assert_true(client_open(&mate, web_port(post.web), false));
    assert_true(client_ask(&mate, &a, false, "GET", "/api/v1/me", h, NULL) && a.status == 200);
    free(a.body);
    assert_true(client_open(&stranger, web_port(post.web), false));
    assert_true(client_ask(&stranger, &a, false, "GET", "/", "", NULL) && a.status == 200);
    free(a.body);
    assert_int_equal(client_more(&stranger, WAIT_MS), 0);
    assert_true(client_ask(&mate, &a, false, "GET", "/api/v1/me", h, NULL) && a.status == 200);
    free(a.body);
    client_close(&stranger);
    client_close(&mate);
}

static void a_sign_in_has_screens_enough(void **state)
{
    static struct follower f[WEB_STREAMS_SAME];

    (void)state;
    for (int i = 0; i < WEB_STREAMS_SAME; i++)
        follow(&f[i], i & 1 ? "/api/v1/view" : "/api/v1/events", "");
    struct answer a = get("/api/v1/events");
    assert_int_equal(a.status, 429);
    assert_non_null(strstr(a.body, "32 screens open already; close one."));
    free(a.body);
    assert_int_equal(mine("GET", "/api/v1/alerts", "", NULL), 200);    // lists have an end
    post_session(&post, "other", ROLE_VIEWER, utc_now_ns() / 1000000000, cookie);
    follow(&f[0], "/api/v1/events", "");
    for (int i = 0; i < WEB_STREAMS_SAME; i++)
        client_close(&f[i].c);
}

// ---- The rule by itself, for addresses that this machine has not --------------------------------

static struct web *crowd(struct conn *c, size_t n)
{
    struct web *w = calloc(1, sizeof *w);

    assert_non_null(w);
    for (size_t i = 0; i < n; i++) {
        c[i].fd = -1;
        c[i].key = room_key(c[i].address);
        c[i].next = w->conns;
        w->conns = &c[i];
    }
    return w;
}

static size_t gone(const struct conn *c, size_t n, const char *address)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += c[i].cut && !strcmp(c[i].address, address);
    return k;
}

// Full of busy people: this machine's own places are still there, and only those.
static void this_machine_has_places_of_its_own(void **state)
{
    static struct conn c[WEB_CONNECTIONS];
    size_t n = WEB_CONNECTIONS - WEB_LOOPBACK;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        c[i].known = c[i].busy = true;
        snprintf(c[i].address, sizeof c[i].address, "10.0.%zu.1", i % 4);
    }
    struct web *w = crowd(c, n);
    assert_false(room_make(w, "10.9.9.9", false));
    assert_int_equal(w->count.refused_full, 1);
    assert_true(room_make(w, "127.0.0.1", true));
    // One of them rests: the newcomer has its place, for he holds fewer.
    assert_false(room_make(w, "10.0.0.1", false));
    c[5].busy = false;
    assert_true(room_make(w, "10.9.9.9", false) && c[5].cut);
    free(w);
}

// IPv6: who has a /64 has one address; the oldest that said nothing goes first.
static void a_network_of_ipv6_is_one_address(void **state)
{
    static struct conn c[WEB_STRANGERS_SAME];
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    (void)state;
    for (int i = 0; i < WEB_STRANGERS_SAME; i++) {
        char s[64];
        snprintf(s, sizeof s, "2001:db8:0:7::%x", i + 1);
        assert_int_equal(inet_pton(AF_INET6, s, &six.sin6_addr), 1);
        acct_address(c[i].address, (struct sockaddr *)&six);
        c[i].asked = i < 3;
    }
    struct web *w = crowd(c, WEB_STRANGERS_SAME);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:7:ffff::1", &six.sin6_addr), 1);
    assert_int_equal(web_on_accept(w, (struct sockaddr *)&six, sizeof six), MHD_YES);
    assert_true(c[3].cut);
    assert_int_equal(gone(c, WEB_STRANGERS_SAME, c[0].address), 1);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:8::1", &six.sin6_addr), 1);
    assert_int_equal(web_on_accept(w, (struct sockaddr *)&six, sizeof six), MHD_YES);
    assert_int_equal(gone(c, WEB_STRANGERS_SAME, c[0].address), 1);
    free(w);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(holds_nobody_out, start_patient, stop),
        cmocka_unit_test_setup_teardown(nor_do_signed_in_ones, start_patient, stop),
        cmocka_unit_test_setup_teardown(strangers_do_not_rest, start_strict, stop),
        PLAIN(a_sign_in_has_screens_enough),
        cmocka_unit_test(this_machine_has_places_of_its_own),
        cmocka_unit_test(a_network_of_ipv6_is_one_address),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
