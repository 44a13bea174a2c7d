// SPDX-License-Identifier: GPL-3.0-or-later
// The wire's words for itself.
#include <assert.h>

#include "classifier/wire/table.h"

const char *const wire_kind_names[] = { "none", "track", "decode", "health", "ledger", "psd",
                                        "burst", "hello", "lost", "resume", "ack", "view", NULL };
const char *const wire_stream_names[] = { "link", "event", "view", NULL };

const char *wire_kind_name(enum wire_kind k)
{
    assert((unsigned)k < WIRE_KINDS);
    return wire_kind_names[k];
}

const char *wire_stream_name(enum wire_stream s)
{
    assert((unsigned)s <= WIRE_STREAM_VIEW);
    return wire_stream_names[s];
}

enum wire_stream wire_kind_stream(enum wire_kind k)
{
    switch (k) {
    case WIRE_TRACK: case WIRE_DECODE: case WIRE_HEALTH: case WIRE_LEDGER:
        return WIRE_STREAM_EVENT;
    case WIRE_PSD: case WIRE_BURST:
        return WIRE_STREAM_VIEW;
    default:
        return WIRE_STREAM_LINK;
    }
}

const char *wire_fault_name(enum wire_fault f)
{
    static const char *const name[WIRE_FAULTS] = {
        [WIRE_OK] = "ok", [WIRE_TOO_LONG] = "too-long", [WIRE_NOT_MSGPACK] = "not-msgpack",
        [WIRE_LYING_SIZE] = "lying-size", [WIRE_TOO_DEEP] = "too-deep", [WIRE_NO_MAP] = "no-map",
        [WIRE_BAD_VERSION] = "bad-version", [WIRE_BAD_KIND] = "bad-kind",
        [WIRE_MISSING] = "missing", [WIRE_BAD_TYPE] = "bad-type", [WIRE_BAD_VALUE] = "bad-value",
        [WIRE_SEALED] = "sealed",
    };
    assert((unsigned)f < WIRE_FAULTS);
    return name[f];
}
