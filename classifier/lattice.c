// SPDX-License-Identifier: GPL-3.0-or-later
// Folding: all start times modulo the period, and where they pile up is the clock's phase.
//
//     |  x      |         |  x      |  x   y  |         |  x      |     times, holes, a stranger y
//        ^         ^         ^         ^         ^         ^
//     folded:   |  xxxx y   |      the best window of 2 tol wide holds 4 of 5
//
// Mean spacing would be ruined by the holes that listen-before-talk and hops outside the capture
// leave; folding is not.  The clock's error is searched in steps that smear the pile by less than
// half a tolerance; the winner is fitted by least squares.
#include "classifier/lattice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Most phases within any window of w on the circle [0, period); *ret_start is where it begins.
static size_t densest(const double *phase, size_t n, double period, double w, double *ret_start)
{
    size_t best = 0, j = 0;

    for (size_t i = 0; i < n; i++) {
        if (j < i)
            j = i;
        while (j < i + n) {     // the circle unrolled once
            double p = j + 1 < n ? phase[j + 1] : phase[j + 1 - n] + period;
            if (j + 1 >= i + n || p - phase[i] > w)
                break;
            j++;
        }
        if (j - i + 1 > best) {
            best = j - i + 1;
            *ret_start = phase[i];
        }
    }
    return best;
}

static double fold(double t, double period)
{
    double p = fmod(t, period);
    return p < 0 ? p + period : p;
}

int64_t lattice_slot(const struct lattice *l, double t_s, double *ret_off_s)
{
    double k = floor((t_s - l->t0_s) / l->period_s + 0.5);
    *ret_off_s = t_s - l->t0_s - k * l->period_s;
    return (int64_t)k;
}

int lattice_fit(struct lattice *l, const int64_t *k, const double *t_s, size_t n)
{
    double sk = 0, st = 0, skk = 0, skt = 0, ss = 0;

    if (n == 0)
        return -EDOM;
    for (size_t i = 0; i < n; i++) {
        sk += (double)k[i];
        st += t_s[i];
    }
    sk /= (double)n;
    st /= (double)n;
    for (size_t i = 0; i < n; i++) {
        skk += ((double)k[i] - sk) * ((double)k[i] - sk);
        skt += ((double)k[i] - sk) * (t_s[i] - st);
    }
    if (skk <= 0)
        return -EDOM;
    l->period_s = skt / skk;
    l->t0_s = st - l->period_s * sk;
    for (size_t i = 0; i < n; i++) {
        double e = t_s[i] - l->t0_s - l->period_s * (double)k[i];
        ss += e * e;
    }
    l->sigma_s = sqrt(ss / (double)n);
    return 0;
}

// log of the chance that the densest of many windows of share q holds m of n uniform times:
// the binomial tail's leading term over every place a window may begin and every period tried.
static double chance(size_t m, size_t n, double q, double trials)
{
    double dn = (double)n, dm = (double)m, mean = dn * q;

    if (dm <= mean)
        return 0;
    double ln = lgamma(dn + 1) - lgamma(dm + 1) - lgamma(dn - dm + 1) + dm * log(q) +
                (dn - dm) * log1p(-q) + log(trials);
    return fmin(ln, 0);
}

struct pile { size_t n; double period, start; };

static struct pile search(const double *t, size_t n, double nominal, double tol, double *scratch,
                          double *ret_trials)
{
    double lo = t[0], hi = t[0];
    struct pile best = { 0, nominal, 0 };

    for (size_t i = 1; i < n; i++) {
        lo = fmin(lo, t[i]);
        hi = fmax(hi, t[i]);
    }
    double span = fmax(hi - lo, nominal);
    int steps = (int)ceil(LATTICE_PPM * 1e-6 * span / (tol / 2));
    if (steps > 200)            // 3 s at tolerances of 2 us; more is a misuse
        steps = 200;
    for (int s = -steps; s <= steps; s++) {
        double p = nominal * (1 + (steps ? LATTICE_PPM * 1e-6 * s / steps : 0)), start = 0;
        for (size_t i = 0; i < n; i++)
            scratch[i] = fold(t[i] - lo, p);
        qsort(scratch, n, sizeof scratch[0], ascending);
        size_t m = densest(scratch, n, p, 2 * tol, &start);
        // of equals the period nearest to nominal
        if (m > best.n || (m == best.n && fabs(p - nominal) < fabs(best.period - nominal)))
            best = (struct pile){ m, p, start + lo };
    }
    *ret_trials = (2 * steps + 1) * nominal / (2 * tol);
    return best;
}

int lattice_find(const double *t_s, size_t n, double nominal_s, double tol_s, struct lattice *ret,
                 bool *on)
{
    double scratch[LATTICE_MAX], kt[LATTICE_MAX], trials;
    int64_t k[LATTICE_MAX];

    if (n < 3 || n > LATTICE_MAX || !(tol_s > 0) || tol_s * 4 > nominal_s)
        return 0;
    struct pile b = search(t_s, n, nominal_s, tol_s, scratch, &trials);
    struct lattice l = { .t0_s = b.start + tol_s, .period_s = b.period };
    for (int round = 0; round < 3; round++) {
        size_t m = 0;
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double off;
            int64_t slot = lattice_slot(&l, t_s[i], &off);
            on[i] = fabs(off) <= tol_s * (round ? 1.0 : 1.5);
            if (on[i]) {
                k[m] = slot;
                kt[m++] = t_s[i];
                sum += off;
            }
        }
        struct lattice fit = l;
        if (m < 3)
            break;
        if (lattice_fit(&fit, k, kt, m) < 0 ||
            fabs(fit.period_s / nominal_s - 1) > 1.5 * LATTICE_PPM * 1e-6) {
            fit = l;            // a short span fits any slope: keep the period the search found
            fit.t0_s += sum / (double)m;
        }
        l = fit;
    }
    l.n = 0;
    double ss = 0;
    for (size_t i = 0; i < n; i++) {
        double off;
        lattice_slot(&l, t_s[i], &off);
        on[i] = fabs(off) <= tol_s;
        l.n += on[i];
        ss += on[i] ? off * off : 0;
    }
    if (l.n < 3)
        return 0;
    l.sigma_s = sqrt(ss / (double)l.n);
    l.ppm = (l.period_s / nominal_s - 1) * 1e6;
    l.ln_chance = chance(l.n, n, 2 * tol_s / nominal_s, trials);
    *ret = l;
    return 1;
}
