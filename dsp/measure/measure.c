// SPDX-License-Identifier: GPL-3.0-or-later
// measure_burst: takes looks until the burst fills them well, runs the measurers, decides the kind.
#include "dsp/measure/measure.h"

#include <stdlib.h>

#define WIFI_USEFUL_S 3.2e-6

struct measurer *measurer_new(double rate_hz)
{
    struct measurer *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->rate_hz = rate_hz;
    m->x = dft_alloc(LOOK_MAX);
    m->y = dft_alloc(LOOK_MAX);
    m->z = dft_alloc(LOOK_MAX);
    m->g = dft_alloc(LOOK_MAX);
    m->p = (float *)dft_alloc(LOOK_MAX / 2);
    m->q = (float *)dft_alloc(LOOK_MAX / 2);
    m->r = (float *)dft_alloc(LOOK_MAX / 2);
    m->blocks = (float *)dft_alloc(LOOK_MAX / LOOK_BLOCK / 2);
    m->ddc = ddc_kept_new();
    m->op = look_ops();
    spectrum_windows(m->hann);
    bool ok = m->x && m->y && m->z && m->g && m->p && m->q && m->r && m->blocks && m->ddc;
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
    free(m->g);
    free(m->p);
    free(m->q);
    free(m->r);
    free(m->blocks);
    ddc_kept_free(m->ddc);
    free(m);
}

static void fingerprint_clear(struct fingerprint *fp)
{
    *fp = (struct fingerprint){
        .t_s = MEAS_NONE, .dur_s = MEAS_NONE, .freq_hz = MEAS_NONE, .bw_hz = MEAS_NONE,
        .bw99_hz = MEAS_NONE, .level_dbm = MEAS_NONE, .snr_db = MEAS_NONE, .env_cv = MEAS_NONE,
        .papr_db = MEAS_NONE,
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

// The band to look at next, or false when this look is good: the signal neither reaches the look's
// edges nor leaves more than two thirds of it empty.
static bool look_better(const struct look *l, double *lo, double *hi)
{
    double half = l->in_fs / 2, edge = 0.36 * l->fs, bin = l->fs / (double)l->nf;
    double next = fmax(l->occ_hi - l->occ_lo, l->hi99 - l->lo99) * 1.1 + 2 * bin;
    // Where the look ends with the capture there is no more.
    bool low = l->occ_lo < -edge && l->f_hz - 0.45 * l->fs > -half + 0.05 * l->fs;
    bool high = l->occ_hi > edge && l->f_hz + 0.45 * l->fs < half - 0.05 * l->fs;
    if (low || high) {
        *lo = fmax(-half, l->f_hz - (low ? 1.1 : 0.55) * l->fs);
        *hi = fmin(half, l->f_hz + (high ? 1.1 : 0.55) * l->fs);
        return true;
    }
    if (next >= l->fs / 3 || l->fs <= 60e3)
        return false;
    *lo = l->f_hz + fmin(l->occ_lo, l->lo99) - 0.05 * next - bin;
    *hi = l->f_hz + fmax(l->occ_hi, l->hi99) + 0.05 * next + bin;
    return true;
}

static bool look_at(struct measurer *m, const struct burst *b, double lo, double hi, size_t most,
                    struct look *l, struct fingerprint *fp)
{
    look_take(m, b, 0.5 * (lo + hi), hi - lo, most, l);
    if (l->n < 32 || l->i1 < l->i0 + 16)
        return false;
    level_edges(m, l, fp);
    if (l->i1 < l->i0 + 16)
        return false;
    spectrum_take(m, l);
    return true;
}

// A rough width may be a tile several times too wide or a part of the signal: short looks until the
// occupied band fills one well, then a full one.
static bool look_settle(struct measurer *m, const struct burst *b, struct look *l,
                        struct fingerprint *fp)
{
    double lo = b->f_lo_hz, hi = b->f_hi_hz;
    bool again = true;
    for (int turn = 0; turn < 4 && again; turn++) {
        if (!look_at(m, b, lo, hi, LOOK_SHORT, l, fp))
            return false;
        again = turn < 3 && look_better(l, &lo, &hi);
    }
    return l->whole || look_at(m, b, lo, hi, LOOK_MAX, l, fp);
}

typedef void measure_fn(struct measurer *m, struct look *l, struct fingerprint *fp,
                        struct evidence *e);
#define ALWAYS 4                    // of these, from the first
static measure_fn *const measurers[] = {
    level_envelope, cp_measure, ofdm_measure, stf_measure, barker_measure,
    video_measure, chirp_measure, fsk_measure, tone_measure,
};

// Whether the capture's own samples may do: it may be Wi-Fi, which is no run, and the lags of that
// are whole numbers of them.
static bool own_fits(const struct burst *b)
{
    double n = WIFI_USEFUL_S * b->rate_hz;
    return b->part == BURST_WHOLE && n > 8 && fabs(n - round(n)) < 0.01;
}

// Prefixes, chips, lines and chirps leave no doubt.
static bool is_sure(const struct evidence *e)
{
    return fmax(e->p[KIND_OFDM], fmax(e->p[KIND_DSSS], e->p[KIND_FM])) >= 0.95 ||
           e->p[KIND_LORA] >= 0.95;
}

// False: the capture's own samples did not do.
static bool measure_look(struct measurer *m, const struct burst *b, bool own,
                         struct fingerprint *fp)
{
    struct evidence e = { .line_share = 0, .const_env = 9 };
    struct look *l = &m->look;
    fingerprint_clear(fp);
    fingerprint_rough(b, fp);
    m->own = own;
    if (!look_settle(m, b, l, fp))
        return true;
    for (size_t i = 0; i < sizeof measurers / sizeof *measurers; i++) {
        if (i == ALWAYS && look_own(l) && (l->between || !is_sure(&e)))
            return false;
        if (i < ALWAYS || !is_sure(&e))     // the costly rest is for the others
            measurers[i](m, l, fp, &e);
    }
    kind_decide(l, fp, &e);
    return true;
}

// Most of what is wide is Wi-Fi, which shows in the capture's own samples; what does not is looked
// at again, at the rate of all others.
static void measure_energy(struct measurer *m, const struct burst *b, struct fingerprint *fp)
{
    fingerprint_clear(fp);
    fingerprint_rough(b, fp);
    bool sane = b->rate_hz > 0 && isfinite(b->rate_hz) && b->n1 > b->n0 &&
                b->f_hi_hz > b->f_lo_hz && isfinite(b->f_hi_hz - b->f_lo_hz);
    if (!sane || b->cut.n == 0 || (b->flags & BURST_NO_SAMPLES))
        return;
    m->look.b = NULL;               // what x holds is of another burst
    if (!own_fits(b) || !measure_look(m, b, true, fp))
        measure_look(m, b, false, fp);
}

void measure_burst(struct measurer *m, const struct burst *b, struct finding *f)
{
    if (b->hyp & ~(uint32_t)HYP_WIFI) {
        measure_energy(m, b, &f->fp);
    } else {                        // its surroundings are another's
        fingerprint_clear(&f->fp);
        fingerprint_rough(b, &f->fp);
    }
    if (b->hyp & HYP_LORA && b->rate_hz > 0)
        kind_lora(b, &f->fp);
    else if (b->hyp & HYP_WIFI && b->rate_hz > 0)
        kind_wifi(b, &f->fp);
    if (f->droneid.seen && b->rate_hz > 0 && meas_ok(f->droneid.t_s))
        kind_droneid(b, &f->droneid, &f->fp);
}
