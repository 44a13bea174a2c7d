// SPDX-License-Identifier: GPL-3.0-or-later
// Clients that will not behave, many that do, and starts and stops: with limits in a hurry, so that
// what is waited for comes soon; each wait ends when it comes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "tests/unit/alertd_ask.h"

static const struct web_limits hurry = { .head_ms = 10000, .body_ms = 10000, .idle_ms = 30000,
                                         .stranger_ms = 10000, .action_ms = 50, .ping_ms = 100,
                                         .tick_ms = 20, .window = 500 };
// Those who are cut; long enough for who behaves, on a busy machine too.
static const struct web_limits cutting = { .head_ms = 1000, .body_ms = 1000, .idle_ms = 30000,
                                           .stranger_ms = 1000, .action_ms = 10000,
                                           .ping_ms = 15000, .tick_ms = 20, .window = 500 };

static int start_hurried(bool tls, const struct web_limits *limits)
{
    post_new(&post, tls);
    post.limits = limits;
    if (!post_start(&post, NULL, 0, 0))
        return -1;
    post_session(&post, "duty", ROLE_OPERATOR, utc_now_ns() / 1000000000, cookie);
    return 0;
}

static int hurried(void **state) { (void)state; return start_hurried(false, &hurry); }
static int cutting_plain(void **state) { (void)state; return start_hurried(false, &cutting); }
static int cutting_tls(void **state) { (void)state; return start_hurried(true, &cutting); }

// Each says something, then one byte after the other, until the server has hung up on all.
static void all_are_cut(const char *const *first, const char *each, size_t n)
{
    struct client *c = calloc(n, sizeof *c);
    size_t left = n;

    assert_non_null(c);
    for (size_t i = 0; i < n; i++) {
        assert_true(client_open(&c[i], web_port(post.web), false));
        client_send(&c[i], first[i], strlen(first[i]));
    }
    for (int t = 0; left; t++) {
        assert_true(t < WAIT_MS / 10);
        for (size_t i = 0; i < n; i++) {
            if (c[i].ended)
                continue;
            if (each[i] != '.')
                client_send(&c[i], each + i, 1);
            c[i].ended = client_more(&c[i], 10) == 0;
            left -= c[i].ended;
        }
    }
    for (size_t i = 0; i < n; i++)
        client_close(&c[i]);
    free(c);
}

// A second is all one has here, too, and a busy machine may not give it at the first attempt.
static void who_behaves_is_served(void)
{
    static struct client c;
    struct answer a = { 0 };
    char h[200];

    snprintf(h, sizeof h, "Cookie: %s\r\n", cookie);
    for (int i = 0; i < 20 && a.status != 200; i++) {
        a = (struct answer){ 0 };
        if (client_open(&c, web_port(post.web), post.cfg.web_tls))
            client_ask(&c, &a, true, "GET", "/api/v1/me", h, NULL);
        client_close(&c);
    }
    assert_int_equal(a.status, 200);
}

static void cuts_who_never_finishes_asking(void **state)
{
    (void)state;
    char s[400];

    snprintf(s, sizeof s, "POST /api/v1/password HTTP/1.1\r\nHost: localhost\r\n"
             "Cookie: %s\r\n" JSON "Content-Length: 10000\r\n\r\n{", cookie);
    const char *const first[] = { "", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", s };
    all_are_cut(first, ".x ", 3);
    who_behaves_is_served();
}

static void cuts_who_never_shakes_hands(void **state)
{
    (void)state;
    const char *const first[] = { "", "\x16\x03\x01\x02",
                                  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" };
    all_are_cut(first, "...", 3);
    who_behaves_is_served();
}

// What MHD was given at once is one chunk: a ping is one line and not a buffer full of them.
static void one_ping(struct client *c, const char *ping)
{
    char part[100];
    ssize_t n = client_chunk(c, part, sizeof part, WAIT_MS);

    assert_int_equal(n, strlen(ping));
    assert_int_equal(c->chunk, 0);
    assert_memory_equal(part, ping, (size_t)n);
}

static void pings_the_silent(void **state)
{
    (void)state;
    struct follower f;
    struct event e;

    follow(&f, "/api/v1/events", "");
    for (int i = 0; i < 2; i++)                             // reset, ready
        assert_true(event_next(&f.l, &e, WAIT_MS));
    assert_int_equal(f.l.len, 0);
    for (int i = 0; i < 3; i++)
        one_ping(&f.c, ": ping\n\n");
    client_close(&f.c);
    follow(&f, "/api/v1/view", "");
    for (int i = 0; i < 3; i++)
        one_ping(&f.c, "\n");
    client_close(&f.c);
}

static void late_answers(void **state)
{
    (void)state;
    void *a;

    assert_int_equal(mine("POST", "/api/v1/alerts/A1/seen", JSON "Idempotency-Key: k\r\n",
                          "{\"rev\":1}"), 503);
    assert_non_null(a = queue_try_pop(post.actions));
    web_action_free(a);
}

// Somebody who reads nothing is dropped; who reads gets all of it meanwhile.
static void drops_who_does_not_read(void **state)
{
    (void)state;
    static char big[3000];
    struct follower slow, good;
    struct event e = { 0 };
    char n[24];

    memset(big, 'x', sizeof big - 1);
    big[0] = big[sizeof big - 2] = '"';
    follow(&slow, "/api/v1/events", "");
    follow(&good, "/api/v1/events", "");
    assert_true(event_next(&good.l, &e, WAIT_MS));          // reset
    assert_true(event_next(&good.l, &e, WAIT_MS));          // ready
    for (int i = 1; i <= 6000; i++) {                       // 18 MB: more than sockets hold
        post_change(&post, CHANGE_TRACK, "T", big);
        assert_true(event_next(&good.l, &e, WAIT_MS));
        snprintf(n, sizeof n, "%d", i);
        assert_string_equal(e.id, n);
    }
    ssize_t k;
    char part[4096];
    while ((k = client_chunk(&slow.c, part, sizeof part, WAIT_MS)) > 0)
        ;
    assert_int_equal(k, -1);                                // cut, not ended
    client_close(&slow.c);
    client_close(&good.c);
}

#define MANY 200

static void many_clients(void **state)
{
    (void)state;
    struct follower *f = calloc(MANY, sizeof *f);
    struct event e;
    char n[24];

    assert_non_null(f);
    for (int i = 0; i < MANY; i++) {                        // a few screens each
        if (i % 8 == 0)
            post_session(&post, "duty", ROLE_OPERATOR, utc_now_ns() / 1000000000, cookie);
        follow(&f[i], "/api/v1/events", "Last-Event-ID: 10\r\n");
    }
    for (int i = 0; i < 20; i++)
        post_change(&post, CHANGE_TRACK, i & 1 ? "A" : "B", "{\"id\":\"T\"}");
    for (int i = 0; i < MANY; i++)
        for (int k = 11; k <= 30; k++) {
            assert_true(event_next(&f[i].l, &e, WAIT_MS));
            snprintf(n, sizeof n, "%d", k);
            assert_string_equal(e.id, n);
        }
    for (int i = 0; i < MANY; i += 2)
        client_close(&f[i].c);
    post_change(&post, CHANGE_TRACK, "A", "{}");
    for (int i = 1; i < MANY; i += 2) {
        assert_true(event_next(&f[i].l, &e, WAIT_MS));
        assert_string_equal(e.id, "31");
    }
    post_stop(&post);                                       // with a hundred still there
    for (int i = 1; i < MANY; i += 2)
        client_close(&f[i].c);
    free(f);
    assert_true(post_start(&post, NULL, 0, 0));
}

static void disabling_ends_streams(void **state)
{
    (void)state;
    struct follower f, g;
    struct event e = { 0 };
    char why[ACCT_WHY], line[100];
    struct acct *a = acct_open(post.dir, why);

    follow(&f, "/api/v1/events", "");
    follow(&g, "/api/v1/view", "");
    assert_int_equal(acct_disable(a, "duty", why), 0);
    acct_close(a);
    while (strcmp(e.name, "signed-out"))
        assert_true(event_next(&f.l, &e, WAIT_MS));
    while (lines_next(&g.l, line, sizeof line, WAIT_MS))
        assert_string_equal(line, "");                      // pings, then the end
    assert_true(g.c.ended);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 401);
    client_close(&f.c);
    client_close(&g.c);
}

static void sessions_end_and_outlive_restarts(void **state)
{
    (void)state;
    char was[128];
    int64_t now_s = utc_now_ns() / 1000000000;

    post_stop(&post);
    assert_true(post_start(&post, NULL, 0, 0));
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
    snprintf(was, sizeof was, "%s", cookie);
    post_session(&post, "duty", ROLE_OPERATOR, now_s - ACCT_IDLE_S - 5, cookie);
    struct answer a = get("/api/v1/me");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "has ended"));
    free(a.body);
    snprintf(cookie, sizeof cookie, "%s", was);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
}

#define CROWD 24

// Eight wait, the ninth is told to come again; one who waits hangs up without harm.  Where the
// first has waited long enough before the ninth was heard, one of the next: they wait longer.
static void a_crowd_of_guessers(void **state)
{
    (void)state;
    static struct client c[CROWD];
    bool refused = false;
    int n = 0;
    const char *body = "{\"user\":\"duty\",\"password\":\"wrong wrong\"}";
    char s[300];
    struct answer a;

    snprintf(s, sizeof s, "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n" JSON
             "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    for (int i = 0, wrong = 0; wrong < 5; i++) {            // then each has to wait
        assert_true(i < 50);
        assert_true(client_open(&c[0], web_port(post.web), false));
        client_send(&c[0], s, strlen(s));
        assert_true(client_head(&c[0], &a));
        assert_true(a.status == 401 || a.status == 503);    // one password took over ten seconds
        wrong += a.status == 401;
        client_close(&c[0]);
    }
    while (!refused) {
        assert_true(n < CROWD);
        assert_true(client_open(&c[n], web_port(post.web), false));
        client_send(&c[n++], s, strlen(s));
        for (int t = 0; n >= 9 && t < 100 && !refused; t++)
            for (int i = 0; i < n && !refused; i++)         // whichever came last
                refused = client_more(&c[i], 1) > 0 &&
                          !strncmp(c[i].in, "HTTP/1.1 429", 12);
    }
    for (int i = 0; i < n; i++)
        client_close(&c[i]);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
}

static void says_why_it_does_not_start(void **state)
{
    (void)state;
    struct post two;
    char path[100];
    sqlite3 *db;

    post_new(&two, false);
    two.cfg.web_port = web_port(post.web);
    assert_false(post_start(&two, NULL, 0, 0));
    assert_non_null(strstr(two.why, "another program has it"));
    struct web_setup s = { .cfg = &two.cfg, .next_port = true, .changes = two.changes,
                           .actions = two.actions, .answers = two.answers };
    two.web = web_start(&s, two.why);
    assert_non_null(two.web);
    assert_true(web_port(two.web) > web_port(post.web));
    post_stop(&two);
    two.cfg.web_port = 0;
    snprintf(two.cfg.web_host, sizeof two.cfg.web_host, "0.0.0.0");
    struct change *world[] = { change_of(1, CHANGE_ZONE, "z", "{}") };      // taken all the same
    assert_false(post_start(&two, world, 1, 1));
    assert_non_null(strstr(two.why, "web_tls"));
    post_stop(&two);
    snprintf(two.cfg.web_host, sizeof two.cfg.web_host, "127.0.0.1");
    snprintf(path, sizeof path, "%s/accounts.db", two.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_false(post_start(&two, NULL, 0, 0));
    assert_non_null(strstr(two.why, "newer release"));
    post_stop(&two);
    post_remove(&two);
}

#define HURRIED(f) cmocka_unit_test_setup_teardown(f, hurried, stop)

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(cuts_who_never_finishes_asking, cutting_plain, stop),
        cmocka_unit_test_setup_teardown(cuts_who_never_shakes_hands, cutting_tls, stop),
        HURRIED(pings_the_silent), HURRIED(late_answers),
        HURRIED(drops_who_does_not_read), PLAIN(many_clients),
        cmocka_unit_test_setup_teardown(many_clients, start_tls, stop),
        HURRIED(disabling_ends_streams), HURRIED(sessions_end_and_outlive_restarts),
        PLAIN(a_crowd_of_guessers), PLAIN(says_why_it_does_not_start),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
