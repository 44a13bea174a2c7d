// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor and a sensor that runs: it holds the radios, so its own health tells rate and loss.
//
//     health.json, every 5 s      |-----|-----|-----|     two that lie `seconds` apart: what was
//                                 ^ first           ^ last     lost in between is judged
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"
#include "classifier/doctor.h"
#include "classifier/sensord.h"

#define FRESH_S   12.0          // told every 5 s, and one may be late
#define LINE_MOST 65536
#define JITTER_S  0.1           // a sensor's own figure, over six seconds of a busy machine

static double num(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : 0;
}

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

// The health of a sensor that told it lately, or NULL.
static json_t *health(const struct doctor *d)
{
    static char text[LINE_MOST];
    char path[SENSORD_PATH + 16];

    snprintf(path, sizeof path, "%s/" TELL_HEALTH, d->cfg->spool_dir);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    json_t *o = n ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    // Of this start of the machine: the clock that nobody sets.
    double age_s = (double)mono_now_ns() * 1e-9 - num(o, "mono_s");
    if (o && age_s >= 0 && age_s < FRESH_S)
        return o;
    json_decref(o);
    return NULL;
}

bool doctor_told(const struct doctor *d)
{
    json_t *o = health(d);

    json_decref(o);
    return o != NULL;
}

// The first that is so much younger; NULL: the sensor has ended.
static json_t *health_after(const struct doctor *d, double mono_s)
{
    json_t *o;

    while ((o = health(d)) && num(o, "mono_s") < mono_s) {
        json_decref(o);
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    }
    return o;
}

static const json_t *radio_of(const json_t *health, const char *name)
{
    const json_t *all = json_object_get(health, "radios");

    for (size_t i = 0; i < json_array_size(all); i++)
        if (!strcmp(str(json_array_get(all, i), "name"), name))
            return json_array_get(all, i);
    return NULL;
}

static uint64_t more(const json_t *from, const json_t *to, const char *key)
{
    double n = num(to, key) - num(from, key);
    return n > 0 && n < 1e15 ? (uint64_t)n : 0;
}

static void judge(struct doctor *d, const char *name, const json_t *first, const json_t *last)
{
    const json_t *from = radio_of(first, name), *to = radio_of(last, name);
    const char *state = str(to, "state");

    if (!from || !to) {
        doctor_say(d, DOCTOR_WRONG, "restart it: systemctl restart tyto-sensord",
                   "%s: the running sensor has no such radio; it was started with another "
                   "configuration", name);
        return;
    }
    if (strcmp(state, "running")) {
        doctor_say(d, DOCTOR_WRONG, "is it plugged in? journalctl -u tyto-sensord tells more",
                   "%s: the running sensor says it is %s: %s", name, state, str(to, "what"));
        return;
    }
    doctor_judge(d, &(struct doctor_rate){ .name = name, .rate_hz = num(to, "rate_hz"),
        .measured_hz = num(to, "rate_measured_hz"),
        .jitter_s = JITTER_S, .seconds = num(last, "mono_s") - num(first, "mono_s"),
        .lost = more(from, to, "lost"),
        .overflows = more(from, to, "overflows"), .restarts = more(from, to, "restarts"),
        .what = str(to, "what"), .how = " (told by the running sensor, which holds it)" });
    uint64_t shed = more(from, to, "shed_bursts");
    if (shed)
        doctor_say(d, DOCTOR_WRONG, "a faster machine, a lower rate, or fewer radios on it",
                   "%s: this machine had no time for %llu bursts", name, (unsigned long long)shed);
}

bool doctor_running(struct doctor *d)
{
    json_t *first = d->cfg && d->cfg->endpoint[0] ? health(d) : NULL;
    json_t *last = first ? health_after(d, num(first, "mono_s") + d->seconds) : NULL;

    for (unsigned i = 0; last && i < d->cfg->n_radios; i++) {
        const struct sensord_radio *r = &d->cfg->radio[i];
        if (r->kind == RADIO_LIVE)
            judge(d, r->name, first, last);
        else
            doctor_say(d, DOCTOR_NOTE, NULL, "%s: the running sensor plays %s", r->name, r->path);
    }
    json_decref(first);
    json_decref(last);
    return last != NULL;
}
