// SPDX-License-Identifier: GPL-3.0-or-later
// "That one is known": somebody says what an emitter is, why, and until when.  It stays on every
// screen, and calls nobody while nothing about it changes.
//
//     known --------- seen, not heard ---------> until              then it calls again,
//                          '--> other place, other signature,       if it is still there
//                               a second one, a friend's conflict
//
// One thing is vouched for, not a kind: what is not as it was when somebody vouched ends it.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/core_judge.h"
#include "base/utc.h"

#define S_NS INT64_C(1000000000)
#define MOST_NS (86400 * S_NS)  // a shift; longer is a matter for the configuration's list
#define AWAY_M  1000.0          // from where it was when somebody vouched

static int bad(struct action *act, const char *why)
{
    snprintf(act->why, sizeof act->why, "%s", why);
    act->result = ACT_BAD;
    return -1;
}

static bool blank(const char *s) { return !s[strspn(s, " \t\r\n")]; }

int known_act(struct core *c, struct alert *a, struct action *act)
{
    struct known *k = &a->known;
    if (strcmp(a->lane, "drone"))
        return bad(act, "only what is heard by radio can be called known");
    if (!strcmp(a->work, "closed"))
        return bad(act, "the alert is closed: open it again first");
    if (!strncmp(a->friend_state, "conflict", 8) || !strncmp(a->friend_state, "twice", 5))
        return bad(act, "its serial contradicts itself: that cannot be called known");
    if (blank(act->name) || blank(act->text))
        return bad(act, "calling it known needs a name, and why in \"text\"");
    if (act->until_ns <= c->now_ns || act->until_ns > c->now_ns + MOST_NS)
        return bad(act, "\"until\" is to be within the next 24 hours");
    *k = (struct known){ .from_ns = c->now_ns, .until_ns = act->until_ns, .drones = a->drones,
                         .lat_deg = a->where.lat_deg, .lon_deg = a->where.lon_deg };
    snprintf(k->name, sizeof k->name, "%s", act->name);
    snprintf(k->text, sizeof k->text, "%.255s", act->text);
    snprintf(k->who, sizeof k->who, "%s", act->user);
    memcpy(k->family, a->family, sizeof k->family);
    memcpy(k->line, a->line_key, sizeof k->line);
    memcpy(k->serial, a->serial, sizeof k->serial);
    memcpy(k->model, a->model, sizeof k->model);
    memcpy(k->zone, a->zone, sizeof k->zone);
    k->n_sensors = a->n_sensors;
    memcpy(k->sensors, a->sensors, sizeof k->sensors);
    return 0;
}

void known_text(const struct alert *a, char *ret, size_t size)
{
    char until[UTC_LEN];
    utc_format(until, a->known.until_ns, 0);
    snprintf(ret, size, "%s, %s: %s", a->known.name, until, a->known.text);
}

// The reason is a word of the list in docs/API.md; it calls where it is there to be heard.
static void end(struct core *c, struct alert *a, const char *why, bool heard)
{
    a->known = (struct known){ .lat_deg = NAN, .lon_deg = NAN };
    alert_note(c, a, "post", "known-over", why);
    if (heard && strcmp(a->work, "closed"))
        alert_call(a, "known");
}

static bool other_place(struct core *c, const struct known *k, const struct alert *a,
                        const struct view *v)
{
    bool heard = false, same = false;
    if (*a->zone && strcmp(a->zone, k->zone))
        return true;
    if (isfinite(k->lat_deg) && isfinite(a->where.lat_deg) &&
        place_apart_m(k->lat_deg, k->lon_deg, a->where.lat_deg, a->where.lon_deg) > AWAY_M)
        return true;
    // Without a position: nobody of those who heard it then hears it now, and others do.
    for (unsigned m = 0; m < v->n; m++) {
        if (!track_heard(c, v->member[m]))
            continue;
        heard = true;
        for (unsigned s = 0; s < k->n_sensors; s++)
            same = same || !strcmp(k->sensors[s].id, v->member[m]->sensor);
    }
    return heard && !same;
}

static bool other_signature(const struct known *k, const struct alert *a)
{
    return strcmp(k->family, a->family) || strcmp(k->line, a->line_key) ||
           strcmp(k->serial, a->serial) || (k->model[0] && strcmp(k->model, a->model));
}

// After all is said of the incident as it is now.
void known_look(struct core *c, struct alert *a, const struct view *v)
{
    struct known *k = &a->known;
    if (!k->name[0])
        return;
    const char *why = v->contradicted || v->twice ? "friend"
                    : a->drones > k->drones && a->drones > 1 ? "second"
                    : other_signature(k, a) ? "signature"
                    : other_place(c, k, a, v) ? "place" : NULL;
    if (why)
        end(c, a, why, v->heard && !v->late && strcmp(why, "friend"));  // that has called
    else if (!isfinite(k->lat_deg)) {
        k->lat_deg = a->where.lat_deg;
        k->lon_deg = a->where.lon_deg;
    }
}

void known_tick(struct core *c)
{
    for (size_t i = 0; i < c->n_alerts; i++) {
        struct alert *a = c->alert[i];
        if (a->known.name[0] && c->now_ns >= a->known.until_ns)
            end(c, a, "until", !strcmp(a->signal, "heard"));
    }
}
