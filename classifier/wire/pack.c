// SPDX-License-Identifier: GPL-3.0-or-later
// A message to bytes, by the tables, with msgpack-c's packer writing into the caller's buffer.
// The keys come in the tables' order, so the same message gives the same bytes.
#include <errno.h>
#include <math.h>
#include <msgpack.h>
#include <string.h>

#include "classifier/wire/envelope.h"
#include "classifier/wire/table.h"
#include "classifier/wire/text.h"

struct room { uint8_t *p; size_t size, len; bool full; };
struct packing { msgpack_packer pk; struct room *room; bool bad; };

static int room_write(void *arg, const char *p, size_t n)
{
    struct room *r = arg;

    if (n > r->size - r->len) {
        r->full = true;
        return -1;
    }
    memcpy(r->p + r->len, p, n);
    r->len += n;
    return 0;
}

static void put_text(struct packing *c, const char *s, size_t n)
{
    msgpack_pack_str(&c->pk, n);
    msgpack_pack_str_body(&c->pk, s, n);
}

static void put_mended(struct packing *c, const char *s, size_t size)
{
    char t[192];                // the longest text of a message is 160

    if (size > sizeof t)
        size = sizeof t;
    text_mend(t, size, s, strnlen(s, size));
    put_text(c, t, strlen(t));
}

static unsigned count_of(const struct wire_key *k, const uint8_t *base)
{
    unsigned n = 0;
    uint16_t n16;

    if (k->type == WT_BIN16) {
        memcpy(&n16, base + k->n_off, sizeof n16);
        return n16;
    }
    if (k->n_off) {
        memcpy(&n, base + k->n_off, sizeof n);
        return n;
    }
    while (n < k->max && base[k->off + n * k->size])
        n++;
    return n;
}

static double num_at(const uint8_t *p)
{
    double v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int64_t i64_at(const uint8_t *p)
{
    int64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int int_at(const uint8_t *p)
{
    int v;
    memcpy(&v, p, sizeof v);
    return v;
}

// What is unknown is left out.
static bool is_there(const struct wire_key *k, const uint8_t *base)
{
    const uint8_t *at = base + k->off;

    if (k->must)
        return true;
    switch (k->type) {
    case WT_WORD: case WT_TEXT: return *at != 0;
    case WT_NUM:  return !isnan(num_at(at));
    case WT_AGE:  return num_at(at) >= 0;
    case WT_I64:  return i64_at(at) >= 0;
    case WT_TRI:  return int_at(at) >= 0;
    case WT_MAP:  return base[k->off + k->sub->key[0].off] != 0;
    case WT_LIST: case WT_TEXTS: case WT_BIN8: case WT_BIN16:
        return count_of(k, base) > 0;
    default:      return true;
    }
}

static void put_map(struct packing *c, const struct wire_table *a, const struct wire_table *b,
                    const uint8_t *base);

static void put_num(struct packing *c, const struct wire_key *k, double v)
{
    c->bad |= !wire_num_ok(k, v);
    msgpack_pack_double(&c->pk, v);
}

static void put_u64(struct packing *c, const struct wire_key *k, uint64_t v)
{
    c->bad |= !wire_num_ok(k, (double)v);
    msgpack_pack_uint64(&c->pk, v);
}

static void put_word(struct packing *c, const struct wire_key *k, const char *s)
{
    c->bad |= !wire_word_ok(k, s);
    put_text(c, s, strnlen(s, k->size));
}

static void put_enum(struct packing *c, const struct wire_key *k, int v)
{
    int n = 0;
    while (k->closed[n])
        n++;
    if (v < 0 || v >= n) {
        c->bad = true;
        v = 0;
    }
    put_text(c, k->closed[v], strlen(k->closed[v]));
}

static void put_bytes(struct packing *c, const uint8_t *p, size_t n)
{
    msgpack_pack_bin(&c->pk, n);
    msgpack_pack_bin_body(&c->pk, p, n);
}

static void put_field(struct packing *c, const struct wire_field *f)
{
    size_t n = strnlen(f->key, sizeof f->key);

    c->bad |= n == 0 || n == sizeof f->key || !text_plain(f->key, n);
    put_text(c, f->key, n);
    switch (f->type) {
    case WIRE_F_NUM:
        c->bad |= !isfinite(f->num);
        msgpack_pack_double(&c->pk, f->num);
        break;
    case WIRE_F_STR:  put_mended(c, f->str, sizeof f->str); break;
    case WIRE_F_BOOL: f->num != 0 ? msgpack_pack_true(&c->pk) : msgpack_pack_false(&c->pk); break;
    default:          msgpack_pack_nil(&c->pk);
    }
}

static void put_many(struct packing *c, const struct wire_key *k, const uint8_t *base)
{
    unsigned n = count_of(k, base);
    const uint8_t *at = base + k->off;

    if (n > k->max) {
        c->bad = true;
        n = k->max;
    }
    switch (k->type) {
    case WT_BIN8: case WT_BIN16:
        put_bytes(c, at, n);
        break;
    case WT_FIELDS:
        msgpack_pack_map(&c->pk, n);
        for (unsigned i = 0; i < n; i++)
            put_field(c, (const struct wire_field *)at + i);
        break;
    default:
        msgpack_pack_array(&c->pk, n);
        for (unsigned i = 0; i < n; i++, at += k->size)
            if (k->type == WT_TEXTS)
                put_mended(c, (const char *)at, k->size);
            else
                put_map(c, k->sub, NULL, at);
    }
}

static void put_value(struct packing *c, const struct wire_key *k, const uint8_t *base)
{
    const uint8_t *at = base + k->off;

    switch (k->type) {
    case WT_WORD: put_word(c, k, (const char *)at); break;
    case WT_TEXT: put_mended(c, (const char *)at, k->size); break;
    case WT_NUM: case WT_AGE: put_num(c, k, num_at(at)); break;
    case WT_U64:  put_u64(c, k, (uint64_t)i64_at(at)); break;
    case WT_U32:  put_u64(c, k, (unsigned)int_at(at)); break;
    case WT_I64:
        c->bad |= !wire_num_ok(k, (double)i64_at(at));
        msgpack_pack_int64(&c->pk, i64_at(at));
        break;
    case WT_BOOL: *at ? msgpack_pack_true(&c->pk) : msgpack_pack_false(&c->pk); break;
    case WT_TRI:  int_at(at) ? msgpack_pack_true(&c->pk) : msgpack_pack_false(&c->pk); break;
    case WT_ENUM: put_enum(c, k, int_at(at)); break;
    case WT_MAP:  put_map(c, k->sub, NULL, at); break;
    default:      put_many(c, k, base);
    }
}

static void put_map(struct packing *c, const struct wire_table *a, const struct wire_table *b,
                    const uint8_t *base)
{
    const struct wire_table *t[2] = { a, b };
    unsigned n = 0;

    for (unsigned j = 0; j < 2; j++)
        for (unsigned i = 0; t[j] && i < t[j]->n; i++)
            n += is_there(&t[j]->key[i], base);
    msgpack_pack_map(&c->pk, n);
    for (unsigned j = 0; j < 2; j++)
        for (unsigned i = 0; t[j] && i < t[j]->n; i++)
            if (is_there(&t[j]->key[i], base)) {
                put_text(c, t[j]->key[i].key, strlen(t[j]->key[i].key));
                put_value(c, &t[j]->key[i], base);
            }
}

int wire_pack(const struct wire_msg *m, uint8_t *buf, size_t size)
{
    size_t most = WIRE_MAX - WIRE_ENVELOPE;     // so that its late envelope fits a frame as well
    struct room room = { buf, size < most ? size : most, 0, false };
    struct packing c = { .room = &room };

    if (m->head.kind <= WIRE_NONE || m->head.kind >= WIRE_KINDS || !wire_sane(m))
        return -EINVAL;
    msgpack_packer_init(&c.pk, &room, room_write);
    put_map(&c, wire_table_head(m->head.kind), wire_table_kind(m->head.kind), (const uint8_t *)m);
    if (c.bad)
        return -EINVAL;
    return room.full ? -EMSGSIZE : (int)room.len;
}

static int envelope(const char *key, const uint8_t *msg, size_t len, uint8_t *buf, size_t size)
{
    struct room room = { buf, size < WIRE_MAX ? size : WIRE_MAX, 0, false };
    struct packing c = { .room = &room };

    msgpack_packer_init(&c.pk, &room, room_write);
    msgpack_pack_map(&c.pk, 2);
    put_text(&c, "late", 4);
    msgpack_pack_true(&c.pk);
    put_text(&c, key, strlen(key));
    put_bytes(&c, msg, len);
    return room.full ? -EMSGSIZE : (int)room.len;
}

int wire_pack_late(const uint8_t *msg, size_t len, uint8_t *buf, size_t size)
{
    return envelope("msg", msg, len, buf, size);
}

int wire_pack_sealed(const uint8_t *sealed, size_t len, uint8_t *buf, size_t size)
{
    return envelope("sealed", sealed, len, buf, size);
}
