// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/shadow.h"

#include <math.h>

#include "dsp/same.h"

#define EDGE_S      60e-6       // edges so close are the same: two rows of the grid
#define INSIDE      0.85        // of its time within the other's
#define BRIEF_SHARE 0.1         // of its time: short beside it
#define SPECK_S     300e-6      // shorter than this inside a strong one: its symbols' splatter
#define SKIRT_DB    20.0        // density of skirts under the signal's: masks ask for more
#define SPLATTER_DB 13.0        // of its symbols' edges, and right beside it
#define FAINT_DB    28.0        // nothing beside so much stronger a signal is told from skirts
#define RANGE_DB    42.0        // anywhere at its time: spurs, phase noise, the converter's limits
#define FRAGMENT_DB 5.0         // no denser than this over what it lies in (or short and weaker in
                                // all, as one sweep of a chirp): a piece of it
#define SKIRT_WIDTH 0.6         // as far out as so many widths
#define CARRIER_DB  10.0        // a carrier inside, on the air as long as the signal
#define CLICK_DB    25.0        // density of what switching on or off splashes over the whole band
#define CLICK_S     100e-6
#define TAIL_DB     25.0        // what a transmitter leaks when it is up but does not send
#define TAIL_S      400e-6
#define FOLD_AT     0.02        // of half the band: so near an edge is at it
#define FOLD_SHARE  0.025       // of the band: what reaches so near an edge reaches beyond it
#define FOLD_REACH  0.05        // of the band, where anti-alias filters pass what lies beyond ...
#define FOLD_DB     8.0         // ... so much weaker or more
#define SAME_SHARE  0.6         // of time and band ...
#define RUN_SHARE   0.5         // of its band within that of a run it comes with, ...
#define SAME_LEVEL_DB 3.0       // ... and no stronger
#define SAME_DB     6.0         // ... and so much weaker: a second box (else the two are joined)

static double share(double a0, double a1, double b0, double b1)
{
    double in = fmin(a1, b1) - fmax(a0, b0), all = fmax(a1, b1) - fmin(a0, b0);
    return in > 0 && all > 0 ? in / all : 0;
}

struct times { double x0, x1, y0, y1; };

static bool coincident(const struct times *t)
{
    double tol = EDGE_S + 0.02 * (t->y1 - t->y0);
    return fabs(t->x0 - t->y0) < tol && fabs(t->x1 - t->y1) < tol;
}

static bool inside(const struct times *t)
{
    double in = fmin(t->x1, t->y1) - fmax(t->x0, t->y0);
    return in > INSIDE * (t->x1 - t->x0) || (t->x0 > t->y0 - EDGE_S && t->x1 < t->y1 + EDGE_S);
}

static double apart(const struct cand *x, const struct cand *y)
{
    return fmax(0, fmax(x->f_lo_hz - y->f_hi_hz, y->f_lo_hz - x->f_hi_hz));
}

bool cand_is_shadow(const struct cand *x, const struct cand *y, double rate_hz)
{
    struct times t = { (double)x->n0 / rate_hz, (double)x->n1 / rate_hz,
                       (double)(y->run ? y->run_n0 : y->n0) / rate_hz, (double)y->n1 / rate_hz };
    double wx = x->f_hi_hz - x->f_lo_hz, wy = y->f_hi_hz - y->f_lo_hz, d = apart(x, y);
    double level = y->level_dbfs - x->level_dbfs, density = level - 10 * log10(wy / wx);
    bool speck = t.x1 - t.x0 < SPECK_S;

    if (share(t.x0, t.x1, t.y0, t.y1) > SAME_SHARE && level > SAME_DB &&
        share(x->f_lo_hz, x->f_hi_hz, y->f_lo_hz, y->f_hi_hz) > SAME_SHARE)
        return true;
    double skirt = speck || d < 0.2 * wy ? SPLATTER_DB : SKIRT_DB;
    if (inside(&t) && d < SKIRT_WIDTH * wy &&
        (((speck || coincident(&t)) && density > skirt) || density > FAINT_DB))
        return true;
    if (inside(&t) && density > RANGE_DB)
        return true;
    double in = fmin(x->f_hi_hz, y->f_hi_hz) - fmax(x->f_lo_hz, y->f_lo_hz);
    if (y->run && inside(&t) && level > -SAME_LEVEL_DB && in > RUN_SHARE * wx)
        return true;
    bool brief = speck || t.x1 - t.x0 < BRIEF_SHARE * (t.y1 - t.y0);
    if (inside(&t) && wx < wy && t.x1 - t.x0 < t.y1 - t.y0 &&
        ((in > 0.9 * wx && density > -FRAGMENT_DB) || (in > 0.5 * wx && brief && level > 0)))
        return true;
    if (t.x1 - t.x0 < CLICK_S && density > CLICK_DB &&
        (fabs(t.x0 - t.y1) < EDGE_S || fabs(t.x0 - t.y0) < EDGE_S || fabs(t.x1 - t.y0) < EDGE_S))
        return true;
    if (coincident(&t) && d == 0 && wx < wy && level > CARRIER_DB)
        return true;
    return level > TAIL_DB && d == 0 && t.x1 - t.x0 < TAIL_S &&
           ((t.x0 > t.y1 - EDGE_S && t.x0 < t.y1 + TAIL_S) ||
            (t.x1 < t.y0 + EDGE_S && t.x1 > t.y0 - TAIL_S));
}

//      rate                  __________:.        y reaches beyond the edge; the converter's filter
//   |---------------------- |    y     |: '.     lets some of it through, which falls on the other
//   |x'.                    |__________|:   ''.  edge of the band
uint32_t cand_folded(const struct cand *x, const struct cand *y, double rate_hz)
{
    double half = rate_hz / 2, at = (1 - FOLD_AT) * half, in = (1 - 2 * FOLD_SHARE) * half;
    double reach = (1 - 2 * FOLD_REACH) * half;
    double n = (double)(x->n1 - x->n0) / 32;
    uint32_t bits = 0;

    bool low = x->f_lo_hz < -at && x->f_hi_hz < -reach && y->f_hi_hz > in;
    bool high = x->f_hi_hz > at && x->f_lo_hz > reach && y->f_lo_hz < -in;
    double wx = x->f_hi_hz - x->f_lo_hz, wy = y->f_hi_hz - y->f_lo_hz;
    double density = y->level_dbfs - x->level_dbfs - 10 * log10(wy / wx);
    if (!(low || high) || density < FOLD_DB)
        return 0;
    for (unsigned k = 0; k < 32; k++) {
        double t = (double)x->n0 + (k + 0.5) * n;
        if (t >= (double)y->n0 && t < (double)y->n1)
            bits |= UINT32_C(1) << k;
    }
    return bits;
}

bool cand_shadow_of(const struct cand *x, const struct cand *y, double rate_hz)
{
    switch (y->hyp) {
    case HYP_BLE:    return false;
    case HYP_ENERGY: return cand_is_shadow(x, y, rate_hz);
    case HYP_LORA:   return cand_part_of_lora(x, y, rate_hz);
    default:         return cand_part_of_droneid(x, y, rate_hz);
    }
}
