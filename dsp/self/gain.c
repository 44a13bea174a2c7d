// SPDX-License-Identifier: GPL-3.0-or-later
// How much gain: noise is to be more than the converter's steps, peaks less than its stops.
//
//     dBFS   0 ------------------------------------------------ stops, IQ_CLIPPED
//           -1  - - - - - - - - - - - - -  STRONG: 4 blocks of a second above it, and down  (fast)
//           -6
//           -9  - - - - - - - - - - - - -  CALM: nothing above it for 10 s, and up by 3     (slow)
//                                          if it is below home, or noise is lost in steps
//        noise ~~~~~~~~~~~~~~~~~~~~~~~~~~
//           +6  - - - - - - - - - - - - -  over the steps: less is a loss of more than 1 dB
//            0  power of the converter's steps
//
// What goes up leaves 6 dB to the stops and comes down at 1, so a steady signal never makes it go
// back and forth.  One that comes and goes would: each time it comes down within a minute of having
// gone up, it waits twice as long before it goes up again, up to 5 minutes.  And there are never
// more than ten changes in a minute, whatever arrives.
//
// Only sample time counts, so the same samples give the same.
#include "dsp/self/gain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOUD_DB    (-1.0)       // a converter is no longer straight there
#define CALM_DB    (-9.0)       // after a step up still 5 dB below LOUD_DB
#define LOUD_LEAST 4            // blocks of a span: one alone is a spark, flagged on what it hits
#define SPAN_S     1.0
#define DOWN_CLIPPED_DB 6.0     // how far above the stops it is nobody knows
#define STEP_DB    3.0
#define OVER_STEPS_DB 6.0       // measured, so with the steps' own power: 1.3 dB of it are theirs
#define WAIT_S     10.0
#define WAIT_MOST_S 320.0
#define SOON_S     60.0         // down again so soon after up: it comes and goes
#define APART_S    0.25         // between two changes: health looks every 0.1 s and tells each
#define FOLLOW_S   1.5          // a retune takes 0.2 s, on an overloaded machine 1 s
#define SULK_UP_S  60.0         // not asked again that way for so long by one that did not follow
#define SULK_DOWN_S 2.0         // who clips hears nothing: worth to be tried again
#define CHANGES    10           // ... in a minute, at most
#define MINUTE_S   60.0
#define QUIET      0.3          // this quantile of the bins is noise, whatever is on the air: edges
                                // of the capture roll off below it
#define FLOOR_EVERY 16          // blocks: sorting costs more than all else here
#define SAME_DB    0.1
#define HOME_DB    1.0          // radios have steps of their own: as near home as it gets

struct gain {
    struct gain_cfg cfg;
    double   home_db;           // of the first block
    double   steps_db;          // power of the converter's steps, dBFS; -INFINITY: it has none
    double   rate_hz, centre_hz;
    bool     begun;
    uint64_t span_end, calm_since, last_up, last, asked_at, sulk_until[2];   // up, down
    unsigned loud, clipped, above, blocks;  // of this span
    double   floor_db;          // least of this span; of the last whole one
    double   was_floor_db;
    double   wait_s;
    bool     went_up, moving, asked_down;
    enum gain_why asked_why;
    uint64_t at[CHANGES];       // of the last changes, a ring
    struct gain_shown shown;
};

// A full-scale converter of b bits: steps of 2 / 2^b, each arm uniform within one.
static double steps_of(const struct gain_cfg *c)
{
    // 16-bit samples come from converters of 12 bits in every radio that has a profile.
    double bits = c->bits > 0 ? c->bits : c->format == IQ_CI16 ? 12
                : c->format == IQ_CI8 || c->format == IQ_CU8 ? 8 : INFINITY;
    return 10 * log10(2.0 / 3) - 20 * log10(2) * bits;
}

struct gain *gain_new(const struct gain_cfg *cfg)
{
    struct gain *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->cfg = *cfg;
    g->steps_db = steps_of(cfg);
    g->wait_s = WAIT_S;
    g->shown.now_db = NAN;
    g->was_floor_db = NAN;
    return g;
}

void gain_free(struct gain *g) { free(g); }
bool gain_moving(const struct gain *g) { return g->moving; }
const struct gain_shown *gain_shown(const struct gain *g) { return &g->shown; }

static uint64_t samples(const struct gain *g, double s) { return (uint64_t)(s * g->rate_hz); }

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double floor_of(const float *power)
{
    float v[GAIN_BINS];

    memcpy(v, power, sizeof v);
    qsort(v, GAIN_BINS, sizeof *v, by_value);
    return 10 * log10(fmax((double)v[(unsigned)(QUIET * GAIN_BINS)], 1e-30) * GAIN_BINS);
}

static void begin_span(struct gain *g, uint64_t now)
{
    g->loud = g->clipped = g->above = g->blocks = 0;
    g->floor_db = INFINITY;
    g->span_end = now + samples(g, SPAN_S);
}

// Somewhere else, or at another gain: what was seen says nothing any more.
static void begin(struct gain *g, const struct iq_block *b)
{
    g->rate_hz = b->rate_hz;
    g->centre_hz = b->centre_hz;
    g->shown.now_db = b->gain_db;
    g->calm_since = b->n0;
    g->was_floor_db = NAN;
    begin_span(g, b->n0);
    g->begun = true;
}

static void count(struct gain *g, const struct iq_block *b, const float *power)
{
    double peak_db = 20 * log10(fmax((double)b->peak, 1e-9));
    bool clipped = b->flags & IQ_CLIPPED;

    g->clipped += clipped;
    g->loud += clipped || peak_db > LOUD_DB;
    g->above += clipped || peak_db > CALM_DB;
    if (power && g->blocks++ % FLOOR_EVERY == 0)
        g->floor_db = fmin(g->floor_db, floor_of(power));
}

static void end_span(struct gain *g, uint64_t now)
{
    if (g->above > 1)
        g->calm_since = now;
    g->was_floor_db = g->floor_db;
    begin_span(g, now);
}

static bool may(const struct gain *g, uint64_t now, bool is_down)
{
    uint64_t n = g->shown.changes + g->shown.not_followed, oldest = g->at[n % CHANGES];

    return now >= g->sulk_until[is_down] && (!n || now - g->last >= samples(g, APART_S)) &&
           (n < CHANGES || now - oldest >= samples(g, MINUTE_S));
}

static bool ask(struct gain *g, uint64_t now, double by_db, enum gain_why why, double *ret_db)
{
    double to_db = fmin(fmax(g->shown.now_db + by_db, g->cfg.lo_db), g->cfg.hi_db);

    // At the end of its range, or set beyond it by somebody who knows why.
    if (!(by_db < 0 ? to_db < g->shown.now_db - SAME_DB : to_db > g->shown.now_db + SAME_DB) ||
        !may(g, now, by_db < 0))
        return false;
    g->at[(g->shown.changes + g->shown.not_followed) % CHANGES] = now;
    g->last = g->asked_at = now;
    g->asked_why = why;
    g->asked_down = by_db < 0;
    g->moving = true;
    *ret_db = to_db;
    return true;
}

static bool down(struct gain *g, uint64_t now, double *ret_db)
{
    bool clips = g->clipped >= LOUD_LEAST;

    if (g->loud < LOUD_LEAST ||
        !ask(g, now, clips ? -DOWN_CLIPPED_DB : -STEP_DB, clips ? GAIN_CLIPPING : GAIN_STRONG,
             ret_db))
        return false;
    if (g->went_up && now - g->last_up < samples(g, SOON_S))
        g->wait_s = fmin(2 * g->wait_s, WAIT_MOST_S);
    g->went_up = false;
    return true;
}

static bool up(struct gain *g, uint64_t now, double *ret_db)
{
    bool steps = g->was_floor_db < g->steps_db + OVER_STEPS_DB;
    double below_db = g->home_db - g->shown.now_db;
    double by_db = steps ? STEP_DB : fmin(below_db, STEP_DB);

    if ((!steps && !(below_db > HOME_DB)) || g->above > 1 ||
        now - g->calm_since < samples(g, g->wait_s) ||
        !ask(g, now, by_db, steps ? GAIN_STEPS : GAIN_CALM, ret_db))
        return false;
    if (g->went_up && now - g->last_up > samples(g, SOON_S))
        g->wait_s = WAIT_S;             // the one before has lasted
    g->went_up = true;
    g->last_up = now;
    return true;
}

// Until the radio has followed; false: it has not, and is left alone for a while.
static void follow(struct gain *g, const struct iq_block *b)
{
    if (fabs(b->gain_db - g->shown.now_db) > SAME_DB) {
        g->moving = false;
        g->shown.changes++;
        g->shown.why = g->asked_why;
        begin(g, b);
    } else if (b->n0 - g->asked_at > samples(g, FOLLOW_S)) {
        g->moving = false;
        g->shown.not_followed++;
        g->sulk_until[g->asked_down] = b->n0 + samples(g, g->asked_down ? SULK_DOWN_S : SULK_UP_S);
        begin(g, b);
    }
}

bool gain_block(struct gain *g, const struct iq_block *b, const float *power, bool busy,
                double *ret_db)
{
    uint64_t now = b->n0 + b->n;

    if (!g->begun) {
        g->home_db = b->gain_db;
        begin(g, b);
    }
    if (g->moving) {
        follow(g, b);
        return false;
    }
    if (busy)
        return false;
    if (!(fabs(b->centre_hz - g->centre_hz) < 1) || fabs(b->gain_db - g->shown.now_db) > SAME_DB)
        begin(g, b);                    // somebody else's doing
    count(g, b, power);
    bool asks = down(g, now, ret_db) || up(g, now, ret_db);
    if (now >= g->span_end)
        end_span(g, now);
    return asks;
}
