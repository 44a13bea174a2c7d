// SPDX-License-Identifier: GPL-3.0-or-later
// Writes one JSON object a line (JSON Lines) with fixed decimals, so that the same values give the
// same bytes on every machine.
//
// The writer refuses what our outputs may not hold: NaN and infinity become null, bytes that are
// not UTF-8 become U+FFFD, control characters are escaped.  It never fails half way: the first
// write error sticks and json_error() tells it.  Not thread-safe; one writer, one thread.
//
//     json_begin(j);  json_str(j, "type", "burst");  json_num(j, "t_s", 0.25, 9);  json_end(j);
//
// Nested:  json_open(j, "fields", '{'); ... json_close(j);      key is NULL inside an array.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE    *out;
    unsigned depth;
    bool     comma;             // a value stands before the next one
    char     closer[16];        // what closes each open level
    int      error;             // first -errno of a write, 0 so far
};

void json_init(struct json *j, FILE *out);
void json_begin(struct json *j);                            // {
void json_end(struct json *j);                              // } and newline
void json_open(struct json *j, const char *key, char kind); // kind '{' or '['
void json_close(struct json *j);
void json_str(struct json *j, const char *key, const char *s);               // NULL s gives null
void json_strn(struct json *j, const char *key, const void *s, size_t len);  // may hold any bytes
void json_hex(struct json *j, const char *key, const uint8_t *p, size_t len);
void json_num(struct json *j, const char *key, double v, int decimals);      // trailing zeros cut
void json_int(struct json *j, const char *key, int64_t v);  // asserts |v| <= 2^53
void json_bool(struct json *j, const char *key, bool v);
void json_nil(struct json *j, const char *key);
int  json_error(const struct json *j);
