// SPDX-License-Identifier: GPL-3.0-or-later
// The LoRa detector's start and end: chirps, thresholds, channels by groups of sixteen.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/stand/law.h"
#include "dsp/stand/lora.h"

#define CHANNELS_MAX 512
// Chances of a bin of noise.  Step 2 costs as many samples as a symbol has: so one window in 10 of
// each spreading factor comes to it.
#define P_SCREEN(n)  (0.1 / (n))
#define P_ALL        1e-4
#define P_ROUGH      1e-6       // of one phi and psi; 48 are looked at, far from independent
#define P_ONE        1e-9
// Each sample brings a symbol's worth of new places for eight symbols, each a fraction apart from
// the next: as if so many independent ones (measured, see docs/PERFORMANCE.md).
#define TRIES        4

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

static bool group_new(struct lora *l, struct group *g)
{
    for (unsigned d = 0; d < 2; d++)
        for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++) {
            if (!(g->use[d] >> sf & 1))
                continue;
            if (!l->chirps[sf].n && !chirps_new(&l->chirps[sf], sf))
                return false;
            size_t floats = (size_t)SCREEN_SUM * LANES << sf;
            g->screen[d][sf].p = (float *)dft_alloc(floats / 2);
            if (!g->screen[d][sf].p)
                return false;
        }
    return true;
}

static unsigned highest(unsigned bits)
{
    unsigned sf = 0;
    while (bits >> (sf + 1))
        sf++;
    return sf;
}

// Channels of one use, sixteen to a group.
static int make_groups(struct lora *l, double rate, unsigned n, const struct raster_channel *c,
                       unsigned channels)
{
    for (unsigned i = 0, k; i < channels; i += k) {
        double f[LANES];
        for (k = 0; k < LANES && i + k < channels && c[i + k].bw_hz == c[i].bw_hz &&
                    c[i + k].up == c[i].up && c[i + k].down == c[i].down; k++)
            f[k] = c[i + k].f_hz;
        struct group *g = &l->group[l->groups];
        int r = narrow_init(&g->s, rate, n, c[i].bw_hz, f, k,
                            KEPT << highest(c[i].up | c[i].down));
        if (r == -ERANGE)
            continue;
        if (r)
            return r;
        g->use[0] = c[i].up;
        g->use[1] = c[i].down;
        l->groups++;
        if (!group_new(l, g))
            return -ENOMEM;
    }
    return 0;
}

int lora_init(struct lora *l, double rate_hz, double centre_hz, unsigned n)
{
    *l = (struct lora){ 0 };
    struct raster_channel *c = calloc(CHANNELS_MAX, sizeof *c);
    l->group = calloc(CHANNELS_MAX, sizeof *l->group);
    int r = c && l->group ? 0 : -ENOMEM;
    if (!r)
        r = make_groups(l, rate_hz, n, c, raster_channels(centre_hz, rate_hz, CHANNELS_MAX, c));
    free(c);
    l->fine = dft_new(32, DFT_FORWARD, 1);
    l->w = (float *)dft_alloc((size_t)LANES << RASTER_SF_MAX);
    l->y = dft_alloc((size_t)REGION << RASTER_SF_MAX);
    l->z = dft_alloc((size_t)1 << RASTER_SF_MAX);
    if (r || !l->fine || !l->w || !l->y || !l->z) {
        lora_done(l);
        return -ENOMEM;
    }
    for (unsigned k = 0; k < ROUGH_PSIS; k++)
        l->psi[k] = cis(-(double)k / ROUGH_PSIS);
    lora_limits(l, P_ONE);
    return 0;
}

void lora_done(struct lora *l)
{
    for (unsigned i = 0; l->group && i < CHANNELS_MAX; i++) {
        narrow_done(&l->group[i].s);
        for (unsigned sf = 0; sf <= RASTER_SF_MAX; sf++) {
            free(l->group[i].screen[0][sf].p);
            free(l->group[i].screen[1][sf].p);
        }
    }
    free(l->group);
    for (unsigned sf = 0; sf <= RASTER_SF_MAX; sf++) {
        struct chirps *c = &l->chirps[sf];
        free(c->ref[0]);
        free(c->ref[1]);
        free(c->turns);
        free(c->bin);
        dft_free(c->fwd);
    }
    dft_free(l->fine);
    free(l->w);
    free(l->y);
    free(l->z);
    *l = (struct lora){ 0 };
}

void lora_restart(struct lora *l, int64_t at)
{
    for (unsigned i = 0; i < l->groups; i++) {
        struct group *g = &l->group[i];
        narrow_restart(&g->s, at);
        for (unsigned d = 0; d < 2; d++)
            for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++)
                if (g->screen[d][sf].p) {
                    memset(g->screen[d][sf].p, 0, sizeof(float) * SCREEN_SUM * LANES << sf);
                    g->screen[d][sf].windows = 0;
                }
    }
    l->n_pending = 0;
    l->n_packet = 0;
}

unsigned lora_lag(const struct lora *l)
{
    double most = 0;
    for (unsigned i = 0; i < l->groups; i++) {
        const struct narrow *s = &l->group[i].s;
        double symbols = REGION + SCREEN_STEP + 8;      // and the end of what is followed
        double blocks = symbols * s->len / KEPT * s->step / s->hop;
        most = fmax(most, blocks);
    }
    return (unsigned)most + 2;
}
