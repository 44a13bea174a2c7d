// SPDX-License-Identifier: GPL-3.0-or-later
// Two that are one, and one that is two: what becomes of the alert of a merged incident, and how
// many transmitters an incident holds at least.
//
//     alert of the merged one --> closed, "merged", its own line; who had seen it --> the other's
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define SECOND_NS (10 * S_NS)   // two tracks for so long are not one that was told twice
#define TOGETHER_NS (3 * S_NS)

static bool known_note(const struct alert *a, const struct act_note *n)
{
    for (unsigned k = 0; k < a->n_by; k++)
        if (a->by[k].when_ns == n->when_ns && !strcmp(a->by[k].who, n->who) &&
            !strcmp(a->by[k].did, n->did))
            return true;
    return false;
}

// Who had seen, assigned or noted the one has it of the other; a closing closes nothing else.
static void carry(struct alert *to, const struct alert *from)
{
    for (unsigned k = 0; k < from->n_by; k++)
        if (strcmp(from->by[k].who, "post") && !known_note(to, &from->by[k])) {
            if (to->n_by == CORE_BY)
                memmove(&to->by[0], &to->by[1], --to->n_by * sizeof to->by[0]);
            to->by[to->n_by++] = from->by[k];
        }
    if ((!strcmp(to->work, "new") || !strcmp(to->work, "seen")) && strcmp(from->work, "new") &&
        strcmp(from->work, "closed")) {
        snprintf(to->work, sizeof to->work, "%s", from->work);
        snprintf(to->assigned_to, sizeof to->assigned_to, "%s", from->assigned_to);
    }
    alert_touch(to, true);
}

static struct incident *end_of(struct core *c, const struct incident *i)
{
    struct incident *to = map_get(&c->incidents, i->merged_into);
    for (int k = 0; to && to->merged_into[0] && k < 64; k++)
        to = map_get(&c->incidents, to->merged_into);
    return to;
}

void incident_merged(struct core *c, struct incident *i)
{
    struct incident *to = end_of(c, i);
    struct alert *a = i->alert;
    if (to && to->touched && !to->merged_into[0])
        judge_incident(c, to);  // it has its alert before this one goes
    if (!a || !to || !to->alert || to->alert == a || a->merged_into[0])
        return;
    carry(to->alert, a);
    snprintf(a->merged_into, sizeof a->merged_into, "%s", to->alert->id);
    alert_note(c, a, "post", "merged", to->alert->id);
    alert_signal(c, a, "ended");
    if (strcmp(a->work, "closed")) {
        snprintf(a->work, sizeof a->work, "closed");
        snprintf(a->reason, sizeof a->reason, "merged");
        a->closed_mono_ns = c->mono_ns;
    }
}

// A drone's link, sure and on the air for a while.  Broadcasts do not count: one aircraft may send
// several kinds, on several channels.
static bool steady(const struct track_rec *t)
{
    return !strcmp(t->w.verdict, "drone") && t->w.confidence >= 0.5 &&
           strncmp(t->w.family, "unknown", 7) && strcmp(t->w.role, "identification") &&
           !t->ended_mono_ns && !strcmp(t->w.state, "named") &&
           t->w.last_ns - t->w.first_ns >= SECOND_NS;
}

static bool beside(const struct track_rec *a, const struct track_rec *b)
{
    return !strcmp(a->sensor, b->sensor) && !strcmp(a->w.radio, b->w.radio) &&
           !strcmp(a->w.family, b->w.family) && !strcmp(a->w.role, b->w.role) &&
           llabs(a->w.last_ns - b->w.last_ns) <= TOGETHER_NS;
}

// Transmitters of one kind that one radio hears at the same time: so many there are at least.
unsigned incident_drones(struct track_rec *const *member, unsigned n)
{
    unsigned most = 0;
    for (unsigned m = 0; m < n; m++) {
        unsigned same = 0;
        for (unsigned k = 0; k < n && steady(member[m]); k++)
            same += steady(member[k]) && beside(member[m], member[k]);
        most = same > most ? same : most;
    }
    return most;
}
