// SPDX-License-Identifier: GPL-3.0-or-later
// Header values, read by hand: each is short and none may surprise.
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alertd/web_body.h"

static bool port_ok(const char *s)
{
    size_t n = strlen(s);
    return n >= 1 && n <= 5 && strspn(s, "0123456789") == n;
}

static bool is_address(const char *s)
{
    unsigned char b[16];
    return inet_pton(AF_INET, s, b) == 1 || inet_pton(AF_INET6, s, b) == 1;
}

int head_host(const char *s, char ret[HEAD_HOST], bool *ret_literal)
{
    char name[HEAD_HOST];
    bool six = *s == '[';
    const char *from = s + six, *end = six ? strchr(from, ']') : from + strcspn(from, ":");

    if (!end || end == from || end - from >= HEAD_HOST)
        return -EINVAL;
    const char *rest = end + six;
    if (*rest && (*rest != ':' || !port_ok(rest + 1)))
        return -EINVAL;
    size_t n = (size_t)(end - from);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from[i];
        if (!isalnum(c) && !strchr(six ? ":." : ".-_", c))
            return -EINVAL;
        name[i] = (char)tolower(c);
    }
    name[n] = '\0';
    if (n > 1 && name[n - 1] == '.')
        name[n - 1] = '\0';
    bool literal = is_address(name);
    if (six && !literal)
        return -EINVAL;
    memcpy(ret, name, sizeof name);
    *ret_literal = literal;
    return 0;
}

bool head_origin(const char *origin, const char *host, bool plain)
{
    if (!strncmp(origin, "https://", 8))
        return !strcasecmp(origin + 8, host);
    return plain && !strncmp(origin, "http://", 7) && !strcasecmp(origin + 7, host);
}

static bool token_ok(const char *s, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < n; i++)
        if (!s[i] || !strchr(set, s[i]))
            return false;
    return n == HEAD_TOKEN - 1;
}

int head_cookie(const char *s, const char *name, char ret[HEAD_TOKEN])
{
    size_t len = strlen(name);

    while (*s) {
        s += strspn(s, " ;");
        size_t n = strcspn(s, ";");
        if (n > len && !strncmp(s, name, len) && s[len] == '=') {
            const char *v = s + len + 1;
            size_t k = n - len - 1;
            while (k && v[k - 1] == ' ')
                k--;
            if (!token_ok(v, k))
                return -ENOENT;
            memcpy(ret, v, k);
            ret[k] = '\0';
            return 0;
        }
        s += n;
    }
    return -ENOENT;
}

int head_basic(const char *s, char ret_user[48], char ret_password[160])
{
    unsigned char b[48 + 160];
    size_t n = 0;

    if (strncasecmp(s, "Basic ", 6) ||
        sodium_base642bin(b, sizeof b - 1, s + 6, strlen(s + 6), NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) || memchr(b, 0, n))
        return -EINVAL;
    b[n] = '\0';
    char *colon = strchr((char *)b, ':');
    if (!colon || colon - (char *)b >= 48 || strlen(colon + 1) >= 160)
        return -EINVAL;
    *colon = '\0';
    memcpy(ret_user, b, strlen((char *)b) + 1);
    memcpy(ret_password, colon + 1, strlen(colon + 1) + 1);
    sodium_memzero(b, sizeof b);
    return 0;
}

int head_number(const char *s, uint64_t *ret)
{
    uint64_t v = 0;

    if (!*s)
        return -EINVAL;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > (INT64_MAX - (uint64_t)(*s - '0')) / 10)
            return -EINVAL;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    *ret = v;
    return 0;
}

bool head_key(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++)
        if (s[i] < 33 || s[i] > 126)
            return false;
    return n >= 1 && n <= 63;
}

bool head_is_json(const char *s)
{
    static const char type[] = "application/json";
    size_t n = sizeof type - 1;

    if (strncasecmp(s, type, n))
        return false;
    s += n;
    s += strspn(s, " ");
    if (!*s)
        return true;
    if (*s != ';')
        return false;
    s++;
    s += strspn(s, " ");
    return !strcasecmp(s, "charset=utf-8") || !strcasecmp(s, "charset=\"utf-8\"");
}

bool head_etag(const char *s, const char *etag)
{
    size_t n = strlen(etag);

    while (*s) {
        s += strspn(s, " ,");
        if (*s == '*' && !s[1])
            return true;
        if (!strncmp(s, "W/", 2))
            s += 2;
        size_t k = strcspn(s, ",");
        size_t t = k;
        while (t && s[t - 1] == ' ')
            t--;
        if (t == n && !memcmp(s, etag, n))
            return true;
        s += k;
    }
    return false;
}
