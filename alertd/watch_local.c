// SPDX-License-Identifier: GPL-3.0-or-later
// A sensor's own socket, without a command post: what is heard just here.  There are no rules and
// no people's states, so every track that is a drone's is told, in the words of docs/WORDS.md.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "alertd/watch.h"
#include "base/utc.h"
#include "classifier/wire.h"

#define FORGET_NS (INT64_C(120) * 1000000000)   // a track is told every few seconds while it lives

struct watch_local {
    void    *ctx, *socket, *monitor;    // monitor: says at once when the sensor is gone
    uint64_t boot;                      // the sensor's start that all this is of
    int64_t  tidy_ns;
    uint8_t  buf[WIRE_MAX];
    struct wire_msg m;
};

int watch_local_open(struct watch_local **ret, const char *path, char why[WATCH_WHY])
{
    struct stat st;
    char at[300];
    int64_t most = WIRE_MAX;
    if (stat(path, &st) || access(path, R_OK | W_OK))
        return snprintf(why, WATCH_WHY, "%.200s: %s", path, strerror(errno)), -errno;
    if (!S_ISSOCK(st.st_mode))
        return snprintf(why, WATCH_WHY, "%.200s: no socket of a sensor", path), -EINVAL;
    struct watch_local *l = calloc(1, sizeof *l);
    if (!l || !(l->ctx = zmq_ctx_new()) || !(l->socket = zmq_socket(l->ctx, ZMQ_SUB)))
        return free(l), snprintf(why, WATCH_WHY, "not enough memory"), -ENOMEM;
    zmq_setsockopt(l->socket, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
    zmq_setsockopt(l->socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    zmq_setsockopt(l->socket, ZMQ_SUBSCRIBE, "", 0);
    zmq_socket_monitor(l->socket, "inproc://gone", ZMQ_EVENT_DISCONNECTED);
    if ((l->monitor = zmq_socket(l->ctx, ZMQ_PAIR))) {
        zmq_setsockopt(l->monitor, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
        zmq_connect(l->monitor, "inproc://gone");
    }
    snprintf(at, sizeof at, "ipc://%.250s", path);
    if (zmq_connect(l->socket, at)) {
        snprintf(why, WATCH_WHY, "%.200s: %s", path, zmq_strerror(errno));
        watch_local_close(l);
        return -EINVAL;
    }
    *ret = l;
    return 0;
}

void watch_local_close(struct watch_local *l)
{
    if (!l)
        return;
    zmq_socket_monitor(l->socket, NULL, 0);
    if (l->monitor)
        zmq_close(l->monitor);
    zmq_close(l->socket);
    zmq_ctx_term(l->ctx);
    free(l);
}

int watch_local_fd(const struct watch_local *l)
{
    int fd = -1;
    zmq_getsockopt(l->socket, ZMQ_FD, &fd, &(size_t){ sizeof fd });
    return fd;
}

static json_t *text(const char *s) { return json_string_nocheck(s); }

static json_t *when(int64_t ns)
{
    char s[UTC_LEN];
    utc_format(s, ns, 3);
    return ns ? text(s) : json_null();
}

// What may be said when: the table of docs/WORDS.md.
static const char *key_of(const struct wire_track *t)
{
    bool sure = t->confidence >= 0.5 && strncmp(t->family, "unknown", 7);
    if ((t->decodes && strcmp(t->family, "remote-id")) || (sure && !strcmp(t->role, "video")))
        return "drone";
    if (!strcmp(t->role, "identification"))
        return "identification";
    return !sure ? "unknown" : !strcmp(t->role, "control") ? "control"
         : !strcmp(t->role, "telemetry") ? "telemetry" : "link";
}

// In the manner of the post ("2.4 GHz"), whatever the frequency.
static void band_text(char ret[40], double hz)
{
    if (hz >= 1e9)
        snprintf(ret, 40, "%.1f GHz", hz / 1e9);
    else
        snprintf(ret, 40, "%.0f MHz", hz / 1e6);
}

static void take_track(struct watch *w, const struct wire_msg *m)
{
    const struct wire_track *t = &m->track;
    bool over = !strcmp(t->state, "ended");
    if (strcmp(t->verdict, "drone"))
        return;
    char band[40] = "";
    if (isfinite(t->freq_lo_hz) && isfinite(t->freq_hi_hz))
        band_text(band, (t->freq_lo_hz + t->freq_hi_hz) / 2);
    const char *key = key_of(t);
    bool watch = !strcmp(key, "unknown") ||
                 (!strcmp(key, "identification") && strcmp(t->family, "dji-droneid"));
    json_t *a = json_pack("{s:o,s:s,s:s,s:s,s:s,s:{s:s,s:{s:o,s:s}},s:{s:o,s:o},s:o,s:o,s:o}",
        "id", text(t->id), "lane", "drone", "severity", watch ? "watch" : "alarm",
        "work", over ? "closed" : "new",
        "signal", over ? "ended" : !strcmp(t->state, "quiet") ? "quiet" : "heard",
        "line", "key", key, "params", "what", text(t->link[0] ? t->link : t->family), "band", band,
        "what", "family", text(t->family), "serial", text(t->claimed_serial),
        "first", when(t->first_ns), "last", when(t->last_ns),
        "confidence", isfinite(t->confidence) ? json_real(t->confidence) : json_null());
    if (a)
        json_object_set_new(a, "told", json_integer(mono_now_ns()));
    if (a && over)
        json_object_set_new(a, "gone", json_true());
    if (a)
        watch_put(w, "alert", a);
}

static void take_health(struct watch *w, const struct wire_msg *m)
{
    const struct wire_health *h = &m->health;
    unsigned hear = 0;
    json_t *trouble = json_array();
    for (unsigned i = 0; i < h->n_radios && i < WIRE_RADIOS; i++) {
        bool ok = !strcmp(h->radio[i].state, "running");
        hear += ok;
        if (!ok)
            json_array_append_new(trouble, json_pack("{s:s,s:{s:o}}", "key", "radio-silent",
                                                     "params", "what", text(h->radio[i].name)));
    }
    const char *state = !hear ? "silent" : hear < h->n_radios ? "degraded" : "ok";
    watch_put(w, "sensor", json_pack("{s:s,s:o,s:s,s:o,s:o}", "id", "local", "name", text(h->name),
                                     "state", state, "last_heard", when(m->head.t_ns), "trouble",
                                     trouble));
}

static void take_ledger(struct watch *w, const struct wire_msg *m)
{
    const struct wire_ledger *l = &m->ledger;
    double all_s = (double)(l->to_ns - l->from_ns) / 1e9;
    json_t *list = json_array();
    for (unsigned i = 0; i < l->n_bands && i < WIRE_BANDS && all_s > 0; i++) {
        char band[60];
        snprintf(band, sizeof band, "%.1f-%.1f MHz", l->band[i].lo_hz / 1e6,
                 l->band[i].hi_hz / 1e6);
        double share = fmin(1, l->band[i].watched_s / all_s);
        json_array_append_new(list, json_pack("{s:s,s:f}", "band", band, "share",
                                              isfinite(share) && share > 0 ? share : 0.0));
    }
    watch_put(w, "health", json_pack("{s:s,s:s,s:[o],s:o}", "id", "post", "site", "Tyto",
                                     "origins", text(m->head.origin), "watched", list));
}

// Two frames an event: which, and where; of one kind only.
static void take_gone(struct watch_local *l, struct watch *w)
{
    char part[300];
    bool gone = false;
    while (l->monitor && zmq_recv(l->monitor, part, sizeof part, ZMQ_DONTWAIT) >= 0)
        gone = true;
    if (gone)
        watch_become(w, WATCH_LOST);
}

// What a sensor that starts again does not know is over; and what it no longer tells.
static void take_start(struct watch_local *l, struct watch *w)
{
    if (l->boot != l->m.head.boot) {
        json_object_clear(w->now.alert);
        json_object_clear(w->now.sensor);
        json_decref(w->now.health);
        w->now.health = NULL;
    }
    l->boot = l->m.head.boot;
}

static void forget_old(struct watch_local *l, struct watch *w)
{
    const char *id;
    json_t *a;
    void *next;
    int64_t now = mono_now_ns();
    if (now - l->tidy_ns < FORGET_NS / 8)
        return;
    l->tidy_ns = now;
    json_object_foreach_safe(w->now.alert, next, id, a)
        if (now - json_integer_value(json_object_get(a, "told")) > FORGET_NS)
            json_object_del(w->now.alert, id);
}

void watch_local_read(struct watch_local *l, struct watch *w)
{
    int n;
    take_gone(l, w);
    forget_old(l, w);
    while ((n = zmq_recv(l->socket, l->buf, sizeof l->buf, ZMQ_DONTWAIT)) >= 0) {
        if ((size_t)n > sizeof l->buf || wire_unpack(&l->m, l->buf, (size_t)n) != WIRE_OK)
            continue;
        w->heard_ns = utc_now_ns();
        take_start(l, w);
        watch_become(w, WATCH_LIVE);
        if (!w->now.health)     // what is not live says so from the first message on
            watch_put(w, "health", json_pack("{s:s,s:s,s:[o],s:[]}", "id", "post", "site", "Tyto",
                                             "origins", text(l->m.head.origin), "watched"));
        if (l->m.head.kind == WIRE_TRACK)
            take_track(w, &l->m);
        else if (l->m.head.kind == WIRE_HEALTH)
            take_health(w, &l->m);
        else if (l->m.head.kind == WIRE_LEDGER)
            take_ledger(w, &l->m);
    }
}
