// SPDX-License-Identifier: GPL-3.0-or-later
// What `tyto watch` makes of addresses, of events in pieces, and of strings from the air.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alertd/watch.h"

static void addresses_are_taken_apart(void **state)
{
    struct watch_post p = { .tls = false };
    char why[WATCH_WHY];
    (void)state;
    assert_int_equal(watch_url(&p, "https://post.example:8443/#token=aB-_9", why), 0);
    assert_string_equal(p.host, "post.example");
    assert_string_equal(p.port, "8443");
    assert_string_equal(p.token, "aB-_9");
    assert_true(p.tls);
    assert_int_equal(watch_url(&p, "https://[::1]/", why), 0);
    assert_string_equal(p.host, "::1");
    assert_string_equal(p.port, "443");
    assert_string_equal(p.token, "");
    assert_int_equal(watch_url(&p, "http://127.0.0.1:80/", why), 0);
    assert_int_equal(watch_url(&p, "http://post.example/", why), -EINVAL);
    assert_int_equal(watch_url(&p, "https://", why), -EINVAL);
    assert_int_equal(watch_url(&p, "https://a/#token=x\r\nEvil: 1", why), -EINVAL);
    assert_int_equal(watch_pin_text(&p, "00:11", why), -EINVAL);
    assert_false(p.pinned);
    assert_int_equal(watch_pin_text(&p, "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:"
                                        "00112233445566778899AABBCCDDEEFF", why), 0);
    assert_true(p.pinned && p.pin[1] == 0x11 && p.pin[31] == 0xff);
}

// A snapshot shows nothing until it is whole; pieces may end anywhere.
static void events_come_in_any_pieces(void **state)
{
    static const char text[] =
        "event: reset\ndata: {}\n\n"
        "event: alert\ndata: {\"id\":\"A\",\"work\":\"new\"}\n\n: ping\n\n"
        "event: sensor\r\ndata: {\"id\":\"S\",\"state\":\"ok\"}\r\n\r\n"
        "id: 10\nevent: ready\ndata: {\"n\":10}\n\n"
        "id: 11\nevent: alert\ndata: {\"id\":\"A\",\"work\":\"seen\"}\n\n"
        "id: 12\nevent: alert\ndata: {\"id\":\"B\"}\n\n"
        "id: 13\nevent: alert\ndata: {\"id\":\"B\",\"gone\":true}\n\n";
    (void)state;
    for (size_t step = 1; step < sizeof text; step += step < 8 ? 1 : 37) {
        struct watch w;
        struct watch_feed f = { .line = NULL };
        watch_init(&w);
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t n = sizeof text - 1 - at;
            assert_int_equal(watch_feed_take(&w, &f, text + at, n < step ? n : step), 0);
            assert_true(w.link == WATCH_LIVE || !json_object_size(w.now.alert));
        }
        assert_int_equal(json_object_size(w.now.alert), 1);
        assert_int_equal(json_object_size(w.now.sensor), 1);
        assert_string_equal(json_string_value(json_object_get(json_object_get(w.now.alert, "A"),
                                                              "work")), "seen");
        assert_string_equal(w.last, "13");
        watch_feed_done(&f);
        watch_done(&w);
    }
}

static void endless_lines_end(void **state)
{
    static char much[1 << 16];
    struct watch w;
    struct watch_feed f = { .line = NULL };
    int r = 0;
    (void)state;
    memset(much, 'x', sizeof much);
    watch_init(&w);
    for (int i = 0; i < 64 && r == 0; i++)
        r = watch_feed_take(&w, &f, much, sizeof much);
    assert_int_equal(r, -EMSGSIZE);
    watch_feed_done(&f);
    watch_done(&w);
}

static void nothing_steers_the_terminal(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "plain \xc3\xa9", "plain \xc3\xa9" },
        { "a\033[2Jb\r\n\x7f", "a?[2Jb???" },
        { "\xc2\x9b" "2J", "?2J" },                     // CSI as one character
        { "x\xe2\x80\xaey\xe2\x81\xa6z", "x?y?z" },     // override, isolate
        { "\xff\xc3(\xed\xa0\x80", "?\?(?" },           // no UTF-8, a lone surrogate
        { "\xf0\x9f\xa6\x89", "\xf0\x9f\xa6\x89" },     // an owl
        { "a\xe2\x80\x8b" "b\xe2\x80\x8d" "c\xc2\xad" "d\xef\xbb\xbf", "a?b?c?d?" },
        { "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x81\xa9", "????" },         // LRM RLM ALM PDI
        { "x\xef\xb8\x8f\xe3\x85\xa4\xcd\x8fy", "x???y" },     // variation, filler, joiner
        { "\xf3\xa0\x81\xa1\xee\x80\x80", "??" },             // a tag, private use
        { "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84", "a\xcc\x81\xcc\x82\xcc\x83?" },     // a tower
        { "\xd7\x90\xd7\x91", "\xd7\x90\xd7\x91" },           // letters stay
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char s[64];
        snprintf(s, sizeof s, "%s", cases[i].in);
        words_plain(s);
        assert_string_equal(s, cases[i].out);
    }
}

// On any screen: no row too wide, none too many, the most urgent alert whole, the rest counted, and
// of thirty sensors the one in trouble.
static void screens_of_any_size(void **state)
{
    struct watch w;
    char why[ALERTD_WHY], *text, id[16];
    struct words *words = NULL;
    size_t len;

    (void)state;
    assert_int_equal(words_load(&words, "alertd/page", "en", why), 0);
    watch_init(&w);
    w.words = words;
    w.link = WATCH_LIVE;
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "x%d", i);
        watch_put(&w, "sensor", json_pack("{s:s,s:s,s:s}", "id", id, "name", id, "state",
                                          i == 17 ? "lost" : "ok"));
        watch_put(&w, "alert", json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:{s:s}}}", "id", id,
            "severity", i == 23 ? "critical" : "watch", "work", "new", "lane", "drone",
            "line", "key", "drone", "params", "what", i == 23 ? "the one with a long name" : "an"));
    }
    for (int cols = 1; cols <= 200; cols += cols < 30 ? 1 : 37)
        for (int rows = 1; rows <= 60; rows += rows < 8 ? 1 : 13) {
            FILE *out = open_memstream(&text, &len);
            int n = watch_screen(&w, out, cols, rows, false);
            fclose(out);
            assert_true(n <= rows);
            for (char *s = text, *end; (end = strchr(s, '\n')); s = end + 1)
                assert_true(end - s <= cols);
            if (cols >= 70 && rows >= 8) {
                assert_non_null(strstr(text, "CRITICAL  Drone: the one with a long name"));
                assert_true(rows > 21 || strstr(text, " more"));
                assert_non_null(strstr(text, "x17: not heard"));
            }
            free(text);
        }
    watch_done(&w);
    words_free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(events_come_in_any_pieces),
        cmocka_unit_test(endless_lines_end),
        cmocka_unit_test(nothing_steers_the_terminal),
        cmocka_unit_test(screens_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
