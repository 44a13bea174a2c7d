// SPDX-License-Identifier: GPL-3.0-or-later
// The world as text for terminals.  The words are those of the page, from the same file.
//
//     SIMULATION: nothing on this screen is real
//     CONNECTION LOST at ...
//     Stadium, north gate   14:02:11   Watched 2.4 GHz 100 %
//     new       CRITICAL  14:01:40Z  Drone: DJI Mini 2, ...
//     Nothing heard; watched ...           (where there is no alert)
//     gate-north: hears, for 3 min
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "alertd/watch.h"
#include "base/utc.h"

#define S_NS INT64_C(1000000000)

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

// Cuts s to so many columns; 0: leaves it.
static void cut(char *s, int cols)
{
    int at = 0, len;
    for (char *p = s; cols && *p; p += len) {
        int32_t c = words_rune(p, &len);
        int w = c < 0 ? 1 : wcwidth((wchar_t)c);
        at += w < 0 ? 1 : w;
        if (at > cols) {
            *p = 0;
            return;
        }
    }
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
static void banner(const struct watch *w, char *ret, size_t size)
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
static bool watched(const struct watch *w, const char *table, const char *key, char *ret,
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

// "CEST", "+03".
static void zone_text(char ret[16])
{
    time_t s = (time_t)(utc_now_ns() / S_NS);
    struct tm t;

    localtime_r(&s, &t);
    strftime(ret, 16, "%Z", &t);
    words_plain(ret);
}

// ---- The screen --------------------------------------------------------------------------------

struct page { FILE *out; int cols, rows, n; bool steer; };

static void put(struct page *p, const char *how, char *s)
{
    if (p->rows && p->n >= p->rows)
        return;
    cut(s, p->cols);
    if (p->steer)
        fprintf(p->out, "\033[%sm%s\033[0m\033[K\n", how, s);
    else
        fprintf(p->out, "%s\n", s);
    p->n++;
}

static int urgency(const json_t *a)
{
    static const char *const names[] = { "info", "watch", "alarm", "critical" };
    for (int i = 3; i > 0; i--)
        if (!strcmp(str(a, "severity"), names[i]))
            return i;
    return 0;
}

// Drones before equipment, new before seen, urgent before others, young before old.
static int order(const void *pa, const void *pb)
{
    const json_t *a = *(json_t *const *)pa, *b = *(json_t *const *)pb;
    int da = strcmp(str(a, "lane"), "equipment") != 0;
    int db = strcmp(str(b, "lane"), "equipment") != 0;
    int na = !strcmp(str(a, "work"), "new"), nb = !strcmp(str(b, "work"), "new");
    int d = da != db ? db - da : na != nb ? nb - na : urgency(b) - urgency(a);
    d = d ? d : strcmp(str(b, "first"), str(a, "first"));
    return d ? d : strcmp(str(a, "id"), str(b, "id"));
}

static void put_alerts(const struct watch *w, struct page *p, int room)
{
    size_t n = 0, all = json_object_size(w->now.alert);
    json_t **list = calloc(all + 1, sizeof(json_t *)), *v;
    const char *id;
    char text[2200];
    json_object_foreach(w->now.alert, id, v)
        if (list && strcmp(str(v, "work"), "closed"))
            list[n++] = v;
    if (n)
        qsort(list, n, sizeof *list, order);
    for (size_t i = 0; i < n; i++) {
        if (room && (int)i + 1 >= room && i + 1 < n) {
            json_t *k = json_pack("{s:i}", "n", (int)(n - i));
            words_fill(w->words, "ui", "and_more", k, text, sizeof text);
            json_decref(k);
            put(p, "0", text);
            break;
        }
        watch_line(w, list[i], text, sizeof text);
        put(p, urgency(list[i]) >= 2 ? "1" : "0", text);
    }
    bool drone = n && strcmp(str(list[0], "lane"), "equipment");
    free(list);
    if (!drone && w->link == WATCH_LIVE) {
        bool seen = watched(w, "quiet", "nothing", text, sizeof text);
        put(p, seen ? "0" : "1", text);
    }
}

int watch_screen(const struct watch *w, FILE *out, int cols, int rows, bool steer)
{
    struct page p = { out, cols, rows, 0, steer };
    char text[2200], at[WORDS_TIME], zone[16], bands[400];
    json_t *v;
    const char *id;
    banner(w, text, sizeof text);
    if (*text)
        put(&p, "7", text);
    if (w->link != WATCH_LIVE) {
        watch_link_line(w, text, sizeof text);
        put(&p, "1;7", text);
    }
    words_time(clock_now(), utc_now_ns(), at);
    zone_text(zone);                // named once: all times below are this clock's
    if (w->link != WATCH_LIVE || !watched(w, "ui", "watched", bands, sizeof bands))
        bands[0] = 0;
    snprintf(text, sizeof text, "%.80s   %s %s   %s", *str(w->now.health, "site")
             ? str(w->now.health, "site") : "Tyto", at, zone, bands);
    words_plain(text);
    put(&p, "1", text);
    int below = (int)json_object_size(w->now.sensor) + 3;
    put_alerts(w, &p, rows ? (rows - p.n - below > 3 ? rows - p.n - below : 3) : 0);
    put(&p, "0", (char[]){ "" });
    json_object_foreach(w->now.sensor, id, v) {
        watch_sensor(w, v, text, sizeof text);
        put(&p, strcmp(str(v, "state"), "ok") ? "1" : "0", text);
    }
    return p.n;
}
