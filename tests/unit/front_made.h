// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of the energy detector share: signals of known place and level, a run of the
// front over them, and what it found.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "dsp/front/front.h"
#include "dsp/shadow.h"

// Not every test uses all of these.
#define MADE static __attribute__((unused))

// ---- Samples --------------------------------------------------------------------------------

#define NOISE 1e-4              // total noise power: -40 dBFS

struct scene { double rate; size_t n; float complex *x; struct rng rng; };

MADE struct scene scene_new(double rate, double s, double noise)
{
    struct scene c = { .rate = rate, .n = (size_t)(rate * s) };
    c.x = calloc(c.n, sizeof *c.x);
    assert_non_null(c.x);
    rng_init(&c.rng, 11);
    for (size_t i = 0; i < c.n && noise > 0; i++)
        c.x[i] = (float)sqrt(noise) * rng_cnormal(&c.rng);
    return c;
}

MADE float complex turn(double cycles)
{
    double a = 2 * M_PI * (cycles - floor(cycles));
    return (float)cos(a) + I * (float)sin(a);
}

MADE double amp(const struct scene *c, double snr_db, double width_hz)
{
    return sqrt(NOISE * pow(10, 0.1 * snr_db) * width_hz / c->rate);
}

MADE void add_cw(struct scene *c, double t, double dur, double f, double a)
{
    for (size_t i = (size_t)(t * c->rate); i < (size_t)((t + dur) * c->rate) && i < c->n; i++)
        c->x[i] += (float)a * turn(f * (double)i / c->rate);
}

// Noise of a flat spectrum `width` wide: a sinc of 33 zero crossings a side under a Hann window.
MADE void add_flat(struct scene *c, double t, double dur, double f, double width, double a)
{
    size_t n0 = (size_t)(t * c->rate), n = (size_t)(dur * c->rate);
    double per = c->rate / width;
    int half = (int)(33 * per);
    float *h = calloc(2 * (size_t)half + 1, sizeof *h);
    float complex *w = calloc(n + 2 * (size_t)half + 1, sizeof *w);
    double sum = 0;

    assert_true(h && w);
    for (int i = -half; i <= half; i++) {
        double u = i / per, hann = 0.5 + 0.5 * cos(M_PI * i / (half + 1.0));
        h[i + half] = (float)((i ? sin(M_PI * u) / (M_PI * u) : 1) * hann);
        sum += h[i + half] * h[i + half];
    }
    for (size_t i = 0; i < n + 2 * (size_t)half; i++)
        w[i] = rng_cnormal(&c->rng);
    for (size_t i = 0; i < n && n0 + i < c->n; i++) {
        float complex y = 0;
        for (int k = 0; k <= 2 * half; k++)
            y += h[k] * w[i + (size_t)k];
        c->x[n0 + i] += (float)(a / sqrt(sum)) * y * turn(f * (double)i / c->rate);
    }
    free(h);
    free(w);
}

// Up-chirps, each a symbol of 2^sf / bw, starting at frequencies drawn anew.
MADE void add_lora(struct scene *c, double t, unsigned symbols, int sf, double bw, double f,
                     double a)
{
    double ts = (1 << sf) / bw, phase = 0, at = 0;
    size_t n0 = (size_t)(t * c->rate), n = (size_t)(symbols * ts * c->rate);
    unsigned last = ~0u;

    for (size_t i = 0; i < n && n0 + i < c->n; i++) {
        double s = (double)i / c->rate / ts;
        if ((unsigned)s != last) {
            last = (unsigned)s;
            at = last < 8 ? 0 : rng_uniform(&c->rng);
        }
        double u = at + s - last;
        phase += (f + bw * (u - floor(u) - 0.5)) / c->rate;
        c->x[n0 + i] += (float)a * turn(phase);
    }
}

// ---- Running --------------------------------------------------------------------------------

struct found { struct cand c[512]; unsigned n; };

MADE void collect(struct found *f, const struct front_out *o)
{
    assert_int_equal(o->list.dropped, 0);
    for (unsigned i = 0; i < o->list.n && f->n < 512; i++)
        f->c[f->n++] = o->list.c[i];
}

// Blocks of `len` samples; a block that would hold sample `gap` begins after it, `lost` later.
MADE struct found *run(const struct scene *c, uint32_t len, size_t gap, uint64_t lost)
{
    struct iq_info info = { .rate_hz = c->rate, .format = IQ_CF32, .block_len = len };
    struct front *f = front_new(&info);
    struct found *r = calloc(1, sizeof *r);
    struct front_out *o = calloc(1, sizeof *o);
    uint64_t skipped = 0, done = 0;

    assert_true(f && r && o);
    for (size_t at = 0; at < c->n;) {
        bool before = lost && at < gap;
        size_t end = before && gap < c->n ? gap : c->n, n = end - at < len ? end - at : len;
        struct iq_block b = { .n0 = at + skipped, .n = (uint32_t)n, .format = IQ_CF32,
                              .rate_hz = c->rate, .data = c->x + at };
        if (lost && at == gap) {
            b.lost = lost;
            skipped = lost;
            b.n0 = at + lost;
        }
        front_block(f, &b, o);
        assert_true(o->list.done >= done);
        for (unsigned i = 0; i < o->list.n; i++)
            assert_true(o->list.c[i].n1 >= done);       // nothing that was said to be told
        done = o->list.done;
        collect(r, o);
        at += n;
    }
    front_flush(f, o);
    collect(r, o);
    front_free(f);
    free(o);
    return r;
}

// Drops shadows of others, as the arbiter does; what is left.
MADE unsigned real_ones(struct found *f, double rate)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->n; i++) {
        bool shadow = false;
        for (unsigned k = 0; k < f->n; k++)
            shadow = shadow || (k != i && f->c[i].part == BURST_WHOLE &&
                                cand_is_shadow(&f->c[i], &f->c[k], rate));
        if (!shadow)
            f->c[n++] = f->c[i];
    }
    return f->n = n;
}

MADE void done(struct scene *c, struct found *f)
{
    free(c->x);
    free(f);
}

MADE void say(const struct found *f, double rate)
{
    for (unsigned i = 0; i < f->n; i++)
        print_message("  part %d t %.6f dur %.6f f %.1f..%.1f kHz snr %.1f flags %x\n",
                      (int)f->c[i].part, f->c[i].n0 / rate,
                      (f->c[i].n1 - f->c[i].n0) / rate, f->c[i].f_lo_hz / 1e3,
                      f->c[i].f_hi_hz / 1e3, f->c[i].snr_db, f->c[i].flags);
}

MADE void expect(struct found *f, const struct scene *c, unsigned n)
{
    if (real_ones(f, c->rate) != n)
        say(f, c->rate);
    assert_int_equal(f->n, n);
}

MADE void at(const struct cand *c, double rate, double t, double dur, double tol)
{
    double t0 = (double)c->n0 / rate, t1 = (double)c->n1 / rate;
    if (fabs(t0 - t) > tol || fabs(t1 - t - dur) > tol)
        print_message("start %.1f us off, end %.1f us off\n", (t0 - t) * 1e6, (t1 - t - dur) * 1e6);
    assert_true(fabs(t0 - t) <= tol);
    assert_true(fabs(t1 - t - dur) <= tol);
}
