// SPDX-License-Identifier: GPL-3.0-or-later
// The DroneID burst receiver: from a candidate to what was measured and, where asked for, read.
//
// Recognising ends before the first payload bit: rx_demap and everything behind it is called from
// decode() only.
#include "dsp/droneid/rx.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/ddc.h"
#include "dsp/shelf.h"

#define PASS_HZ     12.3e6              // 9.015 MHz with the centre up to 1.6 MHz off
#define EDGE        0.49                // of the capture rate: carriers beyond are not there
#define ITERATIONS  8                   // of the first pass
#define PASSES      3                   // with a new channel estimate each
#define PASSES_PRIOR 2
#define PASS_ITER   4
#define LINE_S_HZ   7.395e-12           // a candidate's line: 1.7038 samples per carrier
#define EDGE_HZ     1.9e6               // room a group of five slices has when it is not the last
#define OUTWARD_HZ  2.0e6
#define SHELVED     8                   // frames on their way to who takes them; more are made
#define COVER_MIN   0.3                 // of a symbol's samples, else it counts as missing

static bool search_tables(struct droneid_rx *rx)
{
    rx->pad = dft_alloc(DID_N);
    rx->root_b = dft_alloc(DID_ZC_LEN);
    for (int n = 0; rx->root_b && n < DID_ZC_LEN; n++)
        rx->root_b[n] = n == DID_CARRIERS / 2 ? 0 : conjf(did_zc(DID_ROOT_B, n));
    for (int q = 0; q < RX_FRACTIONS; q++) {
        rx->fraction[q] = dft_alloc(DID_N);
        for (int n = 0; rx->fraction[q] && n < DID_N; n++)
            rx->fraction[q][n] = (float complex)cexp(-2 * M_PI * I * rx_fraction(q) * n / DID_N);
        if (!rx->fraction[q])
            return false;
    }
    return rx->pad && rx->root_b;
}

struct droneid_rx *droneid_rx_new(double rate_hz)
{
    struct droneid_rx *rx = calloc(1, sizeof(*rx));
    if (!rx)
        return NULL;
    rx->rate_hz = rate_hz;
    did_tables_init(&rx->tables);
    rx->hot = did_hot();
    rx->turbo = did_turbo_new(&rx->tables);
    rx->fwd = dft_new(DID_N, DFT_FORWARD, 1);
    rx->inv = dft_new(DID_N, DFT_BACKWARD, 1);
    rx->fine = dft_new(RX_FINE * DID_N, DFT_BACKWARD, 1);
    rx->x = dft_alloc(RX_LEN);
    rx->w = dft_alloc(DID_N);
    rx->v = dft_alloc(DID_N);
    rx->y = dft_alloc(2 * RX_HALF + 1);
    rx->decodes = shelf_new(SHELVED, sizeof(struct decode));
    rx->softs = shelf_new(SHELVED, sizeof(struct droneid_soft));
    for (int i = 0; i < 2; i++)
        rx->wide[i] = dft_alloc(RX_FINE * DID_N);
    if (!rx->turbo || !rx->fwd || !rx->inv || !rx->fine || !rx->x || !rx->w || !rx->v ||
        !rx->y || !rx->decodes || !rx->softs || !rx->wide[0] || !rx->wide[1] ||
        !search_tables(rx)) {
        droneid_rx_free(rx);
        return NULL;
    }
    did_prior_flight(rx->prior[0]);
    did_prior_licence(rx->prior[1]);
    for (int i = 0; i < DID_CARRIERS; i++) {
        const uint8_t *bit = rx->tables.gold + 2 * i;   // symbol 0: zeros, scrambled afresh
        rx->zc[0][i] = did_zc(DID_ROOT_A, did_carrier(i) + 300);
        rx->zc[1][i] = did_zc(DID_ROOT_B, did_carrier(i) + 300);
        rx->pilot0[i] = (float)M_SQRT1_2 * ((bit[0] ? -1.f : 1.f) + I * (bit[1] ? -1.f : 1.f));
    }
    return rx;
}

void droneid_rx_free(struct droneid_rx *rx)
{
    if (!rx)
        return;
    did_turbo_free(rx->turbo);
    shelf_leave(rx->decodes);
    shelf_leave(rx->softs);
    dft_free(rx->fwd);
    dft_free(rx->inv);
    dft_free(rx->fine);
    free(rx->x);
    free(rx->w);
    free(rx->v);
    free(rx->y);
    free(rx->pad);
    free(rx->root_b);
    for (int q = 0; q < RX_FRACTIONS; q++)
        free(rx->fraction[q]);
    free(rx->wide[0]);
    free(rx->wide[1]);
    free(rx);
}

// Share of capture samples [n0, n1) that the cut holds.
static double cover(const struct cut *c, double n0, double n1)
{
    double got = 0, lo = fmax(n0, (double)c->n0), hi = fmin(n1, (double)c->n0 + c->n);
    for (unsigned i = 0; i < c->n_blk; i++) {
        double b0 = (double)c->blk[i]->n0, b1 = b0 + c->blk[i]->n;
        got += fmax(0, fmin(hi, b1) - fmax(lo, b0));
    }
    return got / (n1 - n0);
}

// One burst under work.
struct work {
    const struct burst *b;
    struct rx_sync      sync;
    double              n, f_hz;        // where and at which centre x was cut
    double              zero_n;         // capture index (fractional) of symbol 3's useful start
    double              step;           // capture samples per sample at DID_RATE_HZ
    double              cover[DID_SYMBOLS];
    bool                nine;
};

static void prepare(struct droneid_rx *rx, struct work *w)
{
    double f = w->f_hz + w->sync.f_hz;
    rx_carriers(rx, &w->sync);
    memset(rx->now.ref, 0, sizeof(rx->now.ref));
    for (int i = 0; i < DID_CARRIERS; i++) {
        double at = f + did_carrier(i) * DID_SPACING_HZ;
        rx->use[i] = fabs(at) < EDGE * rx->rate_hz;
        rx->now.ref[DID_SYM_A][i] = rx->zc[0][i];
        rx->now.ref[DID_SYM_B][i] = rx->zc[1][i];
    }
    for (int s = 0; s < DID_SYMBOLS; s++) {
        double at = w->zero_n + (did_symbol_at[s] - RX_ADVANCE) * w->step;
        w->cover[s] = cover(&w->b->cut, at, at + DID_N * w->step);
        rx->now.weight[s] = w->cover[s] > COVER_MIN;
    }
}

// A symbol of which only the share c is there: its carriers are c times as strong, and leak into
// each other with c (1 - c) of the power.  Scaled back, that is noise of (1 - c)/c |h|^2 + 1/c.
static void weigh_partial(struct droneid_rx *rx, const struct work *w, double snr)
{
    for (int s = 0; s < DID_SYMBOLS; s++) {
        double c = w->cover[s];
        if (!(rx->now.weight[s] > 0) || c > 0.995)
            continue;
        for (int i = 0; i < DID_CARRIERS; i++)
            rx->now.y[s][i] /= (float)c;
        rx->now.weight[s] = (float)(1 / (1 / c + (1 - c) / c * snr));
    }
}

static void channel(struct droneid_rx *rx, struct work *w)
{
    rx_channel_pilots(rx);
    double expect, snr = rx_snr(rx), evidence = rx_symbol0(rx, &expect);
    // nothing there: the evidence is exponential with mean 1; there: the SNRs of its clear carriers
    // summed, less where only a part c of the symbol was received
    double c = w->cover[0];
    expect *= c * c / (c + (1 - c) * c * snr + 1e-9);
    w->nine = evidence > fmax(9, 0.25 * expect);
    if (w->nine)
        memcpy(rx->now.ref[0], rx->pilot0, sizeof(rx->now.ref[0]));
    else
        rx->now.weight[0] = 0;
    weigh_partial(rx, w, snr);
}

// Decodes from the channel as it is known; each further pass estimates it anew from what the last
// one believed.  prior: NULL, or LLRs of the information bits.
static int passes(struct droneid_rx *rx, const float *prior, int more, uint8_t block[DID_BLOCK])
{
    for (int pass = 0; pass <= more; pass++) {
        if (pass) {
            rx_remap(rx);
            rx_channel_all(rx);
        }
        rx_demap(rx);
        did_rate_recover(&rx->tables, rx->air, rx->llr);
        if (did_turbo_run(rx->turbo, (const float (*)[DID_STREAM])rx->llr, prior,
                          pass ? PASS_ITER : ITERATIONS, !pass, block))
            return 1;
    }
    return 0;
}

static int decode(struct droneid_rx *rx, uint8_t block[DID_BLOCK])
{
    rx_demap(rx);                       // kept for the track thread: what the preambles alone gave
    did_rate_recover(&rx->tables, rx->air, rx->first);
    memcpy(&rx->saved, &rx->now, sizeof(rx->now));
    if (passes(rx, NULL, PASSES, block))
        return 1;
    for (int kind = 0; kind < 2; kind++) {
        memcpy(&rx->now, &rx->saved, sizeof(rx->now));
        if (passes(rx, rx->prior[kind], PASSES_PRIOR, block))
            return 1;
    }
    return 0;
}

static void tell(const struct droneid_rx *rx, const struct work *w, struct finding *f)
{
    struct droneid_seen *d = &f->droneid;
    double snr = rx_snr(rx), rho = (w->sync.rho_a + w->sync.rho_b) / 2;
    double gain = fmax(DID_CARRIERS * snr, 1), start = w->nine ? DID_START_9 : DID_START_8;
    double n = w->zero_n + start * w->step;
    d->seen = true;
    d->symbols = w->nine ? 9 : 8;
    d->metric = rho;
    d->verified = rx->trace.margin >= 1;
    for (int s = w->nine ? 0 : 1; s < DID_SYMBOLS; s++)
        d->cut |= w->cover[s] < 0.995;
    d->cut |= w->cover[0] < 0.5;        // and whether there was a symbol 0 cannot be said
    // Cramer-Rao: delay over a flat spectrum of 9 MHz, frequency over the burst's length
    d->t_s = (struct meas){ fmax(n, 0) / rx->rate_hz,
                            sqrt(3 / (2 * M_PI * M_PI * gain)) / DID_BW_HZ + 1e-9 };
    d->freq_hz = (struct meas){ w->b->centre_hz + w->f_hz + w->sync.f_hz,
                                sqrt(6 / gain) / (2 * M_PI * 300e-6) + 1 };
    d->snr_db = (struct meas){ 10 * log10(fmax(snr, 1e-3)),
                               4.34 * sqrt((1 + 2 / gain) / 300) + 0.1 };
}

static void read_frame(struct droneid_rx *rx, struct finding *f)
{
    uint8_t block[DID_BLOCK];
    struct decode d;
    if (decode(rx, block) && did_frame(block, &d)) {
        d.t_s = f->droneid.t_s;
        d.freq_hz = f->droneid.freq_hz;
        d.snr_db = f->droneid.snr_db.v;
        f->droneid.crc_ok = true;
        f->decode = shelf_get(rx->decodes);
        if (f->decode) {
            *f->decode = d;
            f->n_decode = 1;
        }
        return;
    }
    f->soft = shelf_get(rx->softs);
    if (f->soft)
        memcpy(f->soft->llr, rx->first, sizeof(f->soft->llr));
}

// To mean power 1, so that no product leaves the range of floats whatever the input's scale;
// false for silence.
static bool normalise(float complex *x, size_t n)
{
    double p = 0;
    for (size_t i = 0; i < n; i++)
        p += (double)crealf(x[i]) * crealf(x[i]) + (double)cimagf(x[i]) * cimagf(x[i]);
    double scale = sqrt((double)n / p);
    if (!(p > 0) || !isfinite(scale))
        return false;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(scale * crealf(x[i])) + I * (float)(scale * cimagf(x[i]));
    return true;
}

// Looks for the pair with x centred at f_hz, a place on the candidate's line of time and frequency.
static int find_at(struct droneid_rx *rx, struct work *w, double f_hz)
{
    const struct burst *b = w->b;
    w->f_hz = f_hz;
    w->n = b->droneid.zc_n - (f_hz - b->droneid.zc_f_hz) * LINE_S_HZ * rx->rate_hz;
    ddc_run(&b->cut, rx->rate_hz, f_hz, w->n - (double)b->cut.n0 - RX_ZERO * w->step, DID_RATE_HZ,
            PASS_HZ, rx->x, RX_LEN);
    return normalise(rx->x, RX_LEN) ? rx_find(rx, &w->sync) : -ENOENT;
}

// A burst that reaches beyond the capture looks to the correlator like one further in: there, the
// place further out is tried as well.
static int find(struct droneid_rx *rx, struct work *w)
{
    double f = w->b->droneid.zc_f_hz, room = rx->rate_hz / 2 - fabs(f) - DID_BW_HZ / 2;
    struct work in = *w, out = *w;
    int r = find_at(rx, &in, f);
    if (room < EDGE_HZ) {
        int r_out = find_at(rx, &out, f + copysign(OUTWARD_HZ, f));
        if (r_out == 0 && (r < 0 || out.sync.score > in.sync.score)) {
            *w = out;
            return 0;
        }
        if (r == 0)
            r = find_at(rx, &in, f);                    // its samples again
    }
    *w = in;
    return r;
}

void droneid_receive(struct droneid_rx *rx, const struct burst *b, enum droneid_mode mode,
                     struct finding *f)
{
    struct work w = { .b = b, .step = rx->rate_hz / DID_RATE_HZ };
    rx->trace = (struct rx_trace){ 0 };
    if (mode == DRONEID_OFF || !(b->hyp & HYP_DRONEID) || !b->cut.n || find(rx, &w) < 0)
        return;
    w.zero_n = w.n + (w.sync.t - RX_ZERO) * w.step;
    prepare(rx, &w);
    channel(rx, &w);
    rx->trace.rho_a = w.sync.rho_a;
    rx->trace.rho_b = w.sync.rho_b;
    rx->trace.margin = rx_structure(rx, &w.sync, w.cover, w.nine, b->droneid.metric);
    tell(rx, &w, f);
    if (mode == DRONEID_DECODE)
        read_frame(rx, f);
}
