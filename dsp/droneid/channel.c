// SPDX-License-Identifier: GPL-3.0-or-later
// Channel and noise per carrier, first from the known symbols, then from all that is believed.
//
// Each known symbol gives one noisy look at every carrier's channel; looks are added and smoothed
// over neighbouring carriers with a Hann window.  How wide it may be is asked of the burst itself:
// that width is best at which one half of the looks predicts the other half best.
//
// What moves between symbols - a rest of carrier error, a clock that runs at another rate - turns
// each symbol a little more, or tilts it over the carriers; both are fitted as a line over time
// and taken off y in place.
#include "dsp/droneid/rx.h"

#include <math.h>
#include <string.h>

#define N_WIDTH 64                      // noise varies slowly unless a narrow signal sits in it,
#define N_NARROW 10                     // which shows by this
#define N_OVER  3.f
#define TILT_MAX 0.4                    // 100 ppm
static const int widths[] = { 3, 5, 8, 12, 20, 36, 64 };
#define WIDTHS ((int)(sizeof(widths) / sizeof(*widths)))

// Looks at the channel on the whole grid with margins: rows of real and imaginary parts of the
// weighted sum, and of the weights.
enum row { RE, IM, DEN };

static int grid(int i) { return SMOOTH_MAX + (i < DID_CARRIERS / 2 ? i : i + 1); }
static float norm2(float complex a) { return crealf(a) * crealf(a) + cimagf(a) * cimagf(a); }

static void look_add(struct smooth_in *l, const struct droneid_rx *rx, int sym, float weight)
{
    for (int i = 0; i < DID_CARRIERS; i++) {
        float w = weight * rx->now.clear[sym][i];
        if (!rx->use[i] || !(w > 0))
            continue;
        float complex g = w * rx->now.y[sym][i] * conjf(rx->now.ref[sym][i]);
        l->row[RE][grid(i)] += crealf(g);
        l->row[IM][grid(i)] += cimagf(g);
        l->row[DEN][grid(i)] += w * norm2(rx->now.ref[sym][i]);
    }
}

// Weighted mean under a Hann window of 2 width - 1 carriers, ends as far as there are any.
static void smooth(const struct droneid_rx *rx, const struct smooth_in *l, int width,
                   float complex *h)
{
    struct smooth_out o;
    rx->hot->smooth(l, width, &o);
    for (int i = 0; i < DID_CARRIERS; i++) {
        int g = grid(i) - SMOOTH_MAX;
        h[i] = o.row[DEN][g] > 1e-9f ? (o.row[RE][g] + I * o.row[IM][g]) / o.row[DEN][g] : 0;
    }
}

// How badly looks a (smoothed) foretell looks b: sum over carriers, weighted as b is.
static double misfit(const struct droneid_rx *rx, const struct smooth_in *a,
                     const struct smooth_in *b, int width)
{
    float complex h[DID_CARRIERS];
    double e = 0;
    smooth(rx, a, width, h);
    for (int i = 0; i < DID_CARRIERS; i++) {
        int g = grid(i);
        if (b->row[DEN][g] > 1e-9f)
            e += norm2(b->row[RE][g] + I * b->row[IM][g] - h[i] * b->row[DEN][g]) / b->row[DEN][g];
    }
    return e;
}

static void estimate(struct droneid_rx *rx, const struct smooth_in *a, const struct smooth_in *b)
{
    struct smooth_in all;
    double best = INFINITY;
    rx->now.width = widths[0];
    for (int w = 0; w < WIDTHS; w++) {
        double e = misfit(rx, a, b, widths[w]) + misfit(rx, b, a, widths[w]);
        if (e < best) {
            best = e;
            rx->now.width = widths[w];
        }
    }
    for (int r = 0; r < 3; r++)
        for (int g = 0; g < SMOOTH_LEN + 2 * SMOOTH_MAX; g++)
            all.row[r][g] = a->row[r][g] + b->row[r][g];
    // two halves foretold each other; both together carry twice as much and bear a narrower window
    smooth(rx, &all, rx->now.width, rx->now.h);
}

// Smooths raw noise powers (n of them >= 0, count what they weigh) into rx->now.noise.
static void noise_set(struct droneid_rx *rx, const float *power, const float *count)
{
    struct smooth_in l = { 0 };
    float complex s[DID_CARRIERS], narrow[DID_CARRIERS];
    double sum = 0, n = 0;
    for (int i = 0; i < DID_CARRIERS; i++) {
        l.row[RE][grid(i)] = power[i];
        l.row[DEN][grid(i)] = count[i];
        sum += power[i];
        n += count[i];
    }
    double mean = n > 0 ? sum / n : 1;
    smooth(rx, &l, N_NARROW, narrow);
    smooth(rx, &l, N_WIDTH, s);
    for (int i = 0; i < DID_CARRIERS; i++)              // once more without what stands out
        if (crealf(narrow[i]) > N_OVER * crealf(s[i]) || crealf(narrow[i]) > N_OVER * mean)
            l.row[RE][grid(i)] = l.row[DEN][grid(i)] = 0;
    smooth(rx, &l, N_WIDTH, s);
    for (int i = 0; i < DID_CARRIERS; i++) {
        float v = crealf(s[i]), near = crealf(narrow[i]);
        v = near > N_OVER * v ? near : v;
        rx->now.noise[i] = fmaxf(v, (float)(0.1 * fmin(mean, v > 0 ? v : mean)) + 1e-30f);
    }
}

// Turns symbol i by -theta and takes a delay of tau samples off.
static void turn(struct droneid_rx *rx, int sym, double theta, double tau)
{
    double per = 2 * M_PI * tau / DID_N;
    for (int i = 0; i < DID_CARRIERS; i++) {
        double ph = per * did_carrier(i) - theta;
        rx->now.y[sym][i] *= (float)cos(ph) + I * (float)sin(ph);
    }
}

// ---- from the known symbols --------------------------------------------------------------------

static void pilot_noise(struct droneid_rx *rx)
{
    float power[DID_CARRIERS], count[DID_CARRIERS];
    for (int i = 0; i < DID_CARRIERS; i++) {
        float complex a = rx->now.y[DID_SYM_A][i] * conjf(rx->now.ref[DID_SYM_A][i]);
        float complex b = rx->now.y[DID_SYM_B][i] * conjf(rx->now.ref[DID_SYM_B][i]);
        // an intruder in one of them says nothing of the noise
        bool clean = rx->use[i] && rx->now.clear[DID_SYM_A][i] >= 1 &&
                     rx->now.clear[DID_SYM_B][i] >= 1;
        count[i] = clean;
        power[i] = clean ? norm2(a - b) / 2 : 0;
    }
    noise_set(rx, power, count);
}

// A symbol that holds far more than channel and noise explain was hit by something else.
static void weigh_by_power(struct droneid_rx *rx)
{
    for (int s = 0; s < DID_SYMBOLS; s++) {
        double rel = 0, n = 0;
        for (int i = 0; i < DID_CARRIERS; i++)
            if (rx->use[i] && rx->now.clear[s][i] >= 1) {
                rel += (norm2(rx->now.y[s][i]) - 1.2 * norm2(rx->now.h[i])) / rx->now.noise[i];
                n++;
            }
        if (n > 0 && rx->now.weight[s] > 0 && rel / n > 1.2)
            rx->now.weight[s] *= (float)(n / rel);
    }
}

// How the second preamble stands against the first, below and above the middle.
static void between(const struct droneid_rx *rx, float complex half[2])
{
    half[0] = half[1] = 0;
    for (int i = 0; i < DID_CARRIERS; i++)
        if (rx->use[i])
            half[i >= DID_CARRIERS / 2] +=
                rx->now.clear[DID_SYM_A][i] * rx->now.clear[DID_SYM_B][i] *
                rx->now.y[DID_SYM_B][i] * conjf(rx->now.ref[DID_SYM_B][i]) *
                conjf(rx->now.y[DID_SYM_A][i] * conjf(rx->now.ref[DID_SYM_A][i]));
}

static void from_pilots(struct droneid_rx *rx)
{
    struct smooth_in a = { 0 }, b = { 0 };
    look_add(&a, rx, DID_SYM_A, 1);
    look_add(&b, rx, DID_SYM_B, 1);
    estimate(rx, &a, &b);
    pilot_noise(rx);
}

void rx_channel_pilots(struct droneid_rx *rx)
{
    float complex half[2];
    rx_cells_power(rx);
    between(rx, half);
    double slope = cargf(half[0] + half[1]) / did_symbol_at[DID_SYM_B];
    for (int i = 0; i < DID_SYMBOLS; i++)
        turn(rx, i, slope * did_symbol_at[i], 0);
    from_pilots(rx);
    // a clock that runs at another rate, where it shows: 20 ppm tilt the second by 0.08 rad
    double snr = fmax(rx_snr(rx), 1e-3), tilt = cargf(half[1] * conjf(half[0]));
    if (fabs(tilt) > 3 * sqrt((1 / snr + 0.5 / (snr * snr)) / (DID_CARRIERS / 2)) &&
        fabs(tilt) < TILT_MAX) {
        double tau = -tilt * DID_N / (2 * M_PI * (DID_CARRIERS / 2)) / did_symbol_at[DID_SYM_B];
        for (int i = 0; i < DID_SYMBOLS; i++)
            turn(rx, i, 0, tau * did_symbol_at[i]);
        from_pilots(rx);
    }
    weigh_by_power(rx);
    rx_cells_settle(rx);
}

double rx_symbol0(struct droneid_rx *rx, double *ret_expect)
{
    double complex s = 0;
    double e = 0;
    for (int i = 0; i < DID_CARRIERS; i++)
        if (rx->use[i]) {
            double w = rx->now.clear[0][i] / rx->now.noise[i];
            s += w * rx->now.y[0][i] * conjf(rx->pilot0[i] * rx->now.h[i]);
            e += w * norm2(rx->now.h[i]);
        }
    *ret_expect = e;
    return e > 0 ? (creal(s) * creal(s) + cimag(s) * cimag(s)) / e : 0;
}

double rx_snr(const struct droneid_rx *rx)
{
    float noise[DID_CARRIERS];
    double p = 0, looks = 0;
    int used = 0;
    for (int i = 0; i < DID_CARRIERS; i++)
        if (rx->use[i]) {
            p += norm2(rx->now.h[i]);
            noise[used++] = rx->now.noise[i];
        }
    // the middle one: an intruder on some carriers is not noise
    double n = used ? (double)used * rx_median(noise, used) : 0;
    for (int s = 0; s < DID_SYMBOLS; s++)
        for (int i = 0; i < DID_CARRIERS; i++)
            looks += rx->now.weight[s] > 0 ? norm2(rx->now.ref[s][i]) / DID_CARRIERS : 0;
    // the estimate of h carries noise itself: 0.75 / width of it (Hann), over the looks
    p -= n * fmin(0.75 / rx->now.width / fmax(looks, 1), 1);
    return n > 0 && p > 0 ? p / n : 0;
}

// ---- from everything believed ------------------------------------------------------------------

struct drift { double phase, delay, trust; };

// How symbol s stands against h: phase, and delay from the phases of its two halves.
static struct drift drift_of(const struct droneid_rx *rx, int s)
{
    double complex half[2] = { 0 };
    for (int i = 0; i < DID_CARRIERS; i++)
        if (rx->use[i])
            half[i >= DID_CARRIERS / 2] += rx->now.clear[s][i] / rx->now.noise[i] *
                rx->now.y[s][i] * conjf(rx->now.h[i] * rx->now.ref[s][i]);
    double trust = cabs(half[0] + half[1]) * rx->now.weight[s];
    return (struct drift){
        carg(half[0] + half[1]),
        -carg(half[1] * conj(half[0])) * DID_N / (2 * M_PI * DID_CARRIERS / 2), trust,
    };
}

static void undrift(struct droneid_rx *rx)
{
    struct drift d[DID_SYMBOLS];
    double n = 0, p = 0, pp = 0, f = 0, fp = 0, t = 0, tp = 0;
    for (int s = 0; s < DID_SYMBOLS; s++) {
        d[s] = drift_of(rx, s);
        // a symbol that has turned by more than a quarter is not understood yet
        if (!(fabs(d[s].phase) < M_PI / 4))
            d[s].trust = 0;
        double at = did_symbol_at[s], w = d[s].trust;
        n += w;
        p += w * at;
        pp += w * at * at;
        f += w * d[s].phase;
        fp += w * at * d[s].phase;
        t += w * d[s].delay;
        tp += w * at * d[s].delay;
    }
    double var = n * pp - p * p;
    if (!(n > 0 && var > 0))
        return;
    double b_f = (n * fp - p * f) / var, b_t = (n * tp - p * t) / var;
    for (int s = 0; s < DID_SYMBOLS; s++)
        turn(rx, s, b_f * (did_symbol_at[s] - p / n), b_t * (did_symbol_at[s] - p / n));
}

float rx_left_over(const struct droneid_rx *rx, int s, int i)
{
    float complex h = rx->now.h[i], y = rx->now.y[s][i];
    float e = norm2(y) - 2 * crealf(y * conjf(h * rx->now.ref[s][i])) + norm2(h);
    return fmaxf(e, 0);
}

static void noise_all(struct droneid_rx *rx)
{
    float power[DID_CARRIERS] = { 0 }, count[DID_CARRIERS] = { 0 };
    for (int s = 0; s < DID_SYMBOLS; s++)
        for (int i = 0; i < DID_CARRIERS; i++)
            if (rx->use[i] && rx->now.weight[s] > 0 && rx->now.clear[s][i] > 0.7f) {
                power[i] += rx->now.weight[s] * rx_left_over(rx, s, i);
                count[i] += 1;
            }
    noise_set(rx, power, count);
    for (int s = 0; s < DID_SYMBOLS; s++) {
        double rel = 0, n = 0;
        for (int i = 0; i < DID_CARRIERS; i++)
            if (rx->use[i] && rx->now.clear[s][i] > 0.7f) {
                rel += rx_left_over(rx, s, i) / rx->now.noise[i];
                n++;
            }
        if (rx->now.weight[s] > 0 && n > 0)
            rx->now.weight[s] = (float)(1 / fmax(rel / n, 0.5));
    }
}

void rx_channel_all(struct droneid_rx *rx)
{
    struct smooth_in l[2] = { 0 };
    undrift(rx);
    for (int s = 0; s < DID_SYMBOLS; s++)
        look_add(&l[s & 1], rx, s, rx->now.weight[s]);
    estimate(rx, &l[0], &l[1]);
    noise_all(rx);
    rx_cells_residual(rx);
}
