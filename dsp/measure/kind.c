// SPDX-License-Identifier: GPL-3.0-or-later
// From what was measured to one kind, and to the contract's one meaning of width and SNR for it.
#include "dsp/measure/measure.h"

// The waveform DroneID's receiver looks for: samples of a burst of 8 or 9 symbols.
#define DRONEID_RATE_HZ   15.36e6
#define DRONEID_SAMPLES_8 8776
#define DRONEID_SAMPLES_9 9880
#define DRONEID_BW_HZ     9.015e6       // 601 carriers of 15 kHz

// Width in which the contract quotes SNR, per kind; 0: the 99 % power width.
static double kind_width(const struct fingerprint *fp)
{
    switch (fp->kind) {
    case KIND_LORA: return fp->sweep_hz.v;
    case KIND_FSK:
    case KIND_MSK:  return 2 * fp->deviation_hz.v + fp->symbol_rate_bd.v;
    case KIND_DSSS: return 11e6;
    case KIND_OFDM: {
        // 802.11 in 20 MHz; its wider channels by what they fill.
        bool wifi = fp->numerology == OFDM_WIFI || fp->wifi_stf.v > 0.5;
        return wifi && fp->bw99_hz.v < 20e6 ? 16.25e6 : 0;
    }
    case KIND_FM:   return meas_ok(fp->line_rate_hz) ? 8e6 : 0;
    default:        return 0;
    }
}

// Signal power over all of x, noise in the width alone.
static void kind_snr(const struct look *l, struct fingerprint *fp, double width)
{
    double s = 0, bin = l->fs / (double)l->nf, n = l->n0_psd * width;
    for (size_t k = 0; k < l->nf; k++)
        s += l->psd[k] - l->n0_psd * bin;
    s = fmax(l->power, 1e-30);
    double indep = (double)(l->i1 - l->i0) / l->fs * width + 1;
    // Power of n independent samples is known to 1/sqrt(n); the noise floor to 0.3 dB.
    double err = 4.34 * sqrt(1 / indep) * (s + n) / s;
    fp->snr_db = (struct meas){ n > 0 ? fmin(99, db_of(s / n)) : 99, fmin(20, hypot(err, 0.3)) };
    fp->level_dbfs = db_of(s);
}

// Fields follow the kind: what another measurer took for its own goes.
static void kind_tidy(struct fingerprint *fp)
{
    if (fp->kind != KIND_LORA && fp->kind != KIND_FM) {
        fp->chirp_hz_per_s = fp->sweep_hz = fp->lora_symbols = MEAS_NONE;
        fp->sf = 0;
    }
    if (fp->kind != KIND_FSK && fp->kind != KIND_MSK) {
        fp->symbol_rate_bd = fp->deviation_hz = fp->mod_index = MEAS_NONE;
        fp->fsk_head = 0;
        fp->fsk_head_bits = 0;
    }
    if (fp->kind != KIND_OFDM) {
        fp->numerology = OFDM_NONE;
        fp->useful_symbol_s = fp->cp_s = fp->cp_corr = fp->symbol_period_s = MEAS_NONE;
        fp->long_cp_every = fp->lte_pss = MEAS_NONE;
        fp->zc_len = 0;
    }
    if (fp->kind != KIND_DSSS)
        fp->chip_rate_hz = MEAS_NONE;
    if (fp->kind != KIND_FM) {
        fp->line_rate_hz = fp->line_corr = MEAS_NONE;
        fp->video = VIDEO_NONE;
    }
}

void kind_decide(struct look *l, struct fingerprint *fp, const struct evidence *e)
{
    fp->kind = KIND_UNKNOWN;
    double best = 0.5, left = 1;
    for (int k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++) {
        if (e->p[k] > best) {
            best = e->p[k];
            fp->kind = (enum sig_kind)k;
        }
        left *= 1 - fmin(0.999, e->p[k]);
    }
    fp->kind_p = fp->kind == KIND_UNKNOWN ? left : best;
    kind_tidy(fp);
    double mid = 0.5 * (l->lo99 + l->hi99), occ = 0.5 * (l->occ_lo + l->occ_hi);
    double f = l->f_hz + (fp->kind == KIND_UNKNOWN ? mid : occ);
    double err = fp->kind == KIND_UNKNOWN ? l->err99 / 2 : l->occ_err;
    if (e->freq_ok[fp->kind]) {
        f = l->f_hz + e->freq[fp->kind];
        err = e->freq_err[fp->kind];
    }
    fp->freq_hz = (struct meas){ l->b->centre_hz + f, err };
    fp->bw99_hz = (struct meas){ l->hi99 - l->lo99, l->err99 };
    double width = kind_width(fp);
    fp->bw_hz = width > 0 ? (struct meas){ width, l->err99 } : fp->bw99_hz;
    kind_snr(l, fp, fp->bw_hz.v);
}

// Its preamble was found by the standing detector, which knows place and mode whatever lies over
// it; how strong it is it knows only where nothing does.
void kind_lora(const struct burst *b, struct fingerprint *fp)
{
    const struct cand *c = &b->lora;
    double bw = c->f_hi_hz - c->f_lo_hz, n = exp2(c->sf), symbol = n / bw;
    double t = (double)c->n0 / b->rate_hz;
    bool clean = fp->kind == KIND_LORA && fp->sf == c->sf;

    fp->kind = KIND_LORA;
    fp->kind_p = 0.99;
    kind_tidy(fp);
    if (c->ends || !meas_ok(fp->dur_s) || fp->dur_s.v < symbol)
        fp->dur_s = (struct meas){ (double)(c->n1 - c->n0) / b->rate_hz,
                                   c->ends ? symbol / 4 : 20 * symbol };
    else
        fp->dur_s.v += fp->t_s.v - t;           // the energy's end
    fp->t_s = (struct meas){ t, symbol / 8 };
    fp->freq_hz = (struct meas){ b->centre_hz + 0.5 * (c->f_lo_hz + c->f_hi_hz), bw / n / 2 };
    fp->bw_hz = (struct meas){ bw, bw / n };
    fp->sf = c->sf;
    fp->sweep_hz = fp->bw_hz;
    fp->chirp_hz_per_s = (struct meas){ (c->down ? -bw : bw) / symbol, bw / symbol * 1e-4 };
    fp->lora_symbols = (struct meas){ fp->dur_s.v / symbol, fp->dur_s.err / symbol };
    if (!clean) {
        fp->snr_db = (struct meas){ c->snr_db, 2 };
        fp->level_dbfs = c->level_dbfs;
        fp->bw99_hz = fp->bw_hz;
    }
}

#define STF_ERR_HZ  5e3         // of a carrier from 8 us at 0 dB
#define DSSS_ERR_HZ 10e3        // from 128 steps

// The detector of preambles found one where the burst begins.  A box that shows what it is stands;
// with another's energy in it, or too weak, it may show nothing.
void kind_wifi(const struct burst *b, struct fingerprint *fp)
{
    const struct cand *c = &b->wifi;
    bool stf = c->hyp == HYP_STF, none = !meas_ok(fp->wifi_stf);
    bool plain = fp->kind == KIND_OFDM &&
                 (fp->numerology == OFDM_NONE || fp->numerology == OFDM_WIFI);

    if (fp->kind != KIND_UNKNOWN && !(stf && plain))
        return;
    fp->kind = stf ? KIND_OFDM : KIND_DSSS;
    fp->kind_p = fmax(fp->kind_p, 0.95);
    kind_tidy(fp);
    if (stf && (none || fp->wifi_stf.v < 0.9))
        fp->wifi_stf = (struct meas){ 1, 0.1 };     // with the noise taken away
    if (!stf)
        fp->barker_corr = (struct meas){ 1, 0.1 };
    double err = stf ? STF_ERR_HZ : DSSS_ERR_HZ;
    if (!(fp->freq_hz.err < err))
        fp->freq_hz = (struct meas){ b->centre_hz + 0.5 * (c->f_lo_hz + c->f_hi_hz), err };
    if (b->hyp & HYP_ENERGY)
        return;
    fp->t_s = (struct meas){ (double)c->n0 / b->rate_hz, 1e-6 };
    fp->dur_s = (struct meas){ (double)(c->n1 - c->n0) / b->rate_hz, 5e-3 };    // at least
    fp->bw_hz = fp->bw99_hz = (struct meas){ c->f_hi_hz - c->f_lo_hz, 0 };
    fp->snr_db = (struct meas){ c->snr_db, 2 };
}

// Its own receiver measured a DroneID burst; the energy around it may be half somebody else's.
void kind_droneid(const struct burst *b, const struct droneid_seen *d, struct fingerprint *fp)
{
    double len = (d->symbols == 8 ? DRONEID_SAMPLES_8 : DRONEID_SAMPLES_9) / DRONEID_RATE_HZ;

    fp->kind = KIND_OFDM;
    fp->kind_p = 0.99;
    kind_tidy(fp);
    fp->t_s = d->t_s;
    if (d->cut)         // the stretch that was received, as the detectors say
        len = fmin(len, fmax((double)b->n1 / b->rate_hz - d->t_s.v, 0));
    fp->dur_s = (struct meas){ len, d->cut ? 50e-6 : d->t_s.err };
    fp->freq_hz = d->freq_hz;
    fp->bw_hz = fp->bw99_hz = (struct meas){ DRONEID_BW_HZ, 0 };
    fp->numerology = OFDM_15K;
    fp->useful_symbol_s = (struct meas){ 1024 / DRONEID_RATE_HZ, 1e-9 };
    fp->cp_s = (struct meas){ 72 / DRONEID_RATE_HZ, 1e-9 };     // of all but the longer ends
    fp->symbol_period_s = (struct meas){ 1096 / DRONEID_RATE_HZ, 1e-9 };
    fp->wifi_stf = fp->lte_pss = fp->barker_corr = fp->long_cp_every = MEAS_NONE;
    if (meas_ok(d->snr_db)) {
        fp->snr_db = d->snr_db;
        if (b->noise_dbfs_hz > -250 && b->noise_dbfs_hz < 50)
            fp->level_dbfs = d->snr_db.v + b->noise_dbfs_hz + 10 * log10(DRONEID_BW_HZ);
    }
}
