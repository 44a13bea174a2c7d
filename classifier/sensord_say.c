// SPDX-License-Identifier: GPL-3.0-or-later
// Findings, tracks and spectra as messages, on the chain's thread.
//
// Said at once is what decides: that a track is there, its state, name, role, verdict; within half
// a second a step of a tenth in p_drone and a claimed serial.  As long as it is heard, a drone's
// link is said anew every 2 s and every other one every 10 s.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "classifier/sensord.h"
#include "classifier/crystal.h"

#define CLOCK_LEAST_S 60.0       // of UTC against the sample clock, before it says anything
#define CLOCK_MOST   200e-6      // no crystal is so far off: a jump
#define DRONE_EVERY_S 2.0
#define OTHER_EVERY_S 10.0
#define P_STEP        0.1
#define WAVER_S       0.25      // five ticks
#define BURSTS_EVERY_S 0.5

#define put(array, s) snprintf(array, sizeof array, "%s", (s) ? (s) : "")

void say_head(struct wire_msg *m, enum wire_kind kind, int64_t t_ns, int64_t err_ns,
              enum iq_origin origin)
{
    struct hw_clock k;

    hw_clock_read(&k);
    memset(m, 0, sizeof *m);
    m->head.v = WIRE_VERSION;
    m->head.kind = kind;
    m->head.stream = wire_kind_stream(kind);
    m->head.t_ns = t_ns > 0 ? t_ns : 0;
    m->head.mono_ns = mono_now_ns();
    put(m->head.clock.source, k.source);
    if (!k.source[0])
        put(m->head.clock.source, "none");
    m->head.clock.locked = k.locked;
    m->head.clock.age_s = k.age_s >= 0 ? k.age_s : NAN;
    // A kernel that does not say (a sandbox may forbid to ask) leaves it unknown, which is -1 here.
    m->head.clock.err_ns = k.err_ns == INT64_MAX ? -1 : err_ns > k.err_ns ? err_ns : k.err_ns;
    put(m->head.origin, iq_origin_name(origin));
}

static int64_t utc(struct chain *c, double t_s)
{
    int64_t err_ns = 0;
    return chain_utc_ns(c, t_s, &err_ns);
}

static void begin(struct chain *c, struct wire_msg *m, enum wire_kind kind, double t_s)
{
    int64_t err_ns = 0, t_ns = chain_utc_ns(c, t_s, &err_ns);
    say_head(m, kind, t_ns, err_ns, (enum iq_origin)atomic_load(&c->origin));
}

// Ids are unique within a boot, and several radios count from one: the radio stands before.
static void id_make(const struct chain *c, const char *id, char *ret, size_t size)
{
    snprintf(ret, size, "r%u-%.18s", c->index, id);
}

// ---- Tracks ----------------------------------------------------------------------------------

static struct said *said_of(struct chain *c, const struct track *t)
{
    for (unsigned i = 0; i < c->n_said; i++)
        if (!strcmp(c->said[i].id, t->id))
            return &c->said[i];
    if (c->n_said == SAY_TRACKS) {      // ended ones leave below; this many at once there are not
        memmove(c->said, c->said + 1, (SAY_TRACKS - 1) * sizeof c->said[0]);
        c->n_said--;
    }
    struct said *s = &c->said[c->n_said++];
    memset(s, 0, sizeof *s);
    put(s->id, t->id);
    return s;
}

static bool matters(const struct said *s, const struct track *t, double now_s)
{
    if (!s->told)       // not before there is a name to it, unless it may be a drone's
        return t->state == TRACK_NAMED || (t->state != TRACK_ENDED && t->verdict == VERDICT_DRONE);
    if (s->state != (int)t->state || strcmp(s->serial, t->claimed_serial) ||
        (s->verdict != (int)t->verdict && t->verdict == VERDICT_DRONE))
        return true;
    if (now_s - s->said_s < WAVER_S)    // one that wavers between two names is not to flood
        return false;
    if (s->verdict != (int)t->verdict || s->role != (int)t->role || s->family != t->family ||
        s->link != t->link || fabs(s->p_drone - t->p_drone) >= P_STEP)
        return true;
    return now_s - s->said_s >= (t->verdict == VERDICT_DRONE ? DRONE_EVERY_S : OTHER_EVERY_S);
}

static void ends_fill(struct wire_track *w, const struct track *t)
{
    w->n_ends = t->n_ends < 2 ? t->n_ends : 2;
    for (unsigned i = 0; i < w->n_ends; i++) {
        struct wire_end *e = &w->ends[i];
        put(e->role, track_role_name(t->ends[i].role));
        e->bursts = t->ends[i].bursts;
        e->level_dbfs = t->ends[i].level_dbfs;
        e->cfo_hz = meas_ok(t->ends[i].cfo_hz) ? t->ends[i].cfo_hz.v : NAN;
        e->airborne = t->ends[i].airborne;
    }
}

static void track_fill(struct chain *c, struct wire_track *w, const struct track *t)
{
    static const char *const states[] = { "tentative", "named", "quiet", "ended" };

    id_make(c, t->id, w->id, sizeof w->id);
    put(w->radio, c->r->name);
    put(w->state, states[t->state]);
    put(w->family, t->family);
    put(w->link, t->link);
    for (unsigned i = 0; i < 4 && t->link_alternatives[i]; i++)
        put(w->link_alternatives[i], t->link_alternatives[i]);
    put(w->role, track_role_name(t->role));
    put(w->verdict, verdict_name(t->verdict));
    w->p_drone = t->p_drone;
    w->confidence = t->confidence;
    w->first_ns = utc(c, t->first_s);
    w->last_ns = utc(c, t->last_s);
    if (w->last_ns < w->first_ns)
        w->last_ns = w->first_ns;
    w->bursts = t->bursts;
    w->decodes = t->decodes;
    w->freq_lo_hz = t->freq_lo_hz + t->shift_hz;
    w->freq_hi_hz = t->freq_hi_hz + t->shift_hz;
    w->freq_err_hz = t->freq_err_hz > 0 ? t->freq_err_hz : NAN;
    w->level_dbfs = isfinite(t->level_dbfs) ? t->level_dbfs : NAN;
    w->level_dbm = t->full_dbm.err > 0 ? w->level_dbfs + t->full_dbm.v : NAN;
    w->level_err_db = t->full_dbm.err > 0 ? t->full_dbm.err : NAN;
    w->clipped = t->clipped;
    w->snr_db = isfinite(t->snr_db) ? t->snr_db : NAN;
    for (w->n_why = 0; w->n_why < t->n_why && w->n_why < WIRE_WHY; w->n_why++)
        put(w->why[w->n_why], t->why[w->n_why]);
    put(w->runner_up, t->runner_up);
    w->runner_up_confidence = t->runner_up ? t->runner_up_confidence : NAN;
    ends_fill(w, t);
    w->usual = c->cfg->site_dir[0] && site_usual(&c->site, t);
    put(w->claimed_serial, t->claimed ? t->claimed_serial : "");
}

static void track_say(struct chain *c, struct said *s, const struct track *t, double now_s)
{
    // Told with its burst, which is younger than the last tick.
    begin(c, &c->msg, WIRE_TRACK, fmax(now_s, t->last_s));
    track_fill(c, &c->msg.track, t);
    c->msg.track.revision = ++s->revision;
    tell_event(c->tell, &c->msg);
    s->told = true;
    s->said_s = now_s;
    s->last_s = t->last_s;
    s->p_drone = t->p_drone;
    s->state = (int)t->state;
    s->verdict = (int)t->verdict;
    s->role = (int)t->role;
    s->family = t->family;
    s->link = t->link;
    put(s->serial, t->claimed_serial);
}

static void tracks_say(struct chain *c, double now_s, bool last)
{
    const struct track *t;

    while ((t = cls_changed(c->cls))) {
        struct said *s = said_of(c, t);
        // What was here before the event is not evidence of it; that a track ended is always told.
        if (t->state == TRACK_ENDED || !c->cfg->site_dir[0] || !site_usual(&c->site, t))
            keeper_track(&c->keeper, t, c->cfg->keep.seconds);
        if (matters(s, t, now_s) || (last && s->told))
            track_say(c, s, t, now_s);
        if (t->state == TRACK_ENDED)
            *s = c->said[--c->n_said];
    }
}

// The classifier tells decisions; that a link goes on being heard is news as well, now and then.
static void tracks_refresh(struct chain *c, double now_s)
{
    const struct track *t;

    for (size_t i = 0; (t = cls_track(c->cls, i)); i++) {
        if (t->state != TRACK_NAMED)
            continue;
        struct said *s = said_of(c, t);
        if (t->last_s > s->last_s && matters(s, t, now_s))
            track_say(c, s, t, now_s);
    }
}

// ---- Decodes ---------------------------------------------------------------------------------

static void field_fill(struct wire_field *w, const struct field *f)
{
    static const enum wire_field_type type[] = { [FIELD_NULL] = WIRE_F_NULL,
        [FIELD_NUM] = WIRE_F_NUM, [FIELD_STR] = WIRE_F_STR, [FIELD_BOOL] = WIRE_F_BOOL };

    put(w->key, f->key);
    w->type = type[f->type];
    w->num = f->num;
    if (f->type == FIELD_NUM && !isfinite(f->num))
        w->type = WIRE_F_NULL;
    if (f->type == FIELD_STR)
        put(w->str, f->str);
}

static void decode_say(struct chain *c, const struct decode *d)
{
    struct wire_decode *w = &c->msg.decode;

    begin(c, &c->msg, WIRE_DECODE, d->t_s.v);
    put(w->protocol, protocol_name(d->protocol));
    put(w->check, d->check);
    put(w->radio, c->r->name);
    struct crystal_fix fix = crystal_at(cls_crystal(c->cls), d->freq_hz.v);
    w->freq_hz = meas_ok(d->freq_hz) ? d->freq_hz.v + fix.shift_hz : NAN;
    w->snr_db = isfinite(d->snr_db) ? d->snr_db : NAN;
    w->assisted = d->assisted;
    w->raw_len = d->raw_len < sizeof w->raw ? d->raw_len : sizeof w->raw;
    memcpy(w->raw, d->raw, w->raw_len);
    for (unsigned i = 0; i < d->n_fields && i < WIRE_FIELDS; i++) {
        const struct field *f = &d->field[i];
        field_fill(&w->field[w->n_fields++], f);
        if (strcmp(f->key, "serial") || f->type != FIELD_STR || !f->str[0])
            continue;
        for (unsigned k = 0; k < c->n_said; k++)        // the track that claims the same
            if (c->said[k].told && !strcmp(c->said[k].serial, f->str))
                id_make(c, c->said[k].id, w->track, sizeof w->track);
    }
    atomic_fetch_add(&c->decodes, 1);
    tell_event(c->tell, &c->msg);
}

// ---- Views -----------------------------------------------------------------------------------

static void bursts_flush(struct chain *c)
{
    if (c->bursts.burst.n)
        tell_view(c->tell, &c->bursts);
    c->bursts.burst.n = 0;
}

static void burst_say(struct chain *c, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;
    struct wire_burst *w = &c->bursts.burst;

    if (!w->n) {
        begin(c, &c->bursts, WIRE_BURST, p->t_s.v);
        put(w->radio, c->r->name);
        c->bursts_s = p->t_s.v;
    }
    struct wire_burst_one *b = &w->b[w->n++];
    struct meas bw = line_bw(f);
    *b = (struct wire_burst_one){ .t_off_s = p->t_s.v - c->bursts_s,
        .dur_s = meas_ok(p->dur_s) && p->dur_s.v >= 0 ? p->dur_s.v : NAN,
        .freq_hz = p->freq_hz.v + crystal_at(cls_crystal(c->cls), p->freq_hz.v).shift_hz,
        .bw_hz = meas_ok(bw) && bw.v >= 0 ? bw.v : NAN,
        .snr_db = meas_ok(p->snr_db) ? p->snr_db.v : NAN };
    put(b->kind, sig_kind_name(f->droneid.seen ? KIND_OFDM : p->kind));
    if (w->n == WIRE_BURSTS || p->t_s.v - c->bursts_s > BURSTS_EVERY_S)
        bursts_flush(c);
}

// The loudest of the bins that share a place: a narrow signal is not to fade in a wide view.
static void psd_fill(struct wire_psd *w, const struct psd_frame *f)
{
    unsigned per = (f->bins + WIRE_BINS - 1) / WIRE_BINS;
    float top = -1000;

    for (unsigned i = 0; i < f->bins; i++)
        top = f->psd_db[i] > top ? f->psd_db[i] : top;
    w->top_db = ceil(fmin(fmax((double)top, -900), 900));
    w->bins = f->bins / per;
    for (unsigned i = 0; i < w->bins; i++) {
        float m = f->psd_db[i * per];
        for (unsigned k = 1; k < per; k++)
            m = f->psd_db[i * per + k] > m ? f->psd_db[i * per + k] : m;
        double v = 2 * (w->top_db - (double)m);
        w->v[i] = v >= 0 && v <= 255 ? (uint8_t)lrint(v) : v < 0 ? 0 : 255;
    }
}

static void window_floor(struct chain *c, const struct psd_frame *f)
{
    unsigned band;
    int at = scan_window_at(c->scan, f->centre_hz, &band);

    if (at >= 0 && f->bins)
        atomic_store(&c->window_dbfs_hz[at],
                     (double)f->floor_db - 10 * log10(f->rate_hz / f->bins));
}

// A live radio's sample clock against UTC: the same crystal makes its frequencies.  What is read
// while the host's clock is being set right is a jump, and begins anew.
static void clock_look(struct chain *c, double t_s)
{
    struct iq_source *src = atomic_load(&c->src);
    int64_t err_ns = 0, utc_ns = src ? iq_utc_ns(src, t_s, &err_ns) : 0;
    double span_s = t_s - c->clock_t_s;

    if (!utc_ns || atomic_load(&c->origin) != IQ_LIVE)
        return;
    double off_s = (double)(utc_ns - c->clock_utc_ns) * 1e-9 - span_s;
    double err_s = (double)(err_ns + c->clock_err_ns) * 1e-9;
    if (!(c->clock_utc_ns && span_s >= 0) || fabs(off_s) > CLOCK_MOST * span_s + err_s) {
        c->clock_t_s = t_s;
        c->clock_utc_ns = utc_ns;
        c->clock_err_ns = err_ns;
    } else if (span_s > CLOCK_LEAST_S) {        // fast: its seconds are short, UTC falls behind
        crystal_clock(cls_crystal(c->cls), -off_s / span_s * 1e6, err_s / span_s * 1e6);
    }
}

// What the receiver says of itself, to whoever asks.
static void now_say(struct chain *c)
{
    struct dsp_now n = dsp_now(c->dsp);

    atomic_store(&c->deaf_s, n.deaf_s);
    atomic_store(&c->gain_db, n.gain_db);
    atomic_store(&c->gain_why, n.gain_why);
    atomic_store(&c->gain_changes, n.gain_changes);
}

void say_psd(const struct psd_frame *f, void *chain)
{
    struct chain *c = chain;

    atomic_store(&c->t_s, f->t_s);
    atomic_store(&c->moved_ns, mono_now_ns());
    if (f->bins)
        atomic_store(&c->floor_dbfs_hz, (double)f->floor_db -
                     10 * log10(f->rate_hz / f->bins));
    if (c->scan)
        window_floor(c, f);
    atomic_store(&c->occupancy, (double)f->occupancy);
    chain_site_psd(c, f);
    atomic_store(&c->centre_hz, f->centre_hz);
    clock_look(c, f->t_s);
    now_say(c);
    tracks_refresh(c, f->t_s);
    if (f->bins && tell_wanted(c->tell).psd) {
        begin(c, &c->msg, WIRE_PSD, f->t_s);
        struct wire_psd *w = &c->msg.psd;
        put(w->radio, c->r->name);
        w->centre_hz = f->centre_hz;
        w->rate_hz = f->rate_hz;
        w->floor_db = isfinite(f->floor_db) ? (double)f->floor_db : NAN;
        w->occupancy = f->occupancy >= 0 && f->occupancy <= 1 ? (double)f->occupancy : NAN;
        psd_fill(w, f);
        tell_view(c->tell, &c->msg);
    }
    if (c->bursts.burst.n && f->t_s - c->bursts_s > BURSTS_EVERY_S)
        bursts_flush(c);
}

static int64_t utc_of(void *chain, double t_s) { return utc(chain, t_s); }

// ---- A finding -------------------------------------------------------------------------------

void say_finding(struct chain *c, const struct finding *f)
{
    struct finding whole;
    struct decode helped;
    double now_s = f->rate_hz > 0 ? (double)f->tick / f->rate_hz : 0;

    now_say(c);                 // each tick: no change of the gain goes untold
    if ((f->flags & BURST_CLIPPED) && !f->ahead)
        atomic_fetch_add(&c->clipped, 1);
    if ((f->flags & BURST_NO_SAMPLES) && !f->ahead)
        atomic_fetch_add(&c->shed, 1);
    if (!f->reject && runs_push(&c->runs, f, &whole) && tell_wanted(c->tell).bursts)
        burst_say(c, &whole);
    keeper_finding(&c->keeper, f);
    int n = cls_push(c->cls, f, &helped);
    keeper_tick(&c->keeper, now_s, utc_of, c);
    tracks_say(c, now_s, false);            // before its decodes, which name it
    for (unsigned i = 0; i < f->n_decode; i++)
        decode_say(c, &f->decode[i]);
    if (n > 0)
        decode_say(c, &helped);
}

void say_end(struct chain *c)
{
    cls_finish(c->cls);
    tracks_say(c, atomic_load(&c->t_s), true);
    keeper_tick(&c->keeper, INFINITY, utc_of, c);
    chain_site_end(c);
    bursts_flush(c);
}
