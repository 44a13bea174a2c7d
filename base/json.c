// SPDX-License-Identifier: GPL-3.0-or-later
// The writer keeps no text, only where it stands: depth, closers and whether a comma is due.
#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static void put(struct json *j, const char *s, size_t n)
{
    if (!j->error && fwrite(s, 1, n, j->out) != n)
        j->error = errno ? -errno : -EIO;
}

static void puts_(struct json *j, const char *s) { put(j, s, strlen(s)); }

void json_init(struct json *j, FILE *out) { *j = (struct json){ .out = out }; }
int  json_error(const struct json *j) { return j->error; }

// Length of the UTF-8 sequence at s, 0 when it is none (overlong, surrogate, cut, above U+10FFFF).
static size_t utf8_len(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static void quoted(struct json *j, const unsigned char *s, size_t len)
{
    puts_(j, "\"");
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(s + i, len - i);
        char esc[8];
        if (!n) {
            puts_(j, "\xef\xbf\xbd");
            n = 1;
        } else if (n > 1) {
            put(j, (const char *)s + i, n);
        } else if (s[i] == '"' || s[i] == '\\') {
            put(j, "\\", 1);
            put(j, (const char *)s + i, 1);
        } else if (s[i] < 0x20 || s[i] == 0x7f) {
            snprintf(esc, sizeof esc, "\\u%04x", s[i]);
            puts_(j, esc);
        } else {
            put(j, (const char *)s + i, 1);
        }
        i += n;
    }
    puts_(j, "\"");
}

static void lead(struct json *j, const char *key)
{
    if (j->comma)
        puts_(j, ",");
    j->comma = true;
    if (key) {
        quoted(j, (const unsigned char *)key, strlen(key));
        puts_(j, ":");
    }
}

static void level(struct json *j, char kind)
{
    assert(j->depth < sizeof j->closer);
    j->closer[j->depth++] = kind == '{' ? '}' : ']';
    put(j, &kind, 1);
    j->comma = false;
}

void json_begin(struct json *j) { j->comma = false; level(j, '{'); }

void json_open(struct json *j, const char *key, char kind)
{
    lead(j, key);
    level(j, kind);
}

void json_close(struct json *j)
{
    assert(j->depth);
    put(j, &j->closer[--j->depth], 1);
    j->comma = true;
}

void json_end(struct json *j)
{
    json_close(j);
    assert(!j->depth);
    puts_(j, "\n");
    j->comma = false;
}

void json_strn(struct json *j, const char *key, const void *s, size_t len)
{
    lead(j, key);
    quoted(j, s, len);
}

void json_nil(struct json *j, const char *key) { lead(j, key); puts_(j, "null"); }

void json_str(struct json *j, const char *key, const char *s)
{
    if (s)
        json_strn(j, key, s, strlen(s));
    else
        json_nil(j, key);
}

void json_hex(struct json *j, const char *key, const uint8_t *p, size_t len)
{
    lead(j, key);
    puts_(j, "\"");
    for (size_t i = 0; i < len; i++) {
        char h[3];
        snprintf(h, sizeof h, "%02x", p[i]);
        put(j, h, 2);
    }
    puts_(j, "\"");
}

void json_num(struct json *j, const char *key, double v, int decimals)
{
    char s[64];
    if (!isfinite(v) || fabs(v) >= 1e17) {
        json_nil(j, key);
        return;
    }
    lead(j, key);
    snprintf(s, sizeof s, "%.*f", decimals, v);
    if (strchr(s, '.')) {
        char *e = s + strlen(s) - 1;
        while (*e == '0')
            *e-- = 0;
        if (*e == '.')
            *e = 0;
    }
    puts_(j, strcmp(s, "-0") ? s : "0");
}

void json_int(struct json *j, const char *key, int64_t v)
{
    char s[32];
    assert(v <= (1LL << 53) && v >= -(1LL << 53));
    lead(j, key);
    snprintf(s, sizeof s, "%lld", (long long)v);
    puts_(j, s);
}

void json_bool(struct json *j, const char *key, bool v)
{
    lead(j, key);
    puts_(j, v ? "true" : "false");
}
