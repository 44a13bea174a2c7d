// SPDX-License-Identifier: GPL-3.0-or-later
// Folding a delay product over a period, and sums over combs of windows of the fold (see fold.h).
#include <string.h>

#include "dsp/measure/fold.h"

struct fold fold_room(struct measurer *m, double period, size_t w)
{
    float *y = (float *)m->y;
    size_t bins = (size_t)(period + 0.5);
    return (struct fold){ .period = period, .bins = bins, .over = w < bins ? w : bins, .re = y,
                          .im = y + LOOK_MAX, .e = m->q };
}

static void fold_sum(struct fold *f)
{
    for (size_t j = 1; j <= f->bins; j++) {
        f->re[j] += f->re[j - 1];
        f->im[j] += f->im[j - 1];
        f->e[j] += f->e[j - 1];
    }
    for (size_t j = 1, n = f->bins; j <= f->over; j++) {
        f->re[n + j] = f->re[n] + f->re[j];
        f->im[n + j] = f->im[n] + f->im[j];
        f->e[n + j] = f->e[n] + f->e[j];
    }
}

// Rows end on the sample nearest the period's end: each holds all bins or all but the last, and the
// burst's end cuts one.
void fold_take(const struct measurer *m, size_t lag, size_t from, size_t to, struct fold *f)
{
    const float *re = (const float *)m->z, *im = re + LOOK_MAX;
    memset(f->re, 0, (f->bins + 1) * sizeof *f->re);
    memset(f->im, 0, (f->bins + 1) * sizeof *f->im);
    memset(f->e, 0, (f->bins + 1) * sizeof *f->e);
    size_t whole = 0, less = 0, rest = 0;
    for (size_t k = 0, n = from; n < to; k++) {
        size_t a = from + (size_t)((double)k * f->period + 0.5);
        n = from + (size_t)((double)(k + 1) * f->period + 0.5);
        size_t row = (n > to ? to : n) - a;
        row = row > f->bins ? f->bins : row;
        m->op->fold(re + a, im + a, lag, row, f->re + 1, f->im + 1, f->e + 1);
        whole += row == f->bins;
        less += row + 1 == f->bins;
        rest = row + 1 < f->bins ? row : 0;
    }
    f->whole = whole;
    f->less = less;
    f->rest = rest;
    fold_sum(f);
}

struct comb fold_comb(size_t w, size_t windows, double symbol, double extra, size_t bins)
{
    struct comb r = { .w = w, .n = windows };
    for (size_t s = 0; s < r.n; s++)
        r.at[s] = (size_t)((double)s * symbol + (s ? extra : 0) + 0.5) % bins;
    return r;
}

// Samples in the bins under j.
static float visits(const struct fold *f, size_t j)
{
    size_t turn = j >= f->bins, n = f->bins, all = n * f->whole + (n - 1) * f->less + f->rest;
    j -= turn ? n : 0;
    return (float)(turn * all + j * (f->whole + f->less) + (j < f->rest ? j : f->rest));
}

// Adds a running sum's windows to s, around its end.
static void comb_add(const struct measurer *m, const float *r, const struct fold *f,
                     const struct comb *k, float *s)
{
    memset(s, 0, f->bins * sizeof *s);
    for (size_t i = 0; i < k->n; i++) {
        size_t first = f->bins - k->at[i];
        m->op->window_add(r + k->at[i], k->w, first, s);
        m->op->window_add(r, k->w, k->at[i], s + first);
    }
}

struct combed fold_sums_all(struct measurer *m, const struct fold *f, const struct comb *k)
{
    float *row = (float *)m->g, *v = m->r;
    for (size_t j = 0; j <= f->bins + f->over; j++)
        v[j] = visits(f, j);
    comb_add(m, f->re, f, k, row);
    comb_add(m, f->im, f, k, row + LOOK_MAX / 2);
    comb_add(m, f->e, f, k, row + LOOK_MAX);
    comb_add(m, v, f, k, row + LOOK_MAX / 2 * 3);
    return (struct combed){ row, row + LOOK_MAX / 2, row + LOOK_MAX, row + LOOK_MAX / 2 * 3 };
}

struct sums fold_sums(const struct fold *f, const struct comb *k, size_t o)
{
    struct sums r = { 0 };
    o = o >= f->bins ? o % f->bins : o;
    for (size_t s = 0; s < k->n; s++) {
        size_t a = o + k->at[s];
        a = a >= f->bins ? a - f->bins : a;
        r.re += f->re[a + k->w] - f->re[a];
        r.im += f->im[a + k->w] - f->im[a];
        r.e += f->e[a + k->w] - f->e[a];
        r.v += visits(f, a + k->w) - visits(f, a);
    }
    return r;
}
