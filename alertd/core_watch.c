// SPDX-License-Identifier: GPL-3.0-or-later
// What a ledger message says, to be kept by the minute:
//
//     ledger     |---- from ......... to ----|        10 s, now and then over the border
//     minutes  ..........|60 s .............|..........       each gets its share
#include <math.h>

#include "alertd/core.h"

#define MINUTE_NS INT64_C(60000000000)
#define MOST 5                  // minutes of one message: a sensor that was held up for longer is
                                // told of as far as that

static double known_or_nan(double v) { return v >= 0 ? v : NAN; }

static void one(struct core *c, const struct sensor *s, const struct wire_band *b, int64_t minute,
                double span_s, double share)
{
    batch_watch(c->batch, &(struct watch_row){ .sensor = s->name, .radio = b->radio,
        .band = b->name, .minute = minute, .lo_hz = b->lo_hz, .hi_hz = b->hi_hz,
        .told_s = span_s * share, .watched_s = fmin(b->watched_s, span_s) * share,
        .deaf_s = fmax(b->deaf_s, 0) * share, .lost_s = fmax(b->lost_s, 0) * share,
        .floor_dbfs = b->watched_s > 0 ? b->floor_dbfs : NAN, .gain_db = b->gain_db,
        .smallest_dbfs = b->state[0] ? b->smallest_dbfs : NAN,
        .p95_s = b->windows ? known_or_nan(b->revisit_p95_s) : NAN,
        .max_s = b->windows ? known_or_nan(b->revisit_max_s) : NAN });
}

void watch_rows(struct core *c, const struct sensor *s, const struct wire_ledger *l)
{
    double span_s = (double)(l->to_ns - l->from_ns) / 1e9;
    int64_t last = (l->to_ns - 1) / MINUTE_NS, first = l->from_ns / MINUTE_NS;

    if (!(span_s > 0) || l->from_ns < 0)
        return;
    first = last - first >= MOST ? last - MOST + 1 : first;
    for (int64_t m = first; m <= last; m++) {
        int64_t from = m * MINUTE_NS > l->from_ns ? m * MINUTE_NS : l->from_ns;
        int64_t to = (m + 1) * MINUTE_NS < l->to_ns ? (m + 1) * MINUTE_NS : l->to_ns;
        double share = (double)(to - from) / (double)(l->to_ns - l->from_ns);
        for (unsigned b = 0; b < l->n_bands && b < WIRE_BANDS; b++)
            one(c, s, &l->band[b], m, span_s, share);
    }
}
