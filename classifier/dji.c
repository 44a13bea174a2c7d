// SPDX-License-Identifier: GPL-3.0-or-later
// DroneID frames to aircraft.
//
// What counts (goals.md, false recognitions): a frame whose checks passed; a burst whose whole
// structure was verified; or two bursts on one centre a multiple of 640 ms (+-1 ms) apart, the
// transmitter's own clock.  A frame goes to the aircraft with its serial, an encrypted one to that
// with its session; one without (not decoded) to the aircraft it is most like in level, centre and
// phase; an encrypted one never to an aircraft that says its serial, nor the other way about.
#include "classifier/dji.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_S     0.640
#define PERIOD_TOL_S 1e-3
#define DWELL        13         // bursts on one centre before it moves: pairs are sought within
#define CENTRE_HZ    40e3       // same centre: carrier error wanders far less within seconds
#define REPEAT_TOL_S 0.2e-3     // 8.6 s of clocks 20 ppm apart; 9 % of chance distances
// Sightings off the clock on that centre within 8.6 s, beyond those on it: each of them would be on
// the clock by chance in 1 of 320.
#define STRANGERS    3
#define AIRBORNE_BW_HZ 9.015e6

static const char *text_of(const struct decode *d, const char *key)
{
    for (unsigned i = 0; d && i < d->n_fields; i++)
        if (!strcmp(d->field[i].key, key) && d->field[i].type == FIELD_STR)
            return d->field[i].str;
    return "";
}

static const char *serial_of(const struct decode *d) { return text_of(d, "serial"); }

// An encrypted frame names the session it belongs to, in the clear.
static const char *session_of(const struct decode *d)
{
    return d && d->protocol == PROTO_DJI_DRONEID_ENCRYPTED ? text_of(d, "session") : "";
}

static bool on_clock(double dt_s)
{
    return fabs(remainder(dt_s, PERIOD_S)) <= PERIOD_TOL_S;
}

// Frames of LTE repeat after 5 or 10 ms, beacons after multiples of 25.6 ms (a 25th of the period):
// whoever comes again at such a distance repeats himself, and some of that falls on the clock.
static bool repeats(double dt_s)
{
    return fabs(remainder(dt_s, 5e-3)) < REPEAT_TOL_S ||
           fabs(remainder(dt_s, PERIOD_S / 25)) < REPEAT_TOL_S;
}

// A second sighting on the same centre, one to thirteen periods earlier, and neither somebody who
// repeats himself faster than the clock nor so many others that one falls on it by chance.
// nobodys: the second must be one that no aircraft has taken yet.
static bool paired(const struct dji_memory *m, const struct dji_sight *x, bool nobodys)
{
    unsigned n = m->n < DJI_SEEN ? m->n : DJI_SEEN, on = 0, off = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct dji_sight *y = &m->seen[i];
        double dt = x->t_s - y->t_s;
        if (fabs(dt) >= (DWELL + 0.5) * PERIOD_S || fabs(x->freq_hz - y->freq_hz) >= CENTRE_HZ)
            continue;
        if (on_clock(dt)) {
            on += dt > PERIOD_S / 2 && !(nobodys && y->taken);
            continue;
        }
        if (y->taken)                   // an aircraft's, known by better proof
            continue;
        if (repeats(dt))
            return false;
        off++;
    }
    return on > 0 && off <= STRANGERS + on;
}

// How unlike a sighting is to an aircraft; below 15 it may be the same.
static double unlike(const struct link *l, const struct dji_sight *x)
{
    const struct dji_sight *y = &l->dji->last;
    double dt = x->t_s - y->t_s, d = fabs(x->level_dbfs - y->level_dbfs);

    if (dt > LIFE_GONE_S)
        return INFINITY;
    // An aircraft keeps its clock and, for 13 bursts, its centre: one that does neither and is 5 dB
    // louder or weaker is another, one that does one of the two may fade by 9 dB.  One that does
    // both is the same whatever its level says: under a louder Wi-Fi frame that is a guess, and
    // another aircraft falls on this clock by chance once in 320.
    if (on_clock(dt) && fabs(x->freq_hz - y->freq_hz) < CENTRE_HZ)
        return d < 14 ? d : 14;
    d += fabs(x->freq_hz - y->freq_hz) < CENTRE_HZ ? 0 : 4;
    d += on_clock(dt) ? 0 : 6;
    return d;
}

// An aircraft says its serial number or hides it.  A frame that was not decoded may be of either.
static bool speaks_otherwise(const struct link *l, const struct decode *d, const char *serial)
{
    bool hidden = d && d->protocol == PROTO_DJI_DRONEID_ENCRYPTED;

    return (hidden && l->t.claimed_serial[0]) || (serial[0] && l->dji->encrypted);
}

static struct link *aircraft(struct links *s, const struct dji_sight *x, const struct decode *d)
{
    const char *serial = serial_of(d), *session = session_of(d);
    struct link *best = NULL;
    double least = 15;

    for (unsigned i = 0; i < s->n; i++) {
        struct link *l = s->link[i];
        if (l->kind != LINK_DRONEID || l->t.state == TRACK_ENDED)
            continue;
        const char *its = l->t.claimed_serial;
        if (serial[0] && its[0]) {
            if (!strcmp(serial, its))
                return l;
            continue;           // another aircraft by its own word
        }
        if (session[0] && l->dji->session[0]) {
            if (!strcmp(session, l->dji->session))
                return l;
            continue;           // another session: another aircraft, or it was switched off
        }
        if (speaks_otherwise(l, d, serial))
            continue;
        double far = unlike(l, x);
        if (far < least) {
            least = far;
            best = l;
        }
    }
    return best;
}

static struct dji_sight *remember(struct dji_memory *m, const struct dji_sight *x)
{
    struct dji_sight *slot = &m->seen[m->n++ % DJI_SEEN];
    *slot = *x;
    return slot;
}

bool dji_took(const struct dji_memory *m, uint64_t id)
{
    unsigned n = m->n < DJI_SEEN ? m->n : DJI_SEEN;

    for (unsigned i = 0; i < n; i++)
        if (m->seen[i].id == id)
            return m->seen[i].taken;
    return false;
}

bool dji_covers(const struct dji_memory *m, const struct obs *o)
{
    unsigned n = m->n < DJI_SEEN ? m->n : DJI_SEEN;
    const double edge_s = 100e-6;               // cells of energy reach over the frame's edges

    if (o->fp.kind != KIND_UNKNOWN && o->fp.kind != KIND_OFDM && o->fp.kind != KIND_AM)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const struct dji_sight *s = &m->seen[i];
        if (s->taken && o->t_s >= s->t_s - edge_s &&
            o->t_s + o->dur_s <= s->t_s + 643e-6 + edge_s &&
            fabs(o->freq_hz - s->freq_hz) < AIRBORNE_BW_HZ / 2)
            return true;
    }
    return false;
}

static struct obs obs_from(const struct finding *f, const struct dji_sight *x)
{
    const struct droneid_seen *d = &f->droneid;
    struct obs o = { .t_s = x->t_s, .freq_hz = x->freq_hz, .bw_hz = AIRBORNE_BW_HZ,
                     .level_dbfs = x->level_dbfs, .part = BURST_WHOLE, .origin = f->origin,
                     .flags = f->flags, .id = f->id, .rate_hz = f->rate_hz,
                     .centre_hz = f->centre_hz };
    o.dur_s = meas_ok(f->fp.dur_s) && f->fp.dur_s.v < 1e-3 ? f->fp.dur_s.v : 0.643e-3;
    o.snr_db = meas_ok(d->snr_db) ? d->snr_db.v : 0;
    return o;
}

static bool sight_of(struct dji_sight *x, const struct finding *f)
{
    const struct droneid_seen *d = &f->droneid;
    struct meas t = meas_ok(d->t_s) ? d->t_s : f->fp.t_s;
    struct meas freq = meas_ok(d->freq_hz) ? d->freq_hz : f->fp.freq_hz;

    if (!meas_ok(t) || !meas_ok(freq) || !isfinite(t.v) || !isfinite(freq.v))
        return false;
    *x = (struct dji_sight){ t.v, freq.v, isfinite(f->fp.level_dbfs) ? f->fp.level_dbfs : -200,
                             f->id, false };
    return true;
}

static void claim(struct link *l, const struct decode *d)
{
    const char *serial = serial_of(d), *session = session_of(d);
    struct track *t = &l->t;

    t->decodes++;
    t->claimed = true;
    if (serial[0] && !t->claimed_serial[0])
        snprintf(t->claimed_serial, sizeof t->claimed_serial, "%s", serial);
    if (session[0] && !l->dji->session[0])
        snprintf(l->dji->session, sizeof l->dji->session, "%.8s", session);
}

bool dji_push(struct links *s, struct dji_memory *m, const struct sigs *sigs,
              const struct finding *f, const struct decode *d)
{
    struct dji_sight x;

    if (!sigs_find(sigs, "dji-droneid") || !sight_of(&x, f))
        return false;
    bool pair = paired(m, &x, false), fresh = pair && paired(m, &x, true);
    struct dji_sight *own = remember(m, &x);
    struct link *l = aircraft(s, &x, d);
    if (!l && !d && !f->droneid.verified && !fresh)
        return false;
    if (!l) {
        l = links_new(s, LINK_DRONEID, x.t_s);
        if (!l)
            return false;
        l->dji = calloc(1, sizeof *l->dji);
        if (!l->dji) {
            links_drop(s, l);
            return false;
        }
        if (!d && !f->droneid.verified)
            l->t.bursts = 1;    // the pair's first burst
    }
    l->dji->last = x;
    l->dji->verified += f->droneid.verified;
    l->dji->pairs += pair;
    l->dji->frames += d != NULL;
    l->dji->assisted += d && d->assisted;
    l->dji->encrypted += d && d->protocol == PROTO_DJI_DRONEID_ENCRYPTED;
    if (d)
        claim(l, d);
    own->taken = true;
    struct obs o = obs_from(f, &x);
    link_heard(l, &o);
    return true;
}

static void because(struct track *t, const char *text)
{
    if (t->n_why < CLS_WHY)
        snprintf(t->why[t->n_why++], sizeof t->why[0], "%s", text);
}

void dji_judge(struct link *l, const struct sigs *sigs, double threshold)
{
    const struct sig *s = sigs_find(sigs, "dji-droneid");
    const struct dji *d = l->dji;
    struct track *t = &l->t;
    char text[160];

    // Checks of 24 and 16 bits: chance has no part in it.  A verified structure is held to one
    // false one a day, a pair on the clock to the same.
    t->confidence = d->frames ? 0.995 : d->verified > 1 ? 0.985 : d->verified ? 0.96 : 0.93;
    t->p_drone = t->confidence * s->p_drone + (1 - t->confidence) * 0.3;
    t->verdict = t->p_drone >= threshold ? VERDICT_DRONE : VERDICT_UNKNOWN;
    t->family = s->family;
    t->link = s->modes[0].link;
    t->role = ROLE_IDENTIFICATION;
    t->runner_up = "unknown-ofdm";
    t->runner_up_confidence = 1 - t->confidence;
    t->n_why = 0;
    if (d->frames) {
        snprintf(text, sizeof text, "%llu DroneID frame%s with both checks valid%s",
                 (unsigned long long)d->frames, d->frames == 1 ? "" : "s",
                 d->encrypted ? ", encrypted" : "");
        because(t, text);
    }
    if (d->verified) {
        snprintf(text, sizeof text, "Zadoff-Chu pair of roots 600 and 147 and the burst around it "
                 "verified %llu times", (unsigned long long)d->verified);
        because(t, text);
    }
    if (d->pairs) {
        snprintf(text, sizeof text, "bursts on one centre at multiples of 640 ms, %llu times",
                 (unsigned long long)d->pairs);
        because(t, text);
    }
    if (t->claimed_serial[0])
        because(t, "the serial number is what the sender claims");
}
