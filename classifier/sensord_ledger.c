// SPDX-License-Identifier: GPL-3.0-or-later
// What was watched since the last time, band by band, and what would have been heard there: so that
// silence can be told from blindness.
//
//     a radio that stays     one band: its capture      sample time worked through, less the lost
//     a radio that walks     the bands of the plan       what the walk counted (sdr/scan.h)
//
//     smallest = floor per Hz + width of the band's least conspicuous link + the SNR it takes
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "classifier/sensord.h"

#define LINK_HZ 1e6             // where no plan says: a burst of 1 MHz and 1 ms
#define LINK_S  1e-3
#define DEAF    0.5             // deaf for so much of what was watched: called deaf

#define put(array, s) snprintf(array, sizeof array, "%s", (s) ? (s) : "")

double ledger_snr_db(double link_hz, double link_s)
{
    // Measured: band-limited Gaussian bursts of width times length `tb` in white noise of 10 MS/s,
    // 40 a point, held against `tyto analyze --bursts`, 22 November 2026.  The first is a guess on
    // the safe side; beyond the last nothing better is claimed.
    static const struct { double tb, db; } found[] = {
        { 1, 13 }, { 64, 3.6 }, { 270, 0.6 }, { 1000, -2.4 }, { 3780, -4 },
    };
    double tb = link_hz * link_s;
    unsigned i = 1;

    if (tb <= found[0].tb)
        return found[0].db;
    while (i < 4 && tb > found[i].tb)
        i++;
    double x = log(tb / found[i - 1].tb) / log(found[i].tb / found[i - 1].tb);
    return found[i - 1].db + fmin(x, 1) * (found[i].db - found[i - 1].db);
}

static double finite_or_nan(double v) { return isfinite(v) ? v : NAN; }

// What follows for the band from what was counted; worst_dbfs_hz: the loudest floor in it.
static void judge(struct wire_band *b, double worst_dbfs_hz)
{
    bool watched = b->watched_s > 0, deaf = watched && b->deaf_s >= DEAF * b->watched_s;

    put(b->state, !watched ? "not-watched" : deaf ? "deaf" : "watched");
    b->smallest_dbfs = !watched || deaf ? NAN
        : finite_or_nan(worst_dbfs_hz + 10 * log10(b->link_hz) +
                        ledger_snr_db(b->link_hz, b->link_s));
}

static struct iq_radio radio_of(struct chain *c)
{
    struct iq_source *src = atomic_load(&c->src);
    struct iq_radio q = { .state = RADIO_NONE };

    if (src)
        iq_radio(src, &q);
    return q;
}

static double gain_of(const struct sensord_radio *r, double gain_db)
{
    return !isnan(gain_db) ? gain_db : !isnan(r->gain_db) ? r->gain_db
           : r->kind == RADIO_LIVE && r->profile[0] ? r->hw.gain_db : NAN;
}

// As the samples have it, once there are any.
static double gain_now(struct chain *c)
{
    double now_db = c->r->kind == RADIO_LIVE ? atomic_load(&c->gain_db) : NAN;
    return isfinite(now_db) ? now_db : gain_of(c->r, NAN);
}

// ---- A radio that stays ----------------------------------------------------------------------

static void capture_fill(struct chain *c, double span_s, struct wire_band *b)
{
    struct iq_radio q = radio_of(c);
    double t_s = atomic_load(&c->t_s), rate_hz = atomic_load(&c->now_rate_hz);
    double deaf_s = atomic_load(&c->deaf_s), mid_hz = atomic_load(&c->centre_hz);
    uint64_t lost = q.lost > c->ledger_lost ? q.lost - c->ledger_lost : 0;
    uint64_t settled = q.settled > c->ledger_settled ? q.settled - c->ledger_settled : 0;
    double lost_s = rate_hz > 0 ? (double)lost / rate_hz : 0;
    double s = t_s - c->ledger_t_s - lost_s - (rate_hz > 0 ? (double)settled / rate_hz : 0);

    *b = (struct wire_band){ .lo_hz = mid_hz - rate_hz / 2, .hi_hz = mid_hz + rate_hz / 2,
        .watched_s = s < 0 ? 0 : s > span_s ? span_s : s, .lost_s = lost_s,
        .gain_db = gain_now(c), .link_hz = LINK_HZ, .link_s = LINK_S,
        .floor_dbm_hz = NAN, .floor_dbfs = finite_or_nan(atomic_load(&c->floor_dbfs_hz)),
        .away_s = NAN, .revisit_p95_s = NAN, .revisit_max_s = NAN };
    b->deaf_s = fmin(fmax(deaf_s - c->ledger_deaf_s, 0), b->watched_s);
    b->occupancy = atomic_load(&c->busy[0]);
    b->usual_occupancy = atomic_load(&c->usual_busy[0]);
    put(b->radio, c->r->name);
    judge(b, b->floor_dbfs);
    c->ledger_t_s = t_s;
    c->ledger_lost = q.lost;
    c->ledger_settled = q.settled;
    c->ledger_deaf_s = deaf_s;
}

// ---- A radio that walks ----------------------------------------------------------------------

// Mean floor of the band's windows, and the worst; those never heard yet say nothing.
static void floors_of(struct chain *c, unsigned band, struct wire_band *b, double *ret_worst)
{
    double sum = 0, worst = NAN;
    unsigned n = 0;

    for (unsigned i = 0; i < scan_steps(c->scan); i++) {
        double v = atomic_load(&c->window_dbfs_hz[i]);
        if (scan_step_band(c->scan, i) != band || !isfinite(v))
            continue;
        sum += pow(10, v / 10);
        worst = !(v <= worst) ? v : worst;
        n++;
    }
    b->floor_dbfs = n ? 10 * log10(sum / n) : NAN;
    *ret_worst = worst;
}

static void band_fill(struct chain *c, unsigned k, double span_s, struct wire_band *b)
{
    const struct scan_band *p = &c->cfg->plan.band[k];
    struct scan_seen now = { .p95_s = NAN, .max_s = NAN }, *was = &c->ledger_seen[k];
    double worst;

    if (c->scan && atomic_load(&c->src))
        scan_seen(c->scan, k, &now);
    *b = (struct wire_band){ .lo_hz = p->lo_hz, .hi_hz = p->hi_hz, .floor_dbm_hz = NAN,
        .floor_dbfs = NAN, .gain_db = gain_of(c->r, p->gain_db), .link_hz = p->link_hz,
        .link_s = p->link_s, .watched_s = fmin(fmax(now.watched_s - was->watched_s, 0), span_s),
        .lost_s = fmax(now.lost_s - was->lost_s, 0), .away_s = now.away_s,
        .revisit_p95_s = now.p95_s, .revisit_max_s = now.max_s,
        .windows = now.windows, .visits = now.visits - was->visits };
    b->deaf_s = fmin(fmax(now.clipped_s - was->clipped_s, 0), b->watched_s);
    b->occupancy = atomic_load(&c->busy[k]);
    b->usual_occupancy = atomic_load(&c->usual_busy[k]);
    put(b->name, p->name);
    put(b->radio, c->r->name);
    worst = NAN;
    if (c->scan)
        floors_of(c, k, b, &worst);
    judge(b, worst);
    *was = now;
}

// ---- The message -----------------------------------------------------------------------------

// What was kept of alarms, and what could not be: silence there must be told from nothing to keep.
static void kept_add(struct chain *c, struct wire_ledger *w)
{
    const struct keep *k = atomic_load(&c->keeps);
    struct keep_counts now = k ? keep_counts(k) : (struct keep_counts){ 0 };

    w->kept += now.kept - c->ledger_kept.kept;
    w->keep_refused += now.refused - c->ledger_kept.refused;
    c->ledger_kept = now;
}

// What the gain was meanwhile; of a walk each band's own, which nobody sets.
static void gain_add(struct chain *c, struct wire_band *b, unsigned n)
{
    uint64_t changes = atomic_load(&c->gain_changes);

    for (unsigned i = 0; i < n; i++) {
        double now_db = b[i].gain_db;
        b[i].gain_lo_db = c->r->scan ? now_db : fmin(c->gain_lo_db, now_db);
        b[i].gain_hi_db = c->r->scan ? now_db : fmax(c->gain_hi_db, now_db);
        b[i].gain_changes = (uint32_t)(changes - c->ledger_gains);
    }
    c->ledger_gains = changes;
    c->gain_lo_db = c->gain_hi_db = NAN;
}

static void bands_add(struct chain *c, double span_s, struct wire_ledger *w)
{
    if (!c->r->scan) {
        // What a scene or a recording holds is known once it is open: until then it is no band, and
        // one of 0 Hz would stay in the store for good.  A radio's is configured (chain_new).
        if (atomic_load(&c->now_rate_hz) > 0)
            capture_fill(c, span_s, &w->band[w->n_bands++]);
        return;
    }
    for (unsigned k = 0; k < c->cfg->plan.n && w->n_bands < WIRE_BANDS; k++)
        if (c->r->bands & 1u << k)
            band_fill(c, k, span_s, &w->band[w->n_bands++]);
}

static void chain_fill(struct chain *c, double span_s, struct wire_ledger *w)
{
    unsigned first = w->n_bands;

    kept_add(c, w);
    bands_add(c, span_s, w);
    gain_add(c, w->band + first, w->n_bands - first);
}

void ledger_say(struct health *h, int64_t now_ns)
{
    struct wire_ledger *w = &h->msg.ledger;
    double span_s = (double)(now_ns - h->ledger_ns) * 1e-9;
    int64_t to_ns = utc_now_ns();

    say_head(&h->msg, WIRE_LEDGER, to_ns, 0, health_origin(h));
    // The clock may have jumped: what passed is known from the monotonic one.
    w->to_ns = to_ns;
    w->from_ns = to_ns - (now_ns - h->ledger_ns);
    for (unsigned i = 0; i < h->cfg->n_radios; i++)
        chain_fill(h->chain[i], span_s, w);
    tell_event(h->tell, &h->msg);
    h->ledger_ns = now_ns;
}
