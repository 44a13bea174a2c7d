// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of alertd's log against the event.  A line about a drone holds one of a few beginnings
// (docs/WORDS.md); whose it is shows in the serial number or the mode's name that it carries.
#include <string.h>

#include "alertd/demo/demo.h"

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
