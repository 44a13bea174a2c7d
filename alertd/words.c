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

#include "base/utc.h"

struct words { json_t *j; };

int words_load(struct words **ret, const char *page_dir, const char *language,
               char why[ALERTD_WHY])
{
    char path[400];
    json_error_t e;
    struct words *w = calloc(1, sizeof *w);
    snprintf(path, sizeof path, "%.300s/words/%.20s.json", page_dir, language);
    if (w && (w->j = json_load_file(path, JSON_REJECT_DUPLICATES, &e)) && json_is_object(w->j)) {
        *ret = w;
        return 0;
    }
    snprintf(why, ALERTD_WHY, "%.300s, line %d: %.150s", path, w ? e.line : 0,
             w ? e.text : "not enough memory");
    words_free(w);
    return -EINVAL;
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
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)(len < 31 ? len : 31), key);
    const json_t *v = json_object_get(params, name);
    if (json_is_string(v))
        say(t, "%s", json_string_value(v));
    else if (json_is_number(v))
        say(t, "%g", json_number_value(v));
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

static void say_where(struct text *t, const json_t *a)
{
    const json_t *w = json_object_get(a, "where"), *list = json_object_get(a, "sensors");
    double lat = num(w, "lat_deg"), lon = num(w, "lon_deg");
    if (!strcmp(str(w, "kind"), "claimed") && isfinite(lat) && isfinite(lon)) {
        say(t, "; says it is at %.5f, %.5f", lat, lon);
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        say(t, "%s%s", i ? ", " : "; heard by ", str(json_array_get(list, i), "name"));
}

// The page says the same words at the same bounds (alerts.js).
static const char *sure(const struct words *w, double p)
{
    return words_of(w, "sure", p >= 0.95 ? "very" : p >= 0.8 ? "likely" : p >= 0.5 ? "more"
                                                                               : "uncertain");
}

static void say_alert(const struct words *w, struct text *t, const json_t *a)
{
    const json_t *line = json_object_get(a, "line"), *friend = json_object_get(a, "friend");
    const char *key = str(line, "key"), *since = str(a, "first");
    bool drone = strcmp(str(a, "lane"), "equipment");
    double p = num(a, "confidence");
    char when[12] = "";
    if (strlen(since) >= 19)
        snprintf(when, sizeof when, "%.8sZ", since + 11);
    say(t, "%s  ", words_of(w, "severity", str(a, "severity")));
    size_t from = t->n;
    for (size_t i = 0; i < from; i++)
        if (t->to[i] >= 'a' && t->to[i] <= 'z')
            t->to[i] = (char)(t->to[i] - 'a' + 'A');
    say(t, "%s  ", when);
    fill(t, words_of(w, "lines", key), json_object_get(line, "params"));
    if (*str(json_object_get(a, "what"), "serial"))
        say(t, ", %s", str(json_object_get(a, "what"), "serial"));
    if (friend && *str(friend, "state"))
        say(t, ", %s", words_of(w, "friend", str(friend, "state")));
    if (drone) {
        say_where(t, a);
        if (isfinite(p))
            say(t, "; %s", sure(w, p));
        if (strcmp(str(a, "signal"), "heard"))
            say(t, "; %s", words_of(w, "signal", str(a, "signal")));
    }
    if (num(a, "calls") > 1)
        say(t, "; again: %s", words_of(w, "call_reason", str(a, "call_reason")));
    if (json_is_true(json_object_get(a, "late")))
        say(t, "; learned late, at %.8sZ", strlen(str(a, "received")) > 19 ? str(a, "received") + 11
                                                                          : "");
}

void words_line(const struct words *w, const char *alert_json, size_t len, char *ret, size_t size)
{
    struct text t = { ret, size, 0 };
    json_t *a = json_loadb(alert_json, len, 0, NULL);
    *ret = 0;
    if (json_is_object(a))
        say_alert(w, &t, a);
    json_decref(a);
}
