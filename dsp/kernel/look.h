// SPDX-License-Identifier: GPL-3.0-or-later
// Inner loops over the samples of a look (dsp/measure), one set per instruction set; look_ops()
// chooses.  Sums run over fixed lanes and nothing is contracted, so that sets
// differ in last digits at most.
// Complex arrays are interleaved I, Q.
#pragma once

#include <stddef.h>

#define LOOK_SHIFTS 32
#define LOOK_BLOCK  16
struct look_moments { double sum, sum2; float top; };

struct look_ops {
    // One period of a fold: c[k] += x[k+lag] conj x[k], e[k] += (|x[k]|^2 + |x[k+lag]|^2) / 2,
    // k < n; reals and imaginaries apart.
    void (*fold)(const float *x_re, const float *x_im, size_t lag, size_t n, float *c_re,
                 float *c_im, float *e);
    void (*window_add)(const float *r, size_t w, size_t n, float *s);   // s[k] += r[k+w] - r[k]
    // Largest (r[j] - r[0])^2 inv[j] over 1 <= j < n where the difference is positive; 0: nowhere.
    float (*rise)(const float *r, const float *inv, size_t n);
    void (*power)(const float *x, size_t n, float *p);             // p[k] = |x[k]|^2
    void (*power_add)(const float *x, size_t n, float *p);         // p[k] += |x[k]|^2
    void (*window)(const float *x, const float *w, size_t n, float *y);    // y[k] = x[k] w[k]
    double (*sum)(const float *p, size_t n);
    void (*sum_blocks)(const float *p, size_t blocks, float *s);   // of LOOK_BLOCK each
    double (*sum_root)(const float *p, size_t n);                  // of the roots
    // y[k] = x[k], its power p[k] held to `most`; reals and imaginaries apart.
    void (*limit)(const float *x, const float *p, float most, size_t n, float *y_re, float *y_im);
    // The sum of x[k] conj z[k] into ret[0..1].
    void (*likeness)(const float *x, const float *z, size_t n, float *ret);
    // The sum of x[k+lag] conj x[k] into ret[0..1]; reals and imaginaries apart.
    void (*lagged)(const float *x_re, const float *x_im, size_t lag, size_t n, float *ret);
    void (*times)(float *y, const float *x, size_t n);             // y[k] *= x[k], complex
    // y += x (re + j im)
    void (*add_times)(float *y, const float *x, float re, float im, size_t n);
    struct look_moments (*moments)(const float *p, size_t n);
    void (*conj_times)(const float *x, const float *z, size_t n, float *y);    // y = x conj z
    // The sum of x[k]^2 t[k], complex, into ret[0..1].
    void (*squares)(const float *x, const float *t, size_t n, float *ret);
    // s[k] = scale * angle of x[k+1] conj x[k] to 2e-4 rad, held to +-most; x has n + 1.
    void (*turns)(const float *x, size_t n, float scale, float most, float *s);
    // Of s over mid: their sum and number into ret[0..1]; the sum of all into ret[2].
    void (*split)(const float *s, size_t n, float mid, double *ret);
    // Power of d against each of `refs` references of n complex numbers (rows of n), at LOOK_SHIFTS
    // shifts of d (n + LOOK_SHIFTS of it); reals and imaginaries apart.  v: refs rows.
    void (*match)(const float *d_re, const float *d_im, const float *ref_re, const float *ref_im,
                  size_t n, size_t refs, float *v);
};

const struct look_ops *look_ops(void);
