// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile bytes to a message.  The frame is walked once for its form (sizes, nesting, its end) and
// once more by the tables; what the second walk meets is then well formed.
//
//     { v kind stream ... }             first walk: form; which kind, which version
//     { late msg: { v kind ... } }      an envelope: the same for what is inside, once
#include <string.h>

#include "classifier/wire/envelope.h"
#include "classifier/wire/take.h"

static bool is(const struct mp *v, const char *s)
{
    return v->type == MP_STR && v->n == strlen(s) && !memcmp(v->p, s, v->n);
}

// The value of a key in the top map of a frame whose form is known to hold.
static bool value_of(const uint8_t *p, size_t len, const char *name, struct mp *ret)
{
    struct bytes b = bytes_of(p, len);
    struct mp map, key;

    if (mp_next(&b, &map) || map.type != MP_MAP)
        return false;
    for (uint32_t n = map.n; n; n--) {
        struct bytes at = b;
        if (mp_next(&b, &key))
            return false;
        if (is(&key, name))
            return mp_next(&b, ret) == WIRE_OK;
        b = at;
        if (mp_skip(&b, MP_DEPTH) || mp_skip(&b, MP_DEPTH))
            return false;
    }
    return false;
}

static enum wire_fault form(const uint8_t *p, size_t len)
{
    struct bytes b = bytes_of(p, len);
    struct mp v;

    if (len > WIRE_MAX)
        return WIRE_TOO_LONG;
    enum wire_fault f = mp_next(&b, &v);
    if (f || v.type != MP_MAP)
        return f ? f : WIRE_NO_MAP;
    b = bytes_of(p, len);
    f = mp_skip(&b, MP_DEPTH);
    return f ? f : b.pos == len ? WIRE_OK : WIRE_NOT_MSGPACK;
}

enum envelope wire_envelope(const uint8_t *p, size_t len, const uint8_t **ret_p, size_t *ret_n)
{
    struct mp late, in;
    enum envelope e = ENVELOPE_NONE;

    if (form(p, len) || !value_of(p, len, "late", &late) || late.type != MP_BOOL || !late.u)
        return e;
    if (value_of(p, len, "msg", &in) && in.type == MP_BIN)
        e = ENVELOPE_PLAIN;
    else if (value_of(p, len, "sealed", &in) && in.type == MP_BIN)
        e = ENVELOPE_SEALED;
    if (e) {
        *ret_p = in.p;
        *ret_n = in.n;
    }
    return e;
}

static enum wire_fault kind_of(const uint8_t *p, size_t len, enum wire_kind *ret)
{
    struct mp v;

    if (!value_of(p, len, "v", &v))
        return WIRE_MISSING;
    if (v.type != MP_UINT)
        return WIRE_BAD_TYPE;
    if (v.u != WIRE_VERSION)
        return WIRE_BAD_VERSION;
    if (!value_of(p, len, "kind", &v))
        return WIRE_MISSING;
    for (int k = WIRE_NONE + 1; k < WIRE_KINDS; k++)
        if (is(&v, wire_kind_names[k])) {
            *ret = (enum wire_kind)k;
            return WIRE_OK;
        }
    return v.type == MP_STR ? WIRE_BAD_KIND : WIRE_BAD_TYPE;
}

static enum wire_fault unpack_plain(struct wire_msg *m, const uint8_t *p, size_t len)
{
    struct bytes b = bytes_of(p, len);
    enum wire_kind kind = WIRE_NONE;
    enum wire_fault f = kind_of(p, len, &kind);

    if (f)
        return f;
    memset(m, 0, sizeof *m);
    f = wire_take_map(&b, wire_table_head(kind), wire_table_kind(kind), (uint8_t *)m);
    return f ? f : wire_sane(m) ? WIRE_OK : WIRE_BAD_VALUE;
}

enum wire_fault wire_unpack(struct wire_msg *ret, const uint8_t *p, size_t len)
{
    const uint8_t *in = p;
    size_t n = len;
    struct wire_msg m;
    enum wire_fault f = form(p, len);

    if (f)
        return f;
    enum envelope e = wire_envelope(p, len, &in, &n);
    if (e == ENVELOPE_SEALED)
        return WIRE_SEALED;
    if (e == ENVELOPE_PLAIN) {
        if ((f = form(in, n)))
            return f;
        const uint8_t *in2;
        size_t n2;
        if (wire_envelope(in, n, &in2, &n2))
            return WIRE_TOO_DEEP;   // an envelope in an envelope
    }
    if ((f = unpack_plain(&m, in, n)))
        return f;
    m.head.late = e == ENVELOPE_PLAIN;
    *ret = m;
    return WIRE_OK;
}
