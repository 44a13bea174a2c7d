// SPDX-License-Identifier: GPL-3.0-or-later
// A finding reduced to what association needs, and the tests of one observation against one mode.
#include "classifier/obs.h"

#include <math.h>

// Burst edges come from energy cells and, for short bursts, from the ramp of the amplifier: the
// chain's own edges are good to about this much at moderate SNR.
#define EDGE_S 60e-6

static double pick(struct meas a, struct meas b)
{
    return meas_ok(a) && isfinite(a.v) ? a.v : meas_ok(b) && isfinite(b.v) ? b.v : 0;
}

bool obs_of(struct obs *ret, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;

    if ((f->flags & BURST_NO_SAMPLES) && !f->droneid.seen)
        return false;
    if (!meas_ok(p->t_s) || !isfinite(p->t_s.v) || !meas_ok(p->freq_hz) || !isfinite(p->freq_hz.v))
        return false;
    *ret = (struct obs){
        .t_s = p->t_s.v, .dur_s = pick(p->dur_s, MEAS_NONE), .freq_hz = p->freq_hz.v,
        .bw_hz = pick(p->bw_hz, p->bw99_hz),
        .level_dbfs = isfinite(p->level_dbfs) ? p->level_dbfs : -200,
        .snr_db = pick(p->snr_db, MEAS_NONE),
        .rate_hz = f->rate_hz, .centre_hz = f->centre_hz,
        .flags = f->flags, .part = f->part, .origin = f->origin, .id = f->id, .fp = *p,
    };
    return true;
}

bool obs_whole(const struct obs *o)
{
    return o->part == BURST_WHOLE &&
           !(o->flags & (BURST_TOUCHES_GAP | BURST_AT_START | BURST_AT_END));
}

static bool near(struct meas m, double want, double tolerance)
{
    return !meas_ok(m) || fabs(m.v - want) <= want * tolerance + 3 * m.err;
}

static bool inside(struct meas m, struct sig_range r)
{
    if (!meas_ok(m) || (r.lo == 0 && r.hi == 0))
        return true;
    return m.v >= r.lo - m.err && m.v <= r.hi + m.err;
}

static bool fsk_like(enum sig_kind k)
{
    return k == KIND_FSK || k == KIND_MSK;
}

bool mode_wave_fits(const struct sig_mode *m, const struct obs *o)
{
    const struct fingerprint *p = &o->fp;

    if (m->kind != p->kind && !(fsk_like(m->kind) && fsk_like(p->kind)))
        return false;
    if (m->kind == KIND_LORA) {
        // spreading factor unknown: the slope tells it when the sweep does not contradict
        double slope = m->bw_hz * m->bw_hz / exp2(m->sf);
        if (p->sf ? p->sf != (int)m->sf
                  : !meas_ok(p->chirp_hz_per_s) ||
                    fabs(fabs(p->chirp_hz_per_s.v) / slope - 1) > 0.1)
            return false;
        return near(meas_ok(p->sweep_hz) ? p->sweep_hz : p->bw_hz, m->bw_hz,
                    m->bw_tolerance > 0 ? m->bw_tolerance : 0.1);
    }
    if (fsk_like(m->kind)) {
        double tol = m->symbol_rate_tolerance > 0 ? m->symbol_rate_tolerance : 0.03;
        if (m->symbol_rate_bd > 0 && !(meas_ok(p->symbol_rate_bd) &&
                                       near(p->symbol_rate_bd, m->symbol_rate_bd, tol)))
            return false;
        return inside(p->mod_index, m->mod_index) && inside(p->deviation_hz, m->deviation_hz);
    }
    if (m->bw_hz > 0)
        return near(p->bw_hz, m->bw_hz, m->bw_tolerance > 0 ? m->bw_tolerance : 0.1);
    return true;
}

bool mode_length_fits(const struct sig_mode *m, const struct obs *o)
{
    if (m->burst_s.hi <= 0)
        return true;
    double slack = EDGE_S + 3 * fmax(o->fp.dur_s.err, 0);
    if (slack > 0.1 * m->burst_s.hi)
        slack = fmax(0.1 * m->burst_s.hi, EDGE_S);
    return o->dur_s >= m->burst_s.lo - slack && o->dur_s <= m->burst_s.hi + slack;
}

bool mode_band_fits(const struct sig_mode *m, double freq_hz, double slack_hz)
{
    for (unsigned i = 0; i + 1 < m->n_bands_hz; i += 2)
        if (freq_hz >= m->bands_hz[i] - slack_hz && freq_hz <= m->bands_hz[i + 1] + slack_hz)
            return true;
    return m->n_bands_hz == 0;
}

bool mode_channel(const struct sig_mode *m, double freq_hz, int *ret_channel, double *ret_off_hz)
{
    if (m->channel_step_hz > 0) {
        double c = floor((freq_hz - m->channel_start_hz) / m->channel_step_hz + 0.5);
        c = fmin(fmax(c, 0), m->channel_count - 1.0);
        *ret_channel = (int)c;
        *ret_off_hz = freq_hz - m->channel_start_hz - c * m->channel_step_hz;
        return true;
    }
    double best = INFINITY;
    for (unsigned i = 0; i < m->n_channels; i++)
        if (fabs(freq_hz - m->channels_hz[i]) < fabs(best)) {
            best = freq_hz - m->channels_hz[i];
            *ret_channel = (int)i;
        }
    *ret_off_hz = best;
    return m->n_channels > 0;
}

unsigned mode_channels_within(const struct sig_mode *m, double lo_hz, double hi_hz)
{
    unsigned n = 0;

    if (m->channel_step_hz > 0) {
        for (unsigned i = 0; i < m->channel_count; i++) {
            double f = m->channel_start_hz + i * m->channel_step_hz;
            n += f >= lo_hz && f <= hi_hz;
        }
        return n;
    }
    for (unsigned i = 0; i < m->n_channels; i++)
        n += m->channels_hz[i] >= lo_hz && m->channels_hz[i] <= hi_hz;
    return n;
}
