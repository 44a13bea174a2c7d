// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what each kind of message holds, as data.  One table drives packing,
// unpacking and docs/WIRE.md.
//
//     struct wire_msg  | head | track: id radio state ... |    key: name on the wire, type, where
//                               ^ off                      in the struct, what it may hold
#pragma once

#include "classifier/wire.h"

enum wire_type {
    WT_WORD,        // char[size]: printable ASCII; closed: one of these
    WT_TEXT,        // char[size]: UTF-8, mended and cut to fit
    WT_NUM,         // double in lo..hi; unknown: NAN
    WT_AGE,         // the same, where a negative one is also unknown
    WT_U64, WT_U32, // whole, up to hi
    WT_I64,         // whole, in lo..hi; unknown: -1
    WT_BOOL,
    WT_TRI,         // int: 1, 0, -1 unknown
    WT_ENUM,        // an enum: closed[value]
    WT_MAP,         // sub, at off; where optional, there when its first member is
    WT_LIST,        // max items of size bytes, each a sub; unsigned count at n_off
    WT_TEXTS,       // max texts of size bytes; count at n_off, or ended by "" where n_off is 0
    WT_BIN8,        // up to max bytes, count (unsigned) at n_off
    WT_BIN16,       // the same, count is uint16_t
    WT_FIELDS,      // struct wire_field, up to max, as one map; unsigned count at n_off
};

struct wire_table;
struct wire_key {
    const char              *key, *about;       // about: the document's words
    enum wire_type           type;
    bool                     must;
    uint16_t                 off, size, max, n_off;
    double                   lo, hi;
    const char *const       *closed;            // NULL-terminated
    const struct wire_table *sub;
};
struct wire_table { const struct wire_key *key; unsigned n; };

#define WIRE_COUNT_MAX 9007199254740992.0       // 2^53: what JSON numbers hold, for counters

// Members of the top map: all of a kind's (offsets in struct wire_msg), and those every message of
// its stream has.
const struct wire_table *wire_table_head(enum wire_kind k);
const struct wire_table *wire_table_kind(enum wire_kind k);
extern const char *const wire_kind_names[], *const wire_stream_names[];

// May the value stand there?
bool wire_num_ok(const struct wire_key *k, double v);
bool wire_word_ok(const struct wire_key *k, const char *s);
int  wire_enum_of(const struct wire_key *k, const char *s, size_t len);     // or -1
// What no single member can tell: first before last and the like.
bool wire_sane(const struct wire_msg *m);
