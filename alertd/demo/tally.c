// SPDX-License-Identifier: GPL-3.0-or-later
// What the sensor lost, and lines of alertd's log against the event.  A line about a drone holds
// one of a few beginnings
// (docs/WORDS.md); whose it is shows in the serial number or the mode's name that it carries.
#include <string.h>

#include <jansson.h>

#include "alertd/demo/demo.h"

#define LOSS_MAX 0.01           // more than this share over one health message: too much at once

void demo_weigh(struct demo_watch *w, const double rate_hz[2], const struct json_t *radios,
                bool early)
{
    double samples = 0, lost = 0;
    for (size_t i = 0; i < json_array_size(radios); i++) {
        const json_t *r = json_array_get(radios, i);
        double got = json_number_value(json_object_get(r, "samples"));
        double gone = json_number_value(json_object_get(r, "lost"));
        if (i < 2)
            w->heard_s[i] = (got + gone) / rate_hz[i];
        samples += got;
        lost += gone;
    }
    double more = samples - w->samples, less = lost - w->lost;
    w->samples = samples;
    w->lost = lost;
    w->bad_rounds = !early && less > LOSS_MAX * (more + less) ? w->bad_rounds + 1 : 0;
}

static bool about_a_drone(const char *line)
{
    return strstr(line, "  Drone") || strstr(line, "  Identification") ||
           strstr(line, "  Unknown radio");
}

int demo_tally_line(struct demo_tally *t, const struct demo_event *e, const char *line,
                    double event_s)
{
    if (!about_a_drone(line))
        return -2;
    for (unsigned i = 0; i < DEMO_ACTS; i++) {
        if (!strstr(line, e->act[i].sign))
            continue;
        if (!t->called[i])
            t->after_s[i] = event_s - e->act[i].start_s;
        t->called[i] = true;
        return (int)i;
    }
    t->wrong++;
    return -1;
}
