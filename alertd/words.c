// SPDX-License-Identifier: GPL-3.0-or-later
// "{what}" in a text is the parameter of that name, nothing where there is none; what stands in
// [brackets] is there only when all it names is.  The page's words.js does the same.
#include "alertd/words.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"

struct words { json_t *j; };

static json_t *load(const char *page_dir, const char *language, char why[ALERTD_WHY])
{
    char path[400];
    json_error_t e;

    snprintf(path, sizeof path, "%.300s/words/%.20s.json", page_dir, language);
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (json_is_object(j))
        return j;
    snprintf(why, ALERTD_WHY, "%.300s, line %d: %.150s", path, j ? 1 : e.line,
             j ? "no object" : e.text);
    json_decref(j);
    return NULL;
}

int words_load(struct words **ret, const char *page_dir, const char *language,
               char why[ALERTD_WHY])
{
    const char *name;
    json_t *table, *own;
    struct words *w = calloc(1, sizeof *w);

    if (!w)
        return snprintf(why, ALERTD_WHY, "not enough memory"), -ENOMEM;
    if (!(w->j = load(page_dir, "en", why)))
        return words_free(w), -EINVAL;
    char no[ALERTD_WHY];
    json_t *more = strcmp(language, "en") ? load(page_dir, language, no) : NULL;
    json_object_foreach(w->j, name, table) {
        own = json_object_get(more, name);
        if (json_is_object(table) && json_is_object(own))
            json_object_update(table, own);
    }
    json_decref(more);
    *ret = w;
    return 0;
}

void words_free(struct words *w)
{
    if (w)
        json_decref(w->j);
    free(w);
}

const char *words_of(const struct words *w, const char *table, const char *key)
{
    const char *s = w ? json_string_value(json_object_get(json_object_get(w->j, table), key))
                      : NULL;
    return s ? s : key;
}

// ---- Text that grows --------------------------------------------------------------------------

struct text { char *to; size_t size, n; };

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int k = vsnprintf(t->to + t->n, t->size - t->n, fmt, ap);
    va_end(ap);
    if (k > 0)
        t->n = t->n + (size_t)k < t->size ? t->n + (size_t)k : t->size - 1;
}

static void say_param(struct text *t, const char *key, size_t len, const json_t *params)
{
    char name[32], plain[1200];
    snprintf(name, sizeof name, "%.*s", (int)(len < 31 ? len : 31), key);
    const json_t *v = json_object_get(params, name);
    if (json_is_string(v)) {
        snprintf(plain, sizeof plain, "%s", json_string_value(v));
        words_plain(plain);
        say(t, "%s", plain);
    } else if (json_is_number(v)) {
        say(t, "%g", json_number_value(v));
    }
}

// One piece of a template; false: a parameter in it is missing.
static bool fill_part(struct text *t, const char *s, size_t len, const json_t *params)
{
    bool all = true;
    for (size_t i = 0; i < len; i++) {
        const char *end = s[i] == '{' ? memchr(s + i, '}', len - i) : NULL;
        if (!end) {
            say(t, "%c", s[i]);
            continue;
        }
        size_t before = t->n;
        say_param(t, s + i + 1, (size_t)(end - s) - i - 1, params);
        all = all && t->n > before;
        i = (size_t)(end - s);
    }
    return all;
}

static void fill(struct text *t, const char *template, const json_t *params)
{
    for (const char *s = template; *s;) {
        bool optional = *s == '[' && strchr(s, ']');
        s += optional;
        size_t len = strcspn(s, optional ? "]" : "["), before = t->n;
        if (!len && !optional)
            len = 1;            // a bracket that nothing closes
        if (!fill_part(t, s, len, params) && optional)
            t->to[t->n = before] = 0;
        s += len + optional;
    }
}

void words_fill(const struct words *w, const char *table, const char *key, const json_t *params,
                char *ret, size_t size)
{
    struct text t = { ret, size, 0 };
    *ret = 0;
    fill(&t, words_of(w, table, key), params);
}

// ---- An alert ---------------------------------------------------------------------------------

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static double num(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

// ---- Times -------------------------------------------------------------------------------------

static struct tm parts(struct words_clock c, int64_t ns)
{
    struct tm t;
    time_t s = (time_t)(ns / 1000000000);
    if (c.local)
        localtime_r(&s, &t);
    else
        gmtime_r(&s, &t);
    return t;
}

void words_time(struct words_clock c, int64_t ns, char ret[WORDS_TIME])
{
    struct tm t = parts(c, ns), now = parts(c, c.now_ns);
    bool today = t.tm_year == now.tm_year && t.tm_yday == now.tm_yday;

    strftime(ret, WORDS_TIME, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &t);
    if (!c.local)
        snprintf(ret + strlen(ret), WORDS_TIME - strlen(ret), "Z");
}

// One of an alert's times as a parameter; nothing where it has none.
static void add_time(json_t *p, const char *name, struct words_clock c, const json_t *a,
                     const char *key)
{
    char text[WORDS_TIME];
    int64_t ns, err;

    if (utc_parse(str(a, key), &ns, &err) < 0)
        return;
    words_time(c, ns, text);
    json_object_set_new(p, name, json_string(text));
}

// ---- The parts of a line -----------------------------------------------------------------------

struct line { const struct words *w; const json_t *a; json_t *p; };

static void add(struct line *l, const char *name, const char *s)
{
    if (*s)
        json_object_set_new(l->p, name, json_string(s));
}

static void add_word(struct line *l, const char *name, const char *table, const char *key)
{
    if (*key)
        add(l, name, words_of(l->w, table, key));
}

// "2.4 GHz" is said already where the mode's name has "2.4" in it (words.js has the same rule).
static bool band_is_told(const char *what, const char *band)
{
    size_t n = strspn(band, "0123456789.");

    for (const char *s = what; n && (s = memmem(s, strlen(s), band, n)); s++) {
        bool begins = s == what || !strchr("0123456789.", s[-1]);
        if (begins && (!s[n] || !strchr("0123456789", s[n])))
            return true;
    }
    return false;
}

static void add_line(struct line *l)
{
    const json_t *line = json_object_get(l->a, "line");
    json_t *params = json_copy(json_object_get(line, "params"));
    char text[1024];

    if (band_is_told(str(params, "what"), str(params, "band")))
        json_object_del(params, "band");
    words_fill(l->w, "lines", str(line, "key"), params, text, sizeof text);
    add(l, "line", text);
    json_decref(params);
}

static void add_where(struct line *l)
{
    const json_t *w = json_object_get(l->a, "where"), *list = json_object_get(l->a, "sensors");
    double lat = num(w, "lat_deg"), lon = num(w, "lon_deg");
    char text[512], at[2][24];
    struct text t = { text, sizeof text, 0 };
    bool claimed = !strcmp(str(w, "kind"), "claimed") && isfinite(lat) && isfinite(lon);

    *text = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        say(&t, "%s%s", i ? ", " : "", str(json_array_get(list, i), "name"));
    if (!claimed && !*text)
        return;
    snprintf(at[0], sizeof at[0], "%.5f", lat);
    snprintf(at[1], sizeof at[1], "%.5f", lon);
    json_t *p = json_pack("{s:s,s:s,s:s}", "lat", at[0], "lon", at[1], "sensors", text);
    char where[600];
    words_fill(l->w, "where", claimed ? "claimed" : "heard_by", p, where, sizeof where);
    add(l, "where", where);
    json_decref(p);
}

// The page says the same words at the same bounds (alerts.js).
static const char *sure(double p)
{
    return p >= 0.95 ? "very" : p >= 0.8 ? "likely" : p >= 0.5 ? "more" : "uncertain";
}

static void add_drone(struct line *l)
{
    double p = num(l->a, "confidence");

    add_where(l);
    if (isfinite(p))
        add_word(l, "sure", "sure", sure(p));
    if (strcmp(str(l->a, "signal"), "heard"))
        add_word(l, "signal", "signal", str(l->a, "signal"));
}

static void add_late(struct line *l, struct words_clock c)
{
    char text[200];
    json_t *p = json_object();

    add_time(p, "first", c, l->a, "first");
    add_time(p, "received", c, l->a, "received");
    words_fill(l->w, "ui", "late_times", p, text, sizeof text);
    add(l, "late", text);
    json_decref(p);
}

void words_line_at(const struct words *w, const json_t *a, struct words_clock c, char *ret,
                   size_t size)
{
    struct line l = { w, a, json_object() };
    const json_t *friend = json_object_get(a, "friend");

    *ret = 0;
    add_word(&l, "urgency", "urgency", str(a, "severity"));
    add_time(l.p, "at", c, a, "first");
    add_line(&l);
    add(&l, "serial", str(json_object_get(a, "what"), "serial"));
    add_word(&l, "friend", "friend", str(friend, "state"));
    if (strcmp(str(a, "lane"), "equipment"))
        add_drone(&l);
    if (num(a, "calls") > 1)
        add_word(&l, "again", "call_reason", str(a, "call_reason"));
    if (json_is_true(json_object_get(a, "late")))
        add_late(&l, c);
    if (w)
        words_fill(w, "terminal", "line", l.p, ret, size);
    else
        snprintf(ret, size, "%s", str(l.p, "line"));
    json_decref(l.p);
}

void words_line(const struct words *w, const char *alert_json, size_t len, char *ret, size_t size)
{
    json_t *a = json_loadb(alert_json, len, 0, NULL);

    *ret = 0;
    if (json_is_object(a))
        words_line_at(w, a, (struct words_clock){ utc_now_ns(), false }, ret, size);
    json_decref(a);
}
