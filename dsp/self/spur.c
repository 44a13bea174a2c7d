// SPDX-License-Identifier: GPL-3.0-or-later
// Some lines are in the receiver and not on the air: beats of its converter's clock, of its USB
// supply, of two oscillators.  From the findings alone two kinds are told from an emitter:
//
//   it moves with the tuner     centre a      ----|-----:--      one distance from the centre, one
//                               centre b          ----|-----:--  level, at CENTRES centres: what is
//                               centre c     ----|-----:--       on the air stays where it is
//
//   it does not hear the gain   30 dB     ___|___   27 dB    ___|___    with less gain an emitter
//                                          spur              spur      falls, and this does not;
//                                                                      through CHANGES changes
//                                                                      of it, or steps
//
// (What stands on a multiple of the reference is PRODUCT_CLOCK, the offset PRODUCT_DC.)
//
// Masked is a line, never a burst; only within TOL_HZ of the place and SAME_DB of the level that
// were learned: a new emitter there is either louder or it is not told from the spur by anybody.
// What is not heard for FORGET_S is forgotten.  All in the order of findings, so the same samples
// give the same.
#include "dsp/self/spur.h"

#include <math.h>
#include <stdlib.h>

#define LINES    64             // remembered of each kind, those that are learned too
#define CENTRES  3              // two emitters may lie as far apart as two centres; three in a row
                                // on one level do not, by chance
#define CHANGES  2              // one may be the emitter's own doing
#define CHANGE_DB 2.5           // of the gain, to count as one
#define STAYS    0.25           // of the change: an emitter falls by all of it
#define FALLS    0.5
#define JUST_S   1.0            // before the change: what is older says nothing of who came nearer
#define WIDE_HZ  10e3           // as narrow as that, or no line
#define TOL_HZ   300.0          // and twice what the frequency is known to
#define TOL_MOST_HZ 2e3
#define SAME_DB  3.0
#define FORGET_S 600.0

struct moving {                 // by its distance from the centre
    double   off_hz, level_dbfs, heard_s;
    double   centre_hz[CENTRES];
    unsigned n;                 // of these; CENTRES: learned
};

struct behind {                 // at one centre; as heard last
    double   freq_hz, centre_hz, level_dbfs, gain_db, heard_s;
    double   own_dbfs;          // where it last stayed
    unsigned changes;           // at which it stayed; CHANGES: learned
    uint64_t step;              // the last step of the gain (self/step.h) among them
    bool     used;
};

struct spurs { struct moving moving[LINES]; struct behind behind[LINES]; };

struct spurs *spurs_new(void) { return calloc(1, sizeof(struct spurs)); }
void spurs_free(struct spurs *s) { free(s); }

static double tol_of(const struct finding *f)
{
    return fmin(TOL_HZ + 2 * fmax(f->fp.freq_hz.err, 0), TOL_MOST_HZ);
}

static bool is_line(const struct finding *f)
{
    return f->part != BURST_WHOLE && !f->reject && !f->product && !f->ahead &&
           meas_ok(f->fp.freq_hz) && meas_ok(f->fp.bw99_hz) && f->fp.bw99_hz.v < WIDE_HZ &&
           isfinite(f->fp.level_dbfs) && f->rate_hz > 0 &&
           !(f->flags & (BURST_CLIPPED | BURST_NO_SAMPLES));
}

static double now_of(const struct finding *f) { return (double)f->tick / f->rate_hz; }

// ---- What moves with the tuner ---------------------------------------------------------------

static struct moving *moving_at(struct spurs *s, double off_hz, double dbfs, double now_s,
                                double tol_hz)
{
    struct moving *old = &s->moving[0];

    for (unsigned i = 0; i < LINES; i++) {
        struct moving *m = &s->moving[i];
        if (m->n && now_s - m->heard_s > FORGET_S)
            m->n = 0;
        if (m->n && fabs(m->off_hz - off_hz) < tol_hz && fabs(m->level_dbfs - dbfs) < SAME_DB)
            return m;
        // Free ones first, then the one that was not heard for longest; what is learned stays.
        if (!m->n || (old->n && m->n < CENTRES && (old->n == CENTRES || m->heard_s < old->heard_s)))
            old = m;
    }
    if (old->n == CENTRES)
        return NULL;
    *old = (struct moving){ .off_hz = off_hz, .level_dbfs = dbfs };
    return old;
}

static bool look_moving(struct spurs *s, const struct finding *f)
{
    double now_s = now_of(f);
    struct moving *m = moving_at(s, f->fp.freq_hz.v - f->centre_hz, f->fp.level_dbfs, now_s,
                                 tol_of(f));

    if (!m)
        return false;
    m->heard_s = now_s;
    bool known = m->n == CENTRES;
    for (unsigned i = 0; i < m->n && !known; i++)
        if (fabs(m->centre_hz[i] - f->centre_hz) < 2 * TOL_MOST_HZ)     // here it was heard before
            return false;
    if (!known)
        m->centre_hz[m->n++] = f->centre_hz;
    return m->n == CENTRES;
}

// ---- What does not hear the gain -------------------------------------------------------------

static struct behind *behind_at(struct spurs *s, const struct finding *f, double now_s)
{
    struct behind *old = &s->behind[0];

    for (unsigned i = 0; i < LINES; i++) {
        struct behind *b = &s->behind[i];
        if (b->used && now_s - b->heard_s > FORGET_S)
            b->used = false;
        if (b->used && fabs(b->centre_hz - f->centre_hz) < 1 &&
            fabs(b->freq_hz - f->fp.freq_hz.v) < tol_of(f))
            return b;
        if (!b->used || (old->used && b->heard_s < old->heard_s))
            old = b;
    }
    *old = (struct behind){ .freq_hz = f->fp.freq_hz.v, .centre_hz = f->centre_hz, .used = true,
                            .level_dbfs = f->fp.level_dbfs, .gain_db = f->gain_db,
                            .heard_s = now_s };
    return old;
}

static void stays(struct behind *b, const struct finding *f)
{
    b->changes++;
    b->own_dbfs = f->fp.level_dbfs;
}

static bool look_behind(struct spurs *s, const struct finding *f, uint64_t step)
{
    double now_s = now_of(f);

    if (!isfinite(f->gain_db))
        return false;
    struct behind *b = behind_at(s, f, now_s);
    double change = f->gain_db - b->gain_db, moved = f->fp.level_dbfs - b->level_dbfs;
    bool changed = fabs(change) >= CHANGE_DB && now_s - b->heard_s < JUST_S;
    if (step && step != b->step && fabs(moved) < SAME_DB) {
        b->step = step;
        stays(b, f);
    }
    if (changed && fabs(moved) < STAYS * fabs(change))
        stays(b, f);
    else if (changed && fabs(moved - change) < FALLS * fabs(change))
        b->changes = 0;                 // it falls with it: somebody's
    // Always the newest, else who comes nearer while the gain falls seems to stay.
    b->heard_s = now_s;
    b->gain_db = f->gain_db;
    b->level_dbfs = f->fp.level_dbfs;
    return b->changes >= CHANGES && fabs(f->fp.level_dbfs - b->own_dbfs) < SAME_DB;
}

bool spurs_finding(struct spurs *s, const struct finding *f, uint64_t step)
{
    if (!is_line(f))
        return false;
    bool moves = look_moving(s, f), stays = look_behind(s, f, step);
    return moves || stays;
}

unsigned spurs_known(const struct spurs *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LINES; i++)
        n += (s->moving[i].n == CENTRES) + (s->behind[i].used && s->behind[i].changes >= CHANGES);
    return n;
}
