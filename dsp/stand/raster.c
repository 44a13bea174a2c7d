// SPDX-License-Identifier: GPL-3.0-or-later
// The rasters are those of public link definitions (facts: links.json); what is not on one of them
// is left to the energy detector.  Chirps forgive: a channel that lies x of a bandwidth beside the
// raster loses 20 log10(1 - x) dB.
#include "dsp/stand/raster.h"

#include <math.h>
#include <stdlib.h>

#define USABLE 0.98             // of the capture's width
#define SAME   0.05             // of the bandwidth: one channel of two rasters

#define SF(lo, hi) (((2u << (hi)) - 1) & ~((1u << (lo)) - 1))

struct raster { double start_hz, step_hz; unsigned count; double bw_hz; unsigned up, down; };

static const struct raster rasters[] = {
    // SX128x at 2.4 GHz: 80 channels at x.4 MHz, chirps turned around by half of the binding
    // phrases
    { 2400.4e6, 1e6, 80, 812.5e3, SF(5, 8), SF(5, 8) },
    // SX127x, LR11xx below 1 GHz
    { 863.275e6, 525e3, 13, 500e3, SF(5, 9), SF(5, 9) },
    { 903.5e6, 600e3, 40, 500e3, SF(5, 9), SF(5, 9) },
    { 902.4e6, 600e3, 43, 500e3, SF(5, 6), 0 },
    { 433.1e6, 675e3, 3, 500e3, SF(5, 9), SF(5, 9) },
    { 430.4e6, 600e3, 33, 500e3, SF(5, 6), 0 },
    { 860e6, 500e3, 27, 500e3, SF(6, 6), 0 },
    { 904e6, 500e3, 49, 500e3, SF(6, 6), 0 },
    { 863.25e6, 250e3, 19, 500e3, SF(6, 6), 0 },
    // Meters, sensors and messengers: named so that they are not taken for something else
    { 869.525e6, 0, 1, 250e3, SF(11, 11), 0 },
    { 863.1e6, 200e3, 35, 125e3, SF(7, 7), SF(7, 7) },
};

const double raster_bandwidths[] = { 812.5e3, 500e3, 250e3, 125e3, 0 };

static int by_use(const void *x, const void *y)
{
    const struct raster_channel *a = x, *b = y;
    if (a->bw_hz != b->bw_hz)
        return a->bw_hz > b->bw_hz ? -1 : 1;
    if (a->up != b->up)
        return a->up > b->up ? -1 : 1;
    if (a->down != b->down)
        return a->down > b->down ? -1 : 1;
    return (a->f_hz > b->f_hz) - (a->f_hz < b->f_hz);
}

static struct raster_channel *known(struct raster_channel *c, unsigned n, double f, double bw)
{
    for (unsigned i = 0; i < n; i++)
        if (c[i].bw_hz == bw && fabs(c[i].f_hz - f) < SAME * bw)
            return &c[i];
    return NULL;
}

unsigned raster_channels(double centre_hz, double rate_hz, unsigned most,
                         struct raster_channel *ret)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof rasters / sizeof *rasters; i++)
        for (unsigned k = 0; k < rasters[i].count; k++) {
            const struct raster *r = &rasters[i];
            double f = r->start_hz + k * r->step_hz - centre_hz;
            if (!(fabs(f) + r->bw_hz / 2 < USABLE * rate_hz / 2))
                continue;
            struct raster_channel *c = known(ret, n, f, r->bw_hz);
            if (!c && n == most)
                continue;
            if (!c) {
                c = &ret[n++];
                *c = (struct raster_channel){ .f_hz = f, .bw_hz = r->bw_hz };
            }
            c->up |= r->up;
            c->down |= r->down;
        }
    qsort(ret, n, sizeof *ret, by_use);
    return n;
}
