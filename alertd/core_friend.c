// SPDX-License-Identifier: GPL-3.0-or-later
// A serial can be copied.  What shows that two transmitters use one, or that what uses it is not
// the aircraft on the force's own list:
//
//     places    frames take turns at two places that one aircraft cannot fly between
//                   o      o      o          says it is here
//                      x      x      x       and here: 3 turns and more
//     carriers  frames on two carriers closer in time than one aircraft sends, or two at once
//     sensors   two sensors hear it that stand too far apart
//     model     it names another model, or is heard on a link that the listed model does not have
//
// One bad fix of a satellite receiver is one place with one frame, and proves nothing.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/core_judge.h"

#define S_NS INT64_C(1000000000)
#define SPEED_MPS   80.0        // racers fly 60; what a police force flies, 25
#define ERROR_M     100.0       // of two fixes between buildings
#define OTHER_M     300.0       // ... and of two sensors' clocks that are a second apart or two
#define JUMP_M      1000.0      // beyond reach, and both places held: no turn back is needed
#define HELD        3           // frames
#define TURNS       3
#define MEMORY_NS   (60 * S_NS)
#define PERIOD_S    0.4         // DroneID: 0.55 to 0.65 s between frames of one aircraft
#define TOGETHER_S  0.02        // less: one frame heard twice
#define CARRIER_HZ  3e6         // centres of DroneID are 5 MHz apart, at least
#define CLOSE       3           // such pairs, within
#define CLOSE_NS    (10 * S_NS)
#define SENSORS_M   50e3        // 25 km each way is more than any of these links carries
#define STEADY_NS   (10 * S_NS)
#define BOTH_NS     (3 * S_NS)

static bool is(const char *a, const char *b) { return !strcmp(a, b); }

const struct alertd_ours *friend_of(const struct core *c, const char *serial)
{
    for (unsigned i = 0; *serial && i < c->cfg->n_ours; i++)
        if (is(serial, c->cfg->ours[i].serial))
            return &c->cfg->ours[i];
    return NULL;
}

__attribute__((format(printf, 3, 4)))
static void found(struct incident *i, const char *kind, const char *fmt, ...)
{
    va_list ap;
    if (i->conflict[0])
        return;                 // the first proof is enough
    snprintf(i->conflict, sizeof i->conflict, "%s", kind);
    va_start(ap, fmt);
    vsnprintf(i->conflict_what, sizeof i->conflict_what, fmt, ap);
    va_end(ap);
    i->dirty = i->touched = true;
}

// ---- Frame by frame ---------------------------------------------------------------------------

// How much farther than it could have flown; negative: it could.
static double beyond_m(const struct twin_place *p, const struct twin_place *q)
{
    double s = fabs((double)(p->t_ns - q->t_ns)) / 1e9;
    return place_apart_m(p->lat_deg, p->lon_deg, q->lat_deg, q->lon_deg) - SPEED_MPS * s -
           (is(p->sensor, q->sensor) ? ERROR_M : OTHER_M);
}

static bool fresh(const struct twin_place *p, const struct twin_place *now)
{
    return p->n && llabs(now->t_ns - p->t_ns) <= MEMORY_NS;
}

static void note_place(struct twin_place *p, const struct twin_place *now)
{
    unsigned n = p->n;
    *p = *now;
    p->n = n + 1;
}

static void judge_places(struct incident *i)
{
    struct twins *w = &i->twins;
    const struct twin_place *p = &w->place[w->at], *q = &w->place[!w->at];
    double m = beyond_m(p, q);
    if ((w->turns >= TURNS && p->n > 1 && q->n > 1) ||
        (m > JUMP_M && p->n >= HELD && q->n >= HELD))
        found(i, "places", "%.1f km in %.1f s",
              place_apart_m(p->lat_deg, p->lon_deg, q->lat_deg, q->lon_deg) / 1e3,
              fabs((double)(p->t_ns - q->t_ns)) / 1e9);
}

static void take_place(struct incident *i, const struct twin_place *now)
{
    struct twins *w = &i->twins;
    struct twin_place *here = &w->place[w->at], *there = &w->place[!w->at];
    if (!fresh(here, now)) {
        *w = (struct twins){ .frame = w->frame, .n_close = w->n_close, .close_ns = w->close_ns };
        note_place(&w->place[0], now);
        return;
    }
    if (beyond_m(here, now) <= 0) {
        note_place(here, now);
    } else {
        if (llabs(now->t_ns - w->turns_ns) > MEMORY_NS)
            w->turns = 0;
        if (!w->turns++)
            w->turns_ns = now->t_ns;
        if (!fresh(there, now) || beyond_m(there, now) > 0)
            there->n = 0;
        note_place(there, now);
        w->at = !w->at;
    }
    if (fresh(&w->place[!w->at], now))
        judge_places(i);
}

// One aircraft sends a frame, then nothing for half a second, and stays on a carrier for seconds.
static void take_carrier(struct incident *i, const struct sensor *s, const struct wire_msg *m)
{
    struct twins *w = &i->twins;
    struct twin_frame was = w->frame, *f = &w->frame;
    double ahead_s = fabs((double)(m->head.t_ns - was.t_ns)) / 1e9;
    if (strncmp(m->decode.protocol, "dji-droneid", 11) || !isfinite(m->decode.freq_hz))
        return;
    *f = (struct twin_frame){ .freq_hz = m->decode.freq_hz, .t_ns = m->head.t_ns };
    memcpy(f->sensor, s->name, sizeof f->sensor);
    if (!is(was.sensor, f->sensor) || fabs(was.freq_hz - f->freq_hz) < CARRIER_HZ ||
        ahead_s < TOGETHER_S || ahead_s > PERIOD_S)
        return;
    if (llabs(m->head.t_ns - w->close_ns) > CLOSE_NS)
        w->n_close = 0;
    if (!w->n_close++)
        w->close_ns = m->head.t_ns;
    if (w->n_close >= CLOSE)
        found(i, "carriers", "%.1f and %.1f MHz, %.2f s apart", was.freq_hz / 1e6,
              f->freq_hz / 1e6, ahead_s);
}

void friend_frame(const struct sensor *s, const struct track_rec *t, const struct wire_msg *m)
{
    const struct claim *k = &t->claim;
    struct incident *i = t->incident;
    if (!i || !k->serial[0] || m->head.late || s->clock_bad)
        return;
    take_carrier(i, s, m);
    bool nowhere = fabs(k->lat_deg) < 1e-6 && fabs(k->lon_deg) < 1e-6;
    if (k->at_ns != m->head.t_ns || nowhere)
        return;                 // this frame has no position
    struct twin_place now = { .lat_deg = k->lat_deg, .lon_deg = k->lon_deg, .t_ns = k->at_ns };
    memcpy(now.sensor, s->name, sizeof now.sensor);
    take_place(i, &now);
}

// ---- Its tracks together ----------------------------------------------------------------------

static bool has(const struct track_rec *t, const char *serial)
{
    return is(track_serial(t), serial);
}

static void look_sensors(struct core *c, struct incident *i, const struct track_rec *a,
                         const struct track_rec *b)
{
    const struct sensor *x = map_get(&c->by_name, a->sensor), *y = map_get(&c->by_name, b->sensor);
    if (!x || !y || x == y || !track_heard(c, a) || !track_heard(c, b) || a->late || b->late ||
        !x->have_health || !y->have_health || !x->health.place_known || !y->health.place_known)
        return;
    double m = place_apart_m(x->health.lat_deg, x->health.lon_deg, y->health.lat_deg,
                             y->health.lon_deg);
    double error_m = fmax(0, x->health.place_err_m) + fmax(0, y->health.place_err_m);
    if (m - (isfinite(error_m) ? error_m : 0) > SENSORS_M)
        found(i, "sensors", "%.28s and %.28s, %.0f km apart", x->name, y->name, m / 1e3);
}

// Two of one kind beside each other on one radio, for a while.  Remote ID goes out on several
// carriers of one aircraft.
static void look_carriers(struct core *c, struct incident *i, const struct track_rec *a,
                          const struct track_rec *b)
{
    const struct wire_track *x = &a->w, *y = &b->w;
    bool apart = x->freq_lo_hz > y->freq_hi_hz || y->freq_lo_hz > x->freq_hi_hz;
    if (apart && is(a->sensor, b->sensor) && is(x->radio, y->radio) && is(x->family, y->family) &&
        is(x->role, y->role) && strcmp(x->family, "remote-id") && track_heard(c, a) &&
        track_heard(c, b) && llabs(x->last_ns - y->last_ns) <= BOTH_NS &&
        x->last_ns - x->first_ns >= STEADY_NS && y->last_ns - y->first_ns >= STEADY_NS)
        found(i, "carriers", "%.1f and %.1f MHz at once", (x->freq_lo_hz + x->freq_hi_hz) / 2e6,
              (y->freq_lo_hz + y->freq_hi_hz) / 2e6);
}

// Letters and figures only, without the maker's name: "DJI Mavic-3" is "mavic3".
static void plain(const char *s, char ret[48])
{
    size_t n = 0;
    if (!strncasecmp(s, "dji", 3))
        s += 3;
    for (; *s && n < 47; s++)
        if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z'))
            ret[n++] = *s;
        else if (*s >= 'A' && *s <= 'Z')
            ret[n++] = (char)(*s - 'A' + 'a');
    ret[n] = 0;
}

// "Mini 2" and "Mini 2 SE" may be one: what is said shortly contradicts nothing.
static bool other_model(const char *claimed, const char *listed)
{
    char a[48], b[48];
    plain(claimed, a);
    plain(listed, b);
    return *a && *b && !strstr(a, b) && !strstr(b, a);
}

static void look_model(struct incident *i, const struct track_rec *t, const struct alertd_ours *o)
{
    bool sure = is(t->w.verdict, "drone") && t->w.confidence >= 0.5 &&
                strncmp(t->w.family, "unknown", 7), fits = !o->n_links;
    if (o->model[0] && other_model(t->claim.model, o->model))
        found(i, "model", "says %.30s, listed as %.30s", t->claim.model, o->model);
    for (unsigned k = 0; k < o->n_links; k++)
        fits = fits || is(t->w.family, o->link[k]);
    if (sure && !fits)
        found(i, "model", "heard as %.23s", t->w.family);
}

void friend_look(struct core *c, struct incident *i, struct view *v, const char *serial)
{
    const struct alertd_ours *o = friend_of(c, serial);
    for (unsigned m = 0; *serial && m < v->n; m++) {
        if (!has(v->member[m], serial))
            continue;
        if (o)
            look_model(i, v->member[m], o);
        for (unsigned k = 0; k < m; k++)
            if (has(v->member[k], serial)) {
                look_sensors(c, i, v->member[k], v->member[m]);
                look_carriers(c, i, v->member[k], v->member[m]);
            }
    }
    v->twice = i->conflict[0] && strcmp(i->conflict, "model");
    v->contradicted = o && i->conflict[0];
}

void friend_say(struct core *c, struct alert *a, const struct incident *i, const char *serial)
{
    const struct alertd_ours *o = friend_of(c, serial);
    if (i->conflict[0])
        snprintf(a->friend_state, sizeof a->friend_state, "%s-%s", o ? "conflict" : "twice",
                 i->conflict);
    else
        snprintf(a->friend_state, sizeof a->friend_state, "%s", o ? "claims-ours" : "");
    snprintf(a->friend_name, sizeof a->friend_name, "%s", o ? o->name : "");
    snprintf(a->friend_what, sizeof a->friend_what, "%s", i->conflict_what);
}
