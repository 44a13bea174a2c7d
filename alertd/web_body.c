// SPDX-License-Identifier: GPL-3.0-or-later
// Bodies, by jansson, strict: one object, no key twice, none we do not know.
#include "alertd/web_body.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct key {
    const char *name;
    unsigned    bit;
    size_t      at, size;
    bool        lines;          // line ends are fine in it
} keys[] = {
#define KEY(f, bit, lines) \
    { #f, bit, offsetof(struct body, f), sizeof ((struct body *)0)->f, lines }
    KEY(text, BODY_TEXT, true), KEY(reason, BODY_REASON, false), KEY(token, BODY_TOKEN, false),
    KEY(user, BODY_USER, false), KEY(password, BODY_PASSWORD, false), KEY(old, BODY_OLD, false),
    KEY(name, BODY_NAME, false), KEY(until, BODY_UNTIL, false),
#undef KEY
};

static int wrong(char why[BODY_WHY], const char *key, const char *what)
{
    snprintf(why, BODY_WHY, "\"%.40s\" %s.", key, what);
    return -EINVAL;
}

static bool is_plain(const char *s, size_t len, bool lines)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == 127 || (c < 32 && !(lines && (c == '\n' || c == '\t' || c == '\r'))))
            return false;
    }
    return true;
}

static int take_string(struct body *b, const struct key *k, const json_t *v, char *why)
{
    if (!json_is_string(v))
        return wrong(why, k->name, "must be a string");
    size_t len = json_string_length(v);
    if (len >= k->size)
        return wrong(why, k->name, "is too long");
    if (!is_plain(json_string_value(v), len, k->lines))
        return wrong(why, k->name, "holds a control character");
    memcpy((char *)b + k->at, json_string_value(v), len + 1);
    b->has |= k->bit;
    return 0;
}

static int take(struct body *b, const char *name, const json_t *v, unsigned allowed, char *why)
{
    if (!strcmp(name, "rev") && allowed & BODY_REV) {
        json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;
        if (n < 1 || n > UINT32_MAX)
            return wrong(why, name, "must be a whole number from 1");
        b->rev = (uint32_t)n;
        b->has |= BODY_REV;
        return 0;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!strcmp(name, keys[i].name) && allowed & keys[i].bit)
            return take_string(b, &keys[i], v, why);
    return wrong(why, name, "is not a key that is known here");
}

int body_parse(const char *p, size_t len, unsigned allowed, struct body *ret, char why[BODY_WHY])
{
    struct body b = { 0 };
    json_error_t e;
    json_t *o = json_loadb(len ? p : "", len, JSON_REJECT_DUPLICATES, &e), *v;
    const char *name;
    int r = 0;

    if (!json_is_object(o)) {
        snprintf(why, BODY_WHY, "The body must be one JSON object.");
        r = -EINVAL;
    }
    if (!r)
        json_object_foreach(o, name, v)
            if ((r = take(&b, name, v, allowed, why)))
                break;
    json_decref(o);
    if (!r)
        *ret = b;
    body_wipe(&b);
    return r;
}

void body_wipe(struct body *b)
{
    sodium_memzero(b, sizeof *b);
}
