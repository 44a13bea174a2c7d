// SPDX-License-Identifier: GPL-3.0-or-later
// The access address of advertisements, by its phase steps.
//
//     bits    0 1 0 1 0 1 0 1 | 0 1 1 0 1 0 1 1 ... | header, payload, check: not looked into
//     steps    \ / \ / ...      forty, 1 us apart, of length one
//
// Sum of the steps turned back by those the address has: k in step, a random walk in noise
// (walk.h).  A step is a bit, so data that is something else's 1 Mb/s passes where it differs in
// three bits of 40 at most: 2e-8 a bit.  That, not noise, sets the threshold.
//
// How long it goes on is not looked at: it is told as long as the shortest there is.
#include "dsp/stand/ble.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE_HZ    2e6          // of a channel, at least: two samples a bit
#define ROLL       0.4          // the filter's edge, as a share of its half width to either side
#define WIDE_HZ    1e6          // of a transmission
#define USABLE     0.98         // of the capture's width
#define FINE       8            // per us, for the address's own waveform
#define BITS       40
#define RHO        0.81         // see above: 36 of 40 in step give 0.8
#define NEAR_US    20.0         // of two peaks the larger counts
#define LEAST_S    128e-6       // preamble, address, header, who sends it, check

static const double channels_hz[BLE_CHANNELS] = { 2402e6, 2426e6, 2480e6 };

// Bit i as it is sent: preamble 0xaa, then 0x8e89bed6, least significant first.
static int bit(int i)
{
    return i < 0 || i >= BITS ? 0 : i < 8 ? i % 2 : (int)(0x8e89bed6u >> (i - 8) & 1);
}

// Frequency of a Gaussian-shaped (BT 0.5) square of one bit around 0, in deviations.
static double pulse(double t_us)
{
    double a = M_PI * 0.5 * sqrt(2 / M_LN2);
    return 0.5 * (erf(a * (t_us + 0.5)) - erf(a * (t_us - 0.5)));
}

// Of preamble and address from `first` us on, FINE to a us.
static void make_wave(float complex *x, int n, double first)
{
    double phase = 0;
    for (int i = 0; i < n; i++) {
        double t = first + (double)i / FINE, f = 0;
        for (int k = 0; k < BITS; k++)
            f += (bit(k) ? 1 : -1) * pulse(t - k - 0.5);
        phase += 0.25 * f / FINE;           // a deviation of 250 kHz: a quarter of a turn a bit
        x[i] = cexpf(2 * (float)M_PI * I * (float)phase);
    }
}

// Half power where noise BLE_DELAY samples apart is independent.
static double half_hz(const struct ble *b) { return b->chan_hz / (2 * BLE_DELAY); }

static double gain(const struct ble *b, double f_hz)
{
    double a = fabs(f_hz) / half_hz(b);
    return a < 1 - ROLL ? 1 : a > 1 + ROLL ? 0 : cos(M_PI / 4 * (a - (1 - ROLL)) / ROLL);
}

#define LASTS 8                 // us, of the filter's response

// The waveform behind the channel's filter, at t us.
static float complex filtered(const struct ble *b, const float complex *x, int n, double first,
                              double t)
{
    double complex sum = 0;
    for (int i = 0; i < n; i++) {
        double tau = t - first - (double)i / FINE, h = 0;
        if (fabs(tau) > LASTS)
            continue;
        for (double f = 0.025; f < 0.8; f += 0.05)      // MHz
            h += gain(b, f * 1e6) * cos(2 * M_PI * f * tau);
        sum += h * x[i];
    }
    return (float complex)sum;
}

#define AROUND 4                // us to either side of what is looked at

static void make_steps(struct ble *b)
{
    enum { N = (BITS + 2 * AROUND) * FINE };
    float complex wave[N], y[BLE_STEPS + 1];
    double step_us = BLE_DELAY / b->chan_hz * 1e6;
    b->first_us = 0.5;
    b->steps = (unsigned)((BITS - 1) / step_us);
    b->steps = b->steps < BLE_STEPS ? b->steps : BLE_STEPS;
    make_wave(wave, N, -AROUND);
    for (unsigned k = 0; k <= b->steps; k++)
        y[k] = filtered(b, wave, N, -AROUND, b->first_us + k * step_us);
    for (unsigned k = 0; k < b->steps; k++) {
        float complex q = y[k + 1] * conjf(y[k]);
        b->w[k] = conjf(q) / cabsf(q);
    }
    b->limit = RHO * RHO * b->steps * b->steps;
}

int ble_init(struct ble *b, double rate_hz, unsigned n)
{
    *b = (struct ble){ .rate_hz = rate_hz, .n = n, .op = walk_ops() };
    b->points = chan_points(rate_hz, n, RATE_HZ);
    if (!b->points)
        return 0;               // too narrow for a channel
    double bin_hz = rate_hz / n;
    b->chan_hz = b->points * bin_hz;
    b->inv = dft_new(b->points, DFT_BACKWARD, 1);
    b->window = calloc(2 * b->points, sizeof *b->window);
    if (!b->inv || !b->window) {
        ble_done(b);
        return -ENOMEM;
    }
    int half = (int)b->points / 2;
    for (int i = -half; i < half; i++)
        b->window[2 * (i + half)] = b->window[2 * (i + half) + 1] =
            (float)(gain(b, i * bin_hz) / n);
    make_steps(b);
    return 0;
}

static void channels_done(struct ble *b)
{
    for (unsigned i = 0; i < b->channels; i++) {
        struct ble_chan *c = &b->chan[i];
        chan_done(&c->c);
        free(c->x);
        free(c->re);
        free(c->im);
        free(c->p);
        *c = (struct ble_chan){ 0 };
    }
    b->channels = 0;
}

void ble_done(struct ble *b)
{
    channels_done(b);
    dft_free(b->inv);
    free(b->window);
    *b = (struct ble){ 0 };
}

static int channel_new(struct ble *b, double f_hz)
{
    struct ble_chan *c = &b->chan[b->channels++];
    int r = chan_init(&c->c, b->rate_hz, b->n, b->points, f_hz, b->inv, b->window);
    c->kept = BLE_STEPS * BLE_DELAY + 16;       // what is not matched yet for want of the rest
    size_t room = c->kept + c->c.hop + 64;
    c->x = dft_alloc(c->c.hop + BLE_DELAY);
    c->re = calloc(room, sizeof *c->re);
    c->im = calloc(room, sizeof *c->im);
    c->p = calloc(room, sizeof *c->p);
    return r ? r : c->x && c->re && c->im && c->p ? 0 : -ENOMEM;
}

int ble_tune(struct ble *b, double centre_hz)
{
    int r = 0;
    channels_done(b);
    for (unsigned i = 0; i < BLE_CHANNELS && b->points && !r; i++) {
        double f = channels_hz[i] - centre_hz;
        if (fabs(f) + (1 + ROLL) * half_hz(b) < USABLE * b->rate_hz / 2)
            r = channel_new(b, f);
    }
    if (r)
        channels_done(b);
    return r;
}

void ble_restart(struct ble *b)
{
    for (unsigned i = 0; i < b->channels; i++) {
        struct ble_chan *c = &b->chan[i];
        memset(c->x, 0, BLE_DELAY * sizeof *c->x);
        memset(c->re, 0, c->kept * sizeof *c->re);
        memset(c->im, 0, c->kept * sizeof *c->im);
        c->have = 0;
        c->peak = 0;
    }
}

// ---- Candidates ---------------------------------------------------------------------------------

// The peak.  Step s of the stream ends at sample s of it, which is at zero + s * per.
static void tell_peak(const struct ble *b, struct ble_chan *c, double zero, struct stand_list *out)
{
    double turn = cargf(c->peak_sum) / (2 * M_PI), rho = sqrt(c->peak) / b->steps;
    double n0 = zero + (double)(c->peak_at - BLE_DELAY) * c->c.per;
    n0 -= b->first_us * 1e-6 * b->rate_hz;
    c->peak = 0;
    if (out->n == STAND_MAX) {
        out->dropped++;
        return;
    }
    // two samples of noise: the mean step is exp(-1 / (2 SNR)) long
    double snr = -0.5 / log(fmin(rho, 0.998));
    out->c[out->n++] = (struct stand_cand){
        .kind = STAND_BLE, .n0 = n0, .n1 = n0 + LEAST_S * b->rate_hz, .bw_hz = WIDE_HZ,
        .f_hz = c->c.f_hz + turn * b->chan_hz / BLE_DELAY, .metric = rho * rho,
        .snr_db = 10 * log10(snr),
    };
}

static float complex sum_at(const struct ble *b, const float *re, const float *im)
{
    float complex sum = 0;
    for (unsigned k = 0; k < b->steps; k++)
        sum += (re[k * BLE_DELAY] + I * im[k * BLE_DELAY]) * b->w[k];
    return sum;
}

// Looks through sums that begin at steps [at, at + n).
static void look(const struct ble *b, struct ble_chan *c, const float *re, const float *im,
                 int64_t at, unsigned n, double zero, struct stand_list *out)
{
    int64_t near = (int64_t)(NEAR_US * 1e-6 * b->chan_hz);
    for (unsigned i = 0; i < n; i++) {
        if (c->peak > 0 && at + i - c->peak_at > near)
            tell_peak(b, c, zero, out);
        if (c->p[i] > b->limit && c->p[i] > c->peak) {
            c->peak = c->p[i];
            c->peak_at = at + i;
            c->peak_sum = sum_at(b, re + i, im + i);
        }
    }
}

static void channel(struct ble *b, struct ble_chan *c, const struct wide_spec *s,
                    struct stand_list *out)
{
    const float complex *x = chan_block(&c->c, s);
    unsigned hop = c->c.hop, kept = c->kept;
    memcpy(c->x + BLE_DELAY, x, hop * sizeof *x);
    b->op->steps(c->x, BLE_DELAY, hop, c->re + kept, c->im + kept);
    memcpy(c->x, c->x + hop, BLE_DELAY * sizeof *x);
    // step number c->have stands at `kept` and ends at this block's first sample
    double zero = c->c.zero - (double)c->have * c->c.per;
    unsigned whole = hop / 16 * 16 + (hop % 16 ? 16 : 0);
    b->op->match(c->re, c->im, b->w, b->steps, BLE_DELAY, whole, c->p);
    if (b->on_power)
        b->on_power(b->on_power_arg, c->p, hop);
    look(b, c, c->re, c->im, (int64_t)c->have - kept, hop, zero, out);
    memmove(c->re, c->re + hop, kept * sizeof *c->re);
    memmove(c->im, c->im + hop, kept * sizeof *c->im);
    c->have += hop;
}

void ble_spec(struct ble *b, const struct wide_spec *s, struct stand_list *out)
{
    for (unsigned i = 0; i < b->channels; i++)
        channel(b, &b->chan[i], s, out);
}

void ble_end(struct ble *b, struct stand_list *out)
{
    for (unsigned i = 0; i < b->channels; i++) {
        struct ble_chan *c = &b->chan[i];
        if (c->peak > 0)
            tell_peak(b, c, c->c.zero - ((double)c->have - c->c.hop) * c->c.per, out);
    }
}
