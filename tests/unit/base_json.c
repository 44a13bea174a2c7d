// SPDX-License-Identifier: GPL-3.0-or-later
// The JSON writer: exact bytes, whatever it is given; and a parser that is not ours agrees.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"

static struct json j;
static char       *text;
static size_t      text_len;

static void open_line(void)
{
    json_init(&j, open_memstream(&text, &text_len));
    json_begin(&j);
}

static void line_is(const char *want)
{
    json_end(&j);
    assert_int_equal(json_error(&j), 0);
    fclose(j.out);
    assert_string_equal(text, want);
    json_t *v = json_loadb(text, text_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    assert_non_null(v);
    json_decref(v);
    free(text);
}

static void nests(void **state)
{
    (void)state;
    open_line();
    json_str(&j, "type", "track");
    json_open(&j, "why", '[');
    json_str(&j, NULL, "a");
    json_open(&j, NULL, '{');
    json_close(&j);
    json_int(&j, NULL, -3);
    json_close(&j);
    json_open(&j, "o", '{');
    json_bool(&j, "b", true);
    json_nil(&j, "n");
    json_close(&j);
    json_str(&j, "s", NULL);
    line_is("{\"type\":\"track\",\"why\":[\"a\",{},-3],"
            "\"o\":{\"b\":true,\"n\":null},\"s\":null}\n");
}

static void numbers(void **state)
{
    (void)state;
    open_line();
    json_num(&j, "a", 0.1, 9);
    json_num(&j, "b", 2440400000.0, 3);
    json_num(&j, "c", -0.0001, 2);          // rounds to no negative zero
    json_num(&j, "d", 100, 0);              // zeros before the point stay
    json_num(&j, "e", 1e-9, 9);
    json_num(&j, "f", 2.5, 0);              // to even, as IEEE has it
    json_num(&j, "g", NAN, 3);
    json_num(&j, "h", -INFINITY, 3);
    json_num(&j, "i", 1e300, 3);            // no value of ours: nothing is that far away
    json_int(&j, "k", 1LL << 53);
    line_is("{\"a\":0.1,\"b\":2440400000,\"c\":0,\"d\":100,\"e\":0.000000001,\"f\":2,"
            "\"g\":null,\"h\":null,\"i\":null,\"k\":9007199254740992}\n");
}

static void negative_zero_with_decimals(void **state)
{
    (void)state;
    open_line();
    json_num(&j, "a", -0.0, 6);
    json_num(&j, "b", -0.0, 0);
    json_num(&j, "c", -0.04, 1);
    line_is("{\"a\":0,\"b\":0,\"c\":0}\n");
}

static void strings_escaped(void **state)
{
    (void)state;
    open_line();
    json_str(&j, "a", "q\" b\\ t\t n\n del\x7f");
    json_strn(&j, "b", "x\0y", 3);
    json_str(&j, "c\"", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\xb0");
    json_hex(&j, "d", (const uint8_t *)"\x00\x5a\xff", 3);
    line_is("{\"a\":\"q\\\" b\\\\ t\\u0009 n\\u000a del\\u007f\",\"b\":\"x\\u0000y\","
            "\"c\\\"\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\xb0\",\"d\":\"005aff\"}\n");
}

// Each bad byte becomes one U+FFFD: overlong, surrogate, past U+10FFFF, cut, stray continuation.
#define R "\xef\xbf\xbd"
static void strings_mended(void **state)
{
    (void)state;
    open_line();
    json_str(&j, "a", "\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82|\x80|\xff");
    line_is("{\"a\":\"" R R "|" R R R "|" R R R R "|" R R "|" R "|" R "\"}\n");
}

// Any bytes at all give a line that a strict parser takes.
static void any_bytes(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 11);
    for (int round = 0; round < 2000; round++) {
        uint8_t s[40];
        size_t n = rng_below(&r, sizeof s + 1);
        // Mostly high bytes, where the rules are.
        for (size_t i = 0; i < n; i++)
            s[i] = (uint8_t)(rng_below(&r, 4) ? 0x80 | rng_below(&r, 128) : rng_below(&r, 128));
        open_line();
        json_strn(&j, "s", s, n);
        json_end(&j);
        fclose(j.out);
        json_error_t e;
        json_t *v = json_loadb(text, text_len, JSON_ALLOW_NUL, &e);
        if (!v)
            fail_msg("%s: %s", e.text, text);
        json_decref(v);
        free(text);
    }
}

static void write_error_sticks(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    setvbuf(full, NULL, _IONBF, 0);
    json_init(&j, full);
    json_begin(&j);
    json_str(&j, "a", "b");
    json_end(&j);
    assert_int_equal(json_error(&j), -ENOSPC);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(nests),
        cmocka_unit_test(numbers),
        cmocka_unit_test(negative_zero_with_decimals),
        cmocka_unit_test(strings_escaped),
        cmocka_unit_test(strings_mended),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(write_error_sticks),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
