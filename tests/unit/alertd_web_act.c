// SPDX-License-Identifier: GPL-3.0-or-later
// What people do to alerts: handed to the loop, answered after its commit, and in no other way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alertd_ask.h"

struct asked { char path[100], headers[400], body[700]; int status; char *text; pthread_t thread; };

static void *ask_thread(void *arg)
{
    struct asked *q = arg;
    static _Thread_local struct client c;
    struct answer a = { 0 };

    if (client_open(&c, web_port(post.web), post.cfg.web_tls) &&
        client_ask(&c, &a, false, "POST", q->path, q->headers, q->body)) {
        q->status = a.status;
        q->text = a.body;
    }
    client_close(&c);
    return NULL;
}

// One action, judged by the test in place of the loop.
static struct action *act(struct asked *q, const char *verb, const char *body)
{
    memset(q, 0, sizeof *q);
    snprintf(q->path, sizeof q->path, "/api/v1/alerts/A1/%s", verb);
    snprintf(q->headers, sizeof q->headers, "Cookie: %s\r\n" JSON "Idempotency-Key: key-%s\r\n"
             "Content-Length: %zu\r\n", cookie, verb, strlen(body));
    snprintf(q->body, sizeof q->body, "%s", body);
    assert_int_equal(pthread_create(&q->thread, NULL, ask_thread, q), 0);
    struct action *a = NULL;
    for (int i = 0; i < WAIT_MS && !(a = queue_try_pop(post.actions)); i++)
        poll(NULL, 0, 1);
    assert_non_null(a);
    return a;
}

static void done(struct asked *q, struct action *a, enum action_result r, const char *json,
                 int want, const char *text)
{
    a->result = r;
    a->json = json ? strdup(json) : NULL;
    assert_int_equal(queue_push(post.answers, a), 0);
    pthread_join(q->thread, NULL);
    assert_int_equal(q->status, want);
    assert_non_null(strstr(q->text, text));
    free(q->text);
}

static void acts_and_answers(void **state)
{
    (void)state;
    struct asked q;
    struct action *a = act(&q, "close", "{\"rev\":3,\"reason\":\"left\",\"text\":\"two\\nlines\"}");

    assert_int_equal(a->verb, ACT_CLOSE);
    assert_int_equal(a->rev, 3);
    assert_string_equal(a->alert, "A1");
    assert_string_equal(a->user, "duty");
    assert_string_equal(a->key, "key-close");
    assert_string_equal(a->reason, "left");
    assert_string_equal(a->text, "two\nlines");
    done(&q, a, ACT_DONE, "{\"id\":\"A1\",\"rev\":4}", 200,
         "{\"alert\":{\"id\":\"A1\",\"rev\":4}}");
    a = act(&q, "seen", "{\"rev\":3}");
    done(&q, a, ACT_STALE, "{\"id\":\"A1\",\"rev\":9}", 409,
         ",\"alert\":{\"id\":\"A1\",\"rev\":9}}");
    a = act(&q, "seen", "{\"rev\":3}");
    done(&q, a, ACT_NO_SUCH, NULL, 404, "no such alert");
    a = act(&q, "note", "{\"rev\":3,\"text\":\"x\"}");
    snprintf(a->why, sizeof a->why, "it is closed \"already\"");
    done(&q, a, ACT_BAD, NULL, 400, "It is closed \\\"already\\\".");
    a = act(&q, "reopen", "{\"rev\":3}");
    done(&q, a, ACT_NOT_DURABLE, NULL, 503, "so it is not done");
    const char *key = JSON "Idempotency-Key: k\r\n", *p = "/api/v1/alerts/A1/note";
    assert_int_equal(mine("POST", p, JSON, "{\"rev\":1,\"text\":\"x\"}"), 400);
    assert_int_equal(mine("POST", p, JSON "Idempotency-Key: a b\r\n", "{\"rev\":1}"), 400);
    assert_int_equal(mine("POST", p, key, "{\"rev\":1}"), 400);
    assert_int_equal(mine("POST", p, key, "{\"text\":\"x\"}"), 400);
    const char *rev[] = { "0", "-1", "1.5", "\"1\"", "4294967296", "true", "null" };
    for (size_t i = 0; i < sizeof rev / sizeof rev[0]; i++) {
        char body[60];
        snprintf(body, sizeof body, "{\"rev\":%s,\"text\":\"x\"}", rev[i]);
        assert_int_equal(mine("POST", p, key, body), 400);
    }
    assert_null(queue_try_pop(post.actions));
}

// The answer to somebody who has hung up, twice given, or to nobody, does no harm.
static void answers_to_nobody(void **state)
{
    (void)state;
    static struct client c;
    struct action *a = NULL;
    char s[600];

    assert_true(client_open(&c, web_port(post.web), post.cfg.web_tls));
    snprintf(s, sizeof s, "POST /api/v1/alerts/A1/seen HTTP/1.1\r\nHost: localhost\r\nCookie: %s"
             "\r\n" JSON "Idempotency-Key: k\r\nContent-Length: 9\r\n\r\n{\"rev\":1}", cookie);
    client_send(&c, s, strlen(s));
    for (int i = 0; i < WAIT_MS && !(a = queue_try_pop(post.actions)); i++)
        poll(NULL, 0, 1);
    assert_non_null(a);
    client_close(&c);
    struct action *other = calloc(1, sizeof *other);
    other->cookie = (void *)(uintptr_t)123456;
    assert_int_equal(queue_push(post.answers, other), 0);
    other = calloc(1, sizeof *other);
    *other = *a;
    assert_int_equal(queue_push(post.answers, a), 0);
    assert_int_equal(queue_push(post.answers, other), 0);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
}

// Stopping while people wait tells them so.
static void stops_with_people_waiting(void **state)
{
    (void)state;
    struct asked q;
    struct follower f;
    struct event e = { 0 };

    follow(&f, "/api/v1/events", "");
    web_action_free(act(&q, "seen", "{\"rev\":1}"));
    web_stop(post.web);
    pthread_join(q.thread, NULL);
    assert_int_equal(q.status, 503);
    free(q.text);
    while (strcmp(e.name, "stopping"))
        assert_true(event_next(&f.l, &e, WAIT_MS));
    client_close(&f.c);
    post.web = NULL;
}

int main(void)
{
    const struct CMUnitTest t[] = {
        BOTH(acts_and_answers), BOTH(answers_to_nobody), BOTH(stops_with_people_waiting),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
