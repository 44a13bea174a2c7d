// SPDX-License-Identifier: GPL-3.0-or-later
// Values of a frame whose form is known to hold (frame.c), by the tables.
//
//     unknown key: skipped     known key: type, value, never twice     must: none missing
#include <errno.h>
#include <math.h>
#include <string.h>

#include "classifier/wire/take.h"
#include "classifier/wire/text.h"

// ---- Numbers ---------------------------------------------------------------------------------

static enum wire_fault number_of(const struct mp *v, double *ret)
{
    switch (v->type) {
    case MP_UINT:  *ret = (double)v->u; return WIRE_OK;
    case MP_NEG:   *ret = (double)v->i; return WIRE_OK;
    case MP_FLOAT: *ret = v->f; return WIRE_OK;
    default:       return WIRE_BAD_TYPE;
    }
}

static enum wire_fault take_num(const struct wire_key *k, const struct mp *v, uint8_t *at)
{
    double x;
    enum wire_fault f = number_of(v, &x);

    if (!f && !wire_num_ok(k, x))
        f = WIRE_BAD_VALUE;
    if (!f)
        memcpy(at, &x, sizeof x);
    return f;
}

static enum wire_fault take_whole(const struct wire_key *k, const struct mp *v, uint8_t *at)
{
    if (v->type != MP_UINT && v->type != MP_NEG)
        return WIRE_BAD_TYPE;
    if (v->type == MP_NEG || !wire_num_ok(k, (double)v->u))
        return WIRE_BAD_VALUE;      // no whole number of ours is negative
    if (k->type == WT_U32)
        memcpy(at, &(uint32_t){ (uint32_t)v->u }, sizeof(uint32_t));
    else
        memcpy(at, &v->u, sizeof v->u);
    return WIRE_OK;
}

// ---- Text ------------------------------------------------------------------------------------

static enum wire_fault take_word(const struct wire_key *k, const struct mp *v, uint8_t *at)
{
    char s[256];

    if (v->type != MP_STR)
        return WIRE_BAD_TYPE;
    if (v->n >= k->size || v->n >= sizeof s || memchr(v->p, 0, v->n))
        return WIRE_BAD_VALUE;
    memcpy(s, v->p, v->n);
    memset(s + v->n, 0, sizeof s - v->n);
    if (!wire_word_ok(k, s))
        return WIRE_BAD_VALUE;
    memcpy(at, s, v->n + 1);
    return WIRE_OK;
}

static enum wire_fault take_text(size_t size, const struct mp *v, uint8_t *at)
{
    if (v->type != MP_STR)
        return WIRE_BAD_TYPE;
    text_mend((char *)at, size, v->p, v->n);
    return WIRE_OK;
}

static enum wire_fault take_enum(const struct wire_key *k, const struct mp *v, uint8_t *at)
{
    if (v->type != MP_STR)
        return WIRE_BAD_TYPE;
    int i = wire_enum_of(k, (const char *)v->p, v->n);
    if (i < 0)
        return WIRE_BAD_VALUE;
    memcpy(at, &i, sizeof i);
    return WIRE_OK;
}

// ---- Several ---------------------------------------------------------------------------------

static void count_set(const struct wire_key *k, uint8_t *base, uint32_t n)
{
    if (k->type == WT_BIN16)
        memcpy(base + k->n_off, &(uint16_t){ (uint16_t)n }, sizeof(uint16_t));
    else if (k->n_off)
        memcpy(base + k->n_off, &n, sizeof n);
}

static enum wire_fault take_bytes(const struct wire_key *k, const struct mp *v, uint8_t *base)
{
    if (v->type != MP_BIN)
        return WIRE_BAD_TYPE;
    if (v->n > k->max)
        return WIRE_BAD_VALUE;
    memcpy(base + k->off, v->p, v->n);
    count_set(k, base, v->n);
    return WIRE_OK;
}

static enum wire_fault take_field_value(struct wire_field *x, const struct mp *v)
{
    switch (v->type) {
    case MP_NIL:  x->type = WIRE_F_NULL; return WIRE_OK;
    case MP_BOOL: x->type = WIRE_F_BOOL; x->num = (double)v->u; return WIRE_OK;
    case MP_STR:  x->type = WIRE_F_STR; return take_text(sizeof x->str, v, (uint8_t *)x->str);
    default:
        x->type = WIRE_F_NUM;
        if (number_of(v, &x->num))
            return WIRE_BAD_TYPE;
        return isfinite(x->num) ? WIRE_OK : WIRE_BAD_VALUE;
    }
}

static enum wire_fault take_fields(const struct wire_key *k, struct bytes *b, uint32_t n,
                                   uint8_t *base)
{
    struct wire_field *x = (struct wire_field *)(base + k->off);
    enum wire_fault f = n > k->max ? WIRE_BAD_VALUE : WIRE_OK;
    struct mp key, v;

    for (uint32_t i = 0; i < n && !f; i++) {
        if ((f = mp_next(b, &key)))
            break;
        if (key.type != MP_STR)
            return WIRE_BAD_TYPE;
        if (!key.n || key.n >= sizeof x->key || !text_plain(key.p, key.n))
            return WIRE_BAD_VALUE;
        memcpy(x[i].key, key.p, key.n);
        for (uint32_t j = 0; j < i; j++)
            if (!strcmp(x[j].key, x[i].key))
                return WIRE_BAD_VALUE;
        if (!(f = mp_next(b, &v)))
            f = take_field_value(&x[i], &v);
    }
    count_set(k, base, n);
    return f;
}

static enum wire_fault take_items(const struct wire_key *k, struct bytes *b, uint32_t n,
                                  uint8_t *base)
{
    enum wire_fault f = n > k->max ? WIRE_BAD_VALUE : WIRE_OK;
    uint8_t *at = base + k->off;
    struct mp v;

    for (uint32_t i = 0; i < n && !f; i++, at += k->size) {
        if (k->type == WT_LIST)
            f = wire_take_map(b, k->sub, NULL, at);
        else if (!(f = mp_next(b, &v)))
            f = take_text(k->size, &v, at);
    }
    count_set(k, base, n);
    return f;
}

// ---- Maps ------------------------------------------------------------------------------------

static void unknown_set(const struct wire_table *t, uint8_t *base)
{
    for (unsigned i = 0; i < t->n; i++) {
        const struct wire_key *k = &t->key[i];
        uint8_t *at = base + k->off;
        if (k->type == WT_NUM || k->type == WT_AGE)
            memcpy(at, &(double){ NAN }, sizeof(double));
        else if (k->type == WT_I64)
            memcpy(at, &(int64_t){ -1 }, sizeof(int64_t));
        else if (k->type == WT_TRI)
            memcpy(at, &(int){ -1 }, sizeof(int));
        else if (k->type == WT_MAP)
            unknown_set(k->sub, at);
    }
}

static enum wire_fault take_value(const struct wire_key *k, struct bytes *b, uint8_t *base)
{
    uint8_t *at = base + k->off;
    struct bytes ahead = *b;
    struct mp v;
    enum wire_fault f = mp_next(b, &v);

    if (f || (v.type == MP_NIL && !k->must))
        return f;                   // nil is as good as left out
    switch (k->type) {
    case WT_WORD: return take_word(k, &v, at);
    case WT_TEXT: return take_text(k->size, &v, at);
    case WT_NUM: case WT_AGE: return take_num(k, &v, at);
    case WT_U64: case WT_U32: case WT_I64: return take_whole(k, &v, at);
    case WT_ENUM: return take_enum(k, &v, at);
    case WT_BIN8: case WT_BIN16: return take_bytes(k, &v, base);
    case WT_BOOL:
        *at = v.u != 0;
        return v.type == MP_BOOL ? WIRE_OK : WIRE_BAD_TYPE;
    case WT_TRI:
        memcpy(at, &(int){ v.u != 0 }, sizeof(int));
        return v.type == MP_BOOL ? WIRE_OK : WIRE_BAD_TYPE;
    case WT_MAP:
        *b = ahead;
        return wire_take_map(b, k->sub, NULL, at);
    case WT_FIELDS:
        return v.type == MP_MAP ? take_fields(k, b, v.n, base) : WIRE_BAD_TYPE;
    case WT_LIST: case WT_TEXTS:
        return v.type == MP_ARRAY ? take_items(k, b, v.n, base) : WIRE_BAD_TYPE;
    }
    return WIRE_BAD_TYPE;
}

static const struct wire_key *find(const struct wire_table *t, const struct mp *key,
                                   unsigned *ret_i)
{
    for (unsigned i = 0; t && i < t->n; i++)
        if (strlen(t->key[i].key) == key->n && !memcmp(t->key[i].key, key->p, key->n)) {
            *ret_i = i;
            return &t->key[i];
        }
    return NULL;
}

static bool all_there(const struct wire_table *t, uint64_t seen)
{
    for (unsigned i = 0; t && i < t->n; i++)
        if (t->key[i].must && !(seen >> i & 1))
            return false;
    return true;
}

enum wire_fault wire_take_map(struct bytes *b, const struct wire_table *a,
                              const struct wire_table *c, uint8_t *base)
{
    uint64_t seen[2] = { 0, 0 };
    struct mp map, key;
    enum wire_fault f = mp_next(b, &map);
    unsigned i = 0;

    if (f || map.type != MP_MAP)
        return f ? f : WIRE_BAD_TYPE;
    unknown_set(a, base);
    if (c)
        unknown_set(c, base);
    for (uint32_t n = map.n; n && !f; n--) {
        struct bytes at = *b;
        if ((f = mp_next(b, &key)))
            break;
        const struct wire_key *k = NULL;
        unsigned which = 0;
        if (key.type == MP_STR && !(k = find(a, &key, &i)))
            k = find(c, &key, &i), which = 1;
        if (!k) {                   // unknown: past it, whatever it is
            *b = at;
            if (!(f = mp_skip(b, MP_DEPTH)))
                f = mp_skip(b, MP_DEPTH);
            continue;
        }
        if (seen[which] >> i & 1)
            return WIRE_BAD_VALUE;
        seen[which] |= UINT64_C(1) << i;
        f = take_value(k, b, base);
    }
    if (!f && !(all_there(a, seen[0]) && all_there(c, seen[1])))
        f = WIRE_MISSING;
    return f;
}
