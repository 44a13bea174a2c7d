// SPDX-License-Identifier: GPL-3.0-or-later
// gpsd's JSON, bounded: lengths, nesting (jansson's 2048) and ranges.
#include "hw/gpsd.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/utc.h"

#define SPEED_M_S    100.0      // no vehicle that carries a sensor is faster
#define STEP_MAX_S   600.0      // a receiver may be without a fix: a tunnel, a ferry
#define SLACK_M      50.0       // receivers say less than their error
#define ERR_MOST_M   1000.0     // of what they say
#define NEXT_ROW     10         // seconds at a new place: then it is one
#define M_PER_DEG    111195.0   // of latitude, mean radius 6371 km
#define CLOCK_OFF_S  10.0       // receivers are a second late, rarely two

const char *gpsd_refusal_words(enum gpsd_refusal r)
{
    static const char *const words[] = {
        "", "a line that makes no sense", "a fix whose time does not go on",
        "a position that jumps", "a fix dated far from this machine's clock",
    };
    return words[r];
}

static void refuse(struct gpsd *g, enum gpsd_refusal why)
{
    g->refused++;
    g->why = why;
}

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

static double apart_m(double lat_deg, double lon_deg, double lat2_deg, double lon2_deg)
{
    double east_deg = fabs(lon_deg - lon2_deg);

    east_deg = fmin(east_deg, 360 - east_deg) * cos(lat_deg * M_PI / 180);
    return hypot(lat_deg - lat2_deg, east_deg) * M_PER_DEG;
}

// Can it have got there since?  A step is believed once it was told NEXT_ROW times: the fix before
// may have been the wrong one.
static bool may_be_there(struct gpsd *g, double lat_deg, double lon_deg, double err_m,
                         int64_t time_ns)
{
    double since_s = time_ns && g->fix_ns ? (double)(time_ns - g->fix_ns) * 1e-9 : 1;
    double slack_m = SLACK_M + 3 * fmin(err_m, ERR_MOST_M);

    if (!g->known || apart_m(lat_deg, lon_deg, g->lat_deg, g->lon_deg) <=
                     slack_m + 3 * fmin(g->err_m, ERR_MOST_M) +
                     SPEED_M_S * fmin(fmax(since_s, 1), STEP_MAX_S)) {
        g->next_row = 0;
        return true;
    }
    bool same = g->next_row && apart_m(lat_deg, lon_deg, g->next_lat_deg, g->next_lon_deg) <=
                               slack_m + SPEED_M_S;
    g->next_row = same ? g->next_row + 1 : 1;
    g->next_lat_deg = lat_deg;
    g->next_lon_deg = lon_deg;
    return g->next_row >= NEXT_ROW;
}

// 0: it tells none.
static int64_t time_of(const json_t *o)
{
    const char *s = json_string_value(json_object_get(o, "time"));
    int64_t ns, err_ns;

    return s && utc_parse(s, &ns, &err_ns) == 0 ? ns : 0;
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
    int64_t time_ns = time_of(o), before_ns = g->time_ns;
    double err_m = error_m(o);
    g->time_ns = time_ns ? time_ns : before_ns;
    if (time_ns && time_ns <= before_ns) {
        refuse(g, GPSD_OLD);
        return true;
    }
    if (!may_be_there(g, lat, lon, err_m, time_ns)) {
        refuse(g, GPSD_JUMP);
        return true;
    }
    double alt = number(o, "altMSL", -1000, 100e3);
    g->alt_m = mode < 3 ? NAN : isnan(alt) ? number(o, "alt", -1000, 100e3) : alt;
    g->lat_deg = lat;
    g->lon_deg = lon;
    g->err_m = err_m;
    g->fix_ns = time_ns;
    g->next_row = 0;
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
    if (!ok)
        refuse(g, GPSD_NONSENSE);
    g->bad_row = ok ? 0 : g->bad_row + 1;
    g->skipping = false;
    g->skipped = 0;
    g->n = 0;
}

void gpsd_feed(struct gpsd *g, const void *bytes, size_t n)
{
    for (const char *p = bytes, *end = p + n; p < end; p++) {
        if (*p == '\n')
            end_line(g);
        else if (g->n < GPSD_LINE)
            g->line[g->n++] = *p;
        else {                  // one that never ends is as bad as many
            g->skipping = true;
            g->bad_row += ++g->skipped % GPSD_LINE == 0;
        }
    }
}

void gpsd_judge(struct gpsd *g, int64_t utc_now_ns, bool clock_locked)
{
    double off_s = (double)(utc_now_ns - g->fix_ns) * 1e-9;

    if (!g->news || !g->fix_ns || !clock_locked || fabs(off_s) <= CLOCK_OFF_S)
        return;
    refuse(g, GPSD_CLOCK);
    g->news = false;
}
