// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: structs to JSON and back by one table each, so that what is written for people
// and what is read at a restart cannot drift apart.
//
//     static const struct field fields[] = {
//         F_TEXT(struct alert, id, "id"), F_NUMBER(struct alert, p_drone, "p_drone", 4), F_END };
//
// Unknown is left out when written ("" NaN, time 0) and left as it was when not there to be read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

enum field_type { FIELD_END, FIELD_TEXT, FIELD_NUM, FIELD_U32, FIELD_U64, FIELD_BOOL, FIELD_TIME,
                  FIELD_TRI, FIELD_OPEN, FIELD_CLOSE, FIELD_TEXTS, FIELD_LIST, FIELD_PARAMS };

struct field {
    enum field_type type;
    const char *key;
    size_t      off, size;          // size: of the text; decimals; of one element
    size_t      off_n, max;         // lists: where the count (unsigned) stands, and how many fit
    const struct field *sub;        // FIELD_LIST: of one element
};

// A parameter of a line: a word or a number under a name.
struct param { char key[16]; char text[96]; double num; bool is_num; };

#define F_TEXT(t, m, k)       { FIELD_TEXT, k, offsetof(t, m), sizeof(((t *)0)->m), 0, 0, NULL }
#define F_NUMBER(t, m, k, d)  { FIELD_NUM, k, offsetof(t, m), d, 0, 0, NULL }
#define F_U32(t, m, k)        { FIELD_U32, k, offsetof(t, m), 0, 0, 0, NULL }
#define F_U64(t, m, k)        { FIELD_U64, k, offsetof(t, m), 0, 0, 0, NULL }
#define F_BOOL(t, m, k)       { FIELD_BOOL, k, offsetof(t, m), 0, 0, 0, NULL }
#define F_TIME(t, m, k)       { FIELD_TIME, k, offsetof(t, m), 0, 0, 0, NULL }
// An int: 1 yes, 0 no, -1 not known.
#define F_TRI(t, m, k)        { FIELD_TRI, k, offsetof(t, m), 0, 0, 0, NULL }
// An object inside; written only where the text `m` is not "" (F_OPEN_ALWAYS: always).
#define F_OPEN(t, m, k)       { FIELD_OPEN, k, offsetof(t, m), 1, 0, 0, NULL }
#define F_OPEN_ALWAYS(k)      { FIELD_OPEN, k, 0, 0, 0, 0, NULL }
#define F_CLOSE               { FIELD_CLOSE, NULL, 0, 0, 0, 0, NULL }
#define F_COUNT_(t, m)        sizeof(((t *)0)->m) / sizeof(((t *)0)->m[0])
#define F_LISTED_(ty, t, m, n, k, s) \
    { ty, k, offsetof(t, m), sizeof(((t *)0)->m[0]), offsetof(t, n), F_COUNT_(t, m), s }
#define F_TEXTS(t, m, n, k)   F_LISTED_(FIELD_TEXTS, t, m, n, k, NULL)
#define F_LIST(t, m, n, k, s) F_LISTED_(FIELD_LIST, t, m, n, k, s)
#define F_PARAMS(t, m, n, k)  F_LISTED_(FIELD_PARAMS, t, m, n, k, NULL)
#define F_END                 { FIELD_END, NULL, 0, 0, 0, 0, NULL }

// Members of the object that is open in j.
void fields_write(struct json *j, const struct field *f, const void *base);
// One object as text, malloc'd with a NUL behind *ret_len bytes; NULL: no memory.  `room` bytes are
// left free before the text (for a header).
char *fields_text(const struct field *f, const void *base, size_t room, size_t *ret_len);
// 0, or -EINVAL: no JSON object, or a member of another type.  base may be partly filled then.
int fields_read(const char *text, size_t len, const struct field *f, void *base);
