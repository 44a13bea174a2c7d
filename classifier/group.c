// SPDX-License-Identifier: GPL-3.0-or-later
// Sorts transmissions into groups by what was measured, and counts what the judges ask for.
#include "classifier/group.h"

#include <math.h>
#include <string.h>

#define MBD        1e6
#define MBD_TOL    0.03     // Bluetooth allows 20 ppm; a symbol clock over a short burst is worse
#define H_SPLIT    0.41     // BR 0.28 to 0.35, LE 0.45 to 0.55
#define NARROW_HZ  2.5e6    // OcuSync's control bursts are 1.1 or 2.2 MHz wide
#define TU_15K_S   (1 / 15e3)
#define DJI_PERIOD_S 71.354e-6      // 66.667 + 4.6875: every prefix 72 samples at 15.36 MS/s
#define LTE_PERIOD_S 71.429e-6      // seven symbols in 0.5 ms
#define DJI_FRAME_S  1.0719e-3      // 15 symbols: OcuSync's downlink; up to three in a row

#define PSS_DEVIATIONS 16           // exp(-16) over 1e4 places: one in a thousand bursts

static bool has(struct meas m, double lo, double hi)
{
    return meas_ok(m) && m.v >= lo && m.v <= hi;
}

// LTE's synchronisation signal.  The value is over the share of signal in the power; noise alone,
// the best of some ten thousand places, comes to 9 to 13 of its deviations, so much must not count.
static bool has_pss(const struct fingerprint *p)
{
    return has(p->lte_pss, 0.45, 1.1) && p->lte_pss.v > PSS_DEVIATIONS * p->lte_pss.err;
}

// Whether it would have been seen, had it been there.
static bool shows_pss(const struct fingerprint *p)
{
    return meas_ok(p->lte_pss) && PSS_DEVIATIONS * p->lte_pss.err < 0.8;
}

static bool is_ofdm15(const struct fingerprint *p)
{
    return p->numerology == OFDM_15K ||
           (p->numerology == OFDM_NONE &&
            has(p->useful_symbol_s, 0.98 * TU_15K_S, 1.02 * TU_15K_S));
}

static enum group_kind fsk_kind(const struct obs *o)
{
    const struct fingerprint *p = &o->fp;

    if (!has(p->symbol_rate_bd, MBD * (1 - MBD_TOL), MBD * (1 + MBD_TOL)))
        return GROUP_FSK;
    double h = meas_ok(p->mod_index) ? p->mod_index.v
             : meas_ok(p->deviation_hz) ? 2 * p->deviation_hz.v / p->symbol_rate_bd.v : 0;
    if (h > 0.2 && h < H_SPLIT)
        return GROUP_BLUETOOTH;
    return h >= H_SPLIT && h < 0.65 ? GROUP_BLE : GROUP_FSK;
}

static enum group_kind ofdm_kind(const struct obs *o)
{
    const struct fingerprint *p = &o->fp;

    if (p->numerology == OFDM_WIFI || p->numerology == OFDM_WIFI_AX || has(p->wifi_stf, 0.6, 1.1))
        return GROUP_WIFI_OFDM;
    if (is_ofdm15(p) && has_pss(p))
        return GROUP_CELL;
    if (is_ofdm15(p))
        return o->bw_hz < NARROW_HZ && !(o->flags & BURST_EDGE) && o->bw_hz < 0.6 * o->rate_hz
                   ? GROUP_NARROW_OFDM : GROUP_CELL;
    return GROUP_OFDM;
}

enum group_kind group_kind_of(const struct obs *o)
{
    const struct fingerprint *p = &o->fp;

    switch (p->kind) {
    case KIND_LORA: return GROUP_LORA;
    case KIND_FSK:
    case KIND_MSK:  return fsk_kind(o);
    case KIND_OFDM: return ofdm_kind(o);
    case KIND_DSSS: return has(p->barker_corr, 0.4, 1.1) ? GROUP_WIFI_DSSS : GROUP_DSSS;
    case KIND_FM:   return p->video != VIDEO_NONE ? GROUP_VIDEO : GROUP_FM;
    case KIND_AM:   return GROUP_AM;
    case KIND_CW:   return GROUP_CW;
    default:        return GROUP_UNKNOWN;
    }
}

static bool close_to(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

static double p1_of(const struct obs *o)
{
    const struct fingerprint *p = &o->fp;
    return p->kind == KIND_LORA ? p->sf : meas_ok(p->symbol_rate_bd) ? p->symbol_rate_bd.v : 0;
}

static double p2_of(const struct obs *o)
{
    const struct fingerprint *p = &o->fp;
    return p->kind == KIND_LORA ? (meas_ok(p->sweep_hz) ? p->sweep_hz.v : o->bw_hz)
                                : meas_ok(p->deviation_hz) ? p->deviation_hz.v : 0;
}

bool group_takes(const struct group *g, const struct obs *o)
{
    if (g->kind != group_kind_of(o))
        return false;
    double away = fabs(g->freq_hz - o->freq_hz);
    switch (g->kind) {
    case GROUP_BLE:
    case GROUP_BLUETOOTH:
    case GROUP_NARROW_OFDM:
        return true;
    case GROUP_WIFI_OFDM:
    case GROUP_WIFI_DSSS:
        return away < 10e6;     // overlapping channels share a track, and so do pieces of a frame
    case GROUP_CELL:
        return away < fmax(0.5e6, 0.5 * fmax(g->bw_hz, o->bw_hz));  // or a part of its band
    case GROUP_VIDEO:
        return away < 8e6;      // its width: nearer ones could not be told apart, and the centre
                                // of a piece follows the picture and what of it was lost
    case GROUP_LORA:
        return g->p1 == p1_of(o) && close_to(g->p2, p2_of(o), 0.1);
    case GROUP_FSK:
        return close_to(g->p1, p1_of(o), 0.04) && close_to(g->p2, p2_of(o), 0.25);
    case GROUP_CW:
        return away < 20e3;
    case GROUP_UNKNOWN:         // one place: they overlap
    case GROUP_AM:
    case GROUP_FM:
        return away < fmax(2.5e6, 0.5 * (g->bw_hz + o->bw_hz));
    default:
        return away < fmax(0.3e6, 0.5 * fmin(g->bw_hz, o->bw_hz)) &&
               close_to(g->bw_hz, o->bw_hz, 0.5);
    }
}

void group_start(struct group *g, const struct obs *o)
{
    *g = (struct group){ .kind = group_kind_of(o), .freq_hz = o->freq_hz, .bw_hz = o->bw_hz,
                         .p1 = p1_of(o), .p2 = p2_of(o), .sample = *o };
}

static void channel_add(struct group *g, const struct obs *o)
{
    double near_hz = fmax(0.4 * o->bw_hz, 5e3);

    for (unsigned i = 0; i < g->n_channels; i++)
        if (fabs(g->channel[i].f_hz - o->freq_hz) <= near_hz) {
            g->channel[i].n++;
            return;
        }
    if (g->n_channels < GROUP_CHANNELS) {
        g->channel[g->n_channels].f_hz = o->freq_hz;
        g->channel[g->n_channels++].n = 1;
    }
}

// Advertising access address 0x8E89BED6 as it goes on the air, least significant bit first, at any
// place among the first bits, either sense of deviation, two wrong bits allowed: random bits pass
// once in 10^5 bursts.
static bool advertising(const struct fingerprint *p)
{
    const uint32_t aa = 0x6B7D9171u;
    unsigned n = p->fsk_head_bits > 64 ? 64 : p->fsk_head_bits;

    for (unsigned i = 0; i + 32 <= n; i++) {
        uint32_t w = (uint32_t)(p->fsk_head >> (64 - 32 - i));
        int wrong = __builtin_popcount(w ^ aa);
        if (wrong <= 2 || wrong >= 30)
            return true;
    }
    return false;
}

static void ofdm_features(struct group *g, const struct fingerprint *p, double dur_s)
{
    g->stf += has(p->wifi_stf, 0.6, 1.1);
    g->numerology_wifi += p->numerology == OFDM_WIFI || p->numerology == OFDM_WIFI_AX;
    g->pss += has_pss(p);
    g->pss_clear += shows_pss(p);
    g->long_cp7 += has(p->long_cp_every, 6.5, 7.5);
    // reference symbols over all carriers: downlink 601 or 1201, uplink 73; LTE's are shorter
    g->zc_dji += p->zc_len == 601 || p->zc_len == 1201 ||
                 (p->zc_len == 73 && g->kind == GROUP_NARROW_OFDM);
    if (meas_ok(p->symbol_period_s)) {
        double err = fmax(p->symbol_period_s.err, 1e-9);
        double zd = fabs(p->symbol_period_s.v - DJI_PERIOD_S) / err;
        double zl = fabs(p->symbol_period_s.v - LTE_PERIOD_S) / err;
        g->cp_dji += zd < 3 && zl > 4;
        g->cp_lte += zl < 3 && zd > 4;
    }
    double frames = floor(dur_s / DJI_FRAME_S + 0.5);      // LTE's subframes are 1.000 ms
    g->frame_dji += frames >= 1 && frames <= 3 && fabs(dur_s - frames * DJI_FRAME_S) < 25e-6;
    g->narrow_slot += dur_s > 0.45e-3 && dur_s < 0.60e-3;       // 0.50 to 0.52 ms, edges 50 us
}

// 802.11b's channels are every 5 MHz from 2412, and 2484; sender and receiver are within 50 ppm.
static bool on_wifi_raster(const struct obs *o)
{
    double f = o->freq_hz, tol = 50e-6 * f + fmin(3 * fmax(o->fp.freq_hz.err, 0), 100e3);

    if (f < 1e6)
        return true;            // nobody told where the recording was tuned
    return f > 2411e6 && f < 2473e6 ? fabs(remainder(f - 2412e6, 5e6)) < tol
                                    : fabs(f - 2484e6) < tol;
}

void group_add(struct group *g, const struct obs *o)
{
    const struct fingerprint *p = &o->fp;
    bool fresh = o->part == BURST_WHOLE || o->part == BURST_RUN_FIRST;

    g->parts++;
    g->n += fresh;
    // one part stands for the time until the next
    g->airtime_s += o->part == BURST_RUN_MORE ? DSP_RUN_STEP_S : o->part == BURST_RUN_END ? 0
                                                                                     : o->dur_s;
    double w = 1 / fmin(g->parts, 50.0);
    if (g->kind != GROUP_BLE && g->kind != GROUP_BLUETOOTH && g->kind != GROUP_NARROW_OFDM)
        g->freq_hz += w * (o->freq_hz - g->freq_hz);
    g->bw_hz += w * (o->bw_hz - g->bw_hz);
    g->longest_s = fmax(g->longest_s, o->dur_s);
    if (p->kind_p > g->sample.fp.kind_p)
        g->sample = *o;
    if (fresh) {
        channel_add(g, o);
        g->time_s[g->n_times++ % GROUP_TIMES] = o->t_s;
    }
    g->edge += (o->flags & BURST_EDGE) != 0;
    if (has(p->barker_corr, 0.4, 1.1)) {
        g->barker++;
        g->raster += on_wifi_raster(o);
    }
    if (g->kind == GROUP_BLE) {
        g->access_address += advertising(p);
        g->even_mhz += fabs(remainder(o->freq_hz, 2e6)) < 150e3;    // 50 ppm and the measurement
    }
    if (p->kind == KIND_OFDM)
        ofdm_features(g, p, o->part == BURST_WHOLE ? o->dur_s : 0);
    if (meas_ok(p->barker_corr))
        g->barker_corr = fmax(g->barker_corr, p->barker_corr.v);
    if (meas_ok(p->line_corr))
        g->line_corr = fmax(g->line_corr, p->line_corr.v);
}

bool group_hops(const struct group *g)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < g->n_channels; i++)
        busy += g->channel[i].n >= 1;
    return busy >= 3 && g->n >= 8 &&
           (g->kind == GROUP_LORA || g->kind == GROUP_FSK || g->kind == GROUP_NARROW_OFDM ||
            g->kind == GROUP_BLE || g->kind == GROUP_BLUETOOTH);
}

bool group_counts(const struct group *g)
{
    if (2 * g->edge > g->parts && g->kind != GROUP_CELL)
        return false;           // a skirt of something beside the capture
    if (g->explained > 3 * g->n)
        return false;           // mostly pieces of what was named
    switch (g->kind) {
    case GROUP_UNKNOWN:         // energy and little else: often pieces of something that was named
    case GROUP_AM:
    case GROUP_FM:
        return g->n >= 16 || g->longest_s >= 20e-3;
    case GROUP_OFDM:
    case GROUP_CELL:
    case GROUP_NARROW_OFDM:
        return g->n >= 4 || g->longest_s >= 5e-3;
    default:
        return g->n >= 4 || g->longest_s >= 20e-3;
    }
}
