// SPDX-License-Identifier: GPL-3.0-or-later
// The world as lines of text.  The words are those of the page, from the same file.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alertd/watch.h"
#include "base/utc.h"

#define S_NS INT64_C(1000000000)

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

// ---- Lines -------------------------------------------------------------------------------------

static void span(char ret[24], double s)
{
    s = s < 0 ? 0 : s;
    if (s < 90)
        snprintf(ret, 24, "%.0f s", s);
    else if (s < 5400)
        snprintf(ret, 24, "%.0f min", s / 60);
    else
        snprintf(ret, 24, "%.1f h", s / 3600);
}

static double ago_s(const json_t *o, const char *key)
{
    int64_t ns, err;
    return utc_parse(str(o, key), &ns, &err) == 0 ? (double)(utc_now_ns() - ns) / 1e9 : NAN;
}

static struct words_clock clock_now(void)
{
    return (struct words_clock){ utc_now_ns(), true };
}

void watch_line(const struct watch *w, const json_t *a, char *ret, size_t size)
{
    char text[2048], who[200];
    const char *work = words_of(w->words, "work", str(a, "work"));

    words_line_at(w->words, a, clock_now(), text, sizeof text);
    snprintf(who, sizeof who, "%s", str(a, "assigned_to"));
    words_plain(who);
    snprintf(ret, size, "%-9s %s%s%s", work, text, *who ? "; -> " : "", who);
}

void watch_sensor(const struct watch *w, const json_t *s, char *ret, size_t size)
{
    char for_s[24], what[200];
    double since_s = ago_s(s, "since");
    const json_t *list = json_object_get(s, "trouble");
    span(for_s, since_s);
    size_t n = (size_t)snprintf(ret, size, "%.60s: %.60s%s%s", str(s, "name"),
                                words_of(w->words, "sensor_state", str(s, "state")),
                                isfinite(since_s) ? ", " : "", isfinite(since_s) ? for_s : "");
    for (size_t i = 0; i < json_array_size(list) && n < size; i++) {
        const json_t *t = json_array_get(list, i);
        words_fill(w->words, "trouble", str(t, "key"), json_object_get(t, "params"), what,
                   sizeof what);
        n += (size_t)snprintf(ret + n, size - n, "; %s", what);
    }
    words_plain(ret);
}

void watch_link_line(const struct watch *w, char *ret, size_t size)
{
    char at[WORDS_TIME], for_s[24];
    words_time(clock_now(), w->since_ns, at);
    span(for_s, (double)(utc_now_ns() - w->since_ns) / 1e9);
    json_t *p = json_pack("{s:s,s:s}", "at", at, "span", for_s);
    words_fill(w->words, "ui", w->link == WATCH_LOST ? "lost" : "connecting", p, ret, size);
    json_decref(p);
}

// "SIMULATION: ..." of everything heard that is not live; "" where all is.
void watch_banner(const struct watch *w, char *ret, size_t size)
{
    const json_t *list = json_object_get(w->now.health, "origins");
    size_t n = 0;
    *ret = 0;
    for (size_t i = 0; i < json_array_size(list) && n < size; i++) {
        const char *o = json_string_value(json_array_get(list, i));
        if (o && strcmp(o, "live"))
            n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " - " : "",
                                  words_of(w->words, "banner", o));
    }
    if (!n && json_is_true(json_object_get(w->now.health, "exercise")))
        snprintf(ret, size, "%s", words_of(w->words, "banner", "exercise"));
    words_plain(ret);
}

// "Nothing heard; watched 2.4 GHz 100 %": or that nothing is watched.
bool watch_watched(const struct watch *w, const char *table, const char *key, char *ret,
                    size_t size)
{
    const json_t *list = json_object_get(w->now.health, "watched");
    char bands[300];
    size_t n = 0;
    bool any = false;
    for (size_t i = 0; i < json_array_size(list) && n < sizeof bands; i++) {
        const json_t *b = json_array_get(list, i);
        double share = json_number_value(json_object_get(b, "share"));
        any = any || share >= 0.005;
        n += (size_t)snprintf(bands + n, sizeof bands - n, "%s%.30s %.0f %%", i ? ", " : "",
                              str(b, "band"), 100 * share);
    }
    json_t *p = json_pack("{s:s}", "bands", any ? bands : "");
    words_fill(w->words, any ? table : "quiet", any ? key : "blind", p, ret, size);
    json_decref(p);
    words_plain(ret);
    return any;
}
