// SPDX-License-Identifier: GPL-3.0-or-later
// Private to alertd: the loop that owns the core and ties the threads together.
#pragma once

#include "alertd/alertd.h"
#include "alertd/ingest.h"
#include "alertd/web.h"
#include "alertd/words.h"
#include "hw/keys.h"

struct loop_cfg {
    const struct alertd_cfg *cfg;
    const struct keys_own   *own;
    const struct words      *words;     // for the log; may be NULL
    bool        next_port;              // of the page, where the wanted one is taken
    const char *link_user;              // print a sign-in link for this one; NULL none
    bool        no_web;
    int         stop_fd;                // readable: end
    // Said once all is up, and at each round of the loop (for the watchdog).
    void (*ready)(void *arg, const char *endpoint, const char *url, const char *link);
    void (*alive)(void *arg);
    void *arg;
};
// Runs until stop_fd.  0; -errno with a sentence when it could not start, or could not go on.
int loop_run(const struct loop_cfg *cfg, char why[ALERTD_WHY]);

// A view message as a change for screens (view_json.c); NULL: no memory.
struct change *view_change(const char *sensor, const struct wire_msg *m);
