// SPDX-License-Identifier: GPL-3.0-or-later
// Taking a look: the burst and its margins out of the cut-out, at a rate fit for its width.
//
// The rate is 15 kHz * 2^k, so that the useful symbols of LTE-like OFDM (1/15 kHz, 1/30 kHz) are a
// whole number of samples; the others do not mind.  The first such rate at or over the capture's
// own holds all there is.  So do the capture's own samples, fewer and without a filter: where they
// will do (m->own), they are x.
#include "dsp/measure/measure.h"

#define LOOK_RATE_MIN_HZ 30e3           // under it nothing in the catalogue lives
#define LOOK_RATE_MAX_HZ 245.76e6       // next above the fastest capture

static double look_rate(double width_hz, double in_hz)
{
    double fs = LOOK_RATE_MIN_HZ;
    while (fs < 1.5 * width_hz && fs < in_hz && fs < LOOK_RATE_MAX_HZ)
        fs *= 2;
    return fs;
}

double look_time(const struct look *l, double i)
{
    return ((double)l->b->cut.n0 + l->t0 + i * l->in_fs / l->fs) / l->in_fs;
}

// Index in x of a sample of the capture.
static double look_index(const struct look *l, uint64_t n)
{
    return ((double)((int64_t)(n - l->b->cut.n0)) - l->t0) * l->fs / l->in_fs;
}

static size_t clamp_index(double v, size_t n)
{
    return v <= 0 ? 0 : v >= (double)n ? n : (size_t)v;
}

bool look_own(const struct look *l) { return l->fs != l->grid_fs; }

// The DDC's filter passes noise in 0.96 of its output rate (its transition's power, by quadrature),
// or what there is of the capture.
double look_noise_band(const struct look *l)
{
    if (look_own(l))
        return l->in_fs;
    return l->fs < l->in_fs ? 0.96 * l->fs : 0.96 * l->in_fs;
}

void look_take(struct measurer *m, const struct burst *b, double f_hz, double width_hz,
               size_t most, struct look *l)
{
    struct look was = *l;
    *l = (struct look){ .b = b, .in_fs = b->rate_hz, .f_hz = f_hz, .x = m->x };
    l->fs = l->grid_fs = look_rate(width_hz, b->rate_hz);
    if (m->own && l->grid_fs > l->in_fs) {
        l->fs = l->in_fs;
        l->f_hz = 0;
        most = (size_t)((double)most * l->fs / l->grid_fs);     // as long a time
    }

    // The cut may hold more before or after than the margins we want, or less.
    double margin = ARBITER_MARGIN_S * b->rate_hz;
    double from = (double)((int64_t)(b->n0 - b->cut.n0)) - margin;
    double to = (double)((int64_t)(b->n1 - b->cut.n0)) + margin;
    from = fmax(0, look_own(l) ? floor(from) : from);
    to = fmin(to, b->cut.n);
    l->t0 = from;
    double n = (to - from) * l->fs / l->in_fs;
    l->whole = n <= (double)most;
    l->n = clamp_index(n, most);
    l->i0 = clamp_index(look_index(l, b->n0), l->n);
    l->i1 = clamp_index(look_index(l, b->n1), l->n);
    double pass = fmin(0.8 * l->fs, 0.9 * l->in_fs);
    // The same look, only longer: its beginning is there already.
    bool again = was.b == b && was.f_hz == l->f_hz && was.fs == l->fs && was.t0 == l->t0 &&
                 look_own(&was) == look_own(l);
    size_t have = again && was.n < l->n ? was.n : 0;
    if (look_own(l))
        cut_read(&b->cut, (int64_t)l->t0 + (int64_t)have, l->n - have, l->x + have);
    else if (l->n)
        ddc_run_kept(m->ddc, &b->cut, l->in_fs, f_hz, l->t0 + (double)have * l->in_fs / l->fs,
                     l->fs, pass, l->x + have, l->n - have);
}
