// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: one msgpack value after the other from bounded bytes, with no tree
// and no memory.  A declared size larger than the bytes left is a lie and refused at once: five
// bytes may ask for gigabytes.
#pragma once

#include "base/bytes.h"
#include "classifier/wire.h"

#define MP_DEPTH 8              // of nesting; our own messages use 3

enum mp_type { MP_NIL, MP_BOOL, MP_UINT, MP_NEG, MP_FLOAT, MP_STR, MP_BIN, MP_ARRAY, MP_MAP,
               MP_EXT };

struct mp {
    enum mp_type   type;
    uint64_t       u;           // MP_UINT, MP_BOOL
    int64_t        i;           // MP_NEG
    double         f;           // MP_FLOAT
    uint32_t       n;           // bytes, elements, or pairs
    const uint8_t *p;           // MP_STR, MP_BIN: n bytes
};

// The next value, or the head of a container, whose members follow.
enum wire_fault mp_next(struct bytes *b, struct mp *ret);
// Past the next value and all it holds.
enum wire_fault mp_skip(struct bytes *b, unsigned depth);
