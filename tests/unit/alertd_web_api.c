// SPDX-License-Identifier: GPL-3.0-or-later
// The API over loopback: what is refused and with which status, signing in and out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alertd/store.h"
#include "tests/unit/alertd_ask.h"

static void asks_for_a_sign_in(void **state)
{
    (void)state;
    const char *path[] = { "/api/v1/alerts", "/api/v1/incidents", "/api/v1/tracks",
                           "/api/v1/sensors", "/api/v1/zones", "/api/v1/health", "/api/v1/events",
                           "/api/v1/view", "/api/v1/me", "/metrics", "/api/v1/ledger" };
    char h[200];

    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
        assert_int_equal(status("GET", path[i], "", NULL), 401);
    assert_int_equal(status("POST", "/api/v1/alerts/A1/seen", JSON, "{\"rev\":1}"), 401);
    assert_int_equal(status("POST", "/api/v1/password", JSON, "{}"), 401);
    assert_int_equal(status("DELETE", "/api/v1/session", "", NULL), 401);
    assert_int_equal(status("GET", "/healthz", "", NULL), 200);
    assert_int_equal(status("GET", "/", "", NULL), 200);
    snprintf(h, sizeof h, "Cookie: %.*sAAAA%s\r\n", (int)(strchr(cookie, '=') - cookie + 1), cookie,
             strchr(cookie, '=') + 5);
    assert_int_equal(status("GET", "/api/v1/me", h, NULL), 401);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
}

static void knows_its_paths_and_methods(void **state)
{
    (void)state;
    char v[50];

    assert_int_equal(mine("GET", "/api/v1/nothing", "", NULL), 404);
    assert_int_equal(mine("GET", "/api/v2/alerts", "", NULL), 404);
    assert_int_equal(mine("GET", "/nothing", "", NULL), 404);
    assert_int_equal(mine("POST", "/api/v1/alerts/A1/frob", JSON, "{}"), 404);
    assert_int_equal(mine("POST", "/api/v1/alerts//seen", JSON, "{}"), 404);
    assert_int_equal(mine("POST", "/api/v1/alerts/A1/seen/", JSON, "{}"), 404);
    assert_int_equal(mine("POST", "/api/v1/alerts/1234567890123456789012345678901234567890/seen",
                          JSON, "{}"), 404);
    assert_int_equal(mine("GET", "/api/v1/alerts/A1/seen", "", NULL), 405);
    assert_int_equal(mine("POST", "/api/v1/alerts", JSON, "{}"), 405);
    assert_int_equal(mine("PUT", "/api/v1/session", JSON, "{}"), 405);
    assert_int_equal(mine("OPTIONS", "/api/v1/session", "", NULL), 405);
    assert_int_equal(mine("DELETE", "/", "", NULL), 405);
    assert_int_equal(mine("HEAD", "/api/v1/events", "", NULL), 405);
    assert_int_equal(mine("HEAD", "/api/v1/alerts", "", NULL), 200);
    assert_int_equal(mine("HEAD", "/healthz", "", NULL), 200);
    struct answer a = ask("PATCH", "/api/v1/session", "", NULL);
    assert_true(header_of(&a, "Allow", v, sizeof v));
    assert_string_equal(v, "POST, DELETE");
    free(a.body);
}

static void tells_what_was_watched(void **state)
{
    (void)state;
    char note[ALERTD_WHY], why[ALERTD_WHY];
    struct store *s = NULL;

    assert_int_equal(mine("GET", "/api/v1/ledger", "", NULL), 503);     // no store yet
    assert_int_equal(store_open(&s, post.cfg.data_dir, note, why), 0);
    struct answer a = get("/api/v1/ledger?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"from\":\"2020-01-01T00:00:00Z\""));
    assert_non_null(strstr(a.body, "\"ledger\":[]"));
    free(a.body);
    assert_int_equal(mine("GET", "/api/v1/ledger", "", NULL), 200);
    assert_int_equal(mine("GET", "/api/v1/ledger?from=yesterday", "", NULL), 400);
    assert_int_equal(mine("GET", "/api/v1/ledger?from=2100-01-01T00:00:00Z", "", NULL), 400);
    assert_int_equal(mine("GET", "/api/v1/ledger?from=2020-01-01T00:00:00Z", "", NULL), 400);
    assert_int_equal(mine("POST", "/api/v1/ledger", JSON, "{}"), 405);
    store_close(s);
}

static void knows_its_names(void **state)
{
    (void)state;
    const char *good[] = { "localhost", "localhost:1", "LOCALHOST.", "127.0.0.1:8443", "[::1]:99",
                           "post.test:8443", "Post.Test", "192.0.2.1" };
    const char *bad[] = { "evil.test", "localhost.evil.test", "post.test.evil.test", "", "a b",
                          "localhost:x", "localhost:123456", "[::1", "[localhost]", "post_test",
                          "user@localhost", "localhost:80:80" };
    char h[200];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(h, sizeof h, "Host: %s\r\n", good[i]);
        assert_int_equal(status("GET", "/healthz", h, NULL), 200);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(h, sizeof h, "Host: %s\r\n", bad[i]);
        assert_int_equal(status("GET", "/healthz", h, NULL), 421);
    }
}

// What a gateway before us may read otherwise than we do is not read at all.
static void reads_one_way_only(void **state)
{
    (void)state;
    const char *in = "{\"user\":\"x\",\"password\":\"y\"}", *c = "Content-Length: 27\r\n";
    const char *bad[] = { "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
                          "content-length: 27\r\n", "Content-Length: 0\r\n" };
    char h[200];

    assert_int_equal(strlen(in), 27);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(h, sizeof h, "%s%s" JSON, c, bad[i]);
        assert_int_equal(status("POST", "/api/v1/session", h, in), 400);
        snprintf(h, sizeof h, "%s%s" JSON, bad[i], c);
        assert_int_equal(status("POST", "/api/v1/session", h, in), 400);
    }
    const char *two = "Host: localhost\r\nhost: localhost\r\n";
    assert_int_equal(status("GET", "/healthz", two, NULL), 400);
}

static void takes_nothing_from_other_pages(void **state)
{
    (void)state;
    const char *in = "{\"user\":\"x\",\"password\":\"y\"}";
    const char *http = post.cfg.web_tls ? "https" : "http";
    const char *bad[] = { "Origin: null\r\n", "Origin: https://evil.test\r\n",
                          "Origin: ftp://localhost\r\n", "Origin: https://localhost.evil.test\r\n",
                          "Origin: https://localhost:99\r\n", "Origin: localhost\r\n",
                          "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n" };
    char h[200];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(h, sizeof h, "%s" JSON, bad[i]);
        assert_int_equal(status("POST", "/api/v1/session", h, in), 403);
        assert_int_equal(mine("DELETE", "/api/v1/session", bad[i], NULL), 403);
        assert_int_equal(mine("POST", "/api/v1/alerts/A1/seen", h, "{\"rev\":1}"), 403);
    }
    snprintf(h, sizeof h, "Origin: %s://localhost\r\n" JSON, http);
    assert_int_equal(status("POST", "/api/v1/session", h, in), 401);
    snprintf(h, sizeof h, "Host: post.test:99\r\nOrigin: %s://POST.test:99\r\n" JSON, http);
    assert_int_equal(status("POST", "/api/v1/session", h, in), 401);
    snprintf(h, sizeof h, "Origin: http://localhost\r\n" JSON);
    assert_int_equal(status("POST", "/api/v1/session", h, in), post.cfg.web_tls ? 403 : 401);
}

static void takes_json_of_a_size(void **state)
{
    (void)state;
    static char big[40000];
    const char *p = "/api/v1/session";
    const char *type[] = { "", "Content-Type: text/plain\r\n",
                           "Content-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Type: application/jsonx\r\n",
                           "Content-Type: application/json; charset=latin1\r\n" };
    const char *bad[] = { "", "{", "[]", "null", "{\"user\":1}", "{\"user\":\"a\"}", "{}{}",
                          "{\"user\":\"a\",\"user\":\"b\",\"password\":\"c\"}", "{\"more\":1}",
                          "{\"user\":\"a\",\"password\":\"c\",\"token\":\"t\"}",
                          "{\"user\":\"a\\u0000b\",\"password\":\"c\"}",
                          "{\"user\":\"\xff\",\"password\":\"c\"}", "{\"rev\":1}" };

    for (size_t i = 0; i < sizeof type / sizeof type[0]; i++)
        assert_int_equal(status("POST", p, type[i], "{}"), 415);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(status("POST", p, JSON, bad[i]), 400);
    assert_int_equal(status("POST", p, "Content-Type: APPLICATION/JSON; charset=UTF-8\r\n",
                            "{\"user\":\"a\",\"password\":\"c\"}"), 401);
    memset(big, ' ', sizeof big - 1);
    assert_int_equal(status("POST", p, JSON, big), 413);
    assert_int_equal(status("POST", p, JSON "Content-Length: 99999999999\r\n", ""), 413);
    // In chunks, so that the size shows only as it comes.
    static char chunked[45000];
    snprintf(chunked, sizeof chunked, "9000\r\n%.36864s\r\n0\r\n\r\n", big);
    struct answer a = ask("POST", p, JSON "Transfer-Encoding: chunked\r\n", chunked);
    assert_int_equal(a.status, 413);
    free(a.body);
    // A body where none belongs.
    assert_int_equal(mine("GET", "/api/v1/me", "", "hello"), 400);
}

static void refuses_long_heads(void **state)
{
    (void)state;
    static char h[30000];
    int n = snprintf(h, sizeof h, "X-Long: ");

    memset(h + n, 'x', 20000);
    snprintf(h + n + 20000, 10, "\r\n");
    assert_int_equal(status("GET", "/healthz", h, NULL), 431);
}

// ---- Signing in --------------------------------------------------------------------------------

static struct answer sign_in(const char *body)
{
    char h[100];
    snprintf(h, sizeof h, JSON "Content-Length: %zu\r\n", strlen(body));
    return ask("POST", "/api/v1/session", h, body);
}

static void signs_in_by_a_link_once(void **state)
{
    (void)state;
    char link[WEB_LINK], body[200], v[300];

    assert_int_equal(web_link(post.web, "chief", "supervisor", link, post.why), 0);
    assert_true(!strncmp(link, web_url(post.web), strlen(web_url(post.web))));
    char *token = strstr(link, "#token=");
    assert_non_null(token);
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", token + 7);
    struct answer a = sign_in(body);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"user\":\"chief\""));
    assert_non_null(strstr(a.body, "\"role\":\"supervisor\""));
    assert_true(header_of(&a, "Set-Cookie", v, sizeof v));
    assert_non_null(strstr(v, "; HttpOnly"));
    assert_non_null(strstr(v, "; SameSite=Strict"));
    assert_non_null(strstr(v, "; Path=/;"));
    assert_int_equal(strstr(v, "; Secure") != NULL, post.cfg.web_tls);
    assert_int_equal(!strncmp(v, "__Host-", 7), post.cfg.web_tls);
    free(a.body);
    a = sign_in(body);
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "used already"));
    free(a.body);
    snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(v, ";"), v);
    assert_int_equal(mine("GET", "/metrics", "", NULL), 200);
    // A password, then in by that; the old session stays, being the one that set it.
    assert_int_equal(mine("POST", "/api/v1/password", JSON, "{\"password\":\"short\"}"), 400);
    assert_int_equal(mine("POST", "/api/v1/password", JSON, "{\"password\":\"long enough 1\"}"),
                     200);
    a = sign_in("{\"user\":\"chief\",\"password\":\"long enough 1\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"by_link\":false"));
    assert_true(header_of(&a, "Set-Cookie", v, sizeof v));
    free(a.body);
    a = sign_in("{\"user\":\"chief\",\"password\":\"long enough 2\"}");
    assert_int_equal(a.status, 401);
    free(a.body);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
    snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(v, ";"), v);
    // Who came by a password needs it to change it.
    assert_int_equal(mine("POST", "/api/v1/password", JSON, "{\"password\":\"long enough 3\"}"),
                     400);
    assert_int_equal(mine("POST", "/api/v1/password", JSON,
                          "{\"old\":\"wrong\",\"password\":\"long enough 3\"}"), 403);
    assert_int_equal(mine("POST", "/api/v1/password", JSON,
                          "{\"old\":\"long enough 1\",\"password\":\"long enough 3\"}"), 200);
    assert_int_equal(mine("DELETE", "/api/v1/session", "", NULL), 200);
    assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 401);
}

static void roles_hold(void **state)
{
    (void)state;
    static const struct { const char *role; int see, act, measure; } t[] = {
        { "viewer", 200, 403, 403 }, { "technician", 200, 403, 200 }, { "auditor", 200, 403, 403 },
        { "metrics", 403, 403, 200 },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        post_session(&post, t[i].role, (enum acct_role)acct_role_of(t[i].role),
                     utc_now_ns() / 1000000000, cookie);
        assert_int_equal(mine("GET", "/api/v1/alerts", "", NULL), t[i].see);
        assert_int_equal(mine("GET", "/metrics", "", NULL), t[i].measure);
        assert_int_equal(mine("GET", "/api/v1/me", "", NULL), 200);
        assert_int_equal(mine("POST", "/api/v1/alerts/A1/seen", JSON "Idempotency-Key: k\r\n",
                              "{\"rev\":1}"), t[i].act);
    }
    assert_null(queue_try_pop(post.actions));
}

static void measures_for_programs(void **state)
{
    (void)state;
    char why[ACCT_WHY];
    struct acct *a = acct_open(post.dir, why);

    assert_int_equal(acct_add(a, "prom", ROLE_METRICS, 1, why), 0);
    assert_int_equal(acct_set_password(a, "prom", "scrape scrape", NULL, why), 0);
    assert_int_equal(acct_set_password(a, "duty", "scrape scrape", NULL, why), 0);
    acct_close(a);
    // base64 of "prom:scrape scrape", "prom:wrong", "duty:scrape scrape"
    const char *good = "Authorization: Basic cHJvbTpzY3JhcGUgc2NyYXBl\r\n";
    struct answer r = ask("GET", "/metrics", good, NULL);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body, "\ntyto_change_number 10\n"));
    assert_non_null(strstr(r.body, "\ntyto_things{kind=\"alert\"} 1\n"));
    free(r.body);
    assert_int_equal(status("GET", "/metrics", "Authorization: Basic cHJvbTp3cm9uZw==\r\n", NULL),
                     401);
    assert_int_equal(status("GET", "/metrics",
                            "Authorization: Basic ZHV0eTpzY3JhcGUgc2NyYXBl\r\n", NULL), 403);
    assert_int_equal(status("GET", "/metrics", "Authorization: Bearer x\r\n", NULL), 401);
    assert_int_equal(status("GET", "/api/v1/me", good, NULL), 401);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        PLAIN(asks_for_a_sign_in), PLAIN(knows_its_paths_and_methods), PLAIN(knows_its_names),
        PLAIN(tells_what_was_watched),
        PLAIN(reads_one_way_only),
        BOTH(takes_nothing_from_other_pages), PLAIN(takes_json_of_a_size),
        BOTH(refuses_long_heads), BOTH(signs_in_by_a_link_once), PLAIN(roles_hold),
        PLAIN(measures_for_programs),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
