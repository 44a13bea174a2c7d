// SPDX-License-Identifier: GPL-3.0-or-later
// Messages between threads: a union's longest member is ten times its most frequent one.
#include "classifier/pub_item.h"

#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

struct item { size_t size; int64_t mono_ns; char bytes[]; };

static size_t msg_size(enum wire_kind k)
{
    static const size_t size[WIRE_KINDS] = {
        [WIRE_TRACK] = sizeof(struct wire_track), [WIRE_DECODE] = sizeof(struct wire_decode),
        [WIRE_HEALTH] = sizeof(struct wire_health), [WIRE_LEDGER] = sizeof(struct wire_ledger),
        [WIRE_PSD] = sizeof(struct wire_psd), [WIRE_BURST] = sizeof(struct wire_burst),
    };
    return (unsigned)k < WIRE_KINDS && size[k] ? offsetof(struct wire_msg, track) + size[k] : 0;
}

struct item *item_new(const struct wire_msg *m)
{
    size_t n = msg_size(m->head.kind);
    struct item *i = n ? malloc(sizeof *i + n) : NULL;

    if (i) {
        i->size = n;
        i->mono_ns = mono_now_ns();
        memcpy(i->bytes, m, n);
    }
    return i;
}

void item_take(struct item *i, struct wire_msg *ret)
{
    memset(ret, 0, sizeof *ret);
    memcpy(ret, i->bytes, i->size);
    ret->head.mono_ns = i->mono_ns;
    free(i);
}
