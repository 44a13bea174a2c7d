// SPDX-License-Identifier: GPL-3.0-or-later
// The table of all paths.  GET also answers HEAD where the answer has an end.
#include "alertd/web_route.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BIT(r)  (1u << (r))
#define SEE     (BIT(ROLE_VIEWER) | BIT(ROLE_OPERATOR) | BIT(ROLE_SUPERVISOR) | \
                 BIT(ROLE_TECHNICIAN) | BIT(ROLE_AUDITOR))
#define ACT     (BIT(ROLE_OPERATOR) | BIT(ROLE_SUPERVISOR))
#define MEASURE (BIT(ROLE_METRICS) | BIT(ROLE_SUPERVISOR) | BIT(ROLE_TECHNICIAN))
#define ANY     (BIT(ROLES) - 1)

static const struct line {
    const char      *method, *path;
    enum route_kind  kind;
    enum change_kind list;
} table[] = {
    { "GET",    "/healthz",          ROUTE_ALIVE,    0 },
    { "GET",    "/metrics",          ROUTE_METRICS,  0 },
    { "GET",    "/api/v1/alerts",    ROUTE_LIST,     CHANGE_ALERT },
    { "GET",    "/api/v1/incidents", ROUTE_LIST,     CHANGE_INCIDENT },
    { "GET",    "/api/v1/tracks",    ROUTE_LIST,     CHANGE_TRACK },
    { "GET",    "/api/v1/sensors",   ROUTE_LIST,     CHANGE_SENSOR },
    { "GET",    "/api/v1/zones",     ROUTE_LIST,     CHANGE_ZONE },
    { "GET",    "/api/v1/health",    ROUTE_LIST,     CHANGE_HEALTH },
    { "GET",    "/api/v1/ledger",    ROUTE_LEDGER,   0 },
    { "GET",    "/api/v1/events",    ROUTE_EVENTS,   0 },
    { "GET",    "/api/v1/view",      ROUTE_VIEW,     0 },
    { "GET",    "/api/v1/me",        ROUTE_ME,       0 },
    { "POST",   "/api/v1/session",   ROUTE_SIGN_IN,  0 },
    { "DELETE", "/api/v1/session",   ROUTE_SIGN_OUT, 0 },
    { "POST",   "/api/v1/password",  ROUTE_PASSWORD, 0 },
};

static const unsigned may[] = {
    [ROUTE_NONE] = 0, [ROUTE_FILE] = ANY, [ROUTE_LIST] = SEE, [ROUTE_EVENTS] = SEE,
    [ROUTE_VIEW] = SEE, [ROUTE_ME] = ANY, [ROUTE_SIGN_IN] = ANY, [ROUTE_SIGN_OUT] = ANY,
    [ROUTE_PASSWORD] = ANY, [ROUTE_ACT] = ACT, [ROUTE_METRICS] = MEASURE, [ROUTE_ALIVE] = ANY,
    [ROUTE_LEDGER] = SEE,
};

static bool method_is(const char *want, const char *method, enum route_kind kind)
{
    bool ends = kind != ROUTE_EVENTS && kind != ROUTE_VIEW;
    return !strcmp(want, method) || (ends && !strcmp(want, "GET") && !strcmp(method, "HEAD"));
}

// "/api/v1/alerts/ID/VERB"
static int route_act(const char *method, const char *rest, struct route *ret, const char **allow)
{
    struct route r = { .kind = ROUTE_ACT, .post = true };
    const char *slash = strchr(rest, '/');

    if (!slash || slash == rest || (size_t)(slash - rest) >= sizeof r.alert)
        return -ENOENT;
    int verb = action_verb_of(slash + 1);
    if (verb < 0)
        return -ENOENT;
    *allow = "POST";
    if (strcmp(method, "POST"))
        return -ENOTSUP;
    memcpy(r.alert, rest, (size_t)(slash - rest));
    r.verb = (enum action_verb)verb;
    *ret = r;
    return 0;
}

int route_of(const char *method, const char *path, struct route *ret, const char **ret_allow)
{
    static const char alerts[] = "/api/v1/alerts/";
    bool known = false;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct line *l = &table[i];
        if (strcmp(path, l->path))
            continue;
        if (method_is(l->method, method, l->kind)) {
            *ret = (struct route){ .kind = l->kind, .list = l->list,
                                   .post = !strcmp(l->method, "POST") };
            return 0;
        }
        *ret_allow = !known ? l->method : "POST, DELETE";   // two methods: the session only
        known = true;
    }
    if (known)
        return -ENOTSUP;
    if (!strncmp(path, alerts, sizeof alerts - 1))
        return route_act(method, path + sizeof alerts - 1, ret, ret_allow);
    if (!strncmp(path, "/api/", 5))
        return -ENOENT;
    *ret_allow = "GET";
    if (!method_is("GET", method, ROUTE_FILE))
        return -ENOTSUP;
    *ret = (struct route){ .kind = ROUTE_FILE };
    return 0;
}

int route_may(const struct route *r, enum acct_role role)
{
    return may[r->kind] & BIT(role) ? 0 : -EACCES;
}

bool route_open(const struct route *r)
{
    return r->kind == ROUTE_FILE || r->kind == ROUTE_ALIVE || r->kind == ROUTE_SIGN_IN;
}
