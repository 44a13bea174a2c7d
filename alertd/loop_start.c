// SPDX-License-Identifier: GPL-3.0-or-later
// The daemon's start and end.  Store, then sensors, then people: nobody is shown a picture that the
// store does not hold, and nobody is heard before there is somewhere to keep it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/loop_in.h"
#include "base/log.h"
#include "base/utc.h"

#define ITEMS 8192              // messages between ingest and loop, 6 kB each

// What the restart itself changed (nothing is heard until a sensor says so) is durable before
// anybody is shown it.  On a full disk it is tried again like every batch.
static int store_restart(struct loop *o)
{
    struct core_work *w = core_collect(o->core);
    int r = w ? store_commit(o->store, w->batch) : -ENOMEM;
    if (r == -EUCLEAN || r == -ENOMEM) {
        core_work_free(w);
        return r;
    }
    if (r < 0)
        o->failed = w;
    else
        core_work_free(w);
    return 0;
}

static int read_store(struct loop *o)
{
    struct keys_peer *peers = NULL;
    char key_why[KEYS_WHY];
    int n = keys_peers(o->l->cfg->keys_dir, &peers, key_why);
    if (n < 0) {
        snprintf(o->why, ALERTD_WHY, "%s", key_why);
        return n;
    }
    core_time(o->core, utc_now_ns(), mono_now_ns());
    core_peers(o->core, peers, (size_t)n);
    free(peers);
    int r = core_load(o->core, o->store);
    return r < 0 ? r : store_restart(o);
}

// Damaged in what is read only now: set aside, and everything from the beginning.
static int begin_anew(struct loop *o, char note[ALERTD_WHY])
{
    int r = store_renew(o->store, note, o->why);
    core_free(o->core);
    o->core = core_new(o->l->cfg, o->l->own->public_z85);
    return r < 0 ? r : o->core ? read_store(o) : -ENOMEM;
}

static int start_store(struct loop *o)
{
    char note[ALERTD_WHY];
    int r = store_open(&o->store, o->l->cfg->data_dir, note, o->why);
    if (r < 0)
        return r;
    if ((r = read_store(o)) == -EUCLEAN)
        r = begin_anew(o, note);
    if (r < 0) {
        if (r == -EIO || r == -EUCLEAN)
            snprintf(o->why, ALERTD_WHY, "%s: %s", o->l->cfg->data_dir, store_error(o->store));
        return r;
    }
    if (*note)
        log_say(LOG_ERROR, "%s", note);
    snprintf(o->core->post.note, sizeof o->core->post.note, "%.159s", note);
    snprintf(o->core->post.aside, sizeof o->core->post.aside, "%s", store_aside(o->store));
    o->core->post.store_rows = store_rows(o->store);
    o->storing = store_thread_new(o->store, o->l->cfg->keep_days, o->done);
    return o->storing ? 0 : -ENOMEM;
}

static int start_web(struct loop *o)
{
    struct change **world;
    size_t n = core_world(o->core, &world);
    if (!world)
        return -ENOMEM;
    o->shown_n = o->core->n;
    o->web = web_start(&(struct web_setup){
        .cfg = o->l->cfg, .next_port = o->l->next_port, .changes = o->changes,
        .actions = o->actions, .answers = o->answers, .world = world, .n_world = n,
        .last_n = o->core->n }, o->why);
    free(world);
    if (o->web && *web_fingerprint(o->web))     // what a browser shows before people trust it
        log_say(LOG_INFO, "%s has the certificate SHA-256 %s", web_url(o->web),
                web_fingerprint(o->web));
    return o->web ? 0 : -EIO;
}

static int start(struct loop *o)
{
    char link[WEB_LINK] = "";
    int r;
    o->items = queue_new(ITEMS, QUEUE_REFUSE);
    o->sends = queue_new(16384, QUEUE_REFUSE);
    o->done = queue_new(STORE_DEPTH + 1, QUEUE_WAIT);
    o->changes = queue_new(4096, QUEUE_WAIT);
    o->actions = queue_new(256, QUEUE_REFUSE);
    o->answers = queue_new(256, QUEUE_WAIT);
    o->core = core_new(o->l->cfg, o->l->own->public_z85);
    snprintf(o->why, ALERTD_WHY, "there is not enough memory to start");
    if (!o->items || !o->sends || !o->done || !o->changes || !o->actions || !o->answers || !o->core)
        return -ENOMEM;
    if ((r = start_store(o)) < 0)
        return r;
    if (!(o->ingest = ingest_start(o->l->cfg, o->l->own, o->items, o->sends, o->why)))
        return -EACCES;
    if (o->l->cfg->feed[0] && !(o->feed = feed_start(o->l->cfg, o->l->own, o->why)))
        return -EADDRINUSE;
    if (!o->l->no_web && (r = start_web(o)) < 0)
        return r;
    if (o->web && o->l->link_user &&
        (r = web_link(o->web, o->l->link_user, "supervisor", link, o->why)) < 0)
        return r;
    *o->why = 0;
    if (o->l->ready)
        o->l->ready(o->l->arg, ingest_endpoint(o->ingest), o->web ? web_url(o->web) : "", link);
    return 0;
}

static void drain(struct loop *o)
{
    struct in_item *i;
    struct in_send *s;
    struct batch *b;
    struct change *h;
    struct action *a;
    while (o->items && (i = queue_try_pop(o->items)))
        in_item_free(i);
    while (o->sends && (s = queue_try_pop(o->sends)))
        free(s);
    while (o->done && (b = queue_try_pop(o->done)))
        core_work_free(b->cookie);
    while (o->changes && (h = queue_try_pop(o->changes)))
        change_free(h);
    while (o->actions && (a = queue_try_pop(o->actions)))
        web_action_free(a);
    while (o->answers && (a = queue_try_pop(o->answers)))
        web_action_free(a);
}

// In order: no more input; what the store has is finished; no more output.
static void stop(struct loop *o)
{
    ingest_stop(o->ingest);
    store_thread_stop(o->storing);
    web_stop(o->web);
    feed_stop(o->feed);
    drain(o);
    core_work_free(o->failed);
    struct queue *q[] = { o->items, o->sends, o->done, o->changes, o->actions, o->answers };
    for (unsigned i = 0; i < sizeof q / sizeof q[0]; i++)
        queue_free(q[i]);
    store_close(o->store);
    core_free(o->core);
}

int loop_run(const struct loop_cfg *cfg, char why[ALERTD_WHY])
{
    struct loop o = { .l = cfg, .why = why };
    int r = start(&o);
    if (r == 0) {
        loop_rounds(&o);
        r = o.error;
    }
    stop(&o);
    return r;
}
