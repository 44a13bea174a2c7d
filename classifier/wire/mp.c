// SPDX-License-Identifier: GPL-3.0-or-later
// The msgpack format (its specification's table of first bytes), read with a bound.
//
//     00..7f int   80.. map   90.. array   a0.. str   c0 nil   c2 c3 bool   c4..c6 bin
//     c7..c9 ext   ca cb float   cc..cf uint   d0..d3 int   d4..d8 fixext   d9..db str
//     dc dd array   de df map   e0..ff negative int
#include "classifier/wire/mp.h"

#include <string.h>

static uint64_t take_be(struct bytes *b, unsigned n)
{
    const uint8_t *q = bytes_take(b, n);
    uint64_t v = 0;

    for (unsigned i = 0; q && i < n; i++)
        v = v << 8 | q[i];
    return v;
}

static enum wire_fault take_block(struct bytes *b, struct mp *r, enum mp_type type, uint32_t n)
{
    r->type = type;
    r->n = n;
    if (b->bad)
        return WIRE_NOT_MSGPACK;
    r->p = bytes_take(b, n);
    return r->p ? WIRE_OK : WIRE_LYING_SIZE;
}

// A member takes a byte at least.
static enum wire_fault container(struct bytes *b, struct mp *r, enum mp_type type, uint32_t n)
{
    r->type = type;
    r->n = n;
    if (b->bad)
        return WIRE_NOT_MSGPACK;
    return (uint64_t)n * (type == MP_MAP ? 2 : 1) > b->len - b->pos ? WIRE_LYING_SIZE : WIRE_OK;
}

static enum wire_fault number(struct bytes *b, struct mp *r, uint8_t c)
{
    if (c == 0xca) {
        uint32_t u = (uint32_t)take_be(b, 4);
        float f;
        memcpy(&f, &u, sizeof f);
        r->type = MP_FLOAT;
        r->f = (double)f;
    } else if (c == 0xcb) {
        uint64_t u = take_be(b, 8);
        memcpy(&r->f, &u, sizeof r->f);
        r->type = MP_FLOAT;
    } else if (c <= 0xcf) {
        r->type = MP_UINT;
        r->u = take_be(b, 1u << (c - 0xcc));
    } else {
        unsigned n = 1u << (c - 0xd0), shift = 64 - 8 * n;
        r->i = (int64_t)(take_be(b, n) << shift) >> shift;
        r->type = r->i < 0 ? MP_NEG : MP_UINT;
        r->u = (uint64_t)r->i;
    }
    return b->bad ? WIRE_NOT_MSGPACK : WIRE_OK;
}

enum wire_fault mp_next(struct bytes *b, struct mp *r)
{
    *r = (struct mp){ .type = MP_NIL };
    uint8_t c = bytes_u8(b);

    if (b->bad || c == 0xc1)
        return WIRE_NOT_MSGPACK;
    if (c <= 0x7f) {
        r->type = MP_UINT;
        r->u = c;
        return WIRE_OK;
    }
    if (c >= 0xe0) {
        r->type = MP_NEG;
        r->i = (int8_t)c;
        return WIRE_OK;
    }
    if (c <= 0x8f)
        return container(b, r, MP_MAP, c & 0x0f);
    if (c <= 0x9f)
        return container(b, r, MP_ARRAY, c & 0x0f);
    if (c <= 0xbf)
        return take_block(b, r, MP_STR, c & 0x1f);
    if (c == 0xc0)
        return WIRE_OK;
    if (c <= 0xc3) {
        r->type = MP_BOOL;
        r->u = c & 1;
        return WIRE_OK;
    }
    if (c <= 0xc6)
        return take_block(b, r, MP_BIN, (uint32_t)take_be(b, 1u << (c - 0xc4)));
    if (c <= 0xc9) {                            // ext: size, then its type byte, then the bytes
        uint32_t n = (uint32_t)take_be(b, 1u << (c - 0xc7));
        bytes_u8(b);
        return take_block(b, r, MP_EXT, n);
    }
    if (c <= 0xd3)
        return number(b, r, c);
    if (c <= 0xd8) {
        bytes_u8(b);
        return take_block(b, r, MP_EXT, 1u << (c - 0xd4));
    }
    if (c <= 0xdb)
        return take_block(b, r, MP_STR, (uint32_t)take_be(b, 1u << (c - 0xd9)));
    if (c <= 0xdd)
        return container(b, r, MP_ARRAY, (uint32_t)take_be(b, 2u << (c - 0xdc)));
    return container(b, r, MP_MAP, (uint32_t)take_be(b, 2u << (c - 0xde)));
}

enum wire_fault mp_skip(struct bytes *b, unsigned depth)
{
    struct mp v;
    enum wire_fault f = mp_next(b, &v);

    if (f || (v.type != MP_ARRAY && v.type != MP_MAP))
        return f;
    if (depth == 0)
        return WIRE_TOO_DEEP;
    for (uint64_t n = (uint64_t)v.n * (v.type == MP_MAP ? 2 : 1); n && !f; n--)
        f = mp_skip(b, depth - 1);
    return f;
}
