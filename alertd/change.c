// SPDX-License-Identifier: GPL-3.0-or-later
// Names of changes and actions, and how they are freed: what both ends of the queues need.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "alertd/web.h"

const char *change_kind_name(enum change_kind k)
{
    static const char *const name[] = { "alert", "incident", "track", "sensor", "zone", "health",
                                        "view" };
    _Static_assert(sizeof name / sizeof name[0] == CHANGE_KINDS, "one name for each kind");
    return (unsigned)k < CHANGE_KINDS ? name[k] : "unknown";
}

void change_free(struct change *c)
{
    free(c);
}

int action_verb_of(const char *s)
{
    static const char *const name[] = { "seen", "assign", "close", "note", "known", "unknown",
                                        "handover", "reopen", "reveal" };
    _Static_assert(sizeof name / sizeof name[0] == ACT_VERBS, "one name for each verb");
    for (int i = 0; i < ACT_VERBS; i++)
        if (!strcmp(s, name[i]))
            return i;
    return -EINVAL;
}

void web_action_free(struct action *a)
{
    if (a)
        free(a->json);
    free(a);
}
