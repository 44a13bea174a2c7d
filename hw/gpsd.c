// SPDX-License-Identifier: GPL-3.0-or-later
// gpsd's JSON, bounded: lengths, nesting (jansson's 2048) and ranges.
#include "hw/gpsd.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

// A number of the object, NAN where it has none or one out of range.
static double number(const json_t *o, const char *key, double lo, double hi)
{
    const json_t *v = json_object_get(o, key);
    double d = json_is_number(v) ? json_number_value(v) : NAN;

    return d >= lo && d <= hi ? d : NAN;
}

// Error ellipse of 95 % where it is told by axis; else gpsd's one figure; else 100 m, so that a
// receiver that says nothing does not look perfect.
static double error_m(const json_t *o)
{
    double x = number(o, "epx", 0, 1e6), y = number(o, "epy", 0, 1e6), h = number(o, "eph", 0, 1e6);

    if (!isnan(x) && !isnan(y))
        return hypot(x, y);
    return isnan(h) ? 100 : h;
}

static bool take_fix(struct gpsd *g, const json_t *o)
{
    double mode = number(o, "mode", 0, 3);
    double lat = number(o, "lat", -90, 90), lon = number(o, "lon", -180, 180);

    if (isnan(mode))
        return false;
    if (mode < 2)               // no fix: the last one grows old
        return true;
    if (isnan(lat) || isnan(lon))
        return false;
    double alt = number(o, "altMSL", -1000, 100e3);
    g->alt_m = mode < 3 ? NAN : isnan(alt) ? number(o, "alt", -1000, 100e3) : alt;
    g->lat_deg = lat;
    g->lon_deg = lon;
    g->err_m = error_m(o);
    g->known = g->news = true;
    return true;
}

static bool take_sky(struct gpsd *g, const json_t *o)
{
    const json_t *list = json_object_get(o, "satellites"), *s;
    double told = number(o, "uSat", 0, 1000);
    unsigned used = 0;
    size_t i;

    json_array_foreach(list, i, s)
        used += json_is_true(json_object_get(s, "used"));
    if (isnan(told) && !json_is_array(list))
        return true;            // a SKY of dilutions only
    g->satellites = isnan(told) ? used : (unsigned)told;
    return true;
}

static bool take_line(struct gpsd *g)
{
    json_t *o = json_loadb(g->line, g->n, JSON_REJECT_DUPLICATES, NULL);
    const char *class = json_string_value(json_object_get(o, "class"));
    bool ok = class != NULL;

    if (ok && !strcmp(class, "TPV"))
        ok = take_fix(g, o);
    else if (ok && !strcmp(class, "SKY"))
        ok = take_sky(g, o);
    json_decref(o);
    return ok;
}

static void end_line(struct gpsd *g)
{
    bool ok = !g->skipping && (g->n == 0 || (g->n == 1 && g->line[0] == '\r') || take_line(g));

    g->lines++;
    g->bad += !ok;
    g->bad_row = ok ? 0 : g->bad_row + 1;
    g->skipping = false;
    g->n = 0;
}

void gpsd_feed(struct gpsd *g, const void *bytes, size_t n)
{
    for (const char *p = bytes, *end = p + n; p < end; p++) {
        if (*p == '\n')
            end_line(g);
        else if (g->n < GPSD_LINE)
            g->line[g->n++] = *p;
        else
            g->skipping = true;
    }
}
