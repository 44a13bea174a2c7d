// SPDX-License-Identifier: GPL-3.0-or-later
// Who hears many transmitters on known channels knows its own crystal: each of them is off by its
// own, but all of them by ours.
//
//     sender 1          o                    off its channel, in ppm of the frequency
//     sender 2      o                        (ours fast by e: all of them seem low by e)
//     sender 3           o
//     sender 4         o        weighted median = -e
//     LTE cell         |        worth thousands of others: base stations keep 0.05 ppm
//     UTC              |        the sample clock against the host's, from the same crystal
//
// A sender is told from others by kind, channel and offset (of Bluetooth by its offset alone: it
// hops): two of one offset count once, which errs towards knowing less.  Wi-Fi and Bluetooth allow
// 20 ppm; within that crystals are spread by some 10.  LTE's channels lie 100 kHz apart, 20 to
// 140 ppm, so a cell is believed only where the others say which of them it must be.
#include "classifier/crystal.h"

#include <math.h>

#define MOST_PPM   60.0         // both crystals together, as bad as they come
#define CROWD_PPM  10.0         // one of the crowd's crystal
#define CELL_PPM   0.1          // a base station's and our reading of it
#define PRIOR_PPM  20.0         // of a receiver of which nothing is known
#define SAME_PPM   1.5          // of one sender: its temperature between two frames
#define ERR_MOST_PPM 5.0        // a reading worse than this says nothing
#define MEDIAN     1.2533       // error of a median against a mean's
#define SAID_PPM   5.0          // a better estimate than this is told
#define SURE       3.0          // standard errors from nothing: frequencies are corrected
#define BLE_BD     1e6
#define HOURS_S    3600.0       // who was not heard for so long gives his place away

enum { SENDER_WIFI, SENDER_BLUETOOTH, SENDER_CELL };

static double nearest(double f_hz, double from_hz, double step_hz)
{
    return from_hz + step_hz * round((f_hz - from_hz) / step_hz);
}

// Which known channel it stands beside; false: of no kind that has any.
static bool channel_of(const struct fingerprint *p, int *ret_kind, double *ret_hz)
{
    double f = p->freq_hz.v;
    bool wide = meas_ok(p->bw_hz) && p->bw_hz.v > 15e6 && p->bw_hz.v < 18e6;
    bool wifi = p->kind == KIND_OFDM && wide &&
                (p->numerology == OFDM_WIFI || (meas_ok(p->wifi_stf) && p->wifi_stf.v > 0.8));

    if (wifi || (p->kind == KIND_DSSS && meas_ok(p->barker_corr) && p->barker_corr.v > 0.5)) {
        *ret_kind = SENDER_WIFI;
        *ret_hz = nearest(f, f < 3e9 ? 2412e6 : 5000e6, 5e6);
        return f < 3e9 ? *ret_hz > 2411e6 && *ret_hz < 2473e6 : f > 5.17e9 && f < 5.9e9;
    }
    if ((p->kind == KIND_FSK || p->kind == KIND_MSK) && meas_ok(p->symbol_rate_bd) &&
        fabs(p->symbol_rate_bd.v / BLE_BD - 1) < 0.005 && f > 2401e6 && f < 2481e6 &&
        meas_ok(p->mod_index) && p->mod_index.v > 0.25 && p->mod_index.v < 0.6) {
        *ret_kind = SENDER_BLUETOOTH;
        *ret_hz = nearest(f, 2402e6, 1e6);
        return true;
    }
    if (p->kind == KIND_OFDM && p->numerology == OFDM_15K && meas_ok(p->lte_pss) &&
        p->lte_pss.v > 0.5) {
        *ret_kind = SENDER_CELL;
        *ret_hz = nearest(f, 0, 100e3);
        return true;
    }
    return false;
}

// ---- The estimate ------------------------------------------------------------------------------

static double weight_of(const struct crystal_sender *s)
{
    double own = s->kind == SENDER_CELL ? CELL_PPM : CROWD_PPM;
    return 1 / (own * own + 1 / s->w);
}

// Half of the weight lies below; what is known of the sample clock and of all crystals is in it.
static double middle(const struct crystal *c, double all)
{
    bool taken[CRYSTAL_SENDERS + 2] = { false };
    double sum = 0, x = 0;

    while (sum < all / 2) {
        int best = -1;
        double w = 0;
        for (unsigned i = 0; i < c->n + 2; i++) {
            double v = i < c->n ? c->sender[i].ppm : i == c->n ? -c->clock_ppm : 0;
            if (taken[i] || (best >= 0 && v >= x))
                continue;
            best = (int)i;
            x = v;
            w = i < c->n ? weight_of(&c->sender[i])
                         : i == c->n ? c->clock_w : 1 / (PRIOR_PPM * PRIOR_PPM);
        }
        if (best < 0)
            break;
        taken[best] = true;
        sum += w;
    }
    return x;
}

static void estimate(struct crystal *c)
{
    double all = 1 / (PRIOR_PPM * PRIOR_PPM) + c->clock_w;

    for (unsigned i = 0; i < c->n; i++)
        all += weight_of(&c->sender[i]);
    c->now = (struct meas){ -middle(c, all), MEDIAN / sqrt(all) };
}

// A cell's channel must be the only one that fits to what is known without it.
static bool cell_is_clear(const struct crystal *c, double raster_hz)
{
    double step_ppm = 100e3 / raster_hz * 1e6;
    double err = c->now.err > 0 ? c->now.err : PRIOR_PPM;
    return step_ppm / 2 > 2 * err;
}

void crystal_hear(struct crystal *c, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;
    int kind;
    double at_hz;

    if (f->reject || f->product || !meas_ok(p->freq_hz) || !(p->freq_hz.v > 1e6) ||
        (f->flags & (BURST_CLIPPED | BURST_EDGE | BURST_NO_SAMPLES)) ||
        (f->part != BURST_WHOLE && f->part != BURST_RUN_FIRST) || !channel_of(p, &kind, &at_hz))
        return;
    double ppm = (p->freq_hz.v / at_hz - 1) * 1e6, err = fmax(p->freq_hz.err / at_hz * 1e6, 0.01);
    if (fabs(ppm) > MOST_PPM || err > ERR_MOST_PPM ||
        (kind == SENDER_CELL && !cell_is_clear(c, at_hz)))
        return;
    unsigned i = 0, old = 0;
    for (; i < c->n; i++) {
        struct crystal_sender *s = &c->sender[i];
        if (s->kind == kind && (kind == SENDER_BLUETOOTH || s->raster_hz == at_hz) &&
            fabs(s->ppm - ppm) < SAME_PPM + 3 * hypot(err, 1 / sqrt(s->w)))
            break;
        if (s->last_s < c->sender[old].last_s)
            old = i;
    }
    if (i == CRYSTAL_SENDERS) {
        if (p->t_s.v - c->sender[old].last_s < HOURS_S)
            return;
        c->sender[i = old] = (struct crystal_sender){ 0 };
    }
    c->n += i == c->n;
    struct crystal_sender *s = &c->sender[i];
    double w = 1 / (err * err);
    *s = (struct crystal_sender){ kind, at_hz, (s->ppm * s->w + ppm * w) / (s->w + w),
                                  fmin(s->w + w, 1e4), p->t_s.v };
    estimate(c);
}

void crystal_clock(struct crystal *c, double ppm, double err_ppm)
{
    if (!(err_ppm > 0) || !isfinite(ppm) || fabs(ppm) > 1000)
        return;
    c->clock_ppm = ppm;
    c->clock_w = 1 / (err_ppm * err_ppm);
    estimate(c);
}

struct crystal_fix crystal_at(const struct crystal *c, double freq_hz)
{
    double f = freq_hz * 1e-6;

    if (!(c->now.err > 0) || c->now.err > SAID_PPM || !isfinite(freq_hz))
        return (struct crystal_fix){ 0, -1 };
    bool sure = fabs(c->now.v) > SURE * c->now.err;
    // uncorrected, the error is what it may be
    return (struct crystal_fix){ sure ? f * c->now.v : 0,
                                 f * (sure ? c->now.err : hypot(c->now.err, c->now.v)) };
}

void crystal_track(const struct crystal *c, struct track *t)
{
    struct crystal_fix x = crystal_at(c, (t->freq_lo_hz + t->freq_hi_hz) / 2);
    t->shift_hz = x.shift_hz;
    t->freq_err_hz = fmax(x.err_hz, 0);
}

void crystal_burst(const struct crystal *c, struct finding *f)
{
    struct crystal_fix x = crystal_at(c, f->fp.freq_hz.v);
    f->fp.freq_hz.v += x.shift_hz;
    f->droneid.freq_hz.v += x.shift_hz;
    f->freq_err_hz = fmax(x.err_hz, 0);
}

void crystal_decode(const struct crystal *c, struct decode *d)
{
    struct crystal_fix x = crystal_at(c, d->freq_hz.v);
    d->freq_hz.v += x.shift_hz;
    d->freq_err_hz = fmax(x.err_hz, 0);
}
