// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/self/self.h"

#include <complex.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dsp/burst.h"
#include "dsp/self/gain.h"
#include "dsp/self/image.h"
#include "dsp/self/step.h"
#include "hw/hw.h"

#define GAIN_STEP_ERR 0.05      // dB for each dB off the calibration's gain: steps are no rulers

#define OVER_DB 3.0             // louder than what was shown: something new is there
#define MOST_IN 0.6             // of its band

// What the source's thread knows and the others may ask; a mask half changed is a mask still.
struct told {
    _Atomic unsigned n;
    _Atomic double   lo_hz[STEP_RANGES], hi_hz[STEP_RANGES], level_dbfs[STEP_RANGES];
    _Atomic uint64_t until, steps;
    _Atomic unsigned n_behind;
    _Atomic double   behind_lo_hz[STEP_RANGES], behind_hi_hz[STEP_RANGES],
                     behind_dbfs[STEP_RANGES];
    _Atomic double   deaf_s, gain_db;
    _Atomic uint64_t gain_changes;
    _Atomic int      gain_why;
};

struct self {
    struct image     *image;
    struct step      *step;             // NULL: the gain is left alone
    struct gain      *gain;             // NULL: it stays, but for steps
    struct iq_source *src;
    struct told       told;
    uint64_t          steps;
};

struct self *self_new(const struct iq_info *info, struct iq_source *src,
                      const struct hw_profile *p, bool sets)
{
    struct self *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    sets = sets && src && p && p->gain_hi_db.v > p->gain_lo_db.v;
    s->image = image_new();
    s->step = src ? step_new(p ? p->gain_lo_db.v : NAN) : NULL;
    if (sets)
        s->gain = gain_new(&(struct gain_cfg){ p->gain_lo_db.v, p->gain_hi_db.v, p->bits.v,
                                               info->format });
    s->src = src;
    atomic_store(&s->told.gain_db, NAN);
    if (s->image && (s->step || !src) && (s->gain || !sets))
        return s;
    self_free(s);
    return NULL;
}

void self_free(struct self *s)
{
    if (!s)
        return;
    image_free(s->image);
    step_free(s->step);
    gain_free(s->gain);
    free(s);
}

static void tell_step(struct self *s, const struct step_shown *k)
{
    atomic_store(&s->told.n, 0);
    for (unsigned i = 0; i < k->n; i++) {
        atomic_store(&s->told.lo_hz[i], k->product[i].lo_hz);
        atomic_store(&s->told.hi_hz[i], k->product[i].hi_hz);
        atomic_store(&s->told.level_dbfs[i], k->product[i].level_dbfs);
    }
    atomic_store(&s->told.n_behind, 0);
    for (unsigned i = 0; i < k->n_behind; i++) {
        atomic_store(&s->told.behind_lo_hz[i], k->behind[i].lo_hz);
        atomic_store(&s->told.behind_hi_hz[i], k->behind[i].hi_hz);
        atomic_store(&s->told.behind_dbfs[i], k->behind[i].level_dbfs);
    }
    atomic_store(&s->told.steps, k->steps);
    atomic_store(&s->told.n_behind, k->n_behind);
    atomic_store(&s->told.until, k->until);
    atomic_store(&s->told.n, k->n);
    s->steps = k->steps;
}

static void set_gain(struct self *s, const struct iq_block *b, double gain_db)
{
    iq_tune_to(s->src, &(struct iq_place){ .centre_hz = b->centre_hz, .gain_db = gain_db });
}

static void gain(struct self *s, const struct iq_block *b)
{
    const struct gain_shown *k = gain_shown(s->gain);
    double gain_db;

    if (gain_block(s->gain, b, image_power(s->image), step_busy(s->step), &gain_db))
        set_gain(s, b, gain_db);
    if (k->changes == atomic_load(&s->told.gain_changes))
        return;
    atomic_store(&s->told.gain_why, (int)k->why);
    atomic_store(&s->told.gain_changes, k->changes);
}

static void step(struct self *s, const struct iq_block *b)
{
    const float *power = image_power(s->image);
    const struct step_shown *k = step_shown(s->step);
    double gain_db;

    if (power && !(s->gain && gain_moving(s->gain)) && step_block(s->step, b, power, &gain_db))
        set_gain(s, b, gain_db);
    // A step's end, or of what it showed: at another place or gain none of it holds.
    if (k->steps != s->steps || k->until != atomic_load(&s->told.until))
        tell_step(s, k);
    if (k->deaf && b->n0 < k->until)
        atomic_store(&s->told.deaf_s, atomic_load(&s->told.deaf_s) + b->n / b->rate_hz);
}

void self_block(struct self *s, struct iq_block *b)
{
    image_block(s->image, b);
    if (s->gain)
        gain(s, b);
    if (s->step)
        step(s, b);
    if (!s->step || !step_busy(s->step))    // what a step does for a moment is no gain to speak of
        atomic_store(&s->told.gain_db, b->gain_db);
}

struct dsp_now self_now(const struct self *self)
{
    static const char *const whys[GAIN_WHYS] = { "", "clipping", "strong", "steps", "calm" };
    struct self *s = (struct self *)self;   // C17 loads only from what is not const

    return (struct dsp_now){ atomic_load(&s->told.deaf_s), atomic_load(&s->told.gain_db),
                             atomic_load(&s->told.gain_changes),
                             whys[atomic_load(&s->told.gain_why)] };
}

uint64_t self_behind(const struct self *self, uint64_t n0, double off_hz, double level_dbfs)
{
    struct self *s = (struct self *)self;   // C17 loads only from what is not const
    unsigned n = atomic_load(&s->told.n_behind);

    if (n0 >= atomic_load(&s->told.until))
        return 0;
    for (unsigned i = 0; i < n; i++)
        if (off_hz > atomic_load(&s->told.behind_lo_hz[i]) &&
            off_hz < atomic_load(&s->told.behind_hi_hz[i]) &&
            fabs(level_dbfs - atomic_load(&s->told.behind_dbfs[i])) < OVER_DB)
            return atomic_load(&s->told.steps);
    return 0;
}

bool self_masks(const struct self *s, const struct burst *b)
{
    unsigned n = atomic_load(&s->told.n);

    if (b->n0 >= atomic_load(&s->told.until))
        return false;
    for (unsigned i = 0; i < n; i++) {
        double in = fmin(b->f_hi_hz, atomic_load(&s->told.hi_hz[i])) -
                    fmax(b->f_lo_hz, atomic_load(&s->told.lo_hz[i]));
        if (in > MOST_IN * (b->f_hi_hz - b->f_lo_hz) &&
            (double)b->level_dbfs < atomic_load(&s->told.level_dbfs[i]) + OVER_DB)
            return true;
    }
    return false;
}

struct dsp_self self_known(const struct self *s)
{
    struct image_view v = image_view(s->image);
    double k = cabs((double complex)v.k);

    const struct step_shown *shown = s->step ? step_shown(s->step) : NULL;

    return (struct dsp_self){
        .steps = shown ? shown->steps : 0, .deaf_s = self_now(s).deaf_s,
        .image_dbc = k > 0 ? 20 * log10(k) : 0, .image_changes = v.changes,
        .image_err_db = k > 0 ? 20 * log10(1 + v.err / k) : 0,
    };
}

struct meas self_level_dbm(const struct hw_profile *p, double level_dbfs, double gain_db)
{
    if (!p || isnan(p->full_dbm.v) || !isfinite(gain_db) || !isfinite(level_dbfs))
        return MEAS_NONE;
    double off = gain_db - p->gain_db;
    return (struct meas){ level_dbfs + p->full_dbm.v - off,
                          hypot(p->full_err_db.v, GAIN_STEP_ERR * off) };
}

double self_clock_hz(const struct hw_profile *p)
{
    return p && p->clock_hz.v > 0 ? p->clock_hz.v : 0;
}
