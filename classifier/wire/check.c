// SPDX-License-Identifier: GPL-3.0-or-later
// What a message may hold, asked by both directions.
#include <math.h>
#include <string.h>

#include "classifier/wire/table.h"
#include "classifier/wire/text.h"

bool wire_num_ok(const struct wire_key *k, double v)
{
    return isfinite(v) && v >= k->lo && v <= k->hi;
}

int wire_enum_of(const struct wire_key *k, const char *s, size_t len)
{
    for (int i = 0; k->closed[i]; i++)
        if (strlen(k->closed[i]) == len && !memcmp(k->closed[i], s, len))
            return i;
    return -1;
}

bool wire_word_ok(const struct wire_key *k, const char *s)
{
    size_t n = strnlen(s, k->size);

    if (n == k->size || !text_plain(s, n))
        return false;
    return k->closed ? wire_enum_of(k, s, n) >= 0 : n > 0 || !k->must;
}

static bool held_ok(const struct wire_hello *h)
{
    for (unsigned i = 0; i < h->n; i++)
        if (h->held[i].first > h->held[i].last)
            return false;
    return h->v_lo <= h->v_hi;
}

static bool bands_ok(const struct wire_ledger *l)
{
    for (unsigned i = 0; i < l->n_bands; i++)
        if (l->band[i].lo_hz > l->band[i].hi_hz)
            return false;
    return l->from_ns <= l->to_ns;
}

bool wire_sane(const struct wire_msg *m)
{
    if (wire_kind_stream(m->head.kind) != m->head.stream || m->head.v != WIRE_VERSION)
        return false;
    switch (m->head.kind) {
    case WIRE_TRACK:
        return m->track.first_ns <= m->track.last_ns &&
               !(m->track.freq_lo_hz > m->track.freq_hi_hz);
    case WIRE_HEALTH: return !m->health.place_known || (isfinite(m->health.lat_deg) &&
                                                        isfinite(m->health.lon_deg));
    case WIRE_LEDGER: return bands_ok(&m->ledger);
    case WIRE_HELLO:  return held_ok(&m->hello);
    case WIRE_LOST:   return m->span.from <= m->span.to;
    case WIRE_PSD:    return m->psd.bins > 0;
    default:          return true;
    }
}
