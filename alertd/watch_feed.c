// SPDX-License-Identifier: GPL-3.0-or-later
// Server-sent events into a world.  A snapshot is gathered apart and shown when it is whole: half
// of one would say "nothing heard".
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/watch.h"
#include "base/utc.h"

#define LINE_MAX_BYTES (1u << 20)       // an alert is some kilobytes

static void world_init(struct watch_world *w)
{
    *w = (struct watch_world){ json_object(), json_object(), NULL };
}

static void world_done(struct watch_world *w)
{
    json_decref(w->alert);
    json_decref(w->sensor);
    json_decref(w->health);
    *w = (struct watch_world){ NULL, NULL, NULL };
}

void watch_init(struct watch *w)
{
    *w = (struct watch){ .since_ns = utc_now_ns(), .told = json_object() };
    world_init(&w->now);
}

void watch_done(struct watch *w)
{
    world_done(&w->now);
    world_done(&w->next);
    json_decref(w->told);
}

void watch_become(struct watch *w, enum watch_link link)
{
    if (link == w->link)
        return;
    w->link = link;
    w->since_ns = link == WATCH_LOST && w->heard_ns ? w->heard_ns : utc_now_ns();
    if (w->tell)
        w->tell(w->arg, "link", NULL);
}

void watch_put(struct watch *w, const char *kind, json_t *what)
{
    struct watch_world *to = w->gathering ? &w->next : &w->now;
    const char *id = json_string_value(json_object_get(what, "id"));
    json_t *map = !strcmp(kind, "alert") ? to->alert : !strcmp(kind, "sensor") ? to->sensor : NULL;
    if (w->tell && !w->gathering)
        w->tell(w->arg, kind, what);
    if (!strcmp(kind, "health") && !json_is_true(json_object_get(what, "gone"))) {
        json_decref(to->health);
        to->health = json_incref(what);
    } else if (map && id && json_is_true(json_object_get(what, "gone"))) {
        json_object_del(map, id);
    } else if (map && id && (json_object_size(map) < WATCH_KEPT || json_object_get(map, id))) {
        json_object_set(map, id, what);
    }
    json_decref(what);
}

static void tell_all(struct watch *w)
{
    const char *id;
    json_t *v;
    if (!w->tell)
        return;
    if (w->now.health)
        w->tell(w->arg, "health", w->now.health);
    json_object_foreach(w->now.sensor, id, v)
        w->tell(w->arg, "sensor", v);
    json_object_foreach(w->now.alert, id, v)
        w->tell(w->arg, "alert", v);
}

static void event(struct watch *w, const char *name, const char *id, const char *data)
{
    if (!strcmp(name, "reset")) {
        world_done(&w->next);
        world_init(&w->next);
        w->gathering = true;
        return;
    }
    if (!strcmp(name, "signed-out"))
        w->signed_out = true;
    if (*id)
        snprintf(w->last, sizeof w->last, "%s", id);
    if (!strcmp(name, "ready")) {
        bool whole = w->gathering;
        if (whole) {
            world_done(&w->now);
            w->now = w->next;
            w->next = (struct watch_world){ NULL, NULL, NULL };
            w->gathering = false;
        }
        watch_become(w, WATCH_LIVE);
        if (whole)
            tell_all(w);
        return;
    }
    json_t *what = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(what))
        watch_put(w, name, what);
    else
        json_decref(what);
}

static int line(struct watch *w, struct watch_feed *f, char *s, size_t n)
{
    if (n && s[n - 1] == '\r')
        s[--n] = 0;
    if (!n) {
        if (f->event[0])
            event(w, f->event, f->id, f->data ? f->data : "");
        f->event[0] = f->id[0] = 0;
        f->data_n = 0;
        if (f->data)
            f->data[0] = 0;
    } else if (!strncmp(s, "event:", 6)) {
        snprintf(f->event, sizeof f->event, "%s", s + 6 + strspn(s + 6, " "));
    } else if (!strncmp(s, "id:", 3)) {
        snprintf(f->id, sizeof f->id, "%s", s + 3 + strspn(s + 3, " "));
        if (f->id[strspn(f->id, "0123456789")])
            f->id[0] = 0;       // it goes back into a request: digits only
    } else if (!strncmp(s, "data:", 5)) {
        char *more = realloc(f->data, f->data_n + n + 1);
        if (!more)
            return -ENOMEM;
        f->data = more;
        memcpy(f->data + f->data_n, s + 5, n - 4);
        f->data_n += n - 5;
        if (f->data_n > LINE_MAX_BYTES)
            return -EMSGSIZE;
    }
    return 0;
}

int watch_feed_take(struct watch *w, struct watch_feed *f, const char *p, size_t n)
{
    w->heard_ns = utc_now_ns();
    for (size_t i = 0; i < n; i++) {
        if (f->n + 2 > f->room) {
            size_t room = f->room ? 2 * f->room : 8192;
            char *more = room <= LINE_MAX_BYTES ? realloc(f->line, room) : NULL;
            if (!more)
                return -EMSGSIZE;
            f->line = more;
            f->room = room;
        }
        if (p[i] != '\n') {
            f->line[f->n++] = p[i];
            continue;
        }
        f->line[f->n] = 0;
        int r = line(w, f, f->line, f->n);
        f->n = 0;
        if (r < 0)
            return r;
    }
    return 0;
}

void watch_feed_done(struct watch_feed *f)
{
    free(f->line);
    free(f->data);
    *f = (struct watch_feed){ .line = NULL };
}
