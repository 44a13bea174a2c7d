// SPDX-License-Identifier: GPL-3.0-or-later
// One round: time, what sensors sent, what people did, what the store says; then the next batch.
//
// One batch is under way at a time, so everything that arrives meanwhile is in the next: that is
// the group commit, and under load it grows by itself.
//
// Disk full: the batch that failed is kept and tried again every second; sensors are not
// acknowledged, screens get health, sensors and tracks, no alert that a restart could take back.
#include "alertd/loop_in.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core_more.h"
#include "alertd/store.h"
#include "base/log.h"
#include "base/utc.h"
#include "hw/hw.h"

#define MS         INT64_C(1000000)
#define TICK_NS    (200 * MS)
#define CLOCK_NS   (10000 * MS)
#define RETRY_NS   (1000 * MS)
#define VIEW_NS    (20000 * MS)     // a wish for views is repeated (docs/WIRE.md)
#define BATCH_MOST 8192             // event rows in one batch: 40 ms of the store
#define BATCH_BYTES (16 << 20)  // ... of 64 kB each they would be half a gigabyte
#define TIGHT      (32 << 20)       // bytes free below which a disk that was full still is

static bool batch_full(const struct loop *o)
{
    return o->core->batch->events >= BATCH_MOST || o->core->batch->bytes >= BATCH_BYTES;
}

// ---- To the sensors ---------------------------------------------------------------------------

static void send_to(struct loop *o, const char *z85, const struct wire_msg *m)
{
    uint8_t buf[512];
    int n = wire_pack(m, buf, sizeof buf);
    struct in_send *s = n > 0 ? malloc(sizeof *s + (size_t)n) : NULL;
    if (!s)
        return;
    snprintf(s->z85, sizeof s->z85, "%s", z85);
    s->len = (size_t)n;
    memcpy(s->raw, buf, s->len);
    if (queue_push(o->sends, s) < 0)
        free(s);                // said again: acks are cumulative, resumes are asked for
}

static struct wire_msg link_msg(enum wire_kind kind)
{
    return (struct wire_msg){ .head = { .v = WIRE_VERSION, .kind = kind,
                                        .stream = WIRE_STREAM_LINK } };
}

static void send_acks(struct loop *o, const struct core_work *w)
{
    for (size_t i = 0; i < w->n_ack; i++) {
        struct wire_msg m = link_msg(WIRE_ACK);
        core_committed(o->core, &w->ack[i]);
        m.span = (struct wire_span){ .boot = w->ack[i].boot, .from = w->ack[i].to,
                                     .to = w->ack[i].to };
        send_to(o, w->ack[i].z85, &m);
    }
}

static void send_replies(struct loop *o)
{
    for (size_t i = 0; i < o->core->n_reply; i++)
        send_to(o, o->core->reply[i].z85, &o->core->reply[i].msg);
    o->core->n_reply = 0;
}

static void send_view(struct loop *o, const char *z85)
{
    struct wire_msg m = link_msg(WIRE_VIEW);
    m.view = (struct wire_view){ .psd = o->views, .bursts = o->views };
    send_to(o, z85, &m);
}

// While somebody looks at spectra, every sensor is asked again and again; once when nobody does.
static void ask_views(struct loop *o, int64_t now_ns)
{
    bool want = o->web && web_viewers(o->web) > 0;
    if (want == o->views && (!want || now_ns - o->view_ns < VIEW_NS))
        return;
    o->views = want;
    o->view_ns = now_ns;
    for (size_t i = 0; i < o->core->n_sensors; i++)
        if (o->core->sensor[i]->connected)
            send_view(o, o->core->sensor[i]->z85);
}

// ---- To the screens ---------------------------------------------------------------------------

static void log_alert(struct loop *o, const struct change *h)
{
    char line[512];
    // The first revision and what calls again; the rest is for screens.
    if (h->kind != CHANGE_ALERT || h->gone || !h->calls)
        return;
    words_line(o->l->words, h->json, h->len, line, sizeof line);
    log_say(LOG_WARN, "%s", line);
}

static void show(struct loop *o, struct core_work *w)
{
    for (size_t i = 0; i < w->n_change; i++) {
        struct change *h = w->change[i];
        if (!h)
            continue;
        // What waited for the disk was numbered before what was shown meanwhile.
        if (h->n <= o->shown_n)
            h->n = ++o->core->n;
        o->shown_n = h->n;
        log_alert(o, h);
        feed_give(o->feed, h);
        if (!o->web || queue_push(o->changes, h) < 0)
            change_free(h);
    }
    w->n_change = 0;
    for (size_t i = 0; i < w->n_answer; i++)
        if (!o->web || queue_push(o->answers, w->answer[i]) < 0)
            web_action_free(w->answer[i]);
    w->n_answer = 0;
}

static void glance(struct loop *o)
{
    struct core_work *w = core_glance(o->core);
    if (w)
        show(o, w);
    core_work_free(w);
}

// ---- The store --------------------------------------------------------------------------------

static void submit(struct loop *o, struct core_work *w)
{
    w->batch->cookie = w;
    w->batch->result = 0;
    o->under_way = w;
    if (store_thread_push(o->storing, w->batch) < 0)
        o->error = -EPIPE;      // only after its stop: never
}

static void set_full(struct loop *o, bool full, const char *error)
{
    if (full == o->core->post.store_full)
        return;
    o->core->post.store_full = full;
    o->core->post.store_ok = !full;
    o->core->health_dirty = true;
    log_say(full ? LOG_ERROR : LOG_NOTE, full
            ? "nothing can be stored (%s): sensors keep what they have, alerts wait"
            : "the store takes everything again%.0s", error);
}

static void stored(struct loop *o, struct batch *b)
{
    struct core_work *w = b->cookie;
    o->under_way = NULL;
    if (b->result == -EUCLEAN || b->result == -ENOMEM) {
        snprintf(o->why, ALERTD_WHY, b->result == -ENOMEM ? "there is not enough memory to go on"
                 : "the database is damaged (%.200s): it is set aside with the next start",
                 b->error);
        o->error = b->result;
        core_work_free(w);
        return;
    }
    if (b->result < 0) {
        // The reserve was just given up: the first retry is at once.
        o->retry_ns = o->core->mono_ns + (o->core->post.store_full ? RETRY_NS : 0);
        o->failed = w;
        o->tight = true;
        set_full(o, true, b->error);
        return;
    }
    o->core->post.store_rows = b->rows;
    send_acks(o, w);
    show(o, w);
    if (o->tight && hw_disk_free(o->l->cfg->data_dir) >= TIGHT)
        o->tight = false;
    set_full(o, o->tight, "too little room on the disk");
    core_work_free(w);
}

static void next_batch(struct loop *o)
{
    if (o->under_way)
        return;
    if (o->failed) {
        if (o->core->mono_ns < o->retry_ns) {
            glance(o);
            return;
        }
        struct core_work *w = o->failed;
        o->failed = NULL;
        submit(o, w);
        return;
    }
    struct core_work *w = core_waiting(o->core) ? core_collect(o->core) : NULL;
    if (w && !w->batch->n) {
        show(o, w);             // nothing of it needs the store
        core_work_free(w);
    } else if (w) {
        submit(o, w);
    }
}

// ---- What comes in ----------------------------------------------------------------------------

static void take_view(struct loop *o, const struct in_item *i)
{
    const struct sensor *s = sensor_by_key(o->core, i->z85);
    struct change *h = s && o->views ? view_change(s->name, &i->msg) : NULL;
    if (h && queue_push(o->changes, h) < 0)
        change_free(h);
}

static void take(struct loop *o, struct in_item *i)
{
    struct core *c = o->core;
    struct in_stranger stranger;
    switch (i->kind) {
    case IN_PEERS:  core_peers(c, i->peers, i->n_peers); break;
    case IN_LINK:   core_link(c, i->z85, i->up); break;
    case IN_NOTE:   log_say(LOG_WARN, "%s", i->note); break;
    case IN_COUNTS:
        core_counts(c, i->z85, i->throttled, i->faults, i->why);
        c->post.refused_peers += i->refused;
        c->post.refused_crowd += i->crowd;
        break;
    case IN_STRANGER:
        memcpy(&stranger, i->raw, sizeof stranger);
        core_stranger(c, &stranger);
        break;
    case IN_MESSAGE:
        if (i->msg.head.stream == WIRE_STREAM_VIEW)
            take_view(o, i);
        else
            core_message(c, i->z85, &i->msg, i->raw, i->len, !c->post.store_full);
        if (i->msg.head.kind == WIRE_HELLO && o->views)
            send_view(o, i->z85);
        break;
    }
    in_item_free(i);
}

static void take_all(struct loop *o)
{
    struct in_item *i;
    struct action *a;
    struct batch *b;
    while ((b = queue_try_pop(o->done)))
        stored(o, b);
    while (!batch_full(o) && (i = queue_try_pop(o->items))) {
        take(o, i);
        // A thousand sensors say hello at once; who gets no answer asks again only after 5 s.
        if (o->core->n_reply > CORE_REPLIES - WIRE_BOOTS)
            send_replies(o);
    }
    while (o->core->n_pending < 200 && (a = queue_try_pop(o->actions)))
        core_act(o->core, a);
    send_replies(o);
}

static void round_of(struct loop *o)
{
    int64_t now = mono_now_ns();
    core_time(o->core, utc_now_ns(), now);
    take_all(o);
    if (now - o->tick_ns >= TICK_NS) {
        o->tick_ns = now;
        if (now - o->clock_ns >= CLOCK_NS) {
            o->clock_ns = now;
            hw_clock_read(&o->core->post.clock);
        }
        core_tick(o->core);
        ask_views(o, now);
        if (o->l->alive)
            o->l->alive(o->l->arg);
    }
    next_batch(o);
}

void loop_rounds(struct loop *o)
{
    struct pollfd p[] = { { .fd = o->l->stop_fd, .events = POLLIN },
                          { .fd = queue_fd(o->done), .events = POLLIN },
                          { .fd = queue_fd(o->actions), .events = POLLIN },
                          { .fd = queue_fd(o->items), .events = POLLIN } };
    while (!o->error && !(p[0].revents & POLLIN)) {
        // With a full batch waiting for the store, what sensors send waits too.
        if (poll(p, batch_full(o) ? 3 : 4, (int)(TICK_NS / MS)) < 0 && errno != EINTR)
            o->error = -errno;
        round_of(o);
    }
}
