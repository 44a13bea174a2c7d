// SPDX-License-Identifier: GPL-3.0-or-later
// Overlap-save: blocks of n samples, 13/16 n apart, on a grid fixed to the first sample (or the
// first behind a gap or at a new centre), so that nothing depends on how samples arrived.
//
//     samples  |====|====|====|====|==
//     block 0  [g|  13/16 n  |g]            g: 1.5/16 n, where filtering wraps around
//     block 1              [g|  13/16 n  |g]
//
// The transform is put together from four of every fourth sample (into which samples are sorted as
// they come): FFTW's estimated plans of lengths that the first cache does not hold take up to twice
// as long.
#include "dsp/stand/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"
#include "dsp/stand/ops.h"

#define UNIT       512                  // points per 3 to 5 MHz: 110 to 180 us, whatever the rate
#define UNIT_LO_HZ 2.9e6
#define UNIT_HI_HZ 4.8e6

#define FOUR       4
#define PIECE      1024                 // samples converted at once

struct wide {
    const struct stand_ops *op;
    unsigned       n, hop, fill;
    struct dft    *fwd;                 // of n / FOUR points, FOUR of them
    float complex *in;                  // FOUR rows of n / FOUR: sample i at row i % FOUR
    float complex *part, *turns, *out, *piece;
    uint64_t       number, next;
    int64_t        base;                // capture index of in[0] of block 0
    double         centre_hz;
    bool           running;
};

static unsigned largest_prime(unsigned n)
{
    unsigned top = 1;
    for (unsigned p = 2; p <= n; p++)
        for (; n % p == 0; n /= p)
            top = p;
    return top;
}

// Small primes make fast transforms; between equals the longer.
static unsigned choose_units(double rate)
{
    unsigned best = 1, prime = 1000;
    for (unsigned u = (unsigned)(rate / UNIT_LO_HZ); u && rate / u <= UNIT_HI_HZ; u--)
        if (largest_prime(u) < prime) {
            best = u;
            prime = largest_prime(u) <= 5 ? 2 : largest_prime(u);
        }
    return best;
}

struct wide *wide_new(double rate_hz)
{
    struct wide *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->n = UNIT * choose_units(rate_hz);
    w->hop = w->n / WIDE_PARTS * WIDE_HOP;
    w->op = stand_ops();
    w->fwd = dft_new(w->n / FOUR, DFT_FORWARD, FOUR);
    w->in = dft_alloc(w->n);
    w->part = dft_alloc(w->n);
    w->turns = dft_alloc(w->n / FOUR * 3);
    w->out = dft_alloc(w->n);
    w->piece = dft_alloc(PIECE);
    if (!w->fwd || !w->in || !w->part || !w->turns || !w->out || !w->piece) {
        wide_free(w);
        return NULL;
    }
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < w->n / FOUR; i++) {
            double a = -2 * M_PI * (k + 1) * i / w->n;
            w->turns[k * (w->n / FOUR) + i] = (float)cos(a) + I * (float)sin(a);
        }
    return w;
}

void wide_free(struct wide *w)
{
    if (!w)
        return;
    dft_free(w->fwd);
    free(w->in);
    free(w->part);
    free(w->turns);
    free(w->out);
    free(w->piece);
    free(w);
}

unsigned wide_points(const struct wide *w) { return w->n; }

bool wide_breaks(const struct wide *w, const struct iq_block *b)
{
    return !w->running || b->n0 != w->next || b->centre_hz != w->centre_hz;
}

static float complex *row(const struct wide *w, unsigned k) { return w->in + k * (w->n / FOUR); }

void wide_restart(struct wide *w, const struct iq_block *b)
{
    w->fill = w->n - w->hop;            // silence before the first sample
    for (unsigned k = 0; k < FOUR; k++)
        memset(row(w, k), 0, w->fill / FOUR * sizeof *w->in);
    w->base = (int64_t)(b->n0 - w->fill);
    w->number = 0;
    w->next = b->n0;
    w->centre_hz = b->centre_hz;
    w->running = true;
}

static void full(struct wide *w, wide_told *told, void *arg)
{
    unsigned quarter = w->n / FOUR;
    const float complex *part[FOUR];
    for (unsigned k = 0; k < FOUR; k++)
        part[k] = w->part + k * quarter;
    dft_run(w->fwd, w->in, w->part);
    w->op->join(part, w->turns, quarter, w->out);
    w->out[0] = 0;                      // the receiver's own offset
    struct wide_spec s = { w->out, w->n, w->number, w->base + (int64_t)(w->number * w->hop),
                           w->centre_hz };
    w->number++;
    told(arg, &s);
    for (unsigned k = 0; k < FOUR; k++)
        memmove(row(w, k), row(w, k) + w->hop / FOUR, (w->n - w->hop) / FOUR * sizeof *w->in);
    w->fill = w->n - w->hop;
}

static void add_one(struct wide *w, float complex x)
{
    row(w, w->fill % FOUR)[w->fill / FOUR] = x;
    w->fill++;
}

// count samples, which fit, into their rows.
static void add(struct wide *w, const float complex *x, unsigned count)
{
    float complex *to[FOUR];
    unsigned i = 0;
    for (; i < count && w->fill % FOUR; i++)
        add_one(w, x[i]);
    for (unsigned k = 0; k < FOUR; k++)
        to[k] = row(w, k) + w->fill / FOUR;
    unsigned n = (count - i) / FOUR;
    w->op->split(x + i, n, to);
    w->fill += n * FOUR;
    for (i += n * FOUR; i < count; i++)
        add_one(w, x[i]);
}

void wide_block(struct wide *w, const struct iq_block *b, wide_told *told, void *arg)
{
    for (uint32_t off = 0; off < b->n;) {
        uint32_t take = b->n - off < w->n - w->fill ? b->n - off : w->n - w->fill;
        take = take < PIECE ? take : PIECE;
        iq_to_cf32(b, off, take, w->piece);
        add(w, w->piece, take);
        off += take;
        if (w->fill == w->n)
            full(w, told, arg);
    }
    w->next = b->n0 + b->n;
}

void wide_silence(struct wide *w, unsigned blocks, wide_told *told, void *arg)
{
    for (unsigned i = 0; i < blocks && w->running; i++) {
        while (w->fill < w->n)
            add_one(w, 0);
        full(w, told, arg);
    }
    w->running = false;
}

unsigned wide_fast(double least, unsigned from, unsigned to)
{
    for (unsigned p = from; p <= to; p += WIDE_PARTS) {
        unsigned m = p;
        while (m % 2 == 0)
            m /= 2;
        if (p >= least && (m == 1 || m == 3 || m == 5))
            return p;
    }
    return 0;
}

void wide_turns(float complex turn[WIDE_PARTS])
{
    for (unsigned i = 0; i < WIDE_PARTS; i++) {
        double a = -2 * M_PI * i / WIDE_PARTS;
        turn[i] = (float)cos(a) + I * (float)sin(a);
    }
}
