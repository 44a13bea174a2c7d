// SPDX-License-Identifier: GPL-3.0-or-later
// Finds and follows hopping links: a packet grid, some packets a hop, channels of a raster.
//
//     channel
//        71 |  ....                 ....      a block: packets_per_hop slots on one channel
//        13 |      ....                       block boundaries lie on the grid too
//        40 |          ... .                  holes: listen before talk, collisions
//           |              (hop outside the capture)
//           +--------------------------------> slots of period_s
//
// hop_find folds start times (lattice.h), takes the densest pile as one emitter and lets hop_judge
// (hop_judge.c) say whether the rest of the mode's structure is there.  Several emitters of one
// mode differ in phase: the caller takes the found packets out and asks again.
#include "classifier/hop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Edges of bursts scatter by an energy cell (50 us) at low SNR.
#define START_TOL_S 60e-6
// A pile this unlikely among strangers (e^-12, about 1 in 160,000 looks) is looked at further.
#define LN_CHANCE   (-12.0)
// Channel centres of a wide burst are measured to a few per cent of its width.
#define RASTER_TOL  0.06
// A clock error measured on a short stretch may not be trusted beyond what crystals do.
#define FIT_PPM     120e-6

static double start_tol(const struct sig_mode *m, const struct obs *const *o, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        if (meas_ok(o[i]->fp.t_s))
            worst += fmin(o[i]->fp.t_s.err, 100e-6) / (double)n;
    double tol = START_TOL_S + 2 * worst;
    return fmin(tol, m->period_s / 10);
}

static double raster_tol(const struct sig_mode *m)
{
    double w = m->bw_hz > 0 ? m->bw_hz : m->symbol_rate_bd * (1 + m->mod_index.hi);
    double tol = fmax(RASTER_TOL * w, 20e3);
    return m->channel_step_hz > 0 ? fmin(tol, 0.15 * m->channel_step_hz) : tol;
}

// The offset from the raster that most packets share, within what crystals allow.
static double shared_offset(const struct sig_mode *m, const struct hop *h)
{
    double best = 0;
    unsigned best_n = 0;
    int ch;

    for (unsigned i = 0; i < h->n; i++) {
        double c, sum = 0;
        unsigned k = 0;
        if (!mode_channel(m, h->ring[i].freq_hz, &ch, &c) ||
            fabs(c) > OBS_PPM * h->ring[i].freq_hz + h->raster_tol_hz / 2)
            continue;
        for (unsigned j = 0; j < h->n; j++) {
            double d;
            mode_channel(m, h->ring[j].freq_hz - c, &ch, &d);
            if (fabs(d) <= h->raster_tol_hz) {
                sum += d;
                k++;
            }
        }
        if (k > best_n) {
            best_n = k;
            best = c + sum / k;
        }
    }
    return best;
}

static int by_slot(const void *a, const void *b)
{
    const struct hop_obs *x = a, *y = b;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->t_s > y->t_s) - (x->t_s < y->t_s);
}

static void ring_put(struct hop *h, struct hop_obs x)
{
    if (h->n == HOP_RING)
        memmove(&h->ring[0], &h->ring[1], --h->n * sizeof h->ring[0]);
    h->ring[h->n++] = x;
}

static void window_of(struct hop *h, const struct obs *o)
{
    double half = 0.5 * o->rate_hz - h->mode->bw_hz / 2 + 10e-6 * o->freq_hz;
    h->lo_hz = o->centre_hz - half;
    h->hi_hz = o->centre_hz + half;
}

int hop_find(struct hop *ret, const struct sig *s, const struct sig_mode *m,
             const struct obs *const *o, size_t n, bool *on)
{
    double t[LATTICE_MAX];
    struct hop *h = ret;

    if (n < 6 || n > LATTICE_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        t[i] = o[i]->t_s;
    *h = (struct hop){ .sig = s, .mode = m, .tol_s = start_tol(m, o, n),
                       .raster_tol_hz = raster_tol(m) };
    if (!lattice_find(t, n, m->period_s, h->tol_s, &h->grid, on) || h->grid.n < 6 ||
        h->grid.ln_chance > LN_CHANCE)
        return 0;
    window_of(h, o[n - 1]);
    for (size_t i = 0; i < n; i++) {
        double off;
        if (!on[i])
            continue;
        ring_put(h, (struct hop_obs){ o[i]->t_s, o[i]->freq_hz, o[i]->level_dbfs,
                                      lattice_slot(&h->grid, o[i]->t_s, &off) });
        h->dur_s += (o[i]->dur_s - h->dur_s) / (double)++h->packets;
    }
    qsort(h->ring, h->n, sizeof h->ring[0], by_slot);
    h->offset_hz = shared_offset(m, h);
    return 1;
}

bool hop_takes(const struct hop *h, const struct obs *o, double *ret_off_s)
{
    const struct sig_mode *m = h->mode;
    double off_hz, tol = 2 * h->tol_s + 3 * fmin(fmax(o->fp.t_s.err, 0), 100e-6);
    int ch;

    if (!mode_wave_fits(m, o) || !obs_whole(o) || !mode_length_fits(m, o))
        return false;
    if (!mode_channel(m, o->freq_hz - h->offset_hz, &ch, &off_hz) ||
        fabs(off_hz) > 2 * h->raster_tol_hz)
        return false;
    // the grid is extrapolated from the packets it was fitted to: a drift of 1 ppm meanwhile
    if (h->n)
        tol += 1e-6 * fmin(fabs(o->t_s - h->ring[h->n - 1].t_s), fabs(o->t_s - h->ring[0].t_s));
    lattice_slot(&h->grid, o->t_s, ret_off_s);
    return fabs(*ret_off_s) <= fmin(tol, m->period_s / 6);
}

void hop_add(struct hop *h, const struct obs *o)
{
    int64_t k[HOP_RING];
    double t[HOP_RING], off;
    struct lattice fit = h->grid;

    window_of(h, o);
    h->dur_s += (o->dur_s - h->dur_s) / (double)++h->packets;
    ring_put(h, (struct hop_obs){ o->t_s, o->freq_hz, o->level_dbfs,
                                  lattice_slot(&h->grid, o->t_s, &off) });
    // the newest 64: long enough to average edges, short enough to follow a warming crystal
    unsigned from = h->n > 64 ? h->n - 64 : 0;
    for (unsigned i = from; i < h->n; i++) {
        k[i - from] = h->ring[i].slot;
        t[i - from] = h->ring[i].t_s;
    }
    if (h->n - from >= 8 && lattice_fit(&fit, k, t, h->n - from) == 0 &&
        fabs(fit.period_s / h->mode->period_s - 1) <= FIT_PPM) {
        fit.ppm = (fit.period_s / h->mode->period_s - 1) * 1e6;
        h->grid = fit;
    }
}

// ---- The far end ----------------------------------------------------------------------------

// Waveform and raster fit, and the link has a packet on this channel within a block's time.
static bool in_block(const struct hop *h, const struct obs *o, double *ret_nearest_s)
{
    const struct sig_mode *m = h->mode;
    double off_hz, block_s = m->period_s * m->packets_per_hop;
    int ch, its;

    *ret_nearest_s = INFINITY;
    if (!mode_wave_fits(m, o) || !mode_channel(m, o->freq_hz - h->offset_hz, &ch, &off_hz) ||
        fabs(off_hz) > 2 * h->raster_tol_hz)
        return false;
    for (unsigned i = 0; i < h->n; i++) {
        double dt = fabs(o->t_s - h->ring[i].t_s);
        if (dt < *ret_nearest_s && dt <= block_s &&
            mode_channel(m, h->ring[i].freq_hz - h->offset_hz, &its, &off_hz) && its == ch)
            *ret_nearest_s = dt;
    }
    return *ret_nearest_s <= block_s;
}

bool hop_answers(const struct hop *h, const struct obs *o)
{
    double nearest_s;
    return obs_whole(o) && mode_length_fits(h->mode, o) && in_block(h, o, &nearest_s) &&
           nearest_s > 0.9 * h->mode->burst_s.lo;       // both at once would be somebody else
}

bool hop_covers(const struct hop *h, const struct obs *o)
{
    double nearest_s;
    return o->dur_s <= h->mode->burst_s.lo && in_block(h, o, &nearest_s);
}

void hop_add_answer(struct hop *h, const struct obs *o)
{
    double off_hz = 0, w = 1 / fmin((double)++h->other.n, 32);
    int ch;

    mode_channel(h->mode, o->freq_hz, &ch, &off_hz);
    h->other.level_dbfs += w * (o->level_dbfs - h->other.level_dbfs);
    h->other.cfo_hz += w * (off_hz - h->other.cfo_hz);
}

void hop_ends(const struct hop *h, struct track *t)
{
    double level = 0;

    t->n_ends = 0;
    if (h->other.n < 3 || h->n == 0)
        return;
    for (unsigned i = 0; i < h->n; i++)
        level += exp10(h->ring[i].level_dbfs / 10) / h->n;
    t->ends[t->n_ends++] = (struct track_end){
        .role = ROLE_CONTROL, .bursts = h->packets, .level_dbfs = 10 * log10(level),
        .cfo_hz = { h->offset_hz, h->raster_tol_hz / sqrt(h->n) }, .airborne = 0 };
    t->ends[t->n_ends++] = (struct track_end){
        .role = ROLE_TELEMETRY, .bursts = h->other.n, .level_dbfs = h->other.level_dbfs,
        .cfo_hz = { h->other.cfo_hz, h->raster_tol_hz / sqrt((double)h->other.n) }, .airborne = 1 };
}
