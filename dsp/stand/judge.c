// SPDX-License-Identifier: GPL-3.0-or-later
// Step 3 of the LoRa detector: a hit's symbols added as amplitudes.
//
// In a row of equal chirps from a sender whose carrier is nu bins off and whose symbols begin tau
// samples behind our windows, the dechirped tone turns by phi = nu - tau bins within each symbol
// (nu + tau for down-chirps) and by nu, whole turns apart, from one symbol to the next.  Both are
// searched, for eight symbols from every one of a region's; the largest |rho|^2 against the law of
// one is the decision.
#include "dsp/stand/lora.h"

#include <math.h>

#define PHIS      11            // -1.25 .. 1.25 bins, a quarter apart: at most 0.07 dB short
#define PHI_STEP  0.25
#define PARTAKE   5             // symbols of eight: a strong burst may lie over the others
#define PART      0.4           // of the mean; 8 dB over noise it scatters by 0.3
#define PSIS      32            // of a turn: at most 0.22 dB short

// Region symbols, dechirped, as PARTS sums each; scaled so that a symbol's sum is its rho.
struct parts { float complex u[REGION][PARTS]; double energy[REGION]; };

static void take_parts(struct lora *l, const struct hit *h, int64_t q, struct parts *p)
{
    const struct chirps *c = &l->chirps[h->sf];
    const float complex *ref = c->ref[h->down];
    unsigned n = c->n, len = n / PARTS;
    narrow_read(&l->group[h->group].s, h->lane, q, REGION * n, l->y);
    for (unsigned m = 0; m < REGION; m++) {
        const float complex *y = l->y + (size_t)m * n;
        double e = 0;
        for (unsigned b = 0; b < PARTS; b++) {
            float re = 0, im = 0;
            for (unsigned i = b * len; i < (b + 1) * len; i++) {
                float complex v = y[i] * conjf(ref[i]);
                re += crealf(v);
                im += cimagf(v);
                e += crealf(y[i]) * crealf(y[i]) + cimagf(y[i]) * cimagf(y[i]);
            }
            p->u[m][b] = re + I * im;
        }
        float scale = e > 1e-30 ? (float)(1 / sqrt(n * e)) : 0;
        for (unsigned b = 0; b < PARTS; b++)
            p->u[m][b] *= scale;
        p->energy[m] = e;
    }
}

static double phi_at(int i) { return (i - PHIS / 2) * PHI_STEP; }

// Symbols' sums for one phi.
static void sums(const struct parts *p, double phi, float complex a[REGION])
{
    float complex t[PARTS];
    for (int b = 0; b < PARTS; b++) {
        double x = -2 * M_PI * phi * (b + 0.5) / PARTS;
        t[b] = (float)cos(x) + I * (float)sin(x);
    }
    for (int m = 0; m < REGION; m++) {
        a[m] = 0;
        for (int b = 0; b < PARTS; b++)
            a[m] += p->u[m][b] * t[b];
    }
}

struct best { double power; int from; double phi, psi; };

static void search(struct lora *l, const struct parts *p, struct best *r)
{
    _Alignas(64) float complex x[PSIS], y[PSIS];
    *r = (struct best){ 0 };
    for (int i = 0; i < PHIS; i++) {
        float complex a[REGION];
        sums(p, phi_at(i), a);
        for (int s = 0; s + COHERENT <= REGION; s++) {
            for (int k = 0; k < PSIS; k++)
                x[k] = k < COHERENT ? a[s + k] : 0;
            dft_run(l->fine, x, y);
            for (int k = 0; k < PSIS; k++) {
                double v = crealf(y[k]) * crealf(y[k]) + cimagf(y[k]) * cimagf(y[k]);
                if (v > r->power)
                    *r = (struct best){ v, s, phi_at(i), (double)k / PSIS };
            }
        }
    }
}

// First and last symbol of the preamble: where the symbols' part along the sum, 1 within and 0
// outside, stops adding up.  False where few of the eight have a part in it: in a strong packet's
// payload two or three equal symbols are enough for the sum.
static bool extend(const float complex a[REGION], const struct best *r, int *ret_from, int *ret_to)
{
    double along[REGION], top, sum;
    float complex whole = 0;
    for (int m = r->from; m < r->from + COHERENT; m++)
        whole += a[m] * cexpf(-2 * (float)M_PI * I * (float)(r->psi * m));
    whole /= COHERENT;
    double power = crealf(whole) * crealf(whole) + cimagf(whole) * cimagf(whole);
    for (int m = 0; m < REGION; m++) {
        float complex v = a[m] * cexpf(-2 * (float)M_PI * I * (float)(r->psi * m)) * conjf(whole);
        along[m] = crealf(v) / power - 0.5;
    }
    unsigned there = 0;
    for (int m = r->from; m < r->from + COHERENT; m++)
        there += along[m] + 0.5 > PART;
    *ret_from = r->from;
    *ret_to = r->from + COHERENT;
    top = sum = 0;
    for (int m = r->from - 1; m >= 0; m--) {
        sum += along[m];
        if (sum > top) {
            top = sum;
            *ret_from = m;
        }
    }
    top = sum = 0;
    for (int m = r->from + COHERENT; m < REGION; m++) {
        sum += along[m];
        if (sum > top) {
            top = sum;
            *ret_to = m + 1;
        }
    }
    return there >= PARTAKE;
}

static double median(const double *x, int n)
{
    double best = x[0];
    for (int i = 0; i < n; i++) {
        int below = 0;
        for (int k = 0; k < n; k++)
            below += x[k] < x[i] || (x[k] == x[i] && k < i);
        if (below == n / 2)
            best = x[i];
    }
    return best;
}

bool judge_hit(struct lora *l, const struct hit *h, struct packet *ret)
{
    struct parts p;
    struct best b;
    float complex a[REGION];
    int from, to;
    int64_t n = l->chirps[h->sf].n;
    int64_t edge = h->down ? h->bin : (n - h->bin) % n;  // if the carrier is ours
    int64_t q = h->end - REGION_BACK * n + edge;
    take_parts(l, h, q, &p);
    search(l, &p, &b);
    double rho2 = b.power / (COHERENT * COHERENT), t = COHERENT * (double)n * rho2;
    l->top = fmaxf(l->top, (float)t);
    if (l->on_judge)
        l->on_judge(l->on_judge_arg, t);
    if (!(t > l->chirps[h->sf].pass))
        return false;
    sums(&p, b.phi, a);
    if (!extend(a, &b, &from, &to))
        return false;
    *ret = (struct packet){
        .h = *h, .q = q + from * n, .preamble = (unsigned)(to - from), .rho2 = rho2, .open = true,
        .energy = median(p.energy + b.from, COHERENT), .last = -1, .before = -1,
        .tau = h->down ? b.phi : -b.phi,
    };
    return true;
}
