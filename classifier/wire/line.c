// SPDX-License-Identifier: GPL-3.0-or-later
// A message as a JSON line, by the tables.
#include "classifier/wire/line.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "classifier/wire/table.h"

static void map(struct json *j, const struct wire_table *t, const uint8_t *base);

static void number(struct json *j, const char *key, double v)
{
    if (isfinite(v))
        json_num(j, key, v, 6);
}

static void time_or_ns(struct json *j, const char *key, int64_t v)
{
    char stem[32], text[UTC_LEN];
    size_t n = strlen(key);

    if (v < 0)
        return;
    if (!strcmp(key, "mono_ns")) {
        json_num(j, "mono_s", (double)v * 1e-9, 6);
    } else if (!strcmp(key, "err_ns")) {
        json_num(j, "err_s", (double)v * 1e-9, 9);
    } else {
        snprintf(stem, sizeof stem, "%.*s", (int)n - 3, key);
        utc_format(text, v, 6);
        json_str(j, stem, text);
    }
}

static void field(struct json *j, const struct wire_field *f)
{
    switch (f->type) {
    case WIRE_F_NUM:  json_num(j, f->key, f->num, 7); break;
    case WIRE_F_STR:  json_str(j, f->key, f->str); break;
    case WIRE_F_BOOL: json_bool(j, f->key, f->num != 0); break;
    default:          json_nil(j, f->key);
    }
}

static void several(struct json *j, const struct wire_key *k, const uint8_t *base)
{
    const uint8_t *at = base + k->off;
    unsigned n = 0;
    uint16_t n16;

    if (k->type == WT_BIN16) {
        memcpy(&n16, base + k->n_off, sizeof n16);
        json_hex(j, k->key, at, n16);
        return;
    }
    if (k->n_off)
        memcpy(&n, base + k->n_off, sizeof n);
    else
        while (n < k->max && at[n * k->size])
            n++;
    if (k->type == WT_BIN8) {
        json_hex(j, k->key, at, n);
        return;
    }
    if (!n && !k->must)
        return;
    json_open(j, k->key, k->type == WT_FIELDS ? '{' : '[');
    for (unsigned i = 0; i < n; i++, at += k->size) {
        if (k->type == WT_FIELDS) {
            field(j, (const struct wire_field *)(base + k->off) + i);
        } else if (k->type == WT_TEXTS) {
            json_str(j, NULL, (const char *)at);
        } else {
            json_open(j, NULL, '{');
            map(j, k->sub, at);
            json_close(j);
        }
    }
    json_close(j);
}

static void value(struct json *j, const struct wire_key *k, const uint8_t *base)
{
    const uint8_t *at = base + k->off;
    char hex[20];
    uint64_t u = 0;
    double d;
    int i;

    switch (k->type) {
    case WT_WORD: case WT_TEXT:
        if (*at)
            json_str(j, k->key, (const char *)at);
        break;
    case WT_NUM: case WT_AGE:
        memcpy(&d, at, sizeof d);
        number(j, k->key, d);
        break;
    case WT_U32: case WT_U64:
        memcpy(&u, at, k->type == WT_U32 ? 4 : 8);
        if (k->hi > WIRE_COUNT_MAX) {
            snprintf(hex, sizeof hex, "%016llx", (unsigned long long)u);
            json_str(j, k->key, hex);
        } else {
            json_num(j, k->key, (double)u, 0);
        }
        break;
    case WT_I64:
        memcpy(&u, at, sizeof u);
        time_or_ns(j, k->key, (int64_t)u);
        break;
    case WT_BOOL: json_bool(j, k->key, *at); break;
    case WT_TRI:
        memcpy(&i, at, sizeof i);
        if (i >= 0)
            json_bool(j, k->key, i);
        break;
    case WT_ENUM:
        memcpy(&i, at, sizeof i);
        json_str(j, k->key, k->closed[i]);
        break;
    case WT_MAP:
        if (!k->must && !at[k->sub->key[0].off])
            break;
        json_open(j, k->key, '{');
        map(j, k->sub, at);
        json_close(j);
        break;
    default:
        several(j, k, base);
    }
}

static void map(struct json *j, const struct wire_table *t, const uint8_t *base)
{
    for (unsigned i = 0; i < t->n; i++)
        value(j, &t->key[i], base);
}

void wire_line(struct json *j, const struct wire_msg *m)
{
    const struct wire_table *head = wire_table_head(m->head.kind);

    json_begin(j);
    json_str(j, "type", wire_kind_name(m->head.kind));
    for (unsigned i = 0; i < head->n; i++)
        // A message that was not sent has neither boot nor number.
        if (head->key[i].type != WT_ENUM && strcmp(head->key[i].key, "v") &&
            (m->head.boot || head->key[i].type != WT_U64))
            value(j, &head->key[i], (const uint8_t *)m);
    if (m->head.late)
        json_bool(j, "late", true);
    map(j, wire_table_kind(m->head.kind), (const uint8_t *)m);
    json_end(j);
}
