// SPDX-License-Identifier: GPL-3.0-or-later
// Overlap-save: blocks of n samples, 13/16 n apart, on a grid fixed to the first sample (or the
// first behind a gap or at a new centre), so that nothing depends on how samples arrived.
//
//     samples  |====|====|====|====|==
//     block 0  [g|  13/16 n  |g]            g: 1.5/16 n, where filtering wraps around
//     block 1              [g|  13/16 n  |g]
#include "dsp/stand/wide.h"

#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"

#define UNIT       512                  // points per 3 to 5 MHz: 110 to 180 us, whatever the rate
#define UNIT_LO_HZ 2.9e6
#define UNIT_HI_HZ 4.8e6

struct wide {
    unsigned       n, hop, fill;
    struct dft    *fwd;
    float complex *in, *out;
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
    w->fwd = dft_new(w->n, DFT_FORWARD, 1);
    w->in = dft_alloc(w->n);
    w->out = dft_alloc(w->n);
    if (!w->fwd || !w->in || !w->out) {
        wide_free(w);
        return NULL;
    }
    return w;
}

void wide_free(struct wide *w)
{
    if (!w)
        return;
    dft_free(w->fwd);
    free(w->in);
    free(w->out);
    free(w);
}

unsigned wide_points(const struct wide *w) { return w->n; }

bool wide_breaks(const struct wide *w, const struct iq_block *b)
{
    return !w->running || b->n0 != w->next || b->centre_hz != w->centre_hz;
}

void wide_restart(struct wide *w, const struct iq_block *b)
{
    w->fill = w->n - w->hop;            // silence before the first sample
    memset(w->in, 0, w->fill * sizeof *w->in);
    w->base = (int64_t)(b->n0 - w->fill);
    w->number = 0;
    w->next = b->n0;
    w->centre_hz = b->centre_hz;
    w->running = true;
}

static void full(struct wide *w, wide_told *told, void *arg)
{
    dft_run(w->fwd, w->in, w->out);
    w->out[0] = 0;                      // the receiver's own offset
    struct wide_spec s = { w->out, w->n, w->number, w->base + (int64_t)(w->number * w->hop),
                           w->centre_hz };
    w->number++;
    told(arg, &s);
    memmove(w->in, w->in + w->hop, (w->n - w->hop) * sizeof *w->in);
    w->fill = w->n - w->hop;
}

void wide_block(struct wide *w, const struct iq_block *b, wide_told *told, void *arg)
{
    for (uint32_t off = 0; off < b->n;) {
        uint32_t take = b->n - off < w->n - w->fill ? b->n - off : w->n - w->fill;
        iq_to_cf32(b, off, take, w->in + w->fill);
        w->fill += take;
        off += take;
        if (w->fill == w->n)
            full(w, told, arg);
    }
    w->next = b->n0 + b->n;
}

void wide_silence(struct wide *w, unsigned blocks, wide_told *told, void *arg)
{
    for (unsigned i = 0; i < blocks && w->running; i++) {
        memset(w->in + w->fill, 0, (w->n - w->fill) * sizeof *w->in);
        full(w, told, arg);
    }
    w->running = false;
}
