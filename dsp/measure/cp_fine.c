// SPDX-License-Identifier: GPL-3.0-or-later
// Once a cyclic prefix is found: its length, and the lag to a fraction of a sample.
//
//     real part of the folded product      ____________
//     ________________________________....|            |....______
//                                          the prefix
#include "dsp/measure/cp.h"

// Length of the window that explains most of a fold: it begins within a prefix of `at`.
static size_t plateau_length(struct measurer *m, const struct fold *f, size_t w, size_t at,
                             float complex turn)
{
    size_t from = (at + f->bins - w) % f->bins, n = 4 * w < f->bins ? 4 * w : f->bins - 1;
    size_t best_w = w;
    float *inv = m->q, *sum = m->r, best = -1;      // the fold's energies have done their work
    for (size_t j = 0; j <= n; j++) {
        sum[j] = (f->re[from + j] - f->re[from]) * crealf(turn) -
                 (f->im[from + j] - f->im[from]) * cimagf(turn);
        inv[j] = 1 / (float)(j ? j : 1);
    }
    // Its start first in steps of an eighth of a prefix.
    size_t step = w / 8 + 1, top = 0;
    for (size_t a = 0; a < 2 * w && a < n; a += step) {
        float v = m->op->rise(sum + a, inv, n - a + 1);
        if (v > best)
            best = v, top = a;
    }
    best = -1;
    for (size_t a = top > step ? top - step : 0; a <= top + step && a < n; a++) {
        float v = m->op->rise(sum + a, inv, n - a + 1);
        if (v <= best)
            continue;
        best = v;
        for (size_t j = 1; j <= n - a; j++) {
            float d = sum[a + j] - sum[a];
            if (d > 0 && d * d * inv[j] >= v) {
                best_w = j;
                break;
            }
        }
    }
    return best_w;
}

// Width of the plateau of the folded correlation.
double cp_plateau(struct measurer *m, const struct look *l, const struct cp_fit *fit,
                      double *ret_err)
{
    size_t w = (size_t)(fit->k->cp_s * l->fs + 0.5), at = 0;
    struct fold f = fold_room(m, (fit->k->useful_s + fit->k->cp_s) * l->fs, 4 * w + 1);
    struct comb one = { .w = w, .n = 1 };
    double best = -1;
    // The slot's longer prefixes drift by half a microsecond in 7 symbols: 14 at most.
    size_t to = cp_end(l) - fit->lag, max = l->i0 + (size_t)(14 * f.period);
    fold_take(m, fit->lag, l->i0, to < max ? to : max, &f);
    for (size_t o = 0; o < f.bins; o++) {
        struct sums r = fold_sums(&f, &one, o);
        double v = (double)r.re * r.re + (double)r.im * r.im;
        if (v > best)
            best = v, at = o;
    }
    struct sums r = fold_sums(&f, &one, at);
    float complex turn = (r.re - I * r.im) / (hypotf(r.re, r.im) + 1e-30f);
    *ret_err = 1.5 / fmin(l->fs, l->occ_hi - l->occ_lo) +
               (double)w / l->fs * 1.5 / sqrt(fmax(1, fit->neff) * fmax(0.05, fit->rho));
    return (double)plateau_length(m, &f, w, at, turn) / l->fs;
}

double cp_lag(const struct measurer *m, const struct look *l, const struct cp_fit *fit)
{
    size_t w = (size_t)(fit->k->cp_s * l->fs + 0.5);
    size_t end = cp_end(l);
    double sym = (fit->k->useful_s + fit->k->cp_s) * l->fs, c[3];
    for (int d = 0; d < 3; d++) {
        float complex s = 0;
        for (double at = (double)l->i0 + fmod(fit->at, sym);; at += sym) {
            size_t i = (size_t)(at + 0.5);
            if (i + w + fit->lag + 1 > end)
                break;
            float r[2];
            m->op->likeness((const float *)(l->x + i + fit->lag + (size_t)d - 1),
                            (const float *)(l->x + i), w, r);
            s += r[0] + I * r[1];
        }
        c[d] = cabsf(s);
    }
    double den = c[0] - 2 * c[1] + c[2], off = den < 0 ? 0.5 * (c[0] - c[2]) / den : 0;
    return ((double)fit->lag + fmin(1, fmax(-1, off))) / l->fs;
}
