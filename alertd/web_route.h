// SPDX-License-Identifier: GPL-3.0-or-later
// Private to the web thread: what a method and a path mean, and who may ask.
#pragma once

#include <stdbool.h>

#include "alertd/acct.h"
#include "alertd/alertd.h"

enum route_kind {
    ROUTE_NONE, ROUTE_FILE, ROUTE_LIST, ROUTE_EVENTS, ROUTE_VIEW, ROUTE_ME, ROUTE_SIGN_IN,
    ROUTE_SIGN_OUT, ROUTE_PASSWORD, ROUTE_ACT, ROUTE_METRICS, ROUTE_ALIVE, ROUTE_LEDGER
};

struct route {
    enum route_kind  kind;
    enum change_kind list;          // ROUTE_LIST
    enum action_verb verb;          // ROUTE_ACT
    char             alert[40];
    bool             post;          // has a body: JSON, same origin
};

// 0, -ENOENT (no such path), -ENOTSUP (not with this method; *ret_allow names those that are).
// A path that is no API's is ROUTE_FILE: whether there is such a file is told by the table.
int route_of(const char *method, const char *path, struct route *ret, const char **ret_allow);

// 0, -EACCES: this role may not.
int route_may(const struct route *r, enum acct_role role);
bool route_open(const struct route *r);         // no sign-in asked
