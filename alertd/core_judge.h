// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the judging of incidents: what its members say together, between the files that look
// at it (core_judge.c), find what contradicts itself (core_friend.c) and say it (core_say.c).
#pragma once

#include "alertd/core.h"

#define PUT(field, text) snprintf(a->field, sizeof a->field, "%s", text)

struct rule {
    const char *name, *line;
    enum severity severity;
    bool (*fits)(const struct track_rec *t);
};

struct view {                   // what the members say together
    const struct rule *rule;
    struct track_rec *best, *placed, *person;
    struct track_rec *member[CORE_MEMBERS];
    unsigned n, heard, quiet;
    bool     late;
    int64_t  first_ns, last_ns;
    const struct alertd_zone *zone;
    bool     twice, contradicted;   // one serial, two transmitters; and it is on our list
};

// core_friend.c: sets `twice` and `contradicted`, and what the incident remembers of it.
const struct alertd_ours *friend_of(const struct core *c, const char *serial);
void friend_look(struct core *c, struct incident *i, struct view *v, const char *serial);
void friend_say(struct core *c, struct alert *a, const struct incident *i, const char *serial);

void known_look(struct core *c, struct alert *a, const struct view *v);     // core_known.c

// What it is, where, how sure and who hears it, from the view into the alert.
void say_all(struct alert *a, const struct view *v, const char *serial);
