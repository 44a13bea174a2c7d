// SPDX-License-Identifier: GPL-3.0-or-later
// How the sensor is: from samples that arrived and were worked through, never
// from a process that runs.
//
//     samples arrive (iq_radio)  and  sample time grows in the chain (t_s)      -> running
//     samples arrive, the chain stands still                                   -> silent, says so
//     none arrive                                               -> what the source says
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "base/version.h"
#include "classifier/sensord.h"

#define HEALTH_S 5.0
#define LEDGER_S 10.0
#define STALL_S  5.0            // the chain's spectra come twice a second

#define put(array, s) snprintf(array, sizeof array, "%s", (s) ? (s) : "")

static double s_of(int64_t ns) { return (double)ns * 1e-9; }

// The state of one radio, and its figures into *w where asked.
static enum iq_radio_state radio_state(struct chain *c, int64_t now_ns, struct iq_radio *ret)
{
    struct iq_source *src = atomic_load(&c->src);
    double still_s = s_of(now_ns - atomic_load(&c->moved_ns));

    *ret = (struct iq_radio){ .state = RADIO_STARTING, .since_s = NAN, .last_sample_s = NAN,
                              .rate_measured_hz = NAN };
    if (src)
        iq_radio(src, ret);
    if (atomic_load(&c->ended)) {
        ret->state = RADIO_SILENT;
        snprintf(ret->what, sizeof ret->what, "%.150s", atomic_load(&c->refused) ? c->why :
                 atomic_load(&c->stop) ? "the sensor was stopped" : "the recording has ended");
        ret->since_s = ret->last_sample_s = ret->rate_measured_hz = NAN;
        return ret->state;
    }
    for (char *t; (t = queue_try_pop(c->troubles)); free(t))
        put(c->trouble, t);
    if (!src) {             // once it failed it is tried again and again
        ret->state = c->trouble[0] ? RADIO_RESTARTING : RADIO_STARTING;
        put(ret->what, c->trouble);
        return ret->state;
    }
    if (ret->state == RADIO_NONE) {                     // plays in process
        ret->state = RADIO_RUNNING;
        ret->last_sample_s = still_s;
        ret->since_s = NAN;
        ret->rate_measured_hz = NAN;
    }
    if (ret->state == RADIO_RUNNING && still_s > STALL_S) {
        ret->state = RADIO_SILENT;
        put(ret->what, "samples arrive, and the chain does not work through them");
    }
    return ret->state;
}

static void kept_fill(struct chain *c, struct wire_radio *w)
{
    const struct keep *k = atomic_load(&c->keeps);
    struct keep_counts n = k ? keep_counts(k) : (struct keep_counts){ 0 };

    w->keeps = k != NULL;
    w->kept = n.kept;
    w->keep_refused = n.refused;
    w->keep_expired = n.expired;
}

// As the samples have it; before the first as it is configured.
static void gain_fill(struct chain *c, struct wire_radio *w)
{
    double now_db = c->r->kind == RADIO_LIVE ? atomic_load(&c->gain_db) : NAN;

    w->gain_db = isfinite(now_db) ? now_db : c->r->gain_db;
    w->gain_auto = c->r->gain_auto;
    w->gain_changes = atomic_load(&c->gain_changes);
    put(w->gain_why, atomic_load(&c->gain_why));
}

static void radio_fill(struct chain *c, int64_t now_ns, struct wire_radio *w)
{
    static const char *const states[] = { "starting", "starting", "running", "silent",
                                          "restarting" };
    struct iq_radio q;
    enum iq_radio_state s = radio_state(c, now_ns, &q);
    double t_s = atomic_load(&c->t_s), rate_hz = atomic_load(&c->now_rate_hz);
    uint64_t clipped = atomic_load(&c->clipped);

    memset(w, 0, sizeof *w);
    put(w->name, c->r->name);
    snprintf(w->device, sizeof w->device, "%.63s", q.device);
    put(w->state, states[s]);
    put(w->what, q.what);
    w->centre_hz = atomic_load(&c->centre_hz);
    w->rate_hz = rate_hz;
    w->rate_measured_hz = q.rate_measured_hz >= 0 ? q.rate_measured_hz : NAN;
    gain_fill(c, w);
    w->since_s = q.since_s;
    w->last_sample_s = q.last_sample_s;
    w->floor_dbfs = atomic_load(&c->floor_dbfs_hz);
    if (!isfinite(w->floor_dbfs))
        w->floor_dbfs = NAN;
    w->occupancy = atomic_load(&c->occupancy);
    if (!(w->occupancy >= 0 && w->occupancy <= 1))
        w->occupancy = NAN;
    w->lost = q.lost;
    double all = t_s * rate_hz;
    double gone = (double)(q.lost + q.settled);
    // Losses are counted where they happen, ahead of a chain that is behind: no count goes back.
    if (all - gone > (double)c->samples_told)
        c->samples_told = (uint64_t)(all - gone);
    w->samples = c->samples_told;
    w->overflows = q.overflows;
    w->restarts = q.restarts;
    w->time_jumps = q.time_jumps;
    w->shed_bursts = atomic_load(&c->shed);
    w->clipping = clipped != c->clipped_told;
    c->clipped_told = clipped;
    kept_fill(c, w);
}

enum iq_origin health_origin(const struct health *h)
{
    for (unsigned i = 0; i < h->cfg->n_radios; i++)
        if (atomic_load(&h->chain[i]->origin) != IQ_LIVE)
            return (enum iq_origin)atomic_load(&h->chain[i]->origin);
    return IQ_LIVE;
}

static void place_fill(struct health *h, struct wire_health *w)
{
    struct hw_place p = h->cfg->place;

    if (h->gps)
        hw_gps_read(h->gps, &p);
    if (!p.known && h->cfg->fixed)
        p = h->cfg->place;
    w->place_known = p.known;
    w->lat_deg = w->lon_deg = w->alt_m = w->place_err_m = w->place_age_s = NAN;
    w->heading_deg = h->cfg->heading_deg;
    if (!p.known)
        return;
    put(w->place_source, p.source);
    w->lat_deg = p.lat_deg;
    w->lon_deg = p.lon_deg;
    w->alt_m = p.alt_m;
    w->place_err_m = p.err_m >= 0 ? p.err_m : NAN;
    w->place_age_s = p.age_s;
}

static void health_say(struct health *h, int64_t now_ns)
{
    struct wire_health *w = &h->msg.health;
    struct pub_stats s = { 0 };

    say_head(&h->msg, WIRE_HEALTH, utc_now_ns(), 0, health_origin(h));
    if (h->tell->pub)
        pub_stats(h->tell->pub, &s);
    put(w->name, h->cfg->name);
    put(w->version, TYTO_VERSION);
    place_fill(h, w);
    w->uptime_s = s_of(now_ns - h->start_ns);
    w->cpu_share = hw_cpu_share(h->cpu);
    if (!(w->cpu_share >= 0))
        w->cpu_share = NAN;
    int64_t rss = hw_rss_bytes();
    w->rss_bytes = rss >= 0 ? (double)rss : NAN;
    int64_t left = h->cfg->spool_dir[0] ? hw_disk_free(h->cfg->spool_dir) : -1;
    w->disk_free_bytes = left >= 0 ? (double)left : NAN;
    w->temperature_c = hw_temperature_c();
    w->spool_bytes = s.spool_bytes;
    w->spool_lost = s.lost + s.dropped;
    w->n_radios = h->cfg->n_radios;
    for (unsigned i = 0; i < w->n_radios; i++)
        radio_fill(h->chain[i], now_ns, &w->radio[i]);
    tell_event(h->tell, &h->msg);
    if (h->cfg->endpoint[0] && h->tell->pub)            // the spool is ours
        tell_health(h->cfg->spool_dir, &h->msg);
    h->health_ns = now_ns;
}

// True where the sensor has set it anew: that is told at once.
static bool gain_look(struct chain *c)
{
    uint64_t n = atomic_load(&c->gain_changes);
    double now_db = c->r->kind == RADIO_LIVE ? atomic_load(&c->gain_db) : NAN;
    bool news = n != c->gain_told;

    c->gain_told = n;
    c->gain_lo_db = fmin(c->gain_lo_db, now_db);        // of a number and NAN the number
    c->gain_hi_db = fmax(c->gain_hi_db, now_db);
    return news;
}

bool health_work(struct health *h, int64_t now_ns, bool force)
{
    bool fed = true, changed = force;
    struct iq_radio q;

    for (unsigned i = 0; i < h->cfg->n_radios; i++) {
        struct chain *c = h->chain[i];
        int s = (int)radio_state(c, now_ns, &q);
        changed = gain_look(c) || changed || s != c->state_told;
        c->state_told = s;
        // A restart in progress is being mended; one that stands still without is not, but the
        // end of a recording is no fault.
        fed = fed && (s != RADIO_SILENT || atomic_load(&c->ended));
    }
    if (changed || s_of(now_ns - h->health_ns) >= HEALTH_S)
        health_say(h, now_ns);
    if (force || s_of(now_ns - h->ledger_ns) >= LEDGER_S) {
        hw_clock_ask();
        ledger_say(h, now_ns);
    }
    return fed;
}
