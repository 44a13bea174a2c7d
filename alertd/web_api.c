// SPDX-License-Identifier: GPL-3.0-or-later
// What each route does, once it is through the gate.  Reading is answered at once.  What people do
// to an alert goes to the loop and is answered after its commit: the request is suspended until
// then, or for ten seconds.
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/web_in.h"
#include "base/utc.h"
#include "base/version.h"

static const char *header(const struct req *r, const char *name)
{
    return MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, name);
}

// ---- Who am I ----------------------------------------------------------------------------------

// What another part says in small letters, as a sentence of its own.
static char *sentence_json(const char *s)
{
    size_t n = strlen(s);
    return error_json("%c%s%s", toupper((unsigned char)s[0]), n ? s + 1 : "",
                      n && s[n - 1] == '.' ? "" : ".");
}

static bool may(const struct acct_who *who, enum route_kind k)
{
    return !route_may(&(struct route){ .kind = k }, who->role);
}

// Who has just come by a link has proved enough; who has no password has nothing to prove.
static bool needs_old(const struct acct_who *who)
{
    bool fresh = who->by_link && utc_now_ns() / SECOND_NS - who->made_s < ACCT_LINK_S;
    return who->has_password && !fresh;
}

char *api_me(const struct web *w, const struct acct_who *who)
{
    char now[UTC_LEN], until[UTC_LEN];

    utc_format(now, utc_now_ns(), 3);
    utc_format(until, (who->made_s + ACCT_TOTAL_S) * SECOND_NS, 0);
    json_t *place = w->cfg->have_place ? json_pack("{s:f,s:f}", "lat_deg", w->cfg->lat_deg,
                                                   "lon_deg", w->cfg->lon_deg) : json_null();
    json_t *o = json_pack("{s:s,s:s,s:{s:b,s:b,s:b},s:b,s:b,s:{s:b,s:i,s:i},"
                          "s:s,s:s,s:s,s:b,s:o,s:s,s:b}",
                          "user", who->user, "role", acct_role_name(who->role),
                          "may", "see", may(who, ROUTE_EVENTS), "act", may(who, ROUTE_ACT),
                          "metrics", may(who, ROUTE_METRICS),
                          "has_password", who->has_password, "by_link", who->by_link,
                          "password_rules", "needs_old", needs_old(who),
                          "min_characters", ACCT_PASSWORD_MIN, "max_bytes", ACCT_PASSWORD - 1,
                          "until", until, "now", now, "site", w->cfg->site,
                          "exercise", w->cfg->exercise, "place", place,
                          "version", TYTO_VERSION, "tls", w->tls != NULL);
    char *s = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(o);
    return s;
}

// ---- Accounts ----------------------------------------------------------------------------------

static void set_cookie(struct req *r, const char *token, int seconds)
{
    snprintf(r->cookie, sizeof r->cookie, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
             r->w->cookie, token, seconds, r->w->tls ? "; Secure" : "");
}

// How many wait for accounts, all and from the same address.
static bool crowded(const struct req *r)
{
    unsigned all = 0, same = 0;
    for (const struct req *x = r->w->waiting; x; x = x->next)
        if (x->wait == WAIT_DELAY || x->wait == WAIT_ACCOUNT) {
            all++;
            same += !strcmp(x->conn->address, r->conn->address);
        }
    return all >= WEB_ACCOUNT_WAITING || same >= WEB_ACCOUNT_SAME;
}

static void hand_over(struct req *r)
{
    struct acct_job *j = r->job;

    r->job = NULL;
    req_wait(r, WAIT_ACCOUNT, mono_now_ns() + r->w->limits.action_ms * MS_NS);
    if (acct_worker_push(r->w->worker, j))
        req_wake(r, 503, error_json("Too many sign in just now; try again in a moment."));
}

void api_delay_over(struct req *r)
{
    hand_over(r);
}

// Takes j.  `guess`: a password that may be wrong is in it.
static enum MHD_Result start_job(struct req *r, struct acct_job *j, bool guess)
{
    if (crowded(r)) {
        acct_job_free(j);
        return reply_error(r, 429, "Too many attempts are waiting; try again in a moment.");
    }
    j->ticket = r->ticket = ++r->w->tickets;
    j->now_s = utc_now_ns() / SECOND_NS;
    snprintf(j->address, sizeof j->address, "%s", r->conn->address);
    r->job = j;
    int64_t now = mono_now_ns();
    int64_t wait = guess ? acct_delay_ns(r->w->delays, j->user, j->address, now) : 0;
    if (wait)
        req_wait(r, WAIT_DELAY, now + wait);
    else
        hand_over(r);
    return MHD_YES;
}

static enum MHD_Result sign_in(struct req *r, const struct body *b)
{
    bool link = b->has == BODY_TOKEN;

    if (!link && b->has != (BODY_USER | BODY_PASSWORD))
        return reply_error(r, 400, "A sign-in has either a \"token\" or \"user\" and "
                           "\"password\".");
    struct acct_job *j = calloc(1, sizeof *j);
    if (!j)
        return MHD_NO;
    j->verb = link ? JOB_LINK : JOB_PASSWORD;
    snprintf(j->token, sizeof j->token, "%s", b->token);
    snprintf(j->user, sizeof j->user, "%s", b->user);
    snprintf(j->password, sizeof j->password, "%s", b->password);
    return start_job(r, j, !link);
}

static enum MHD_Result set_password(struct req *r, const struct body *b)
{
    bool need_old = needs_old(&r->who);

    if (!(b->has & BODY_PASSWORD) || (need_old && !(b->has & BODY_OLD)))
        return reply_error(r, 400, need_old ? "Needs \"old\" and \"password\"." :
                           "Needs \"password\".");
    struct acct_job *j = calloc(1, sizeof *j);
    if (!j)
        return MHD_NO;
    j->verb = JOB_SET;
    j->need_old = need_old;
    snprintf(j->user, sizeof j->user, "%s", r->who.user);
    snprintf(j->password, sizeof j->password, "%s", b->password);
    snprintf(j->old, sizeof j->old, "%s", b->old);
    memcpy(j->session, r->who.session, ACCT_HASH);
    return start_job(r, j, need_old);
}

static enum MHD_Result sign_out(struct req *r)
{
    struct acct_job *j = calloc(1, sizeof *j);

    if (!j)
        return MHD_NO;
    j->verb = JOB_SIGN_OUT;
    memcpy(j->session, r->who.session, ACCT_HASH);
    return start_job(r, j, false);
}

static enum MHD_Result metrics(struct req *r)
{
    if (r->who.user[0])
        return reply_text(r, 200, TYPE_METRICS, web_metrics(r->w));
    struct acct_job *j = calloc(1, sizeof *j);
    if (!j)
        return MHD_NO;
    j->verb = JOB_CHECK;
    if (head_basic(header(r, "Authorization"), j->user, j->password)) {
        acct_job_free(j);
        return reply_error(r, 401, "The sign-in is not one of user and password.");
    }
    return start_job(r, j, true);
}

static void signed_in(struct req *r, const struct acct_job *j)
{
    set_cookie(r, j->ret_token, ACCT_TOTAL_S);
    r->conn->known = true;
    r->w->count.sign_ins++;
    req_wake(r, 200, api_me(r->w, &j->who));
}

static void checked(struct req *r, const struct acct_job *j)
{
    if (route_may(&r->route, j->who.role)) {
        req_wake(r, 403, error_json("A %s may not do this.", acct_role_name(j->who.role)));
        return;
    }
    r->text = true;
    req_wake(r, 200, web_metrics(r->w));
}

static void job_failed(struct req *r, const struct acct_job *j)
{
    if (j->result != -EACCES && j->result != -EINVAL) {
        req_wake(r, 503, error_json("The accounts cannot be used just now: %s",
                                    j->why[0] ? j->why : strerror(-j->result)));
        return;
    }
    if (j->verb == JOB_SET)
        req_wake(r, j->result == -EACCES ? 403 : 400,
                 sentence_json(j->why));
    else if (j->verb == JOB_LINK)
        req_wake(r, 401, error_json("This link was used already or is older than ten minutes; "
                                    "ask for a new one."));
    else
        req_wake(r, 401, error_json("Name or password is wrong."));
}

void api_account(struct web *w, struct acct_job *j)
{
    struct req *r = req_of_ticket(w, j->ticket);
    bool guess = j->verb == JOB_PASSWORD || j->verb == JOB_CHECK ||
                 (j->verb == JOB_SET && j->need_old);
    bool wrong = j->result == -EACCES;

    if (guess && (wrong || !j->result))
        acct_delay_tell(w->delays, j->user, j->address, !wrong, mono_now_ns());
    w->count.wrong_passwords += guess && wrong;
    if (!r)
        ;                               // hung up meanwhile
    else if (j->result < 0)
        job_failed(r, j);
    else if (j->verb == JOB_CHECK)
        checked(r, j);
    else if (j->verb == JOB_LINK || j->verb == JOB_PASSWORD)
        signed_in(r, j);
    else {
        if (j->verb == JOB_SIGN_OUT)
            set_cookie(r, "", 0), r->conn->known = false;
        req_wake(r, 200, strdup("{}"));
    }
    acct_job_free(j);
}

// ---- Actions -----------------------------------------------------------------------------------

// What each verb must bring besides rev; the loop judges what it says.
static const unsigned needs[ACT_VERBS] = {
    [ACT_ASSIGN] = BODY_TEXT, [ACT_CLOSE] = BODY_REASON, [ACT_NOTE] = BODY_TEXT,
    [ACT_HANDOVER] = BODY_TEXT, [ACT_REVEAL] = BODY_TEXT,
    [ACT_KNOWN] = BODY_TEXT | BODY_NAME | BODY_UNTIL,
};

static enum MHD_Result act(struct req *r, const struct body *b)
{
    const char *key = header(r, "Idempotency-Key");
    unsigned need = needs[r->route.verb] | BODY_REV;

    if (!key || !head_key(key))
        return reply_error(r, 400, "Needs an Idempotency-Key of 1 to 63 printable characters.");
    if ((b->has & need) != need)
        return reply_error(r, 400, "Needs \"rev\"%s.", need & BODY_REASON ? " and \"reason\"" :
                           need & BODY_UNTIL ? ", \"name\", \"text\" and \"until\"" :
                           need & BODY_TEXT ? " and \"text\"" : "");
    int64_t until_ns = 0, err_ns;
    if (b->has & BODY_UNTIL && utc_parse(b->until, &until_ns, &err_ns) < 0)
        return reply_error(r, 400, "\"until\" must be a time such as 2030-01-31T18:30:00Z.");
    struct action *a = calloc(1, sizeof *a);
    if (!a)
        return MHD_NO;
    a->until_ns = until_ns;
    snprintf(a->name, sizeof a->name, "%s", b->name);
    r->ticket = ++r->w->tickets;
    a->verb = r->route.verb;
    a->rev = b->rev;
    a->cookie = (void *)(uintptr_t)r->ticket;
    snprintf(a->alert, sizeof a->alert, "%s", r->route.alert);
    snprintf(a->key, sizeof a->key, "%s", key);
    snprintf(a->user, sizeof a->user, "%s", r->who.user);
    snprintf(a->text, sizeof a->text, "%s", b->text);
    snprintf(a->reason, sizeof a->reason, "%s", b->reason);
    if (queue_push(r->w->actions, a)) {
        web_action_free(a);
        return reply_error(r, 503, "Too much is waiting to be done; try again.");
    }
    r->w->count.actions++;
    req_wait(r, WAIT_ACTION, mono_now_ns() + r->w->limits.action_ms * MS_NS);
    return MHD_YES;
}

static char *with_alert(const char *error, const char *alert)
{
    char *s = NULL;
    if (asprintf(&s, "{%s%s%s\"alert\":%s}", error ? "\"error\":\"" : "", error ? error : "",
                 error ? "\"," : "", alert ? alert : "null") < 0)
        s = NULL;
    return s;
}

void api_answer(struct web *w, struct action *a)
{
    struct req *r = req_of_ticket(w, (uint64_t)(uintptr_t)a->cookie);

    w->count.stale += a->result == ACT_STALE;
    if (r)
        switch (a->result) {
        case ACT_DONE:
            req_wake(r, 200, with_alert(NULL, a->json));
            break;
        case ACT_STALE:
            req_wake(r, 409, with_alert("The alert has changed meanwhile; look at it again.",
                                        a->json));
            break;
        case ACT_NO_SUCH:
            req_wake(r, 404, error_json("There is no such alert."));
            break;
        case ACT_BAD:
            req_wake(r, 400, sentence_json(a->why[0] ? a->why : "that cannot be done"));
            break;
        case ACT_NOT_DURABLE:
            req_wake(r, 503, error_json("It could not be stored, so it is not done; try again."));
            break;
        }
    web_action_free(a);
}

void api_late(struct req *r)
{
    if (r->wait == WAIT_ACCOUNT) {
        req_wake(r, 503, error_json("The accounts are busy; try again in a moment."));
        return;
    }
    r->w->count.actions_late++;
    req_wake(r, 503, error_json("The post does not answer; whether this was done is not known. "
                                "Try again with the same Idempotency-Key."));
}

// ---- All of it ---------------------------------------------------------------------------------

static enum MHD_Result file(struct req *r)
{
    const struct web_file *f = files_find(&r->w->files, r->path);
    return f ? reply_file(r, f) : reply_error(r, 404, "There is nothing here.");
}

enum MHD_Result api_begin(struct req *r)
{
    switch (r->route.kind) {
    case ROUTE_FILE:     return file(r);
    case ROUTE_LIST:     return stream_start(r, STREAM_LIST, r->route.list);
    case ROUTE_EVENTS:   return stream_start(r, STREAM_EVENTS, CHANGE_KINDS);
    case ROUTE_VIEW:     return stream_start(r, STREAM_VIEW, CHANGE_KINDS);
    case ROUTE_ME:       return reply_text(r, 200, "application/json", api_me(r->w, &r->who));
    case ROUTE_SIGN_OUT: return sign_out(r);
    case ROUTE_METRICS:  return metrics(r);
    case ROUTE_LEDGER:   return api_ledger(r);
    case ROUTE_ALIVE:    return r->w->loop_gone ? reply_error(r, 503, "The post is stopping.") :
                                                  reply_json(r, 200, "{\"ok\":true}");
    default:             return reply_error(r, 404, "There is nothing here.");
    }
}

enum MHD_Result api_body(struct req *r)
{
    static const unsigned allowed[] = {
        [ROUTE_SIGN_IN] = BODY_TOKEN | BODY_USER | BODY_PASSWORD,
        [ROUTE_PASSWORD] = BODY_PASSWORD | BODY_OLD,
        [ROUTE_ACT] = BODY_REV | BODY_TEXT | BODY_REASON | BODY_NAME | BODY_UNTIL,
    };
    struct body b;
    char why[BODY_WHY];

    if (body_parse(r->body ? r->body : "", r->len, allowed[r->route.kind], &b, why))
        return reply_error(r, 400, "%s", why);
    enum MHD_Result ok = r->route.kind == ROUTE_SIGN_IN ? sign_in(r, &b) :
                         r->route.kind == ROUTE_PASSWORD ? set_password(r, &b) : act(r, &b);
    body_wipe(&b);
    return ok;
}
