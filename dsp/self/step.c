// SPDX-License-Identifier: GPL-3.0-or-later
// With 3 dB less gain before the mixer,
//
//     what was sent falls by 3 dB     |  gain   g  ----------.        .----------
//     what is of the third order by 9 |         g-3          '--------'
//     what comes in behind it by 0    |          8 blocks       4       8 blocks
//                                     |          before        low      after
//
// Bins that are the same before and after tell which they are; others have changed meanwhile and
// say nothing.  Where the floor (the median of the quiet bins) falls by more than twice the step it
// is made of products: what lies below it cannot be heard, and the band is deaf.
//
// A step costs what the tuner needs to settle, twice.  So it is made only where there is reason: a
// strong signal or a risen floor; and not again for half a minute, as long as it counts.
#include "dsp/self/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AROUND    8             // blocks before and after
#define LOW       4             // of some 16 transforms each: 0.5 dB
#define WAIT      1024          // blocks until the radio has followed, or it does not
#define AGAIN_S   30.0
#define BEGIN_S   1.0           // of a place: the floor must be known
#define STRONG_DB (-25.0)       // full scale's: 3rd orders of good receivers leave the noise here
#define ROSE_DB   3.0           // the floor over what it was
#define SLOW      0.002         // of a block, in that: half a second
#define SAME_DB   2.0
#define BEHIND    0.25          // of the step: as good as nothing
#define TIMES     2.2           // of the step: third order falls by 3 of them, all else by 1
#define QUIET_DB  6.0           // over the floor: no bin of it

enum phase { BEFORE, DOWN, LOWER, UP, AFTER };

struct step {
    enum phase phase;
    double     lo_db;           // the radio's least; NAN not known
    double     gain_db, low_db, centre_hz;
    float      before[STEP_BINS], low[STEP_BINS], after[STEP_BINS];
    unsigned   n;               // blocks of the phase
    double     floor_db;        // as it was, slowly followed; NAN not known
    uint64_t   began, last;     // at this place; end of the last step, 0 none
    struct step_shown shown;
};

struct step *step_new(double lo_db)
{
    struct step *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->centre_hz = s->floor_db = NAN;
    s->lo_db = lo_db;
    return s;
}

void step_free(struct step *s) { free(s); }
bool step_busy(const struct step *s) { return s->phase != BEFORE; }
const struct step_shown *step_shown(const struct step *s) { return &s->shown; }

static double db(double power) { return 10 * log10(fmax(power, 1e-30)); }

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float quantile(const float *v, unsigned n, double share)
{
    float x[STEP_BINS];
    memcpy(x, v, n * sizeof *v);
    qsort(x, n, sizeof *x, by_value);
    return x[(unsigned)(share * (n - 1))];
}

static void begin(struct step *s, const struct iq_block *b)
{
    uint64_t steps = s->shown.steps, given_up = s->shown.given_up;
    *s = (struct step){ .gain_db = b->gain_db, .centre_hz = b->centre_hz, .floor_db = NAN,
                        .began = b->n0, .lo_db = s->lo_db };
    s->shown.steps = steps;
    s->shown.given_up = given_up;
}

static void go(struct step *s, enum phase p)
{
    s->phase = p;
    s->n = 0;
}

// A running mean over about the last AROUND blocks; plain over the first.
static void follow(struct step *s, float *mean, const float *power, unsigned most)
{
    float share = 1 / (float)(s->n < most ? s->n + 1 : most);
    for (unsigned i = 0; i < STEP_BINS; i++)
        mean[i] += share * (power[i] - mean[i]);
    s->n++;
}

static bool has_reason(struct step *s, const struct iq_block *b, const float *power)
{
    double all = 0, floor_db = db((double)quantile(s->before, STEP_BINS, 0.2));
    double at_s = (double)b->n0 / b->rate_hz;

    for (unsigned i = 0; i < STEP_BINS; i++)
        all += (double)power[i];
    bool rose = floor_db > s->floor_db + ROSE_DB;
    if (isnan(s->floor_db))
        s->floor_db = floor_db;
    s->floor_db += SLOW * (floor_db - s->floor_db);
    if (s->n < AROUND || at_s - (double)s->began / b->rate_hz < BEGIN_S ||
        (s->last && at_s - (double)s->last / b->rate_hz < AGAIN_S))
        return false;
    return rose || db(all) > STRONG_DB;
}

// One more bin of a range, or the first of the next; a range that finds no room is left out whole.
static void show(struct step *s, struct step_range *to, unsigned *n, bool *full,
                 const struct iq_block *b, unsigned bin, bool begins)
{
    double wide = b->rate_hz / STEP_BINS, f = ((int)bin - STEP_BINS / 2) * wide;
    double level = db((double)s->after[(bin + STEP_BINS / 2) % STEP_BINS]);

    if (begins)
        *full = *n == STEP_RANGES;
    if (*full)
        return;
    if (begins)
        to[(*n)++] = (struct step_range){ f - wide / 2, f, -300 };
    struct step_range *r = &to[*n - 1];
    r->hi_hz = f + wide / 2;
    r->level_dbfs = db(pow(10, r->level_dbfs / 10) + pow(10, level / 10));
}

static void judge(struct step *s, const struct iq_block *b)
{
    float quiet[STEP_BINS];
    double step = s->gain_db - s->low_db;
    double floor_db = db((double)quantile(s->before, STEP_BINS, 0.2));
    unsigned n = 0;
    bool was = false, stood = false, full[2] = { false, false };

    s->shown.n = s->shown.n_behind = 0;
    for (unsigned k = 0; k < STEP_BINS; k++) {
        unsigned i = (k + STEP_BINS / 2) % STEP_BINS;       // lowest frequency first
        double before = db((double)s->before[i]), after = db((double)s->after[i]);
        double fell = (before + after) / 2 - db((double)s->low[i]);
        bool same = fabs(before - after) < SAME_DB, loud = before > floor_db + QUIET_DB;
        bool is = same && loud && fell > TIMES * step;
        bool stands = same && loud && fabs(fell) < BEHIND * step;
        if (is)
            show(s, s->shown.product, &s->shown.n, &full[0], b, k, !was);
        if (stands)
            show(s, s->shown.behind, &s->shown.n_behind, &full[1], b, k, !stood);
        was = is;
        stood = stands;
        if (same && !loud)
            quiet[n++] = (float)fell;
    }
    s->shown.deaf = n > STEP_BINS / 8 && (double)quantile(quiet, n, 0.5) > TIMES * step;
    s->shown.steps++;
    s->last = b->n0 + b->n;
    s->shown.until = s->last + (uint64_t)(AGAIN_S * b->rate_hz);
    memcpy(s->before, s->after, sizeof s->before);
}

// In the phases that wait for the radio: gives up, and asks for the gain there was.
static bool late(struct step *s, const struct iq_block *b, double *ret_gain_db)
{
    if (++s->n < WAIT)
        return false;
    s->shown.given_up++;
    s->last = b->n0 + b->n;
    go(s, BEFORE);
    *ret_gain_db = s->gain_db;
    return true;
}

bool step_block(struct step *s, const struct iq_block *b, const float *power, double *ret_gain_db)
{
    bool back = fabs(b->gain_db - s->gain_db) < 0.25;

    // somewhere else, or somebody else has set the gain: from the beginning
    if (!(fabs(b->centre_hz - s->centre_hz) < 1) || (!back && s->phase == BEFORE) ||
        b->gain_db < s->gain_db - 3 * STEP_DB || b->gain_db > s->gain_db + 0.25)
        begin(s, b);
    switch (s->phase) {
    case BEFORE:
        follow(s, s->before, power, AROUND);
        // has_reason first: it follows the floor
        if (!has_reason(s, b, power) || s->gain_db - STEP_DB < s->lo_db)
            return false;
        go(s, DOWN);
        *ret_gain_db = s->gain_db - STEP_DB;
        return true;
    case DOWN:
        if (back)
            return late(s, b, ret_gain_db);
        s->low_db = b->gain_db;
        go(s, LOWER);
        memset(s->low, 0, sizeof s->low);
        // fall through
    case LOWER:
        follow(s, s->low, power, LOW);
        if (s->n < LOW)
            return false;
        go(s, UP);
        *ret_gain_db = s->gain_db;
        return true;
    case UP:
        if (!back)
            return late(s, b, ret_gain_db);
        go(s, AFTER);
        memset(s->after, 0, sizeof s->after);
        // fall through
    case AFTER:
        follow(s, s->after, power, AROUND);
        if (s->n < AROUND)
            return false;
        judge(s, b);
        go(s, BEFORE);
        return false;
    }
    return false;
}
