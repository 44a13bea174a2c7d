// SPDX-License-Identifier: GPL-3.0-or-later
// The LoRa detector's start and end: chirps, thresholds, channels by groups of sixteen.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/stand/law.h"
#include "dsp/stand/lora.h"

#define CHANNELS_MAX 512
// Chances of a bin of noise.  Step 2 costs as many samples as a symbol has: so one window in 14 of
// each spreading factor comes to it.
#define P_SCREEN(n)  (0.07 / (n))
#define P_ALL        1e-4
#define P_ROUGH      1e-6       // of one phi and psi; 48 are looked at, far from independent
#define P_ONE        1e-13      // per sample: one an hour in 100 MHz, told by this detector alone
// Each sample brings a symbol's worth of new places for eight symbols, each a fraction apart from
// the next: as if so many independent ones (measured, see docs/PERFORMANCE.md).
#define TRIES        16

// Making the streams costs as much as looking through them for so many chirps.
#define WORK_STREAM  5
// Two groups of the widest and busiest kind, all of a capture of 31 MHz at 2.4 GHz: a quarter of a
// core.  More than that takes turns.
#define BUDGET       (2 * LANES_MAX * 812.5e3 * (WORK_STREAM + 8))
// Half of that in wide captures, where DroneID's correlator and the front have the machine busy.
#define WIDE_HZ      40e6

static float complex cis(double turns)
{
    double a = 2 * M_PI * (turns - floor(turns));
    return (float)cos(a) + I * (float)sin(a);
}

static bool chirps_new(struct chirps *c, unsigned sf)
{
    unsigned n = 1u << sf, at = 0;
    c->ref[0] = dft_alloc(n);
    c->ref[1] = dft_alloc(n);
    c->turns = dft_alloc(n);
    c->bin = calloc(n, sizeof *c->bin);
    c->fwd = dft_new(n, DFT_FORWARD, 1);
    if (!c->ref[0] || !c->ref[1] || !c->turns || !c->bin || !c->fwd)
        return false;
    c->n = n;
    for (unsigned i = 0; i < n; i++) {
        c->ref[0][i] = cis((double)i * i / (2.0 * n) - i / 2.0);
        c->ref[1][i] = conjf(c->ref[0][i]);
    }
    for (unsigned q = n / 4; q > 1; q /= 4)             // of each pass: w^j, w^2j, w^3j
        for (unsigned j = 0; j < q; j++)
            for (unsigned k = 1; k <= 3; k++)
                c->turns[at++] = cis(-(double)(j * k) / (4 * q));
    for (unsigned i = 0; i < n; i++) {                  // digits of the row, most significant last
        unsigned rest = i, block = n, bin = 0, unit = 1;
        for (; block >= 4; block /= 4, unit *= 4) {
            bin += rest / (block / 4) * unit;
            rest %= block / 4;
        }
        c->bin[i] = (uint16_t)(bin + rest * unit);
    }
    c->limit = (float)law_sum_limit(n, SCREEN_SUM, P_SCREEN(n));
    c->limit_all = (float)law_sum_limit(n, WINDOWS, P_ALL);
    c->rough = (float)law_one_limit(WINDOWS * n, P_ROUGH);
    return true;
}

void lora_limits(struct lora *l, double p_one)
{
    l->p_one = p_one;
    for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++)
        if (l->chirps[sf].n)
            l->chirps[sf].pass = (float)law_one_limit(COHERENT << sf, p_one / TRIES);
}

static bool group_new(struct group *g)
{
    for (unsigned d = 0; d < 2; d++)
        for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++) {
            if (!(g->use[d] >> sf & 1))
                continue;
            size_t floats = (size_t)SCREEN_ROWS * g->s.lane->lanes << sf;
            g->screen[d][sf].p = (float *)dft_alloc(floats / 2);
            if (!g->screen[d][sf].p)
                return false;
        }
    return true;
}

static void groups_done(struct lora *l)
{
    for (unsigned i = 0; i < l->groups; i++) {
        narrow_done(&l->group[i].s);
        for (unsigned sf = 0; sf <= RASTER_SF_MAX; sf++) {
            free(l->group[i].screen[0][sf].p);
            free(l->group[i].screen[1][sf].p);
        }
        l->group[i] = (struct group){ 0 };
    }
    l->groups = 0;
}

static unsigned highest(unsigned bits)
{
    unsigned sf = 0;
    while (bits >> (sf + 1))
        sf++;
    return sf;
}

static const struct dft *plan_of(const struct lora *l, double bw_hz)
{
    for (unsigned i = 0; raster_bandwidths[i] > 0; i++)
        if (raster_bandwidths[i] == bw_hz)
            return l->inv[i];
    return NULL;
}

// A group of the n channels from c on that are of one use, sixteen at most; how many it took.
static unsigned take_group(struct lora *l, const struct raster_channel *c, unsigned n, int *ret)
{
    double f[LANES_MAX];
    unsigned k = 0;
    for (; k < LANES_MAX && k < n && c[k].bw_hz == c->bw_hz && c[k].up == c->up &&
           c[k].down == c->down; k++)
        f[k] = c[k].f_hz;
    struct narrow_cfg cfg = { l->rate_hz, c->bw_hz, l->n, k, KEPT << highest(c->up | c->down), f,
                              plan_of(l, c->bw_hz) };
    if (!cfg.inv)
        return k;
    struct group *g = &l->group[l->groups++];
    g->use[0] = c->up;
    g->use[1] = c->down;
    g->work = lane_ops(k)->lanes * c->bw_hz * (WORK_STREAM + __builtin_popcount(c->up) +
                                  __builtin_popcount(c->down));
    *ret = narrow_init(&g->s, &cfg);
    if (!*ret && !group_new(g))
        *ret = -ENOMEM;
    return k;
}

int lora_tune(struct lora *l, double centre_hz)
{
    int r = 0;
    groups_done(l);
    l->n_pending = l->n_packet = 0;
    unsigned n = raster_channels(centre_hz, l->rate_hz, CHANNELS_MAX, l->channel);
    for (unsigned i = 0; i < n && !r;)
        i += take_group(l, l->channel + i, n - i, &r);
    if (r)
        groups_done(l);
    return r;
}

static bool plans_new(struct lora *l)
{
    for (unsigned i = 0; raster_bandwidths[i] > 0; i++) {
        unsigned points = narrow_points(l->rate_hz, l->n, raster_bandwidths[i]);
        l->inv[i] = points ? dft_new(points, DFT_BACKWARD, 1) : NULL;
        if (points && !l->inv[i])
            return false;
    }
    for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++)
        if (!chirps_new(&l->chirps[sf], sf))
            return false;
    return true;
}

int lora_init(struct lora *l, double rate_hz, unsigned n)
{
    *l = (struct lora){ .rate_hz = rate_hz, .n = n };
    l->channel = calloc(CHANNELS_MAX, sizeof *l->channel);
    l->group = calloc(CHANNELS_MAX, sizeof *l->group);
    l->fine = dft_new(32, DFT_FORWARD, 1);
    l->w = (float *)dft_alloc((size_t)LANES_MAX << RASTER_SF_MAX);
    l->y = dft_alloc((size_t)REGION << RASTER_SF_MAX);
    l->z = dft_alloc((size_t)1 << RASTER_SF_MAX);
    if (!l->channel || !l->group || !l->fine || !l->w || !l->y || !l->z || !plans_new(l)) {
        lora_done(l);
        return -ENOMEM;
    }
    for (unsigned k = 0; k < ROUGH_PSIS; k++)
        l->psi[k] = cis(-(double)k / ROUGH_PSIS);
    l->budget = rate_hz > WIDE_HZ ? BUDGET / 2 : BUDGET;
    lora_limits(l, P_ONE);
    return 0;
}

void lora_done(struct lora *l)
{
    groups_done(l);
    free(l->group);
    free(l->channel);
    for (unsigned sf = 0; sf <= RASTER_SF_MAX; sf++) {
        struct chirps *c = &l->chirps[sf];
        free(c->ref[0]);
        free(c->ref[1]);
        free(c->turns);
        free(c->bin);
        dft_free(c->fwd);
    }
    for (unsigned i = 0; i < BANDS_MAX; i++)
        dft_free(l->inv[i]);
    dft_free(l->fine);
    free(l->w);
    free(l->y);
    free(l->z);
    *l = (struct lora){ 0 };
}

void group_restart(struct group *g, int64_t at)
{
    narrow_restart(&g->s, at);
    g->ended = false;
    for (unsigned d = 0; d < 2; d++)
        for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++)
            if (g->screen[d][sf].p) {
                memset(g->screen[d][sf].p, 0, sizeof(float) * SCREEN_ROWS * g->s.lane->lanes << sf);
                g->screen[d][sf].windows = 0;
            }
}

void lora_restart(struct lora *l)
{
    l->n_pending = l->n_packet = 0;
    l->first = 0;
    for (unsigned i = 0; i < l->groups; i++)
        l->group[i].active = false;
}
