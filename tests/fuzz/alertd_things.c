// SPDX-License-Identifier: GPL-3.0-or-later
// What is read back from a database that somebody may have changed: alerts, incidents, tracks and
// sensors as JSON, progress as text.  Read or refused; what was read can be written and read again.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct field *f, void *a, void *b, size_t size, const char *text,
                       size_t len)
{
    memset(a, 0, size);
    memset(b, 0, size);
    if (fields_read(text, len, f, a) < 0)
        return;
    char *again = fields_text(f, a, 0, &len);
    assert(again && fields_read(again, len, f, b) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static union { struct alert a; struct incident i; struct track_rec t; struct sensor_kept s; }
        x, y;
    static char text[65536];
    struct seqs q = { .boot = 1 }, r = { .boot = 1 };
    char out[SEQS_TEXT];
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    round_trip(alert_fields, &x, &y, sizeof x.a, text, size);
    round_trip(incident_fields, &x, &y, sizeof x.i, text, size);
    round_trip(track_fields, &x, &y, sizeof x.t, text, size);
    round_trip(sensor_fields, &x, &y, sizeof x.s, text, size);
    if (seqs_parse(&q, text) == 0) {
        seqs_text(&q, out);
        assert(seqs_parse(&r, out) == 0 && r.next == q.next && r.n == q.n);
    }
    return 0;
}
