// SPDX-License-Identifier: GPL-3.0-or-later
// One radio's walk over its windows.
//
//     band     |lo ...................................... hi|       windows: as few as cover it,
//     windows  |--- w ---|--- w ---|--- w ---|--- w ---|---|        evenly; a capture is wider by
//     capture     /======= rate =======\                            what its edges roll off
//
//     asked --block of the wanted centre--> dwelling --dwell is over--> asked (the next) ...
//       '--- nothing for PATIENCE_S: refused, the next ---'
//
// What still comes from the old centre, until the radio has followed, was heard there and counts.
#include "sdr/scan/walk.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 2.0          // a retune is 0.2 s, on a machine that is overloaded 1 s and more
#define SHY_MOST   6            // refused again and again: asked 2^6 times as seldom
#define NEAR       0.01         // of the rate: tuners have steps of their own
#define STRETCH    0.25         // a dwell is longer by up to so much,
#define GOLDEN     0.6180339887498949   // by steps that come near none before them
#define CLEAR      0.02         // of the rate, between a narrow band and the DC spike

struct step {
    unsigned band;
    double   centre_hz;
    uint64_t left;              // index behind its last turn, heard or refused
    bool     been;
    unsigned shy;               // refusals in a row
    _Atomic uint64_t samples, lost, clipped;
    _Atomic uint64_t left_told; // index behind what was last heard there; 0 never
    _Atomic uint32_t visits, refused;
};

struct gaps { _Atomic float s[SCAN_GAPS]; _Atomic uint32_t n; _Atomic float most; };

struct scan {
    struct scan_plan plan;
    uint32_t bands;
    double   rate_hz;
    unsigned n, windows[SCAN_BANDS];
    struct step *step;
    struct gaps  gaps[SCAN_BANDS];
    // the reader's
    unsigned at, next, walked;  // heard last; asked for; how many so far
    bool     asked, arrived;    // arrived: somewhere, ever
    uint64_t asked_at, got, want;
    _Atomic uint64_t now;
};

// ---- Windows ---------------------------------------------------------------------------------

static bool reaches(const struct scan_reach *r, double hz)
{
    return hz >= r->lo_hz && hz <= r->hi_hz;
}

// Centre of window i of n: in its middle, but for a band that fits beside the DC spike.
static double centre_of(const struct scan_band *b, const struct scan_reach *r, unsigned i,
                        unsigned n)
{
    double w_hz = (b->hi_hz - b->lo_hz) / n, mid_hz = b->lo_hz + (i + 0.5) * w_hz;
    double off_hz = w_hz / 2 + CLEAR * r->rate_hz;

    if (n > 1 || off_hz + w_hz / 2 > SCAN_USABLE * r->rate_hz / 2)
        return mid_hz;
    return reaches(r, mid_hz + off_hz) ? mid_hz + off_hz
           : reaches(r, mid_hz - off_hz) ? mid_hz - off_hz : mid_hz;
}

unsigned scan_windows(const struct scan_band *b, const struct scan_reach *r)
{
    double n = ceil((b->hi_hz - b->lo_hz) / (SCAN_USABLE * r->rate_hz) - 1e-9);

    if (!(n <= SCAN_STEPS))
        return 0;
    for (unsigned i = 0; i < (unsigned)n; i++)
        if (!reaches(r, centre_of(b, r, i, (unsigned)n)))
            return 0;
    return (unsigned)n;
}

// ---- The walk --------------------------------------------------------------------------------

struct scan *scan_new(const struct scan_plan *p, uint32_t bands, const struct scan_reach *r)
{
    struct scan *s = calloc(1, sizeof *s);

    if (!s || !(s->step = calloc(SCAN_STEPS, sizeof *s->step))) {
        free(s);
        return NULL;
    }
    s->plan = *p;
    s->bands = bands;
    s->rate_hz = r->rate_hz;
    for (unsigned k = 0; k < p->n; k++) {
        unsigned n = bands & 1u << k ? scan_windows(&p->band[k], r) : 0;
        s->windows[k] = n;
        for (unsigned i = 0; i < n && s->n < SCAN_STEPS; i++) {
            s->step[s->n].band = k;
            s->step[s->n++].centre_hz = centre_of(&p->band[k], r, i, n);
        }
        atomic_store(&s->gaps[k].most, NAN);
    }
    return s;
}

void scan_free(struct scan *s)
{
    if (s)
        free(s->step);
    free(s);
}

unsigned scan_steps(const struct scan *s) { return s->n; }

static void place_of(const struct scan *s, unsigned i, struct iq_place *ret)
{
    const struct scan_band *b = &s->plan.band[s->step[i].band];

    *ret = (struct iq_place){ .centre_hz = s->step[i].centre_hz, .gain_db = b->gain_db,
                              .filter_hz = b->filter_hz };
    memcpy(ret->antenna, b->antenna, sizeof ret->antenna);
    memcpy(ret->settings, b->settings, sizeof ret->settings);
}

bool scan_start(const struct scan *s, unsigned n, struct iq_place *ret)
{
    for (unsigned i = 0; i < s->n; i++)
        if ((!i || s->step[i].band != s->step[i - 1].band) && n-- == 0) {
            place_of(s, i, ret);
            return true;
        }
    return false;
}

double scan_round_s(const struct scan *s, double settle_s)
{
    double sum_s = 0;

    for (unsigned i = 0; i < s->n; i++)
        sum_s += s->plan.band[s->step[i].band].dwell_s * (1 + STRETCH / 2) +
                 (s->n > 1 ? settle_s : 0);
    return sum_s;
}

// How long it is away, as a share of what its band allows; before its first visit without bound.
static double urgency(const struct scan *s, unsigned i, uint64_t now)
{
    const struct step *t = &s->step[i];

    if (!t->been)
        return INFINITY;
    return (double)(now - t->left) / s->rate_hz / s->plan.band[t->band].every_s /
           (1u << (t->shy < SHY_MOST ? t->shy : SHY_MOST));
}

static unsigned choose(const struct scan *s, uint64_t now)
{
    unsigned best = (s->at + 1) % s->n;

    for (unsigned k = 2; k < s->n; k++) {
        unsigned i = (s->at + k) % s->n;
        if (urgency(s, i, now) > urgency(s, best, now))
            best = i;
    }
    return best;
}

static void leave(struct scan *s, unsigned i, uint64_t now)
{
    s->step[i].been = true;
    s->step[i].left = now;
}

static int ask(struct scan *s, struct iq_source *src, unsigned i, uint64_t now)
{
    struct iq_place p;
    double more = fmod(++s->walked * GOLDEN, 1) * STRETCH;

    place_of(s, i, &p);
    s->next = i;
    s->asked = true;
    s->asked_at = now;
    s->want = (uint64_t)(s->plan.band[s->step[i].band].dwell_s * (1 + more) * s->rate_hz);
    return iq_tune_to(src, &p);
}

static void refuse(struct scan *s, unsigned i, uint64_t now)
{
    atomic_fetch_add(&s->step[i].refused, 1);
    s->step[i].shy++;
    leave(s, i, now);           // its turn is over; heard it was not, and blind it stays
}

// On to the next that the radio does not refuse outright.
static void move(struct scan *s, struct iq_source *src, uint64_t now)
{
    for (unsigned tries = 0; tries < s->n; tries++) {
        unsigned i = choose(s, now);
        if (ask(s, src, i, now) == 0)
            return;
        refuse(s, i, now);
    }
}

int scan_begin(struct scan *s, struct iq_source *src, double rate_hz, double centre_hz)
{
    unsigned band;
    int at = scan_window_at(s, centre_hz, &band);

    s->rate_hz = rate_hz;
    return ask(s, src, at < 0 ? 0 : (unsigned)at, 0);
}

static void arrive(struct scan *s, uint64_t index)
{
    s->at = s->next;
    s->arrived = true;
    s->got = 0;
    struct step *t = &s->step[s->at];
    struct gaps *g = &s->gaps[t->band];

    s->asked = false;
    t->shy = 0;
    atomic_fetch_add(&t->visits, 1);
    uint64_t left = atomic_load(&t->left_told);
    if (!left)
        return;
    float gap_s = (float)((double)(index - left) / s->rate_hz);
    uint32_t n = atomic_load(&g->n);
    atomic_store(&g->s[n % SCAN_GAPS], gap_s);
    atomic_store(&g->n, n + 1);
    if (!(gap_s <= atomic_load(&g->most)))
        atomic_store(&g->most, gap_s);
}

static void count(struct scan *s, const struct iq_block *b, bool first)
{
    struct step *t = &s->step[s->at];

    s->got += b->n;
    atomic_fetch_add(&t->samples, b->n);
    atomic_fetch_add(&t->lost, first ? 0 : b->lost);    // before the first it settled
    atomic_fetch_add(&t->clipped, b->flags & IQ_CLIPPED ? b->n : 0);
    leave(s, s->at, b->n0 + b->n);
    atomic_store(&t->left_told, b->n0 + b->n);
}

static bool hears(const struct scan *s, unsigned i, const struct iq_block *b)
{
    return fabs(b->centre_hz - s->step[i].centre_hz) < NEAR * s->rate_hz;
}

void scan_block(struct scan *s, struct iq_source *src, const struct iq_block *b)
{
    uint64_t now = b->n0 + b->n;
    bool first = s->asked && hears(s, s->next, b);

    atomic_store(&s->now, now);
    if (first)
        arrive(s, b->n0);
    if (hears(s, s->at, b) && s->arrived)
        count(s, b, first);
    else if (!s->asked)                 // moved by somebody else
        ask(s, src, s->at, now);
    if (s->asked && (double)(now - s->asked_at) > PATIENCE_S * s->rate_hz) {
        refuse(s, s->next, now);
        move(s, src, now);
    } else if (!s->asked && s->got >= s->want && s->n > 1)
        move(s, src, now);
}

// ---- What was watched ------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double p95(const struct gaps *g)
{
    struct gaps *v = (struct gaps *)g;          // C17 loads only from what is not const
    uint32_t n = atomic_load(&v->n);
    float s[SCAN_GAPS];

    n = n < SCAN_GAPS ? n : SCAN_GAPS;
    for (uint32_t i = 0; i < n; i++)
        s[i] = atomic_load(&v->s[i]);
    qsort(s, n, sizeof s[0], by_size);
    return n ? (double)s[(n * 95 + 99) / 100 - 1] : NAN;
}

void scan_seen(const struct scan *scan, unsigned band, struct scan_seen *ret)
{
    struct scan *s = (struct scan *)scan;
    uint64_t now = atomic_load(&s->now);
    double per = 1 / s->rate_hz / (s->windows[band] ? s->windows[band] : 1);

    *ret = (struct scan_seen){ .windows = s->windows[band], .p95_s = p95(&s->gaps[band]),
                               .max_s = (double)atomic_load(&s->gaps[band].most) };
    for (unsigned i = 0; i < s->n; i++) {
        struct step *t = &s->step[i];
        if (t->band != band)
            continue;
        uint64_t left = atomic_load(&t->left_told);
        ret->visits += atomic_load(&t->visits);
        ret->refused += atomic_load(&t->refused);
        ret->watched_s += (double)atomic_load(&t->samples) * per;
        ret->lost_s += (double)atomic_load(&t->lost) * per;
        ret->clipped_s += (double)atomic_load(&t->clipped) * per;
        ret->away_s = fmax(ret->away_s, now > left ? (double)(now - left) / s->rate_hz : 0);
    }
}

unsigned scan_step_band(const struct scan *s, unsigned step) { return s->step[step].band; }

int scan_window_at(const struct scan *s, double centre_hz, unsigned *ret_band)
{
    unsigned best = 0;

    for (unsigned i = 1; i < s->n; i++)
        if (fabs(s->step[i].centre_hz - centre_hz) < fabs(s->step[best].centre_hz - centre_hz))
            best = i;
    if (!s->n || fabs(s->step[best].centre_hz - centre_hz) >= NEAR * s->rate_hz)
        return -1;
    *ret_band = s->step[best].band;
    return (int)best;
}
