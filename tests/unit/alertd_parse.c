// SPDX-License-Identifier: GPL-3.0-or-later
// What is parsed of a request: bodies, hosts, origins, cookies, keys, routes, and the page's files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "alertd/web_body.h"
#include "alertd/web_file.h"
#include "alertd/web_route.h"
#include "tests/unit/alertd_client.h"

static int body(const char *s, unsigned allowed, struct body *b)
{
    char why[BODY_WHY] = "";
    int r = body_parse(s, strlen(s), allowed, b, why);
    assert_true(r ? why[0] && why[strlen(why) - 1] == '.' : !why[0]);
    return r;
}

static void bodies(void **state)
{
    (void)state;
    struct body b;
    const unsigned all = BODY_REV | BODY_TEXT | BODY_REASON;
    static char deep[9000], text[700];

    assert_int_equal(body(" {\"rev\":7,\"text\":\"a\\nb \\u00e4\"} ", all, &b), 0);
    assert_int_equal(b.has, BODY_REV | BODY_TEXT);
    assert_int_equal(b.rev, 7);
    assert_string_equal(b.text, "a\nb \xc3\xa4");
    assert_int_equal(body("{}", all, &b), 0);
    assert_int_equal(b.has, 0);
    assert_int_equal(body("{\"rev\":4294967295}", all, &b), 0);
    const char *bad[] = {
        "", " ", "{\"rev\":7}x", "{\"rev\":7,}", "{\"rev\":07}", "{\"rev\":1e3}", "{rev:1}",
        "{\"rev\":4294967296}", "{\"rev\":99999999999999999999}", "{\"text\":\"a\\u0000\"}",
        "{\"text\":\"\\u001b[2J\"}", "{\"reason\":\"a\\nb\"}", "{\"text\":[\"a\"]}",
        "{\"text\":null}", "{\"password\":\"x\"}", "{\"\":1}", "{\"text\":\"\\ud800\"}",
        "{\"text\":\"\x80\"}", "{\"reason\":\"12345678901234567890123456789012\"}", "\"rev\"", "7",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(body(bad[i], all, &b), -EINVAL);
    for (int i = 0; i < 8000; i++)
        deep[i] = '[';
    assert_int_equal(body(deep, all, &b), -EINVAL);
    snprintf(text, sizeof text, "{\"text\":\"%0511d\"}", 0);
    assert_int_equal(body(text, all, &b), 0);
    snprintf(text, sizeof text, "{\"text\":\"%0512d\"}", 0);
    assert_int_equal(body(text, all, &b), -EINVAL);
}

static void hosts_and_origins(void **state)
{
    (void)state;
    char h[HEAD_HOST];
    bool address;

    assert_int_equal(head_host("Post.Example.:8443", h, &address), 0);
    assert_string_equal(h, "post.example");
    assert_false(address);
    assert_int_equal(head_host("[2001:DB8::1]:1", h, &address), 0);
    assert_string_equal(h, "2001:db8::1");
    assert_true(address);
    assert_int_equal(head_host("1.2.3.4", h, &address), 0);
    assert_true(address);
    assert_int_equal(head_host("1.2.3.4.evil", h, &address), 0);
    assert_false(address);
    const char *bad[] = { "", ":80", "a:", "a:1:2", "[]", "[::1]x", "a/b", "a@b", "a b", "\xff" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(head_host(bad[i], h, &address), -EINVAL);
    assert_true(head_origin("https://a:1", "A:1", false));
    assert_false(head_origin("http://a:1", "a:1", false));
    assert_true(head_origin("http://a:1", "a:1", true));
    assert_false(head_origin("https://a", "a:1", true));
    assert_false(head_origin("https://a:1/", "a:1", true));
    assert_false(head_origin("null", "null", true));
}

static void other_headers(void **state)
{
    (void)state;
    static const char t[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_1";
    char s[200], v[HEAD_TOKEN], user[48], password[160];
    uint64_t n;

    snprintf(s, sizeof s, "a=b; xtyto=1;tyto=%s ; tyto=x", t);
    assert_int_equal(head_cookie(s, "tyto", v), 0);
    assert_string_equal(v, t);
    snprintf(s, sizeof s, "tyto=%sx", t);
    assert_int_equal(head_cookie(s, "tyto", v), -ENOENT);
    assert_int_equal(head_cookie("tyto=", "tyto", v), -ENOENT);
    assert_int_equal(head_cookie(";;;", "tyto", v), -ENOENT);
    assert_int_equal(head_basic("basic YTpiOmM=", user, password), 0);
    assert_string_equal(user, "a");
    assert_string_equal(password, "b:c");
    const char *bad[] = { "", "Basic", "Basic ", "Basic YQ==", "Basic YTpi!", "Digest YTpi",
                          "Basic YQA6Yg==" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(head_basic(bad[i], user, password), -EINVAL);
    assert_int_equal(head_number("9223372036854775807", &n), 0);
    assert_true(n == INT64_MAX);
    const char *none[] = { "", "-1", "+1", " 1", "1 ", "0x1", "9223372036854775808",
                           "18446744073709551616" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(head_number(none[i], &n), -EINVAL);
    assert_true(head_etag("\"a\", W/\"b\" ,\"c\"", "\"b\""));
    assert_true(head_etag("*", "\"b\""));
    assert_false(head_etag("\"bb\",b", "\"b\""));
}

static void only_the_page_is_served(void **state)
{
    (void)state;
    struct post p;
    struct web_files f;
    char path[400], why[ALERTD_WHY];

    post_new(&p, false);
    const char *dir = p.cfg.page_dir;
    write_file(dir, ".hidden.js", "x");
    write_file(dir, "a b.js", "x");
    write_file(dir, "notes", "x");
    write_file(dir, "old.js~", "x");
    snprintf(path, sizeof path, "%s/words", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    write_file(path, "en.json", "{}");
    snprintf(path, sizeof path, "%s/link.js", dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/out", dir);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof path, "%s/pipe.js", dir);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_int_equal(files_load(&f, dir, why), 0);
    assert_int_equal(f.n, 3);
    assert_string_equal(files_find(&f, "/words/en.json")->type, "application/json");
    assert_non_null(files_find(&f, "/"));
    assert_non_null(files_find(&f, "/a.mjs"));
    files_done(&f);
    snprintf(path, sizeof path, "%s/index.html", dir);
    remove(path);
    assert_int_equal(files_load(&f, dir, why), -ENOENT);
    assert_non_null(strstr(why, "index.html"));
    assert_int_equal(files_load(&f, "/nowhere", why), -ENOENT);
    post_remove(&p);
}

// Each role may do exactly what its line in acct.h says.
static void roles_and_routes(void **state)
{
    (void)state;
    static const enum route_kind col[] = { ROUTE_EVENTS, ROUTE_ACT, ROUTE_METRICS };
    static const char *const may[ROLES] = {
        [ROLE_VIEWER] = "x..", [ROLE_OPERATOR] = "xx.", [ROLE_SUPERVISOR] = "xxx",
        [ROLE_TECHNICIAN] = "x.x", [ROLE_AUDITOR] = "x..", [ROLE_METRICS] = "..x",
    };
    for (int role = 0; role < ROLES; role++)
        for (int i = 0; i < 3; i++)
            assert_int_equal(route_may(&(struct route){ .kind = col[i] }, (enum acct_role)role),
                             may[role][i] == 'x' ? 0 : -EACCES);
    struct route r;
    const char *allow;
    for (int v = 0; v < ACT_VERBS; v++) {
        static const char *const name[] = { "seen", "assign", "close", "note", "known", "unknown",
                                            "handover", "reopen", "reveal" };
        char path[100];
        snprintf(path, sizeof path, "/api/v1/alerts/a-1/%s", name[v]);
        assert_int_equal(route_of("POST", path, &r, &allow), 0);
        assert_int_equal(r.kind, ROUTE_ACT);
        assert_int_equal(r.verb, v);
        assert_string_equal(r.alert, "a-1");
    }
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(bodies), cmocka_unit_test(hosts_and_origins),
        cmocka_unit_test(other_headers), cmocka_unit_test(only_the_page_is_served),
        cmocka_unit_test(roles_and_routes),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
