// SPDX-License-Identifier: GPL-3.0-or-later
// The web thread over loopback with a fake loop: files, lists, events, and their beginning again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alertd_ask.h"

static void gives_files(void **state)
{
    (void)state;
    char v[200], h[240];
    struct answer a = ask("GET", "/", "", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "<!doctype html><title>t</title>");
    assert_true(header_of(&a, "Content-Type", v, sizeof v));
    assert_string_equal(v, "text/html; charset=utf-8");
    assert_true(header_of(&a, "Content-Security-Policy", v, sizeof v));
    assert_non_null(strstr(v, "default-src 'self'"));
    assert_true(header_of(&a, "X-Content-Type-Options", v, sizeof v));
    assert_true(header_of(&a, "ETag", v, sizeof v));
    free(a.body);
    snprintf(h, sizeof h, "If-None-Match: %s\r\n", v);
    a = ask("GET", "/index.html", h, NULL);
    assert_int_equal(a.status, 304);
    assert_int_equal(a.len, 0);
    free(a.body);
    a = ask("HEAD", "/a.mjs", "", NULL);
    assert_int_equal(a.status, 200);
    assert_true(header_of(&a, "Content-Type", v, sizeof v));
    assert_string_equal(v, "text/javascript; charset=utf-8");
    const char *none[] = { "/secret.pem", "/../accounts.db", "/%2e%2e/accounts.db", "/page",
                           "//index.html", "/index.html/", "/a.mjs%00.html", "/./index.html" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        a = ask("GET", none[i], "", NULL);
        assert_int_equal(a.status, 404);
        free(a.body);
    }
}

static void gives_lists(void **state)
{
    (void)state;
    struct answer a = get("/api/v1/alerts");

    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"n\":10,\"alerts\":[{\"id\":\"A1\",\"rev\":1}]}\n");
    free(a.body);
    a = get("/api/v1/tracks");
    assert_string_equal(a.body, "{\"n\":10,\"tracks\":[]}\n");
    free(a.body);
    a = get("/api/v1/health");
    assert_string_equal(a.body, "{\"n\":10,\"health\":[{\"id\":\"post\"}]}\n");
    free(a.body);
    a = get("/api/v1/zones");
    assert_string_equal(a.body, "{\"n\":10,\"zones\":[{\"id\":\"gate\"}]}\n");
    free(a.body);
}

static void follows_changes(void **state)
{
    (void)state;
    struct follower f;
    char v[64];

    follow(&f, "/api/v1/events", "");
    assert_true(header_of(&f.a, "Content-Type", v, sizeof v));
    assert_string_equal(v, "text/event-stream");
    assert_true(header_of(&f.a, "Cache-Control", v, sizeof v));
    assert_string_equal(v, "no-store");
    expect(&f, "reset", "", "{}");
    expect(&f, "zone", "", "{\"id\":\"gate\"}");
    expect(&f, "alert", "", "{\"id\":\"A1\",\"rev\":1}");
    expect(&f, "health", "", "{\"id\":\"post\"}");
    expect(&f, "ready", "10", "{\"n\":10}");
    post_change(&post, CHANGE_ALERT, "A1", "{\"id\":\"A1\",\n\"rev\":2}");
    expect(&f, "alert", "11", "{\"id\":\"A1\", \"rev\":2}");
    post_change(&post, CHANGE_TRACK, "T1", "{\"id\":\"T1\"}");
    post_gone(&post, CHANGE_TRACK, "T1");
    expect(&f, "track", "12", "{\"id\":\"T1\"}");
    expect(&f, "track", "13", "{\"id\":\"T1\",\"gone\":true}");
    post_change(&post, CHANGE_VIEW, "", "{\"v\":1}");       // not asked for
    post_change(&post, CHANGE_SENSOR, "s", "{\"id\":\"s\"}");
    expect(&f, "sensor", "14", "{\"id\":\"s\"}");
    client_close(&f.c);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    struct follower f, g;

    follow(&g, "/api/v1/events", "");
    post_change(&post, CHANGE_ALERT, "A1", "{\"rev\":2}");
    post_change(&post, CHANGE_ALERT, "A1", "{\"rev\":3}");
    for (struct event e = { 0 }; strcmp(e.id, "12"); )      // the web has both
        assert_true(event_next(&g.l, &e, WAIT_MS));
    client_close(&g.c);
    follow(&f, "/api/v1/events", "Last-Event-ID: 10\r\n");
    expect(&f, "alert", "11", "{\"rev\":2}");
    expect(&f, "alert", "12", "{\"rev\":3}");
    client_close(&f.c);
    follow(&f, "/api/v1/events?last=11", "");
    expect(&f, "alert", "12", "{\"rev\":3}");
    client_close(&f.c);
    // Before the start of this run, after its newest, and no number at all: from the beginning.
    const char *again[] = { "Last-Event-ID: 9\r\n", "Last-Event-ID: 13\r\n",
                            "Last-Event-ID: -1\r\n",
                            "Last-Event-ID: 99999999999999999999999\r\n" };
    for (size_t i = 0; i < 4; i++) {
        follow(&f, "/api/v1/events", again[i]);
        expect(&f, "reset", "", "{}");
        client_close(&f.c);
    }
}

static void wait_for_viewers(unsigned n)
{
    for (int i = 0; i < 1000 && web_viewers(post.web) != n; i++)
        poll(NULL, 0, 5);
    assert_int_equal(web_viewers(post.web), n);
}

static void shows_the_spectrum(void **state)
{
    (void)state;
    struct follower f, g;
    char line[100];

    assert_int_equal(web_viewers(post.web), 0);
    follow(&f, "/api/v1/view", "");
    follow(&g, "/api/v1/events?view=1", "Last-Event-ID: 10\r\n");
    wait_for_viewers(2);
    post_change(&post, CHANGE_VIEW, "", "{\"v\":\"AAEC\"}");
    assert_true(lines_next(&f.l, line, sizeof line, WAIT_MS));
    assert_string_equal(line, "{\"v\":\"AAEC\"}");
    expect(&g, "view", "", "{\"v\":\"AAEC\"}");
    client_close(&f.c);
    client_close(&g.c);
    for (int i = 0; i < 400 && web_viewers(post.web); i++) {    // who hung up is noticed
        post_change(&post, CHANGE_VIEW, "", "{}");
        poll(NULL, 0, 5);
    }
    wait_for_viewers(0);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        BOTH(gives_files), BOTH(gives_lists), BOTH(follows_changes), BOTH(goes_on_where_it_was),
        BOTH(shows_the_spectrum),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
