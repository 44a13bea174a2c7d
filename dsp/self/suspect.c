// SPDX-License-Identifier: GPL-3.0-or-later
// Where a receiver puts what it makes of strong signals, and when.
//
//              -2a  -a   0   a    2a          2a-b  a    b   2b-a
//     ----------.----.---|---|----.----    ----.----|----|----.----
//               image's places, harmonics      products of the third order
//
// What stands there, is weaker by enough, and was on the air only while they were, is suspected.
#include "dsp/self/product.h"

#include <math.h>

#define COVERED    0.6          // of its time: strong ones may be told in pieces
#define WEAKER_DB  10.0         // than each that it is made of
#define IMAGE_DB   18.0         // no receiver's image is stronger
#define SECOND_DB  20.0
#define MATCH      0.6          // of its band lies where it should
#define DC_WIDE_HZ 250e3        // a carrier in the widest cells, with their neighbours
#define DC_LONG_S  5e-3
#define EDGE_S     60e-6
#define PLACE_ERR  0.1          // of the stronger one's width: how well bands are known

static double y_start(const struct cand *y) { return (double)(y->run ? y->run_n0 : y->n0); }

struct band { double lo, hi; };
static struct band of(const struct cand *c) { return (struct band){ c->f_lo_hz, c->f_hi_hz }; }

static double shared(struct band x, struct band y)
{
    double in = fmin(x.hi, y.hi) - fmax(x.lo, y.lo);
    return in > 0 ? in / (x.hi - x.lo) : 0;
}

// x lies in m times the band of y (negative: mirrored), and beside y itself.
static bool at(struct band x, struct band y, double m)
{
    double slack = PLACE_ERR * (y.hi - y.lo);
    struct band z = { fmin(m * y.lo, m * y.hi) - slack, fmax(m * y.lo, m * y.hi) + slack };
    return shared(x, z) > MATCH && !(shared(x, y) > 0);
}

static bool same_time(const struct cand *x, const struct cand *y, double rate_hz)
{
    double tol = EDGE_S * rate_hz + 0.02 * ((double)y->n1 - y_start(y));
    return fabs((double)x->n0 - y_start(y)) < tol && fabs((double)x->n1 - (double)y->n1) < tol;
}

void product_near(struct product_near *p, const struct cand *x, const struct cand *y,
                  double rate_hz)
{
    double in = fmin((double)x->n1, (double)y->n1) - fmax((double)x->n0, y_start(y));
    struct band band = of(y);
    struct product_other new = { band.lo, band.hi, in, y->level_dbfs, same_time(x, y, rate_hz) };
    unsigned i = 0;

    if (!y->n1 || !(in > 0) || !(band.hi > band.lo) ||
        y->level_dbfs < x->level_dbfs + (float)WEAKER_DB)
        return;
    while (i < p->n && shared(band, (struct band){ p->y[i].lo_hz, p->y[i].hi_hz }) < MATCH)
        i++;
    if (i < p->n) {
        p->y[i].covered += in;
        p->y[i].same_time |= new.same_time;
        return;
    }
    if (p->n == PRODUCT_NEAR && p->y[p->n - 1].level_dbfs >= y->level_dbfs)
        return;
    for (i = p->n < PRODUCT_NEAR ? p->n++ : p->n - 1;
         i > 0 && p->y[i - 1].level_dbfs < y->level_dbfs; i--)
        p->y[i] = p->y[i - 1];
    p->y[i] = new;
}

static void add(struct burst *b, enum product kind, bool same, struct band y, struct band z)
{
    if (b->n_suspects < SUSPECTS)
        b->suspect[b->n_suspects++] = (struct suspect){ kind, same, y.lo, y.hi, z.lo, z.hi };
}

static struct band other(const struct product_near *p, unsigned i)
{
    return (struct band){ p->y[i].lo_hz, p->y[i].hi_hz };
}

static void third(const struct product_near *p, struct band x, struct burst *b)
{
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->n; k++) {
            struct band y = other(p, i), z = other(p, k);
            struct band at = { 2 * y.lo - z.hi, 2 * y.hi - z.lo };
            bool apart = !(shared(y, z) > 0) && !(shared(x, y) > 0) && !(shared(x, z) > 0);
            if (i != k && apart && shared(x, at) > MATCH)
                add(b, PRODUCT_THIRD, p->y[i].same_time && p->y[k].same_time, y, z);
        }
}

static void of_one(const struct product_other *y, struct band x, float level_dbfs,
                   struct burst *b)
{
    struct band band = { y->lo_hz, y->hi_hz }, none = { 0, 0 };
    float over = y->level_dbfs - level_dbfs;

    if (over > (float)IMAGE_DB && at(x, band, -1))
        add(b, PRODUCT_IMAGE, y->same_time, band, none);
    if (over > (float)SECOND_DB &&
        (at(x, band, 2) || at(x, band, -2) || at(x, band, 3) || at(x, band, -3)))
        add(b, PRODUCT_HARMONIC, y->same_time, band, none);
}

void product_suspects(const struct product_near *near, const struct cand *x, double rate_hz,
                      struct burst *b)
{
    struct band me = of(x), none = { 0, 0 };
    double len = (double)(x->n1 - x->n0);
    struct product_near p = { .n = 0 };

    b->n_suspects = 0;
    if (x->hyp == HYP_DRONEID || !(me.hi > me.lo))
        return;
    if (me.lo < 0 && me.hi > 0 && me.hi - me.lo < DC_WIDE_HZ &&
        (x->run || len > DC_LONG_S * rate_hz))
        add(b, PRODUCT_DC, false, me, none);
    for (unsigned i = 0; i < near->n; i++)
        if (near->y[i].covered > COVERED * len)
            p.y[p.n++] = near->y[i];
    for (unsigned i = 0; i < p.n; i++)
        of_one(&p.y[i], me, x->level_dbfs, b);
    third(&p, me, b);
}
