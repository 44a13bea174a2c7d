// SPDX-License-Identifier: GPL-3.0-or-later
// Standing correlator: root-600 symbols at any centre in the capture, all the time.
//
// Root 600 is a chirp, and moving a chirp in frequency only delays it.  So one filter - the
// conjugate chirp over the whole capture - compresses the preamble of a burst at any centre; what
// depends on the centre is only which 9 MHz of the filtered band are summed.  The band is cut into
// slices of 1.8 MHz, each filtered and brought to about 3.8 MS/s by one small transform:
//
//     capture --FFT N--> | slice 0 | slice 1 | ...          | slice NB-1 |
//                 conj chirp, IFFT 512 each:  S0(t)  S1(t) ...
//     centre c:          |S_c ... S_c+4|   five slices are a burst's width
//
// A burst at f, first sample of its symbol at t, comes out of every one of its slices at
// t + KAPPA f, whatever centre it is looked for at.
//
// Step 1, every sample of every centre: sum of five |S|^2 against its mean over 75 us; one in some
// thousand passes.  Step 2, those: slices added as amplitudes between samples, five of them for a
// burst that fits the slices, six for one that lies half-way.  |sum|^2 over the mean is exponential
// with mean 1 in noise; the threshold is 1e-9.  What passes at one moment at several centres is one
// candidate, the strongest.
//
// A centre half a slice off costs 10 % of the band (0.9 dB); the six slices cost 0.8 dB of noise.
// Single bins far above their slice (a narrow link, a leaking oscillator) are left out.
//
// Blocks of the transform lie on a grid fixed to the first sample (or the first after a gap or at a
// new centre), so the outcome does not depend on how samples arrive.
#include "dsp/droneid/corr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/hw.h"

HW_PICK(corr_ops, corr_ops)

// ---- Making ------------------------------------------------------------------------------------

static float complex cis(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

// conj of the chirp exp(j pi n (n + 1) / 601) e^(-j 2 pi f T), n = f / 15 kHz + 300, with the
// slice's whole delay taken off: it is put back where slices are read.
static void make_filter(struct dcorr *d, unsigned j)
{
    double whole = KAPPA * slice_middle(d, j) - SYMBOL_S / 2;
    d->delay[j] = (int)lround(whole * d->slice_rate_hz);
    for (unsigned q = 0; q < d->width; q++) {
        double f = (d->bin0 + (int)(j * d->width + q)) * d->bin_hz;
        double n = f / DID_SPACING_HZ + 300;
        double turns = -n * (n + 1) / (2 * DID_ZC_LEN) + f * SYMBOL_S +
                       f * d->delay[j] / d->slice_rate_hz;
        d->filter[j * d->width + q] = cis(turns);
    }
}

// Read-off m/STEPS - 1/2 of a sample after the sample at tap TAPS/2 - 1: a windowed sinc around the
// slice's middle frequency.
static void make_read(struct dcorr *d, unsigned j)
{
    double mid = slice_middle(d, j) / d->slice_rate_hz;         // turns per slice sample
    for (int i = 0; i < TAPS; i++)
        for (int m = 0; m < CORR_READS; m++) {
            double t = (double)m / STEPS - 0.5 - (i - TAPS / 2 + 1);
            double x = M_PI * t, w = fabs(t) < (TAPS + 1) / 2.0 ? cos(x / (TAPS + 1)) : 0;
            double h = (fabs(x) < 1e-9 ? 1 : sin(x) / x) * w * w;
            float complex c = (float)h * cis(mid * t);
            d->read[j][0][i * CORR_READS + m] = crealf(c);
            d->read[j][1][i * CORR_READS + m] = cimagf(c);
        }
}

static bool make(struct dcorr *d)
{
    d->inv = dft_new(M, DFT_BACKWARD, 1);
    d->bins = dft_alloc(M);
    d->filter = dft_alloc((size_t)d->slices * d->width);
    d->s = dft_alloc((size_t)d->slices * KEPT * M);
    d->level = calloc(d->slices, sizeof(*d->level));
    d->p = calloc((size_t)d->slices * CAP, sizeof(*d->p));
    d->delay = calloc(d->slices, sizeof(*d->delay));
    d->mean = calloc(d->slices, sizeof(*d->mean));
    d->read = calloc(d->slices, sizeof(*d->read));
    return d->inv && d->bins && d->filter && d->s && d->p && d->level &&
           d->delay && d->mean && d->read;
}

struct dcorr *dcorr_new(double rate_hz)
{
    struct dcorr *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->rate_hz = rate_hz;
    d->room = FAINT_MOST;
    d->op = corr_ops();
    if (rate_hz * USABLE < DID_BW_HZ)
        return d;
    d->wide = wide_new(rate_hz);
    if (!d->wide) {
        dcorr_free(d);
        return NULL;
    }
    d->n = wide_points(d->wide);
    d->dec = d->n / M;
    d->slice_rate_hz = rate_hz / d->dec;
    d->bin_hz = rate_hz / d->n;
    d->width = (unsigned)lround(SLICE_HZ / d->bin_hz);
    d->slices = (unsigned)fmax(USABLE * d->n / d->width, SLICES);
    d->bin0 = -(int)(d->slices * d->width / 2);
    d->pass = PASS_2;
    d->faint_per_s = FAINT_PER_S;
    if (!make(d)) {
        dcorr_free(d);
        return NULL;
    }
    for (unsigned j = 0; j < d->slices; j++) {
        make_filter(d, j);
        make_read(d, j);
    }
    return d;
}

void dcorr_free(struct dcorr *d)
{
    if (!d)
        return;
    dft_free(d->inv);
    wide_free(d->wide);
    free(d->bins);
    free(d->filter);
    free(d->s);
    free(d->p);
    free(d->level);
    free(d->delay);
    free(d->mean);
    free(d->read);
    free(d);
}

// ---- One block of the transform ----------------------------------------------------------------

// The bins of slice j in one piece; tmp (M of them) holds those that wrap from below 0 Hz to above.
static const float complex *slice_bins(const struct dcorr *d, unsigned j, float complex *tmp)
{
    int first = d->bin0 + (int)(j * d->width);
    unsigned at = (unsigned)((first % (int)d->n + (int)d->n) % (int)d->n);
    if (at + d->width <= d->n)
        return d->spec + at;
    memcpy(tmp, d->spec + at, (d->n - at) * sizeof(*tmp));
    memcpy(tmp + (d->n - at), d->spec, (d->width - (d->n - at)) * sizeof(*tmp));
    return tmp;
}

// What slice j's bins may have at most: measured against the middle one of five neighbours, so that
// a signal which fills half of one slice stands out too.
static float slice_limit(const struct dcorr *d, unsigned j)
{
    unsigned lo = j < 2 ? 0 : j + 2 < d->slices ? j - 2 : d->slices - SLICES;
    float m[SLICES];
    for (unsigned i = 0; i < SLICES; i++) {             // sorted as they come
        unsigned k = i;
        for (; k > 0 && m[k - 1] > d->mean[lo + i]; k--)
            m[k] = m[k - 1];
        m[k] = d->mean[lo + i];
    }
    return STANDS_OUT * m[SLICES / 2];
}

static void slice_run(struct dcorr *d, unsigned j)
{
    float complex tmp[M];
    int first = d->bin0 + (int)(j * d->width);
    // bins keep their place modulo M: the slice's samples are those of the capture's own signal
    d->op->filter(slice_bins(d, j, tmp), d->filter + (size_t)j * d->width, slice_limit(d, j),
                  d->width, d->bins, M, (size_t)((first % M + M) % M));
    float complex *s = d->s + (j * KEPT + d->blocks % KEPT) * M;
    dft_run(d->inv, d->bins, s);
    d->op->power(s + GUARD, HOP, d->p + (size_t)j * CAP + d->have);
}

// ---- Samples through --------------------------------------------------------------------------

static void restart(struct dcorr *d, int64_t at)
{
    memset(d->s, 0, (size_t)d->slices * KEPT * M * sizeof(*d->s));
    memset(d->level, 0, d->slices * sizeof(*d->level));
    memset(d->p, 0, (size_t)d->slices * CAP * sizeof(*d->p));
    d->base = at;
    d->have = HISTORY;
}

void dcorr_spec(struct dcorr *d, const struct wide_spec *s, struct cand_list *out)
{
    if (!s->number)
        restart(d, s->at);
    d->spec = s->bin;
    d->blocks = s->number;
    if (d->have + HOP > CAP) {
        unsigned drop = d->have - HISTORY;
        for (unsigned j = 0; j < d->slices; j++)
            memmove(d->p + (size_t)j * CAP, d->p + (size_t)j * CAP + drop, HISTORY * sizeof(*d->p));
        d->have = HISTORY;
    }
    for (unsigned j = 0; j < d->slices; j++) {
        float complex tmp[M];
        d->mean[j] = d->op->geometric(slice_bins(d, j, tmp), d->width);
    }
    for (unsigned j = 0; j < d->slices; j++)
        slice_run(d, j);
    d->have += HOP;
    corr_scan(d);
    d->blocks++;
    // every group has scanned up to here, in common time: the lowest slice lags most
    double seen = (double)(d->blocks * HOP + GUARD) - SIDE - TAPS + d->delay[0];
    double settled = seen - (SYMBOL_S + GHOST_S + MERGE_S) * d->slice_rate_hz;
    corr_settle(d, settled, out);
    double at = (settled / d->slice_rate_hz - KAPPA * slice_middle(d, d->slices)) * d->rate_hz +
                (double)d->base + DID_END * d->rate_hz / DID_RATE_HZ;
    if (at > (double)out->done)
        out->done = (uint64_t)at;
}

bool dcorr_wants(const struct dcorr *d) { return d->slices > 0; }

unsigned dcorr_lag(const struct dcorr *d)
{
    double lag = (double)d->delay[d->slices - 1] - d->delay[0] + SIDE + TAPS + M;
    return (unsigned)(lag / HOP) + 2;
}

void dcorr_end(struct dcorr *d, struct cand_list *out)
{
    if (d->have)
        corr_settle(d, INFINITY, out);
    d->have = 0;
}

// ---- Samples in, where nobody else wants the transform -----------------------------------------

struct told { struct dcorr *d; struct cand_list *out; };

static void told(void *arg, const struct wide_spec *s)
{
    struct told *t = arg;
    dcorr_spec(t->d, s, t->out);
}

// Pushes silence through until everything received has been scanned, and tells all.
static void drain(struct dcorr *d, struct told *t)
{
    if (d->have)
        wide_silence(d->wide, dcorr_lag(d), told, t);
    dcorr_end(d, t->out);
}

void dcorr_block(struct dcorr *d, const struct iq_block *b, struct cand_list *out)
{
    uint64_t end = b->n0 + b->n;
    struct told t = { d, out };
    if (!d->slices) {
        out->done = end > out->done ? end : out->done;
        return;
    }
    if (wide_breaks(d->wide, b)) {
        drain(d, &t);
        wide_restart(d->wide, b);
    }
    wide_block(d->wide, b, told, &t);
}

void dcorr_flush(struct dcorr *d, struct cand_list *out)
{
    struct told t = { d, out };
    if (d->slices)
        drain(d, &t);
    out->done = UINT64_MAX;
}
