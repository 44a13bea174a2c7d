// SPDX-License-Identifier: GPL-3.0-or-later
// GET /api/v1/ledger?from=TIME&to=TIME&sensor=NAME: what was watched, and when nobody knows.
#include <stdlib.h>
#include <string.h>

#include "alertd/store.h"
#include "alertd/web_in.h"
#include "base/utc.h"
#include "hw/keys.h"

#define MINUTE_NS INT64_C(60000000000)
#define HOUR      60            // minutes, where from is not given
#define SPAN_MOST (31 * 24 * 60)

static const char *argument(const struct req *r, const char *name)
{
    return MHD_lookup_connection_value(r->con, MHD_GET_ARGUMENT_KIND, name);
}

// Minute of the time that was given, or the usual one; false: no time at all.
static bool minute(const struct req *r, const char *name, int64_t usual, int64_t *ret)
{
    const char *s = argument(r, name);
    int64_t ns, err_ns;

    *ret = usual;
    if (!s)
        return true;
    if (utc_parse(s, &ns, &err_ns) < 0)
        return false;
    *ret = ns / MINUTE_NS;
    return true;
}

enum MHD_Result api_ledger(struct req *r)
{
    const char *sensor = argument(r, "sensor");
    int64_t now = utc_now_ns() / MINUTE_NS, from, to;

    if (!minute(r, "to", now, &to) || !minute(r, "from", to - HOUR, &from))
        return reply_error(r, 400, "\"from\" and \"to\" must be times such as "
                           "2030-01-31T18:30:00Z.");
    if (to > now)
        to = now;               // the minute that runs is not told of yet
    if (from < 0 || from >= to || to - from > SPAN_MOST)
        return reply_error(r, 400, "\"from\" must be before \"to\" and now, by 31 days at most.");
    if (sensor && strlen(sensor) >= KEYS_NAME)
        return reply_error(r, 400, "There is no sensor of so long a name.");
    char *text = store_watch_json(r->w->cfg->data_dir, sensor ? sensor : "", from, to);
    return text ? reply_text(r, 200, "application/json", text)
                : reply_error(r, 503, "The store cannot be read just now; try again.");
}
