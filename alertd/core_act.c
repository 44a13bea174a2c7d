// SPDX-License-Identifier: GPL-3.0-or-later
// What people do to alerts.  Judged here, durable with the next batch, answered after its commit.
//
// An action names the revision its person saw.  It is stale when the alert has changed since in
// what matters; a new place or level alone does not make a person wrong.  The same key gives the
// same answer, days later too.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"
#include "alertd/core_more.h"
#include "alertd/web.h"

static bool reason_known(const char *r)
{
    static const char *const known[] = { "pilot-found", "authorised", "left", "unknown" };
    size_t n = strspn(r, "abcdefghijklmnopqrstuvwxyz0123456789-");
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(r, known[i]))
            return true;
    return !strncmp(r, "false-alarm-", 12) && r[12] && !r[n];
}

static int bad(struct action *a, const char *why)
{
    snprintf(a->why, sizeof a->why, "%s", why);
    a->result = ACT_BAD;
    return -1;
}

static void set_work(struct core *c, struct alert *a, const char *work)
{
    snprintf(a->work, sizeof a->work, "%s", work);
    a->closed_mono_ns = !strcmp(work, "closed") ? c->mono_ns : 0;
}

static int apply_close(struct core *c, struct alert *a, struct action *act)
{
    if (!reason_known(act->reason))
        return bad(act, "closing needs a reason: pilot-found, authorised, left, unknown or "
                        "false-alarm-KIND");
    set_work(c, a, "closed");
    snprintf(a->reason, sizeof a->reason, "%s", act->reason);
    a->lull_mono_ns = strcmp(a->signal, "heard") ? c->mono_ns : 0;
    return 0;
}

static int apply(struct core *c, struct alert *a, struct action *act)
{
    bool closed = !strcmp(a->work, "closed");
    switch (act->verb) {
    case ACT_SEEN:
        if (!strcmp(a->work, "new"))
            set_work(c, a, "seen");
        return 0;
    case ACT_ASSIGN:
        if (!act->text[0])
            return bad(act, "assigning needs a name");
        if (closed)
            return bad(act, "the alert is closed: open it again first");
        snprintf(a->assigned_to, sizeof a->assigned_to, "%.63s", act->text);
        set_work(c, a, "assigned");
        return 0;
    case ACT_CLOSE:
        return closed ? bad(act, "the alert is closed already") : apply_close(c, a, act);
    case ACT_REOPEN:
        if (!closed)
            return bad(act, "the alert is not closed");
        set_work(c, a, "seen");
        a->reason[0] = 0;
        return 0;
    case ACT_KNOWN:
        if (known_act(c, a, act) < 0)
            return -1;
        if (!strcmp(a->work, "new"))
            set_work(c, a, "seen");
        return 0;
    case ACT_UNKNOWN:           // from now on it calls again, as everything does
        a->known = (struct known){ .lat_deg = NAN, .lon_deg = NAN };
        return 0;
    case ACT_NOTE: case ACT_HANDOVER:
        return act->text[0] ? 0 : bad(act, "there is no text");
    default:                    // reveal: who and when is what counts
        return 0;
    }
}

static struct action *remembered(struct core *c, const char *key)
{
    for (size_t i = 0; *key && i < c->n_action; i++)
        if (!strcmp(c->action[i]->key, key))
            return c->action[i];
    for (size_t i = 0; *key && i < c->n_pending; i++)
        if (!strcmp(c->pending[i]->key, key) && c->pending[i]->result == ACT_DONE)
            return c->pending[i];
    return NULL;
}

// The store does not keep what was said: after a restart only the rest can be held against it.
static bool same_request(const struct action *a, const struct action *b)
{
    bool told = a->text[0] || a->reason[0];
    return a->verb == b->verb && !strcmp(a->alert, b->alert) &&
           !strcmp(a->user, b->user) &&
           (!told || (!strcmp(a->text, b->text) && !strcmp(a->reason, b->reason) &&
                      !strcmp(a->name, b->name) && a->until_ns == b->until_ns));
}

static void judge(struct core *c, struct action *act)
{
    static const char *const did[ACT_VERBS] = { "seen", "assigned", "closed", "noted", "known",
                                                "unknown", "handed over", "reopened", "revealed" };
    struct action *same = remembered(c, act->key);
    struct alert *a = map_get(&c->alerts, act->alert);
    char text[560];
    act->result = ACT_DONE;
    if (same) {
        if (!same_request(same, act))
            bad(act, "this Idempotency-Key was used for something else");
        else if (same->json)
            act->json = strdup(same->json);
        return;
    }
    if (!a) {
        act->result = ACT_NO_SUCH;
        return;
    }
    // Somebody else's action in this very batch, not yet shown to anyone, counts as a change.
    if (act->rev > a->rev)
        bad(act, "there is no such revision yet");
    else if (act->rev < a->matter_rev || (a->dirty && a->matter))
        act->result = ACT_STALE;
    else if (apply(c, a, act) == 0) {
        bool reason = act->verb == ACT_CLOSE;
        snprintf(text, sizeof text, "%.31s%s%.511s", reason ? act->reason : "",
                 reason && act->text[0] ? ": " : "", act->text);
        if (act->verb == ACT_KNOWN)
            known_text(a, text, sizeof text);
        alert_note(c, a, act->user, did[act->verb], text);
    }
}

void core_act(struct core *c, struct action *act)
{
    size_t cap = sizeof c->pending / sizeof c->pending[0];
    free(act->json);
    act->json = NULL;
    if (c->n_pending == cap) {
        web_action_free(act);   // cannot be: the queue of actions is not longer than this
        return;
    }
    judge(c, act);
    c->pending[c->n_pending++] = act;
}

// Answers of this batch: rows for what was done, and the alert as it now is for all.
void core_answers(struct core *c, struct core_work *w)
{
    size_t cap = sizeof c->action / sizeof c->action[0];
    for (size_t i = 0; i < c->n_pending; i++) {
        struct action *act = c->pending[i];
        const struct alert *a = map_get(&c->alerts, act->alert);
        bool again = act->json != NULL;
        size_t len;
        if (!again && a)
            act->json = fields_text(alert_fields, a, 0, &len);
        w->answer[w->n_answer++] = act;
        if (again || act->result != ACT_DONE || !act->key[0])
            continue;
        batch_action(w->batch, act, c->now_ns);
        struct action *copy = malloc(sizeof *copy);
        if (!copy)
            continue;
        *copy = *act;
        copy->json = act->json ? strdup(act->json) : NULL;
        copy->cookie = NULL;
        if (c->n_action == cap) {
            web_action_free(c->action[c->next_action]);
            c->action[c->next_action] = copy;
        } else {
            c->action[c->n_action++] = copy;
        }
        c->next_action = (c->next_action + 1) % cap;
    }
    c->n_pending = 0;
}
