// SPDX-License-Identifier: GPL-3.0-or-later
// A voice interpolates and shifts the samples of one transmission, once per ray.
//
//          the model's band, -1/2 .. 1/2 of its rate, around its centre
//     -----[======================]-----> f
//                 [ ########################### ]     the capture
//                 [===============]                   the part wanted: a..b
//                        m                            its middle
//
// The model's samples are first shifted by -m, so that a real low-pass of half width (b - a) / 2
// picks the wanted part: it is at once the image filter of going up and the alias filter of going
// down.  The oscillator at the output puts m back.
#include "sdr/sim/voice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 50                // half widths come in steps of 1/50 of full: few tables

static double min(double a, double b) { return a < b ? a : b; }
static double max(double a, double b) { return a > b ? a : b; }

void voice_tables_done(struct voice_tables *t)
{
    for (size_t i = 0; i < t->n; i++)
        interp_free(t->t[i].interp);
    free(t->t);
}

// The table for half width units/UNITS; the index, or -ENOMEM.  One without users is replaced
// when there are many.
static int64_t table_get(struct voice_tables *t, int units, double edge)
{
    size_t at = t->n;
    for (size_t i = 0; i < t->n; i++) {
        if (t->t[i].units == units && t->t[i].edge == edge) {
            t->t[i].users++;
            return (int64_t)i;
        }
        if (!t->t[i].users && t->n >= 64)
            at = i;
    }
    if (at == t->n) {
        struct voice_table *p = realloc(t->t, (t->n + 1) * sizeof *p);
        if (!p)
            return -ENOMEM;
        t->t = p;
        t->t[t->n++] = (struct voice_table){ 0 };
    }
    struct voice_table *e = &t->t[at];
    interp_free(e->interp);
    *e = (struct voice_table){ 0 };
    e->interp = interp_new(units * (0.5 / UNITS) * (edge / 0.16), edge);
    if (!e->interp)
        return -ENOMEM;
    e->units = units;
    e->edge = edge;
    e->users = 1;
    return (int64_t)at;
}

struct voice *voice_new(void)
{
    struct voice *v = calloc(1, sizeof *v);
    if (v)
        v->table = SIZE_MAX;
    return v;
}

void voice_free(struct voice *v)
{
    if (!v)
        return;
    free(v->re);
    free(v->im);
    free(v);
}

static const struct interp *interp_of(const struct voice *v)
{
    return v->tables->t[v->table].interp;
}

static int reserve(struct voice *v, size_t more)
{
    int64_t gone = v->keep - v->base;
    if (gone > 0 && (size_t)gone > v->len)
        gone = (int64_t)v->len;
    if (gone > 0 && (size_t)gone >= v->len / 2) {
        v->len -= (size_t)gone;
        v->base += gone;
        memmove(v->re, v->re + gone, v->len * sizeof *v->re);
        memmove(v->im, v->im + gone, v->len * sizeof *v->im);
    }
    if (v->len + more <= v->cap)
        return 0;
    size_t cap = v->len + more + v->len / 2;
    float *re = realloc(v->re, cap * sizeof *re);
    if (re)
        v->re = re;
    float *im = re ? realloc(v->im, cap * sizeof *im) : NULL;
    if (!im)
        return -ENOMEM;
    v->im = im;
    v->cap = cap;
    return 0;
}

static int append_zeros(struct voice *v, size_t n)
{
    int err = reserve(v, n);
    if (err < 0)
        return err;
    memset(v->re + v->len, 0, n * sizeof *v->re);
    memset(v->im + v->len, 0, n * sizeof *v->im);
    v->len += n;
    return 0;
}

// late: the ray's delay in receiver samples.
static void ray_start(struct voice_ray *r, const struct voice *v, double late, uint64_t phase,
                      double turns, double level_db)
{
    double amp = pow(10, level_db / 20), start = v->start + late;
    double first = ceil(start - interp_taps(interp_of(v)) / 2 / v->step);
    r->first = first > 0 ? (int64_t)first : 0;
    r->pos0 = interp_pos_of(((double)r->first - start) * v->step);
    osc_init(&r->osc, phase, osc_of(turns), amp);
}

int voice_start(struct voice *v, const struct voice_cfg *c, struct voice_tables *tables)
{
    double a = max(-0.5, (-0.5 - c->turns) / c->step), b = min(0.5, (0.5 - c->turns) / c->step);
    double edge = 0.16 * min(1, 1 / c->step), m = (a + b) / 2;
    int units = (int)lround((b - a) * (UNITS * 0.16) / edge);
    int64_t at = table_get(tables, units > 1 ? units : 1, edge);
    if (at < 0)
        return (int)at;
    v->ops = interp_ops();
    v->tables = tables;
    v->table = (size_t)at;
    v->start = c->start;
    v->step = c->step;
    v->pos_step = interp_pos_of(c->step);
    v->ramp = c->ramp;
    v->total = 0;
    v->closed = false;
    v->len = 0;
    v->base = v->keep = -interp_taps(interp_of(v));
    if (fabs(m) < 1e-9)
        m = 0;
    osc_init(&v->mix, 0, osc_of(-m), 1);
    v->n_rays = c->fading ? 2 : 1;
    ray_start(&v->ray[0], v, 0, c->phase, c->turns + m * c->step, c->level_db);
    if (c->fading) {
        const struct scene_fading *f = c->fading;
        double delay_s = f->delay_ns * 1e-9, late = delay_s * c->rate;
        uint64_t phase = c->phase + osc_of(f->phase_deg / 360 - fmod(c->carrier_hz * delay_s, 1) -
                                         m * late * c->step);
        ray_start(&v->ray[1], v, late, phase, c->turns + m * c->step + f->doppler_hz / c->rate,
                  c->level_db + f->level_db);
    }
    return append_zeros(v, (size_t)interp_taps(interp_of(v)));
}

static float rise(double i, double ramp)
{
    return i >= ramp ? 1 : (float)(0.5 - 0.5 * cos(M_PI * (i + 0.5) / ramp));
}

int voice_append(struct voice *v, const float complex *iq, size_t n, bool ends)
{
    int err = reserve(v, n);
    if (err < 0)
        return err;
    float *re = v->re + v->len, *im = v->im + v->len;
    v->ops->split((const float *)iq, re, im, n);
    for (size_t i = 0, m; v->mix.inc && i < n; i += m) {
        struct osc_turns t = osc_at(&v->mix, v->total + i);
        m = osc_run(v->total + i, v->total + n);
        v->ops->turn(t.re, t.im, t.c, t.s, re + i, im + i, m);
    }
    for (size_t i = 0; i < n && (double)(v->total + i) < v->ramp; i++) {
        re[i] *= rise((double)(v->total + i), v->ramp);
        im[i] *= rise((double)(v->total + i), v->ramp);
    }
    for (size_t i = 0; ends && i < n && (double)i < v->ramp; i++) {
        re[n - 1 - i] *= rise((double)i, v->ramp);
        im[n - 1 - i] *= rise((double)i, v->ramp);
    }
    v->len += n;
    v->total += n;
    v->closed = ends;
    return ends ? append_zeros(v, (size_t)interp_taps(interp_of(v)) + 4) : 0;
}

static interp_pos pos_at(const struct voice *v, const struct voice_ray *r, uint64_t n)
{
    return r->pos0 + ((int64_t)n - r->first) * v->pos_step;
}

bool voice_wants(const struct voice *v, uint64_t end)
{
    int64_t at = interp_whole(pos_at(v, &v->ray[0], end));
    return at + interp_taps(interp_of(v)) / 2 + 2 > v->base + (int64_t)v->len;
}

// Adds n samples, none of which crosses a multiple of OSC, from sample n0 on.
static void ray_add(const struct voice *v, const struct voice_ray *r, uint64_t n0, size_t n,
                    float complex *x)
{
    float re[OSC], im[OSC];
    interp_pos pos = pos_at(v, r, n0) - v->base * INTERP_ONE;
    interp_run(interp_of(v), v->re, v->im, pos, v->pos_step, n, re, im);
    struct osc_turns t = osc_at(&r->osc, n0);
    v->ops->turn_add(t.re, t.im, t.c, t.s, re, im, (float *)x, n);
}

// How many samples from n0 on the ray has data for.
static uint64_t ray_room(const struct voice *v, const struct voice_ray *r, uint64_t n0)
{
    int64_t last = v->base + (int64_t)v->len - 1 - interp_taps(interp_of(v)) / 2;
    interp_pos room = (last + 1) * INTERP_ONE - 1 - pos_at(v, r, n0);
    return room < 0 ? 0 : (uint64_t)(room / v->pos_step) + 1;
}

static bool ray_block(const struct voice *v, const struct voice_ray *r, uint64_t n0, size_t n,
                      float complex *x)
{
    uint64_t lo = (int64_t)n0 > r->first ? n0 : (uint64_t)r->first, hi = n0 + n;
    if (lo >= hi)
        return true;
    uint64_t room = ray_room(v, r, lo);
    uint64_t end = room < hi - lo ? lo + room : hi;
    for (uint64_t at = lo, m; at < end; at += m) {
        m = osc_run(at, end);
        ray_add(v, r, at, m, x + (at - n0));
    }
    return end == hi;
}

bool voice_add(struct voice *v, uint64_t n0, size_t n, float complex *x)
{
    bool more = false;
    int64_t keep = INT64_MAX;
    for (unsigned i = 0; i < v->n_rays; i++) {
        more |= ray_block(v, &v->ray[i], n0, n, x);
        int64_t at = interp_whole(pos_at(v, &v->ray[i], n0 + n)) - interp_taps(interp_of(v)) / 2;
        keep = at < keep ? at : keep;
    }
    v->keep = keep;
    if (more || !v->closed)
        return true;
    v->tables->t[v->table].users--;
    return false;
}
