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
// Blocks of the transform lie on a grid fixed to the first sample (or the first after a gap), so
// the outcome does not depend on how samples arrive.
#include "dsp/droneid/corr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/burst.h"
#include "dsp/droneid/droneid.h"
#include "dsp/fft.h"
#include "hw/hw.h"

#define M          512                  // points of a slice's transform, 133 us at 3.84 MS/s
#define GUARD      48                   // of them spoilt at either end: half a slice's chirp is 7 us
#define HOP        (M - 2 * GUARD)
#define SLICE_HZ   (DID_BW_HZ / SLICES)
#define SLICES     5
#define RATE_LO_HZ 3.2e6                // of a slice; 1.8 times its width, or reading off between
#define RATE_HI_HZ 4.8e6                // samples needs long filters
#define USABLE     0.98                 // of the capture's width
#define SYMBOL_S   (1 / DID_SPACING_HZ)
#define KAPPA      (SYMBOL_S / (DID_ZC_LEN * DID_SPACING_HZ))   // s per Hz: 7.4 us per MHz

#define SIDE       128                  // samples of level to either side
#define HISTORY    1152                 // SIDE + TAPS + five slices' delay of 64 at most, twice, + HOP
#define BLOCKS     4                    // hops kept before history is moved
#define CAP        (HISTORY + BLOCKS * HOP)
#define SPAN       (HOP + 2 * SIDE)
#define STEPS      12                   // places between two samples in step 2
#define TAPS       8
#define PASS_1     2.8f                 // five exponentials: 5e-4 of samples
#define PASS_2     21.0                 // exp(-21) = 8e-10
#define PER_BLOCK  24                   // step 2 at most so often per centre and block
#define MERGE_S    10e-6
#define GHOST      0.15                 // 0.06 on recordings: a quarter of the band, twice
#define GHOST_S    3e-6
#define PENDING    1024

struct pend {
    double out, at;                     // common time (slice samples), of the symbol (capture's)
    double f, score, metric;
    bool   told;
};

struct dcorr {
    double          rate_hz, slice_rate_hz, bin_hz;
    unsigned        dec, n, width, slices;              // slices 0: rate too low
    int             bin0;                               // of slice 0
    const struct corr_ops *op;
    struct fft     *fwd, *inv;
    float complex  *in, *spec, *bins, *filter, *s;      // s, p: CAP per slice
    float          *p;
    float complex (*read)[STEPS + 1][TAPS];             // per slice: read-off between samples
    int            *delay;                              // of slice j, samples of its rate
    unsigned        fill;                               // samples in in[]
    int64_t         base;                               // capture index of in[0] of block 0
    uint64_t        blocks;                             // transformed since base
    uint64_t        next;                               // capture index expected
    unsigned        have;                               // samples in each slice's buffer
    struct pend     pend[PENDING];
    unsigned        n_pend;
    uint64_t        dropped;
};

static const struct corr_ops *ops(void)
{
#ifdef __x86_64__
    extern const struct corr_ops corr_ops_v2, corr_ops_v3, corr_ops_v4;
#endif
    extern const struct corr_ops corr_ops_plain;
    switch (hw_isa()) {
#ifdef __x86_64__
    case HW_ISA_X86_V4: return &corr_ops_v4;
    case HW_ISA_X86_V3: return &corr_ops_v3;
    case HW_ISA_X86_V2: return &corr_ops_v2;
#endif
    default:            return &corr_ops_plain;
    }
}

// ---- Making ------------------------------------------------------------------------------------

static unsigned largest_prime(unsigned n)
{
    unsigned top = 1;
    for (unsigned p = 2; p <= n; p++)
        for (; n % p == 0; n /= p)
            top = p;
    return top;
}

// Samples per slice sample: small primes make fast transforms.
static unsigned choose_dec(double rate)
{
    unsigned best = 0, prime = 1000;
    for (unsigned d = (unsigned)(rate / RATE_LO_HZ); d && rate / d <= RATE_HI_HZ; d--)
        if (largest_prime(d) < prime) {
            best = d;
            prime = largest_prime(d);
        }
    return best;
}

static float complex cis(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

static double slice_middle(const struct dcorr *d, double j)     // Hz; j may be fractional
{
    return (d->bin0 + (j + 0.5) * d->width) * d->bin_hz;
}

// conj of the chirp exp(j pi n (n + 1) / 601) e^(-j 2 pi f T), n = f / 15 kHz + 300, with the slice's
// whole delay taken off: it is put back where slices are read.
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
    for (int m = 0; m <= STEPS; m++)
        for (int i = 0; i < TAPS; i++) {
            double t = (double)m / STEPS - 0.5 - (i - TAPS / 2 + 1);
            double x = M_PI * t, w = cos(x / (TAPS + 1));
            double h = (fabs(x) < 1e-9 ? 1 : sin(x) / x) * w * w;
            d->read[j][m][i] = (float)h * cis(mid * t);
        }
}

static bool make(struct dcorr *d)
{
    d->fwd = fft_new(d->n, FFT_FORWARD, 1);
    d->inv = fft_new(M, FFT_BACKWARD, 1);
    d->in = fft_alloc(d->n);
    d->spec = fft_alloc(d->n);
    d->bins = fft_alloc(M);
    d->filter = fft_alloc((size_t)d->slices * d->width);
    d->s = fft_alloc((size_t)d->slices * CAP);
    d->p = calloc((size_t)d->slices * CAP, sizeof(*d->p));
    d->delay = calloc(d->slices, sizeof(*d->delay));
    d->read = calloc(d->slices, sizeof(*d->read));
    return d->fwd && d->inv && d->in && d->spec && d->bins && d->filter && d->s && d->p &&
           d->delay && d->read;
}

struct dcorr *dcorr_new(double rate_hz)
{
    struct dcorr *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->rate_hz = rate_hz;
    d->op = ops();
    d->dec = choose_dec(rate_hz);
    if (!d->dec || rate_hz * USABLE < DID_BW_HZ)
        return d;
    d->n = M * d->dec;
    d->slice_rate_hz = rate_hz / d->dec;
    d->bin_hz = rate_hz / d->n;
    d->width = (unsigned)lround(SLICE_HZ / d->bin_hz);
    d->slices = (unsigned)fmax(USABLE * d->n / d->width, SLICES);
    d->bin0 = -(int)(d->slices * d->width / 2);
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
    fft_free(d->fwd);
    fft_free(d->inv);
    free(d->in);
    free(d->spec);
    free(d->bins);
    free(d->filter);
    free(d->s);
    free(d->p);
    free(d->delay);
    free(d->read);
    free(d);
}

// ---- One block of the transform ----------------------------------------------------------------

static void slice_run(struct dcorr *d, unsigned j)
{
    float complex moved[M], tmp[M];
    int first = d->bin0 + (int)(j * d->width);
    unsigned at = (unsigned)((first % (int)d->n + (int)d->n) % (int)d->n);
    const float complex *x = d->spec + at;
    if (at + d->width > d->n) {                         // wraps from below 0 Hz to above
        memcpy(tmp, d->spec + at, (d->n - at) * sizeof(*tmp));
        memcpy(tmp + (d->n - at), d->spec, (d->width - (d->n - at)) * sizeof(*tmp));
        x = tmp;
    }
    d->op->filter(x, d->filter + (size_t)j * d->width, d->width, moved);
    // bins keep their place modulo M: the slice's samples are those of the capture's own signal
    unsigned to = (unsigned)((first % M + M) % M), head = M - to < d->width ? M - to : d->width;
    memset(d->bins, 0, M * sizeof(*d->bins));
    memcpy(d->bins + to, moved, head * sizeof(*moved));
    memcpy(d->bins, moved + head, (d->width - head) * sizeof(*moved));
    fft_run(d->inv, d->bins, d->bins);
    float complex *s = d->s + (size_t)j * CAP + d->have;
    memcpy(s, d->bins + GUARD, HOP * sizeof(*s));
    d->op->power(s, HOP, d->p + (size_t)j * CAP + d->have);
}

// ---- Candidates --------------------------------------------------------------------------------

static void pend_add(struct dcorr *d, const struct pend *c)
{
    for (unsigned i = 0; i < d->n_pend; i++) {
        struct pend *o = &d->pend[i];
        if (fabs(o->out - c->out) > MERGE_S * d->slice_rate_hz || fabs(o->f - c->f) > SLICE_HZ / 4)
            continue;
        if (c->score > o->score)
            *o = *c;
        return;
    }
    if (d->n_pend == PENDING)
        d->dropped++;
    else
        d->pend[d->n_pend++] = *c;
}

// Whether o explains c: the same burst seen from another centre, or one of the two weak ghosts a
// symbol's length away that come of the chirp being cyclic.
static bool explains(const struct dcorr *d, const struct pend *o, const struct pend *c)
{
    double dt = fabs(o->out - c->out) / d->slice_rate_hz, df = fabs(o->f - c->f);
    if (o->score <= c->score || df > DID_BW_HZ + SLICE_HZ)
        return false;
    if (dt <= MERGE_S)
        return df < 0.6 * DID_BW_HZ || c->score < 0.5 * o->score;
    return fabs(dt - SYMBOL_S) < GHOST_S && c->score < GHOST * o->score;
}

static void pend_tell(struct dcorr *d, const struct pend *c, struct cand_list *out)
{
    double per = d->rate_hz / DID_RATE_HZ, n0 = c->at + DID_START_9 * per;
    if (!(c->at >= 0) || !(c->at + DID_END * per > 0))
        return;
    if (out->n == CAND_MAX) {
        out->dropped++;
        return;
    }
    out->c[out->n++] = (struct cand){
        .hyp = HYP_DRONEID, .part = BURST_WHOLE, .n0 = n0 > 0 ? (uint64_t)n0 : 0,
        .n1 = (uint64_t)(c->at + DID_END * per) + 1,
        .f_lo_hz = c->f - DID_BW_HZ / 2, .f_hi_hz = c->f + DID_BW_HZ / 2,
        .snr_db = (float)(10 * log10(c->metric / fmax(1 - c->metric, 0.01))),
        .zc_n = c->at, .zc_f_hz = c->f, .metric = (float)c->metric,
    };
}

// Tells what can no longer be topped: everything before `limit` (common time in slice samples).
static void pend_flush(struct dcorr *d, double limit, struct cand_list *out)
{
    double old = limit - 2 * (SYMBOL_S + MERGE_S) * d->slice_rate_hz;
    unsigned kept = 0;
    for (unsigned i = 0; i < d->n_pend; i++) {
        struct pend *c = &d->pend[i];
        bool told = c->told || c->out >= limit;
        for (unsigned k = 0; k < d->n_pend && !told; k++)
            told = explains(d, &d->pend[k], c);
        if (!told)
            pend_tell(d, c, out);
        c->told |= c->out < limit;
    }
    for (unsigned i = 0; i < d->n_pend; i++)        // told ones still explain what comes soon
        if (d->pend[i].out >= old)
            d->pend[kept++] = d->pend[i];
    d->n_pend = kept;
    out->dropped += d->dropped;
    d->dropped = 0;
}

// One group of slices summed as amplitudes around sample v of its lowest slice.
struct group { unsigned low, count; double middle; };   // middle: slice number of its centre

// |sum|^2 at read-off m (0..STEPS) around sample v.
static double coherent(const struct dcorr *d, const struct group *g, int v, int m)
{
    float complex a = 0;
    for (unsigned k = 0; k < g->count; k++) {
        unsigned j = g->low + k;
        const float complex *s = d->s + (size_t)j * CAP + v - (d->delay[j] - d->delay[g->low]) -
                                 (TAPS / 2 - 1);
        for (int i = 0; i < TAPS; i++)
            a += s[i] * d->read[j][m][i];
    }
    return (double)crealf(a) * crealf(a) + (double)cimagf(a) * cimagf(a);
}

static double level(const struct dcorr *d, const struct group *g, int v)
{
    double sum = 0;
    for (unsigned k = 0; k < g->count; k++) {
        unsigned j = g->low + k;
        const float *p = d->p + (size_t)j * CAP + v - (d->delay[j] - d->delay[g->low]);
        float part = 0;
        for (int i = -SIDE; i < SIDE; i++)
            part += p[i];
        sum += part;
    }
    return sum / (2 * SIDE);
}

// v0: common time of buffer place 0 of the group's lowest slice.
static void step2(struct dcorr *d, const struct group *g, int v, double v0)
{
    double y[STEPS + 1], mean = level(d, g, v);
    int best = 0;
    for (int m = 0; m <= STEPS; m++) {
        y[m] = coherent(d, g, v, m);
        best = y[m] > y[best] ? m : best;
    }
    if (!(y[best] > PASS_2 * mean))
        return;
    double frac = 0;
    if (best > 0 && best < STEPS) {
        double bend = y[best - 1] - 2 * y[best] + y[best + 1];
        frac = bend < 0 ? 0.5 * (y[best - 1] - y[best + 1]) / bend : 0;
    }
    struct pend c = { .out = v0 + v + (best + frac) / STEPS - 0.5, .score = y[best] / mean };
    c.f = slice_middle(d, g->middle);
    c.at = (c.out / d->slice_rate_hz - KAPPA * c.f) * d->rate_hz + (double)d->base;
    // energy in a symbol's time and the burst's width is 601 * mean
    c.metric = fmin(c.score / DID_ZC_LEN, 1);
    pend_add(d, &c);
}

// Step 1 over the newest HOP samples of a group, then step 2 where it passes.
static void group_scan(struct dcorr *d, const struct group *g, float pass, int v_first, double v0)
{
    float e[SPAN], sums[SPAN / CORR_LEVEL];
    const float *p[SLICES + 1];
    int left = PER_BLOCK;
    for (unsigned k = 0; k < g->count; k++)
        p[k] = d->p + (size_t)(g->low + k) * CAP + v_first - SIDE -
               (d->delay[g->low + k] - d->delay[g->low]);
    d->op->combine(p, g->count, SPAN, e, sums);
    for (int b = 0; b < HOP / CORR_LEVEL; b++) {
        float mean = 0;
        for (int i = 0; i <= 2 * SIDE / CORR_LEVEL; i++)
            mean += sums[b + i];
        mean *= pass / (2 * SIDE + CORR_LEVEL);
        const float *q = e + SIDE + b * CORR_LEVEL;
        if (!(mean > 0) || d->op->top(q, CORR_LEVEL) <= mean)
            continue;
        for (int i = 0; i < CORR_LEVEL && left > 0; i++)
            if (q[i] > mean && q[i] >= q[i - 1] && q[i] > q[i + 1]) {
                int v = v_first + b * CORR_LEVEL + i;
                step2(d, g, v, v0);
                if (g->count == SLICES && g->low + SLICES < d->slices) {
                    struct group six = { g->low, SLICES + 1, g->middle + 0.5 };
                    step2(d, &six, v, v0);
                }
                left--;
            }
    }
}

// All groups over what the newest block brought.
static void scan(struct dcorr *d)
{
    // the level wants SIDE samples behind, reading off TAPS / 2
    int v_first = (int)d->have - HOP - SIDE - TAPS;
    double zero = (double)(int64_t)(d->blocks * HOP + GUARD) - d->have + HOP;   // of buffer place 0
    for (unsigned low = 0; low + SLICES <= d->slices; low++) {
        struct group g = { low, SLICES, low + 2 };
        group_scan(d, &g, PASS_1, v_first, zero + d->delay[low]);
    }
    // bursts of which one slice lies outside the capture
    struct group first = { 0, SLICES - 1, 1 }, last = { d->slices - SLICES + 1, SLICES - 1,
                                                        d->slices - 2.0 };
    group_scan(d, &first, PASS_1 * 1.07f, v_first, zero + d->delay[first.low]);
    group_scan(d, &last, PASS_1 * 1.07f, v_first, zero + d->delay[last.low]);
}

static void transform(struct dcorr *d, struct cand_list *out)
{
    fft_run(d->fwd, d->in, d->spec);
    d->spec[0] = 0;                     // the receiver's own offset
    if (d->have + HOP > CAP) {
        unsigned drop = d->have - HISTORY;
        for (unsigned j = 0; j < d->slices; j++) {
            memmove(d->s + (size_t)j * CAP, d->s + (size_t)j * CAP + drop, HISTORY * sizeof(*d->s));
            memmove(d->p + (size_t)j * CAP, d->p + (size_t)j * CAP + drop, HISTORY * sizeof(*d->p));
        }
        d->have = HISTORY;
    }
    for (unsigned j = 0; j < d->slices; j++)
        slice_run(d, j);
    d->have += HOP;
    scan(d);
    d->blocks++;
    // every group has scanned up to here, in common time: the lowest slice lags most
    double seen = (double)(d->blocks * HOP + GUARD) - SIDE - TAPS + d->delay[0];
    double settled = seen - (SYMBOL_S + GHOST_S + MERGE_S) * d->slice_rate_hz;
    pend_flush(d, settled, out);
    double at = (settled / d->slice_rate_hz - KAPPA * slice_middle(d, d->slices)) * d->rate_hz +
                (double)d->base + DID_END * d->rate_hz / DID_RATE_HZ;
    if (at > (double)out->done)
        out->done = (uint64_t)at;
    memmove(d->in, d->in + HOP * d->dec, 2 * GUARD * d->dec * sizeof(*d->in));
    d->fill = 2 * GUARD * d->dec;
}

// ---- Samples in ----------------------------------------------------------------------------------

static void restart(struct dcorr *d, uint64_t n)
{
    memset(d->in, 0, 2 * GUARD * d->dec * sizeof(*d->in));
    memset(d->s, 0, (size_t)d->slices * CAP * sizeof(*d->s));
    memset(d->p, 0, (size_t)d->slices * CAP * sizeof(*d->p));
    d->fill = 2 * GUARD * d->dec;       // silence before the first sample
    d->base = (int64_t)(n - d->fill);
    d->blocks = 0;
    d->have = HISTORY;
    d->next = n;
}

// Pushes silence through until everything received has been scanned, and tells all.
static void drain(struct dcorr *d, struct cand_list *out)
{
    double lag = (double)d->delay[d->slices - 1] - d->delay[0] + SIDE + TAPS + M;
    unsigned more = (unsigned)(lag / HOP) + 2;
    for (unsigned i = 0; i < more; i++) {
        memset(d->in + d->fill, 0, (d->n - d->fill) * sizeof(*d->in));
        transform(d, out);
    }
    pend_flush(d, INFINITY, out);
}

void dcorr_block(struct dcorr *d, const struct iq_block *b, struct cand_list *out)
{
    uint64_t end = b->n0 + b->n;
    if (!d->slices) {
        out->done = end > out->done ? end : out->done;
        return;
    }
    if (!d->have || b->n0 != d->next) {
        if (d->have)
            drain(d, out);
        restart(d, b->n0);
    }
    for (uint32_t off = 0; off < b->n;) {
        uint32_t take = b->n - off < d->n - d->fill ? b->n - off : d->n - d->fill;
        iq_to_cf32(b, off, take, d->in + d->fill);
        d->fill += take;
        off += take;
        if (d->fill == d->n)
            transform(d, out);
    }
    d->next = end;
}

void dcorr_flush(struct dcorr *d, struct cand_list *out)
{
    if (d->slices && d->have)
        drain(d, out);
    out->done = UINT64_MAX;
}
