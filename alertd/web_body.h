// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: the JSON bodies it takes, and the header values it reads.  All of it
// comes from outside; all of it is fuzzed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_WHY 160

// Keys a body may have; each value is a string but rev, a whole number from 1.
enum {
    BODY_REV = 1, BODY_TEXT = 2, BODY_REASON = 4, BODY_TOKEN = 8, BODY_USER = 16,
    BODY_PASSWORD = 32, BODY_OLD = 64, BODY_NAME = 128, BODY_UNTIL = 256
};

struct body {
    unsigned has;               // BODY_ bits of the keys that came
    uint32_t rev;
    char text[512], reason[32], token[64], user[48], password[160], old[160], name[64], until[32];
};

// One JSON object with keys of `allowed` only, none twice, strings UTF-8 without NUL and control
// characters (line ends in text are fine) and short enough.  0, or -EINVAL with a sentence.
int body_parse(const char *p, size_t len, unsigned allowed, struct body *ret, char why[BODY_WHY]);
void body_wipe(struct body *b);             // passwords and tokens do not stay in memory

// Host: "name", "name:port", "[v6]:port".  Its name part in lower case without brackets and last
// dot; *ret_literal: an IP address.  0 or -EINVAL.
#define HEAD_HOST 256
int head_host(const char *s, char ret[HEAD_HOST], bool *ret_literal);
// Origin against Host: "scheme://" and the same host and port.  https only, or http too.
bool head_origin(const char *origin, const char *host, bool plain);
// The value of cookie `name` (43 characters of base64url) out of a Cookie header; 0 or -ENOENT.
#define HEAD_TOKEN 44
int head_cookie(const char *s, const char *name, char ret[HEAD_TOKEN]);
// "Basic ..." ; 0 or -EINVAL.
int head_basic(const char *s, char ret_user[48], char ret_password[160]);
int head_number(const char *s, uint64_t *ret);      // digits only, at most 2^63 - 1
bool head_key(const char *s);                       // Idempotency-Key: 1 to 63 printable characters
bool head_is_json(const char *s);                   // application/json, charset utf-8 or none
bool head_etag(const char *s, const char *etag);    // If-None-Match names it
