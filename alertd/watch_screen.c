// SPDX-License-Identifier: GPL-3.0-or-later
// The world as one screen of a terminal, or as text of any length.
//
//     SIMULATION: nothing on this screen is real
//     CONNECTION LOST at ...
//     Stadium, north gate   14:02:11 CEST   Watched 2.4 GHz 100 %
//     new       CRITICAL  14:01:40  Drone: DJI Mini 2, inside Pitch; says it
//               is at ...
//     Nothing heard; watched ...           (where there is no alert)
//
//     gate-north: hears, for 3 min
//
// What is too wide goes on in the next row: on a narrow screen fewer alerts stand, and whole ones.
// Alerts have two thirds of the rows where sensors want more; sensors in trouble come first.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "alertd/watch.h"
#include "base/utc.h"

#define S_NS   INT64_C(1000000000)
#define INDENT 10               // behind "assigned  ": the column of the urgency

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
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

// ---- Rows --------------------------------------------------------------------------------------

struct page { FILE *out; int cols, rows, n; bool steer; };

// How many bytes of s fit into so many columns, up to a blank where one is in the second half.
static size_t fits(const char *s, int cols)
{
    size_t blank = 0, at = 0;
    int col = 0, len;

    for (; s[at]; at += (size_t)len) {
        int32_t c = words_rune(s + at, &len);
        int w = c < 0 ? 1 : wcwidth((wchar_t)c);
        col += w < 0 ? 1 : w;
        if (col > cols)
            return blank ? blank : at ? at : (size_t)len;
        if (c == ' ' && col > cols / 2)
            blank = at;
    }
    return at;
}

static void put_row(struct page *p, const char *how, int indent, const char *s, size_t n)
{
    if (p->rows && p->n >= p->rows)
        return;
    if (p->steer)
        fprintf(p->out, "\033[%sm%*s%.*s\033[0m\033[K\n", how, indent, "", (int)n, s);
    else
        fprintf(p->out, "%*s%.*s\n", indent, "", (int)n, s);
    p->n++;
}

// A text over as many rows as it needs; returns how many.  p->out NULL: only counts.
static int put(struct page *p, const char *how, const char *s, int indent)
{
    int k = 0;

    indent = p->cols > 3 * indent ? indent : p->cols > 1;
    do {
        int in = k ? indent : 0;
        size_t n = p->cols ? fits(s, p->cols - in > 1 ? p->cols - in : 1) : strlen(s);
        if (p->out)
            put_row(p, how, in, s, n);
        s += n;
        s += strspn(s, " ");
        k++;
    } while (*s);
    return k;
}

static int height(const struct page *p, const char *s, int indent)
{
    struct page only = { .cols = p->cols };
    return put(&only, "", s, indent);
}

// ---- Alerts ------------------------------------------------------------------------------------

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

static void put_more(const struct watch *w, struct page *p, size_t n)
{
    char text[200];
    json_t *k = json_pack("{s:i}", "n", (int)n);

    words_fill(w->words, "ui", "and_more", k, text, sizeof text);
    json_decref(k);
    put(p, "0", text, 0);
}

// Of the most urgent as many as there is room for, whole; at least one.
static void put_list(const struct watch *w, struct page *p, json_t **list, size_t n, int room)
{
    char text[2200];
    int used = 0;

    for (size_t i = 0; i < n; i++) {
        watch_line(w, list[i], text, sizeof text);
        used += height(p, text, INDENT);
        if (room && i && used + (i + 1 < n) > room) {
            put_more(w, p, n - i);
            return;
        }
        put(p, urgency(list[i]) >= 2 ? "1" : "0", text, INDENT);
    }
}

static void put_alerts(const struct watch *w, struct page *p, int room)
{
    size_t n = 0, all = json_object_size(w->now.alert);
    json_t **list = calloc(all + 1, sizeof(json_t *)), *v;
    const char *id;
    char text[400];

    json_object_foreach(w->now.alert, id, v)
        if (list && strcmp(str(v, "work"), "closed"))
            list[n++] = v;
    if (n)
        qsort(list, n, sizeof *list, order);
    put_list(w, p, list, n, room);
    bool drone = n && strcmp(str(list[0], "lane"), "equipment");
    free(list);
    if (!drone && w->link == WATCH_LIVE) {
        bool seen = watch_watched(w, "quiet", "nothing", text, sizeof text);
        put(p, seen ? "0" : "1", text, 0);
    }
}

// ---- Sensors -----------------------------------------------------------------------------------

static void put_sensors(const struct watch *w, struct page *p, bool well)
{
    char text[2200];
    const char *id;
    json_t *v;

    json_object_foreach(w->now.sensor, id, v) {
        if (!strcmp(str(v, "state"), "ok") != well)
            continue;
        watch_sensor(w, v, text, sizeof text);
        put(p, well ? "0" : "1", text, 2);
    }
}

static int height_sensors(const struct watch *w, const struct page *p)
{
    struct page only = { .cols = p->cols };
    char text[2200];
    const char *id;
    json_t *v;
    int n = 0;

    json_object_foreach(w->now.sensor, id, v) {
        watch_sensor(w, v, text, sizeof text);
        n += put(&only, "", text, 2);
    }
    return n;
}

// ---- The screen --------------------------------------------------------------------------------

static void put_head(const struct watch *w, struct page *p)
{
    char text[1200], at[WORDS_TIME], zone[16], bands[400];

    watch_banner(w, text, sizeof text);
    if (*text)
        put(p, "7", text, 0);
    if (w->link != WATCH_LIVE) {
        watch_link_line(w, text, sizeof text);
        put(p, "1;7", text, 0);
    }
    words_time((struct words_clock){ utc_now_ns(), true }, utc_now_ns(), at);
    zone_text(zone);            // named once: all times below are this clock's
    if (w->link != WATCH_LIVE || !watch_watched(w, "ui", "watched", bands, sizeof bands))
        bands[0] = 0;
    snprintf(text, sizeof text, "%.80s   %s %s   %s", *str(w->now.health, "site")
             ? str(w->now.health, "site") : "Tyto", at, zone, bands);
    words_plain(text);
    put(p, "1", text, 2);
}

int watch_screen(const struct watch *w, FILE *out, int cols, int rows, bool steer)
{
    struct page p = { out, cols, rows, 0, steer };

    put_head(w, &p);
    int left = rows - p.n, below = height_sensors(w, &p) + 1;
    int room = left - below > left * 2 / 3 ? left - below : left * 2 / 3;
    put_alerts(w, &p, rows ? (room > 1 ? room : 1) : 0);
    put(&p, "0", "", 0);
    put_sensors(w, &p, false);
    put_sensors(w, &p, true);
    return p.n;
}
