// SPDX-License-Identifier: GPL-3.0-or-later
// For the tests of the web thread: one post, started and stopped around each test, with a person
// signed in, and short words for asking it.  Include behind cmocka.h.
#pragma once

#include "tests/unit/alertd_client.h"

static struct post post;
static char cookie[128];

static inline int start(bool tls)
{
    struct change *world[] = {
        change_of(7, CHANGE_ALERT, "A1", "{\"id\":\"A1\",\"rev\":1}"),
        change_of(3, CHANGE_ZONE, "gate", "{\"id\":\"gate\"}"),
        change_of(9, CHANGE_HEALTH, "post", "{\"id\":\"post\"}"),
    };
    post_new(&post, tls);
    if (!post_start(&post, world, 3, 10)) {
        fprintf(stderr, "%s\n", post.why);
        return -1;
    }
    post_session(&post, "duty", ROLE_OPERATOR, utc_now_ns() / 1000000000, cookie);
    return 0;
}

static inline int start_plain(void **state) { (void)state; return start(false); }
static inline int start_tls(void **state)   { (void)state; return start(true); }

static inline int stop(void **state)
{
    (void)state;
    post_stop(&post);
    post_remove(&post);
    return 0;
}

static inline struct answer ask(const char *method, const char *path, const char *headers,
                         const char *body)
{
    static struct client c;
    struct answer a = { 0 };

    assert_true(client_open(&c, web_port(post.web), post.cfg.web_tls));
    bool ok = client_ask(&c, &a, !strcmp(method, "HEAD"), method, path, headers, body);
    client_close(&c);
    assert_true(ok);
    return a;
}

static inline struct answer get(const char *path)
{
    char h[200];
    snprintf(h, sizeof h, "Cookie: %s\r\n", cookie);
    return ask("GET", path, h, NULL);
}

#define JSON "Content-Type: application/json\r\n"

// Status only; every refusal of the API has one sentence.
static inline int status(const char *method, const char *path, const char *headers,
                         const char *body)
{
    char h[42000], v[100];
    size_t len = body ? strlen(body) : 0;

    if (body && !strstr(headers, "Content-Length"))
        snprintf(h, sizeof h, "%sContent-Length: %zu\r\n", headers, len);
    else
        snprintf(h, sizeof h, "%s", headers);
    struct answer a = ask(method, path, h, body);
    if (a.status >= 400 && strcmp(method, "HEAD")) {
        assert_true(!strncmp(a.body, "{\"error\":\"", 10) && strstr(a.body, ".\""));
        assert_true(header_of(&a, "Content-Type", v, sizeof v));
        assert_string_equal(v, "application/json");
    }
    free(a.body);
    return a.status;
}

// The same with the session.
static inline int mine(const char *method, const char *path, const char *headers, const char *body)
{
    char h[41000];
    snprintf(h, sizeof h, "Cookie: x=1; %s ; y=2\r\n%s", cookie, headers);
    return status(method, path, h, body);
}

struct follower { struct client c; struct lines l; struct answer a; };

static inline void follow(struct follower *f, const char *path, const char *headers)
{
    char h[400];

    memset(f, 0, sizeof *f);
    f->l.c = &f->c;
    assert_true(client_open(&f->c, web_port(post.web), post.cfg.web_tls));
    snprintf(h, sizeof h, "Cookie: %s\r\n%s", cookie, headers);
    assert_true(client_ask(&f->c, &f->a, true, "GET", path, h, NULL));
    assert_int_equal(f->a.status, 200);
}

static inline void expect(struct follower *f, const char *name, const char *id, const char *data)
{
    struct event e;

    assert_true(event_next(&f->l, &e, WAIT_MS));
    assert_string_equal(e.name, name);
    assert_string_equal(e.id, id);
    assert_string_equal(e.data, data);
}

#define BOTH(f) cmocka_unit_test_setup_teardown(f, start_plain, stop), \
                cmocka_unit_test_setup_teardown(f, start_tls, stop)
#define PLAIN(f) cmocka_unit_test_setup_teardown(f, start_plain, stop)
