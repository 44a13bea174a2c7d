// SPDX-License-Identifier: GPL-3.0-or-later
// Start and carrier error of a DroneID burst from its two Zadoff-Chu symbols.
//
// Root 600 is a chirp: a carrier error of c carriers only moves its peak, by +1.7038 c samples, so
// a candidate is a line in the plane of time and frequency.  Root 147 moves by -250.46 c samples
// (modulo the symbol), which tells where on that line we are:
//
//     f |        /  candidate: t0 = t - 1.7038 c
//       |      *--- here root 147 stands 2192 samples behind, at its own frequency
//       |    /
//       +------------------> t
//
// Search: for four fractions of a carrier and six centres 36 carriers apart one circular
// correlation each with root 147; a shift of up to 18 whole carriers is then a known lag in it.
// The best few are measured again exactly (both roots, quarter samples).
#include "dsp/droneid/rx.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SHIFT_A   1.7038                // samples per carrier: 1024 - 1024 * 600 / 601
#define SHIFT_B   250.4626              // 1024 * 147 / 601
#define COARSE    6                     // centres of 37 carriers each: 1.6 MHz to either side
#define SPAN      18                    // whole carriers to either side of a coarse centre
#define SLACK     3                     // samples by which the candidate may be off beyond its line
#define OVER      8.f                   // of the geometric mean: 9 dB, more than channels differ
#define KEEP      10                     // hypotheses measured exactly
#define FINE      RX_FINE
#define FINE_MAX  4                     // samples to either side
#define ALIKE     0.5                   // weight of the channels' likeness in the choice
#define GAP       (did_symbol_at[DID_SYM_B] - did_symbol_at[DID_SYM_A])
// Root 147 under 4500 hypotheses of noise alone: 4500 (1 - T)^599 = 2e-3 for T = 0.0243.
#define RHO_B_MIN 0.0243

struct hyp { double carriers, rho; };

static float norm2(float complex a) { return crealf(a) * crealf(a) + cimagf(a) * cimagf(a); }

// rx->w to carriers -RX_HALF .. RX_HALF at rx->y, those that stand far over the rest taken down.
static void carriers(struct droneid_rx *rx)
{
    dft_run(rx->fwd, rx->w, rx->v);
    memcpy(rx->y, rx->v + DID_N - RX_HALF, RX_HALF * sizeof(*rx->y));
    memcpy(rx->y + RX_HALF, rx->v, (RX_HALF + 1) * sizeof(*rx->y));
    rx->hot->whiten(rx->y, OVER);
}

// Carriers of 1024 samples from x[at], turned by -carriers (of 15 kHz).
static void window(struct droneid_rx *rx, int at, double by)
{
    float complex step = cexpf(-2 * (float)M_PI * I * (float)(by / DID_N));
    double ph = by * at / DID_N;
    float complex turn = cexpf(-2 * (float)M_PI * I * (float)(ph - floor(ph)));
    for (int n = 0; n < DID_N; n++) {
        bool in = at + n >= 0 && at + n < RX_LEN;
        rx->w[n] = in ? rx->x[at + n] * turn : 0;
        turn *= step;
    }
    carriers(rx);
}

static void keep(struct hyp best[KEEP], double carriers, double rho)
{
    int at = KEEP;                      // neighbours are one peak: only the best of them stays
    if (rho <= best[KEEP - 1].rho)
        return;
    for (int i = 0; i < KEEP && at == KEEP; i++)
        if (fabs(best[i].carriers - carriers) < 1.5 && best[i].rho > 0)
            at = i;
    if (at == KEEP)
        at = KEEP - 1;
    if (rho <= best[at].rho)
        return;
    best[at] = (struct hyp){ carriers, rho };
    for (; at > 0 && best[at].rho > best[at - 1].rho; at--) {
        struct hyp t = best[at];
        best[at] = best[at - 1];
        best[at - 1] = t;
    }
}

// One coarse window: root 147 at the carriers round s + frac, the fraction being the q-th.
static void search_window(struct droneid_rx *rx, int s, int q, struct hyp best[KEEP])
{
    double frac = rx_fraction(q);
    // the middle of the prefix: the span moves the true start by +-31 samples around it
    int at = (int)lround(RX_ZERO + GAP - SHIFT_A * s) - 36;
    rx->hot->turn(rx->x + at, rx->fraction[q], DID_N, rx->w);
    carriers(rx);
    // where in the transform the carriers stand turns its outcome only, of which the size counts
    float e = rx->hot->against(rx->y + RX_HALF - DID_CARRIERS / 2 + s, rx->root_b, DID_ZC_LEN,
                               rx->pad);
    if (!(e > 0))
        return;
    dft_run(rx->inv, rx->pad, rx->w);
    for (int r = -SPAN; r <= SPAN; r++) {
        double lag = RX_ZERO + GAP - SHIFT_A * (s + r + frac) - at - SHIFT_B * r;
        int middle = (int)lround(lag);
        float top = 0;
        for (int j = -SLACK; j <= SLACK; j++) {
            float p = norm2(rx->w[(middle + j) & (DID_N - 1)]);
            top = p > top ? p : top;
        }
        keep(best, s + r + frac, top / (e * DID_CARRIERS));
    }
}

static void search(struct droneid_rx *rx, struct hyp best[KEEP])
{
    for (int c = 0; c < COARSE; c++)
        for (int q = 0; q < RX_FRACTIONS; q++)
            search_window(rx, (2 * c - COARSE + 1) * SPAN, q, best);
}

// ---- exact -------------------------------------------------------------------------------------

struct exact {
    float complex g[2][DID_CARRIERS];   // carriers of both symbols with the roots taken off
    double        energy[2];
    int           at;
};

static void measure(struct droneid_rx *rx, double t, double carriers, struct exact *e)
{
    int whole = (int)lround(fmax(fmin(carriers, RX_RANGE), -RX_RANGE));
    e->at = (int)floor(t) - RX_ADVANCE;
    for (int p = 0; p < 2; p++) {
        window(rx, e->at + p * GAP, carriers - whole);
        e->energy[p] = 0;
        for (int i = 0; i < DID_CARRIERS; i++) {
            float complex y = rx->y[RX_HALF + did_carrier(i) + whole];
            e->energy[p] += norm2(y);
            e->g[p][i] = y * conjf(rx->zc[p][i]);
        }
    }
}

// Sum over the carriers with a delay of d samples from e->at taken off.
static float complex sum_at(const struct exact *e, int p, double d)
{
    float complex s = 0;
    for (int i = 0; i < DID_CARRIERS; i++)
        s += e->g[p][i] * cexpf(2 * (float)M_PI * I * (float)(d * did_carrier(i) / DID_N));
    return s;
}

// The same for every delay in steps of 1/FINE sample.
static void sum_all(struct droneid_rx *rx, const struct exact *e, int p, float complex *wide)
{
    memset(wide, 0, FINE * DID_N * sizeof(*wide));
    for (int i = 0; i < DID_CARRIERS; i++)
        wide[did_carrier(i) & (FINE * DID_N - 1)] = e->g[p][i];
    dft_run(rx->fine, wide, wide);
}

// How alike the channels are that both symbols saw, 0..1: products of neighbouring carriers' sums,
// so echoes do no harm, while a wrong start tilts one against the other.
static double alike(const struct exact *e)
{
    enum { RUN = 12 };
    float complex s = 0;
    float n[2] = { 0 };
    for (int i = 0; i + RUN <= DID_CARRIERS; i += RUN) {
        float complex a = 0, b = 0;
        for (int k = 0; k < RUN; k++) {
            a += e->g[0][i + k];
            b += e->g[1][i + k];
        }
        s += b * conjf(a);
        n[0] += norm2(a);
        n[1] += norm2(b);
    }
    return n[0] > 0 && n[1] > 0 ? cabsf(s) / sqrtf(n[0] * n[1]) : 0;
}

// The best delay near t at this carrier error; s->f_hz, t and both correlations.
static double evaluate(struct droneid_rx *rx, double t, double carriers, struct exact *e,
                       struct rx_sync *s)
{
    double best = -1;
    measure(rx, t, carriers, e);
    if (!(e->energy[0] > 0 && e->energy[1] > 0))
        return -1;
    sum_all(rx, e, 0, rx->wide[0]);
    sum_all(rx, e, 1, rx->wide[1]);
    int middle = (int)lround((t - e->at) * FINE);
    for (int j = middle - FINE_MAX * FINE; j <= middle + FINE_MAX * FINE; j++) {
        double ra = norm2(rx->wide[0][j & (FINE * DID_N - 1)]) / (e->energy[0] * DID_CARRIERS);
        double rb = norm2(rx->wide[1][j & (FINE * DID_N - 1)]) / (e->energy[1] * DID_CARRIERS);
        if (ra + rb > best) {
            best = ra + rb;
            *s = (struct rx_sync){ e->at + (double)j / FINE, carriers * DID_SPACING_HZ, ra, rb, 0 };
        }
    }
    // echoes split the correlations but not the likeness: it tells a true start from a start that
    // some echo feigns (four carriers off and 8.5 samples late)
    return best + 2 * ALIKE * alike(e) * best;
}

// The phase from one preamble to the other gives the carrier error to some ten hertz, but modulo
// 1024 / 2192 of a carrier: three candidates, of which the roots themselves choose.
static void refine(struct droneid_rx *rx, struct exact *e, struct rx_sync *s)
{
    double c0 = s->f_hz / DID_SPACING_HZ, unit = (double)DID_N / GAP, best = -1;
    struct rx_sync from = *s;
    measure(rx, s->t, c0, e);
    float complex a = sum_at(e, 0, s->t - e->at), b = sum_at(e, 1, s->t - e->at);
    // the whole carriers were taken off by index, not by turning: add what they turn in the gap
    double turn = cargf(b * conjf(a)) / (2 * M_PI) - lround(c0) * (double)GAP / DID_N;
    turn -= lround(turn);
    for (int m = -1; m <= 1; m++) {
        struct rx_sync r;
        double c = c0 + (turn + m) * unit;
        double got = evaluate(rx, from.t - SHIFT_A * (c - c0), c, e, &r);
        if (got > best) {
            best = got;
            *s = r;
        }
    }
}

double rx_coarse(struct droneid_rx *rx)
{
    struct hyp best[KEEP] = { 0 };
    search(rx, best);
    return best[0].rho;
}

int rx_find(struct droneid_rx *rx, struct rx_sync *ret)
{
    struct hyp best[KEEP] = { 0 };
    struct rx_sync s, top = { 0 };
    struct exact e;
    double most = 0;

    search(rx, best);
    rx->trace.coarse_b = best[0].rho;
    // the coarse search loses 1.5 dB at most (half a sample and an eighth of a carrier): what stays
    // below is not worth measuring
    for (int i = 0; i < KEEP && best[i].rho > RX_COARSE_MIN; i++) {
        double c = best[i].carriers;
        double got = evaluate(rx, RX_ZERO - SHIFT_A * c, c, &e, &s);
        if (got > most) {
            most = got;
            top = s;
        }
    }
    if (most <= 0 || top.rho_b < RHO_B_MIN)
        return -ENOENT;
    refine(rx, &e, &top);
    *ret = top;
    ret->score = most;
    return 0;
}
