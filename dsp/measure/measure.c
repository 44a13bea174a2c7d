// SPDX-License-Identifier: GPL-3.0-or-later
// measure_burst: takes looks until the burst fills them well, runs the measurers, decides the kind.
#include "dsp/measure/measure.h"

#include <stdlib.h>

struct measurer *measurer_new(double rate_hz)
{
    struct measurer *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->rate_hz = rate_hz;
    m->x = dft_alloc(LOOK_MAX);
    m->y = dft_alloc(LOOK_MAX);
    m->z = dft_alloc(LOOK_MAX);
    m->p = (float *)dft_alloc(LOOK_MAX / 2);
    m->q = (float *)dft_alloc(LOOK_MAX / 2);
    m->sum = malloc((FOLD_MAX + 1) * sizeof *m->sum);
    bool ok = m->x && m->y && m->z && m->p && m->q && m->sum;
    for (unsigned k = FFT_LOG_MIN; k <= FFT_LOG_MAX && ok; k++) {
        m->fft[k] = dft_new(1u << k, DFT_FORWARD, 1);
        m->ifft[k] = k <= 12 ? dft_new(1u << k, DFT_BACKWARD, 1) : NULL;
        ok = m->fft[k] && (k > 12 || m->ifft[k]);
    }
    if (!ok) {
        measurer_free(m);
        return NULL;
    }
    return m;
}

void measurer_free(struct measurer *m)
{
    if (!m)
        return;
    for (unsigned k = 0; k <= FFT_LOG_MAX; k++) {
        dft_free(m->fft[k]);
        dft_free(m->ifft[k]);
    }
    free(m->x);
    free(m->y);
    free(m->z);
    free(m->p);
    free(m->q);
    free(m->sum);
    free(m);
}

static void fingerprint_clear(struct fingerprint *fp)
{
    *fp = (struct fingerprint){
        .t_s = MEAS_NONE, .dur_s = MEAS_NONE, .freq_hz = MEAS_NONE, .bw_hz = MEAS_NONE,
        .bw99_hz = MEAS_NONE, .snr_db = MEAS_NONE, .env_cv = MEAS_NONE, .papr_db = MEAS_NONE,
        .on_fraction = MEAS_NONE, .symbol_rate_bd = MEAS_NONE, .deviation_hz = MEAS_NONE,
        .mod_index = MEAS_NONE, .chirp_hz_per_s = MEAS_NONE, .sweep_hz = MEAS_NONE,
        .lora_symbols = MEAS_NONE, .useful_symbol_s = MEAS_NONE, .cp_s = MEAS_NONE,
        .cp_corr = MEAS_NONE, .symbol_period_s = MEAS_NONE, .long_cp_every = MEAS_NONE,
        .lte_pss = MEAS_NONE, .wifi_stf = MEAS_NONE, .chip_rate_hz = MEAS_NONE,
        .barker_corr = MEAS_NONE, .line_rate_hz = MEAS_NONE, .line_corr = MEAS_NONE,
    };
}

// What the detector knows, for a burst whose samples are gone or say nothing.
static void fingerprint_rough(const struct burst *b, struct fingerprint *fp)
{
    uint64_t from = b->part == BURST_RUN_END ? b->run_n0 : b->n0;
    double w = b->f_hi_hz - b->f_lo_hz;
    fp->t_s = (struct meas){ (double)from / b->rate_hz, 50e-6 };
    fp->dur_s = (struct meas){ (double)(b->n1 - from) / b->rate_hz, 100e-6 };
    fp->freq_hz = (struct meas){ b->centre_hz + 0.5 * (b->f_lo_hz + b->f_hi_hz), w / 4 };
    fp->bw_hz = fp->bw99_hz = (struct meas){ w, w / 2 };
    fp->snr_db = (struct meas){ b->snr_db, 2 };
    fp->level_dbfs = b->level_dbfs;
}

// A rough width may be a tile several times too wide or a part of the signal.  Looks again until
// the occupied band is between 0.4 and 0.95 of what was taken for it.
static void look_settle(struct measurer *m, const struct burst *b, struct look *l,
                        struct fingerprint *fp)
{
    double lo = b->f_lo_hz, hi = b->f_hi_hz, half = b->rate_hz / 2;
    for (int turn = 0; turn < 4; turn++) {
        double w = hi - lo, mid = 0.5 * (lo + hi);
        look_take(m, b, mid, w, l);
        if (l->n < 32 || l->i1 < l->i0 + 16)
            return;
        level_edges(m, l, fp);
        spectrum_take(m, l);
        double occ = l->occ_hi - l->occ_lo, edge = 0.04 * l->fs;
        bool low = l->occ_lo < -0.4 * l->fs + edge && mid - 0.45 * l->fs > -half;
        bool high = l->occ_hi > 0.4 * l->fs - edge && mid + 0.45 * l->fs < half;
        double w99 = l->hi99 - l->lo99, bin = l->fs / (double)l->nf;
        double next = fmax(occ, w99) * 1.1 + 2 * bin;
        if (low || high) {
            lo = fmax(-half, mid - (low ? 1.1 : 0.55) * l->fs);
            hi = fmin(half, mid + (high ? 1.1 : 0.55) * l->fs);
        } else if (turn < 3 && next < 0.42 * l->fs && l->fs > 60e3) {
            lo = l->f_hz + fmin(l->occ_lo, l->lo99) - 0.05 * next - bin;
            hi = l->f_hz + fmax(l->occ_hi, l->hi99) + 0.05 * next + bin;
        } else {
            return;
        }
    }
}

typedef void measure_fn(struct measurer *m, struct look *l, struct fingerprint *fp,
                        struct evidence *e);
#define ALWAYS 4                    // of these, from the first
static measure_fn *const measurers[] = {
    level_envelope, cp_measure, ofdm_measure, stf_measure, barker_measure,
    chirp_measure, fsk_measure, video_measure, tone_measure,
};

void measure_burst(struct measurer *m, const struct burst *b, struct finding *f)
{
    struct fingerprint *fp = &f->fp;
    struct evidence e = { .line_share = 0, .const_env = 9 };
    fingerprint_clear(fp);
    fingerprint_rough(b, fp);
    bool sane = b->rate_hz > 0 && isfinite(b->rate_hz) && b->n1 > b->n0 &&
                b->f_hi_hz > b->f_lo_hz && isfinite(b->f_hi_hz - b->f_lo_hz);
    if (!sane || b->cut.n == 0 || (b->flags & BURST_NO_SAMPLES))
        return;
    struct look *l = &m->look;
    look_settle(m, b, l, fp);
    if (l->n < 32 || l->i1 < l->i0 + 16)
        return;
    for (size_t i = 0; i < sizeof measurers / sizeof *measurers; i++)
        // Prefixes and chips leave no doubt; the costly rest is for the others.
        if (i < ALWAYS || (e.p[KIND_OFDM] < 0.95 && e.p[KIND_DSSS] < 0.95))
            measurers[i](m, l, fp, &e);
    kind_decide(l, fp, &e, &f->droneid);
}
