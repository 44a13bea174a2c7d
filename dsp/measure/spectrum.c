// SPDX-License-Identifier: GPL-3.0-or-later
// Mean power spectrum of the burst, the band it occupies and the width that holds 99 % of it.
//
// Bins of about fs/nf with a Hann window, half overlapping, nf so that eight or more segments are
// averaged where the burst is long enough.
//
//       quarter   ___.--~~~~~--.___                  occ: outermost quarter-power bins
//     __________/|                |\__________       99: half a percent outside on each side
//               occ_lo            occ_hi
#include <string.h>

#include "dsp/front/nth.h"
#include "dsp/measure/measure.h"

void spectrum_windows(float *hann)
{
    for (size_t nf = 1; nf <= PSD_MAX / 2; nf *= 2)
        for (size_t k = 0; k < nf; k++)
            hann[nf + k] = (float)(0.5 - 0.5 * cos(2 * M_PI * ((double)k + 0.5) / (double)nf));
}

#define WIDE_HZ 4e6     // looks at anything narrower hold few samples; chirps want each of them

// Segments that tell enough: of a wide signal over the noise 64 show each three bins to 8 %, of a
// faint one a thousand show what there is to 0.14 dB.
static size_t segments_enough(const struct look *l)
{
    return l->fs > WIDE_HZ && l->power > l->noise ? 64 : 1024;
}

static void average(struct measurer *m, struct look *l, unsigned log_nf)
{
    size_t nf = (size_t)1 << log_nf, step = nf / 2;
    size_t span = l->i1 - l->i0, all = span > nf ? (span - nf) / step + 1 : 1;
    size_t most = segments_enough(l), skip = (all + most - 1) / most;
    double scale = 0;
    const float *hann = m->hann + nf;
    for (size_t k = 0; k < nf; k++)
        scale += (double)hann[k] * hann[k];
    memset(l->psd, 0, sizeof l->psd);
    l->segments = 0;
    for (size_t s = 0; s < all; s += skip, l->segments++) {
        size_t i = l->i0 + s * step, n = l->i1 - i < nf ? l->i1 - i : nf;
        m->op->window((const float *)(l->x + i), hann, n, (float *)m->y);
        memset(m->y + n, 0, (nf - n) * sizeof *m->y);
        dft_run(m->fft[log_nf], m->y, m->z);
        m->op->power_add((const float *)(m->z + nf / 2), nf / 2, l->psd);
        m->op->power_add((const float *)m->z, nf / 2, l->psd + nf / 2);
    }
    for (size_t k = 0; k < nf; k++)
        l->psd[k] *= (float)(1 / (scale * (double)nf * (double)l->segments));
    l->nf = nf;
}

// Frequency at which the cumulative signal power passes `share` of the total.
static double quantile(const float *s, size_t nf, double share, double bin_hz)
{
    double total = 0, c = 0;
    for (size_t k = 0; k < nf; k++)
        total += s[k];
    for (size_t k = 0; k < nf && total > 0; k++) {
        if (c + s[k] >= share * total && s[k] > 0)
            return ((double)k - (double)nf / 2 - 0.5 + (share * total - c) / s[k]) * bin_hz;
        c += s[k];
    }
    return 0;
}

// The floor right beside the signal: a strong neighbour's skirts lift it well over the receiver's.
// Mean of the lowest sixth of the bins (three added, so that they scatter by 1/sqrt(2 segments),
// and the lowest sixth lies 1.5 of that under the mean); believed where it is clearly above the
// told one and clearly under the signal.  For extents only: a signal's own tails may look like it,
// and SNR is over the receiver's noise.
static void floor_beside(struct look *l, float *low)
{
    double bin = l->fs / (double)l->nf, top = 0, sum = 0, w = l->b->f_hi_hz - l->b->f_lo_hz;
    size_t n = 0;
    for (size_t k = 1; k + 1 < l->nf; k++) {
        double f = ((double)k - (double)l->nf / 2) * bin;
        float v = (l->psd[k - 1] + l->psd[k] + l->psd[k + 1]) / 3;
        top = v > top ? v : top;
        if (fabs(f) < 0.38 * l->fs && fabs(f + l->f_hz) < 0.45 * l->in_fs)
            low[n++] = v;
    }
    if (n < 24 || w > 0.8 * l->in_fs)
        return;
    nth(low, (unsigned)n, (unsigned)(n / 6));      // the lowest stand before it
    for (size_t k = 0; k < n / 6; k++)
        sum += low[k];
    double under = 1 - 1.5 / sqrt(2.0 * (double)l->segments);
    double psd = sum / (double)(n / 6) / fmax(0.5, under) / bin;
    if (psd < 1.5 * l->n0_psd || psd * bin > 0.1 * top)
        return;
    l->floor_psd = psd;
}

// Signal alone: floor removed; what does not stand five sigma over the averaged noise (smoothed
// over three bins) is nothing, nor what lies beyond the rough extents by more than a quarter or
// beyond the capture.
static double signal_bins(const struct look *l, float *s, float *sm, double *ret_gate)
{
    size_t nf = l->nf;
    double bin = l->fs / (double)nf, floor_bin = l->floor_psd * bin, sum = 0;
    double w = l->b->f_hi_hz - l->b->f_lo_hz;
    double lo = l->b->f_lo_hz - l->f_hz - 0.25 * w, hi = l->b->f_hi_hz - l->f_hz + 0.25 * w;
    *ret_gate = 5 * floor_bin / sqrt(2.0 * (double)l->segments);
    for (size_t k = 0; k < nf; k++)
        s[k] = (float)(l->psd[k] - floor_bin);
    for (size_t k = 0; k < nf; k++) {
        double f = ((double)k - (double)nf / 2) * bin;
        sm[k] = (s[k] + (k ? s[k - 1] : 0) + (k + 1 < nf ? s[k + 1] : 0)) / 3;
        if (f < lo || f > hi || fabs(f + l->f_hz) > 0.5 * l->in_fs)
            sm[k] = 0;
    }
    for (size_t k = 0; k < nf; k++) {
        s[k] = sm[k] > *ret_gate && s[k] > 0 ? s[k] : 0;
        sum += s[k];
    }
    return sum;
}

// Level of the flat part: power-weighted mean, so that nearly empty bins do not count, with single
// lines (the receiver's own DC, a carrier left over) held to eight times the mean of what there is.
// A pure line spectrum's edges come out at the lines.
static double flat_level(const float *s, size_t nf)
{
    double s1 = 0, s2 = 0, mean = 0;
    size_t n = 0;
    for (size_t k = 0; k < nf; k++) {
        mean += s[k];
        n += s[k] > 0;
    }
    double most = n ? 8 * mean / (double)n : 0;
    for (size_t k = 0; k < nf; k++) {
        double v = s[k] < most ? s[k] : most;
        s1 += v;
        s2 += v * v;
    }
    return s1 > 0 ? s2 / s1 : 0;
}

// Most of the power stands in no bin that shows: then the detector's rough extents are all there
// is.
static void spectrum_faint(struct look *l)
{
    double lo = l->b->f_lo_hz - l->f_hz, hi = l->b->f_hi_hz - l->f_hz;
    l->occ_lo = l->lo99 = fmax(lo, -0.5 * l->fs);
    l->occ_hi = l->hi99 = fmin(hi, 0.5 * l->fs);
    l->occ_err = (l->occ_hi - l->occ_lo) / 8;
}

void spectrum_take(struct measurer *m, struct look *l)
{
    size_t n = l->i1 - l->i0;
    unsigned log_nf = log2_floor(n / 5 + 1);
    log_nf = log_nf > 9 ? 9 : log_nf < 5 ? 5 : log_nf;
    average(m, l, log_nf);
    l->floor_psd = l->n0_psd;
    floor_beside(l, m->q);

    size_t nf = l->nf, lo = nf, hi = 0;
    double bin = l->fs / (double)nf, gate;
    float *s = m->q, *sm = m->q + nf;
    double s1 = signal_bins(l, s, sm, &gate);
    double level = flat_level(s, nf);
    gate = fmax(gate, 0.25 * level);
    for (size_t k = 0; k < nf; k++)
        if (sm[k] > gate) {
            lo = k < lo ? k : lo;
            hi = k > hi ? k : hi;
        }
    if (lo > hi)
        lo = 0, hi = nf - 1;
    l->occ_lo = ((double)lo - (double)nf / 2 - 0.5) * bin;
    l->occ_hi = ((double)hi - (double)nf / 2 + 0.5) * bin;
    l->occ_err = bin * 0.6;
    l->lo99 = s1 > 0 ? quantile(s, nf, 0.005, bin) : l->occ_lo;
    l->hi99 = s1 > 0 ? quantile(s, nf, 0.995, bin) : l->occ_hi;
    // Edge density is about 1/width of the total: an error of the cumulative moves it by that much.
    double rel = s1 > 0 ? l->n0_psd * bin * sqrt((double)(hi - lo + 1)) / s1 : 1;
    double over = l->power + l->noise - l->floor_psd * look_noise_band(l);
    if (s1 < 0.6 * over)
        spectrum_faint(l);
    double indep = (double)l->segments * (double)(hi - lo + 1);
    double edge = 0.5 * fmin(1, rel) / sqrt((double)l->segments + 1) + 0.1 / sqrt(indep + 1);
    l->err99 = bin + (l->occ_hi - l->occ_lo) * edge;
}
