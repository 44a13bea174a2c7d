// SPDX-License-Identifier: GPL-3.0-or-later
// Writing goes through base/json, reading through jansson (strict; a duplicate key is refused).
#include "alertd/fields.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

#define AT(type) (*(const type *)at)
#define SET(type) (*(type *)at)
#define NUMBER_MAX 9007199254740992.0       // 2^53: beyond it JSON readers lose digits

static void write_params(struct json *j, const struct field *f, const void *at, unsigned n)
{
    const struct param *p = at;
    json_open(j, f->key, '{');
    for (unsigned i = 0; i < n; i++)
        if (p[i].is_num)
            json_num(j, p[i].key, p[i].num, 6);
        else
            json_str(j, p[i].key, p[i].text);
    json_close(j);
}

static void write_list(struct json *j, const struct field *f, const char *base)
{
    unsigned n = *(const unsigned *)(const void *)(base + f->off_n);
    const char *at = base + f->off;
    if (f->type == FIELD_PARAMS) {
        write_params(j, f, at, n);
        return;
    }
    json_open(j, f->key, '[');
    for (unsigned i = 0; i < n && i < f->max; i++, at += f->size) {
        if (f->type == FIELD_TEXTS) {
            json_str(j, NULL, at);
            continue;
        }
        json_open(j, NULL, '{');
        fields_write(j, f->sub, at);
        json_close(j);
    }
    json_close(j);
}

static void write_time(struct json *j, const char *key, int64_t ns)
{
    char s[UTC_LEN];
    if (!ns)
        return;
    utc_format(s, ns, 3);
    json_str(j, key, s);
}

static const struct field *skip(const struct field *f)
{
    for (unsigned depth = 1; depth;) {
        f++;
        depth += f->type == FIELD_OPEN;
        depth -= f->type == FIELD_CLOSE;
    }
    return f;
}

void fields_write(struct json *j, const struct field *f, const void *base)
{
    for (; f->type != FIELD_END; f++) {
        const void *at = (const char *)base + f->off;
        switch (f->type) {
        case FIELD_TEXT: if (AT(char)) json_str(j, f->key, at); break;
        case FIELD_NUM:
            if (isfinite(AT(double)))
                json_num(j, f->key, AT(double), (int)f->size);
            break;
        case FIELD_U32:  json_int(j, f->key, AT(uint32_t)); break;
        case FIELD_U64:  json_num(j, f->key, fmin((double)AT(uint64_t), NUMBER_MAX), 0); break;
        case FIELD_TRI:  if (AT(int) >= 0) json_bool(j, f->key, AT(int)); break;
        case FIELD_BOOL: json_bool(j, f->key, AT(bool)); break;
        case FIELD_TIME: write_time(j, f->key, AT(int64_t)); break;
        case FIELD_OPEN:
            if (f->size && !AT(char))
                f = skip(f);
            else
                json_open(j, f->key, '{');
            break;
        case FIELD_CLOSE: json_close(j); break;
        case FIELD_TEXTS: case FIELD_LIST: case FIELD_PARAMS: write_list(j, f, base); break;
        case FIELD_END: break;
        }
    }
}

char *fields_text(const struct field *f, const void *base, size_t room, size_t *ret_len)
{
    char *text = NULL;
    size_t len = 0;
    struct json j;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    for (size_t i = 0; i < room; i++)
        fputc(0, out);
    json_init(&j, out);
    json_begin(&j);
    fields_write(&j, f, base);
    json_end(&j);
    if (fclose(out) || json_error(&j)) {
        free(text);
        return NULL;
    }
    text[--len] = 0;                // json_end writes a newline
    *ret_len = len - room;
    return text;
}

// ---- Reading ---------------------------------------------------------------------------------

static void copy(char *to, size_t size, const char *s)
{
    size_t n = strlen(s);
    n = n < size ? n : size - 1;
    memcpy(to, s, n);
    to[n] = 0;
}

static int read_object(const json_t *o, const struct field **f, char *base);

static int read_params(const json_t *o, const struct field *f, char *base)
{
    struct param *p = (struct param *)(void *)(base + f->off);
    unsigned n = 0;
    const char *key;
    json_t *v;
    if (!json_is_object(o))
        return -EINVAL;
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        if (n == f->max)
            break;
        if (strlen(key) >= sizeof p->key)       // cut, two could become one
            return -EINVAL;
        memset(&p[n], 0, sizeof p[n]);
        copy(p[n].key, sizeof p[n].key, key);
        p[n].is_num = json_is_number(v);
        p[n].num = p[n].is_num ? json_number_value(v) : 0;
        if (json_is_string(v))
            copy(p[n].text, sizeof p[n].text, json_string_value(v));
        n++;
    }
    *(unsigned *)(void *)(base + f->off_n) = n;
    return 0;
}

static int read_list(const json_t *o, const struct field *f, char *base)
{
    unsigned n = 0;
    char *at = base + f->off;
    if (f->type == FIELD_PARAMS)
        return read_params(o, f, base);
    if (!json_is_array(o))
        return -EINVAL;
    for (; n < json_array_size(o) && n < f->max; n++, at += f->size) {
        const json_t *v = json_array_get(o, n);
        const struct field *sub = f->sub;
        if (f->type == FIELD_TEXTS) {
            if (!json_is_string(v))
                return -EINVAL;
            copy(at, f->size, json_string_value(v));
        } else if (!json_is_object(v) || read_object(v, &sub, at) < 0) {
            return -EINVAL;
        }
    }
    *(unsigned *)(void *)(base + f->off_n) = n;
    return 0;
}

static int read_number(const json_t *v, const struct field *f, void *at)
{
    double x = json_number_value(v);
    if (!json_is_number(v))
        return -EINVAL;
    if (f->type == FIELD_NUM)
        SET(double) = x;
    else if (f->type == FIELD_U32 && x >= 0 && x < 4294967296.0)
        SET(uint32_t) = (uint32_t)x;
    else if (f->type == FIELD_U64 && x >= 0 && x <= NUMBER_MAX)
        SET(uint64_t) = (uint64_t)x;
    else
        return -EINVAL;
    return 0;
}

static int read_one(const json_t *v, const struct field *f, char *base)
{
    void *at = base + f->off;
    int64_t err;
    switch (f->type) {
    case FIELD_TEXT:
        if (!json_is_string(v))
            return -EINVAL;
        copy(at, f->size, json_string_value(v));
        return 0;
    case FIELD_BOOL:
        SET(bool) = json_is_true(v);
        return json_is_boolean(v) ? 0 : -EINVAL;
    case FIELD_TRI:
        SET(int) = json_is_true(v);
        return json_is_boolean(v) ? 0 : -EINVAL;
    case FIELD_TIME:
        return json_is_string(v) ? utc_parse(json_string_value(v), at, &err) : -EINVAL;
    case FIELD_TEXTS: case FIELD_LIST: case FIELD_PARAMS:
        return read_list(v, f, base);
    default:
        return read_number(v, f, at);
    }
}

// Up to the end or the closing of this object; *f is left there.
static int read_object(const json_t *o, const struct field **f, char *base)
{
    for (; (*f)->type != FIELD_END && (*f)->type != FIELD_CLOSE; (*f)++) {
        const json_t *v = json_object_get(o, (*f)->key);
        int r = 0;
        if ((*f)->type == FIELD_OPEN && json_is_object(v)) {
            ++*f;
            r = read_object(v, f, base);
        } else if ((*f)->type == FIELD_OPEN) {
            r = v && !json_is_null(v) ? -EINVAL : 0;
            *f = skip(*f);
        } else if (v && !json_is_null(v)) {
            r = read_one(v, *f, base);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int fields_read(const char *text, size_t len, const struct field *f, void *base)
{
    json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int r = json_is_object(o) ? read_object(o, &f, base) : -EINVAL;
    json_decref(o);
    return r;
}
