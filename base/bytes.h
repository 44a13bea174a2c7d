// SPDX-License-Identifier: GPL-3.0-or-later
// A bounded reader over bytes from outside, with a sticky error: read on without checking each
// step, ask once at the end.  Past the end every read gives 0 and sets the error.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *p;
    size_t         len, pos;
    bool           bad;
};

static inline struct bytes bytes_of(const void *p, size_t len)
{
    return (struct bytes){ .p = p, .len = len };
}

// The next n bytes, or NULL (and the error set) when fewer are left.
static inline const uint8_t *bytes_take(struct bytes *b, size_t n)
{
    if (b->bad || n > b->len - b->pos) {
        b->bad = true;
        return NULL;
    }
    const uint8_t *r = b->p + b->pos;
    b->pos += n;
    return r;
}

static inline uint64_t bytes_le(struct bytes *b, unsigned n)
{
    const uint8_t *q = bytes_take(b, n);
    uint64_t v = 0;
    for (unsigned i = 0; q && i < n; i++)
        v |= (uint64_t)q[i] << (8 * i);
    return v;
}

static inline uint8_t  bytes_u8(struct bytes *b)  { return (uint8_t)bytes_le(b, 1); }
static inline uint16_t bytes_u16(struct bytes *b) { return (uint16_t)bytes_le(b, 2); }
static inline int16_t  bytes_i16(struct bytes *b) { return (int16_t)bytes_le(b, 2); }
static inline uint32_t bytes_u32(struct bytes *b) { return (uint32_t)bytes_le(b, 4); }
static inline int32_t  bytes_i32(struct bytes *b) { return (int32_t)bytes_le(b, 4); }
static inline uint64_t bytes_u64(struct bytes *b) { return bytes_le(b, 8); }
