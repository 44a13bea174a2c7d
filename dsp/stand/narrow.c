// SPDX-License-Identifier: GPL-3.0-or-later
// Wideband bins to critically sampled streams.
//
//     bins   .....[/=======\]......    a channel's bins, edges rolled off
//                  | inverse transform of 1.15 bandwidths and more, guards thrown away
//     mid    ...............           samples at 1.15 .. 1.4 bandwidths
//                  | read off between samples, 8 taps
//     ring   . . . . . . . . .         samples at exactly one bandwidth
//
// At one sample per bandwidth a LoRa chirp that wraps from the upper edge to the lower goes on
// without a break: wherever a window lies in a row of equal chirps, they are one tone after
// dechirping, not two.
#include "dsp/stand/narrow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROOM     1.15           // least rate of the small transform, in bandwidths
#define PASS     0.52           // of the bandwidth to either side: crystals are 20 to 40 kHz off
#define STOP     0.575
#define POINTS_MIN 32
#define POINTS_MAX 4096
#define BEFORE   (READ_TAPS / 2 - 1)

static void make_taps(struct narrow *s)
{
    for (unsigned p = 0; p <= READ_PHASES; p++)
        for (int i = 0; i < READ_TAPS; i++) {
            double t = (double)p / READ_PHASES - (i - BEFORE), x = M_PI * t;
            double w = cos(x / (READ_TAPS + 1));
            s->taps[p][i] = (float)((fabs(x) < 1e-9 ? 1 : sin(x) / x) * w * w);
        }
}

static void make_window(struct narrow *s, double bin_hz)
{
    int half = (int)s->points / 2;
    for (int i = -half; i < half; i++) {
        double f = fabs(i * bin_hz / s->bw_hz);
        double x = f < PASS ? 1 : f > STOP ? 0 : 0.5 + 0.5 * cos(M_PI * (f - PASS) / (STOP - PASS));
        s->window[2 * (i + half)] = s->window[2 * (i + half) + 1] = (float)(x / s->n);
    }
}

unsigned narrow_points(double rate_hz, unsigned n, double bw_hz)
{
    unsigned points = wide_fast(ROOM * bw_hz / (rate_hz / n), POINTS_MIN, POINTS_MAX);
    return points <= n ? points : 0;
}

int narrow_init(struct narrow *s, const struct narrow_cfg *cfg)
{
    double bin_hz = cfg->rate_hz / cfg->n;
    *s = (struct narrow){ .op = stand_ops(), .lane = lane_ops(cfg->lanes), .bw_hz = cfg->bw_hz,
                          .lanes = cfg->lanes, .n = cfg->n, .len = cfg->len, .inv = cfg->inv };
    unsigned lanes = s->lane->lanes;
    s->points = narrow_points(cfg->rate_hz, cfg->n, cfg->bw_hz);
    s->hop = s->points / WIDE_PARTS * WIDE_HOP;
    s->guard = (s->points - s->hop) / 2;
    s->per = cfg->rate_hz / cfg->bw_hz;
    s->step = s->points * bin_hz / cfg->bw_hz;
    for (unsigned i = 0; i < cfg->lanes; i++) {
        s->k0[i] = (int)lround(cfg->f_hz[i] / bin_hz);
        s->f_hz[i] = s->k0[i] * bin_hz;
    }
    make_taps(s);
    wide_turns(s->turn);
    s->window = calloc(2 * s->points, sizeof *s->window);
    s->bins = dft_alloc(s->points);
    s->out = dft_alloc((size_t)lanes * s->points);
    s->mid = (float *)dft_alloc((size_t)(s->hop + 2 * READ_TAPS) * lanes);
    s->ring = (float *)dft_alloc((size_t)s->len * lanes);
    s->energy = (float *)dft_alloc((size_t)s->len / SUM_ROWS * lanes / 2);
    if (!s->window || !s->bins || !s->out || !s->mid || !s->ring || !s->energy) {
        narrow_done(s);
        return -ENOMEM;
    }
    make_window(s, bin_hz);
    return 0;
}

void narrow_done(struct narrow *s)
{
    free(s->window);
    free(s->bins);
    free(s->out);
    free(s->mid);
    free(s->ring);
    free(s->energy);
    *s = (struct narrow){ 0 };
}

void narrow_restart(struct narrow *s, int64_t at)
{
    memset(s->mid, 0, READ_TAPS * s->lane->row * sizeof *s->mid);
    s->mid_have = READ_TAPS - 1;        // silence, so that the first place read is full
    s->mid_at = 0;
    s->have = 0;
    // place 0 of mid stands BEFORE rows into it; row READ_TAPS - 1 is the block's first good sample
    s->zero = (double)at + ((double)s->guard - (READ_TAPS - 1 - BEFORE)) * s->n / s->points;
}

// count bins from k on, those below 0 Hz at the wideband transform's end.
static void span(struct narrow *s, const struct wide_spec *b, int k, const float *w,
                 float complex by, unsigned count, float complex *to)
{
    unsigned n = b->n, at = (unsigned)(k < 0 ? k + (int)n : k);
    unsigned head = at + count > n ? n - at : count;
    s->op->weigh(b->bin + at, w, by, head, to);
    s->op->weigh(b->bin, w + 2 * head, by, count - head, to + head);
}

// The channel's bins with its centre at 0 Hz, turned so that blocks join.
static void take_bins(struct narrow *s, unsigned lane, const struct wide_spec *b)
{
    unsigned half = s->points / 2;
    int k0 = s->k0[lane];
    // a block advances 13/16 n samples: the centre turns by k0 * 13/16 of a turn
    int parts = (int)(((int64_t)k0 * WIDE_HOP * (int64_t)(b->number % WIDE_PARTS)) % WIDE_PARTS);
    float complex by = s->turn[parts & (WIDE_PARTS - 1)];
    span(s, b, k0 - (int)half, s->window, by, half, s->bins + half);
    span(s, b, k0, s->window + 2 * half, by, half, s->bins);
}

// Reads stream samples off mid, as far as it reaches, in runs that do not wrap in the ring.
static void read_mid(struct narrow *s)
{
    double last = (double)s->mid_have - READ_TAPS;     // last place that has all taps
    while (s->mid_at <= last) {
        size_t n = (size_t)((last - s->mid_at) / s->step) + 1, at = s->have & (s->len - 1);
        size_t to_sum = SUM_ROWS - s->have % SUM_ROWS;
        n = n < to_sum ? n : to_sum;
        s->lane->read_off(s->mid, s->mid_at, s->step, (const float (*)[READ_TAPS])s->taps, n,
                        s->ring + at * s->lane->row);
        s->have += n;
        s->mid_at += (double)n * s->step;
        if (s->have % SUM_ROWS == 0) {
            size_t e = ((s->have - SUM_ROWS) & (s->len - 1)) / SUM_ROWS;
            s->lane->energy(s->ring + e * SUM_ROWS * s->lane->row,
                            s->energy + e * s->lane->lanes);
        }
    }
}

void narrow_add(struct narrow *s, const struct wide_spec *b)
{
    const float complex *x[LANES_MAX];
    size_t row = s->lane->row;
    for (unsigned i = 0; i < s->lane->lanes; i++)
        x[i] = s->out + (size_t)i * s->points + s->guard;
    for (unsigned i = 0; i < s->lanes; i++) {
        take_bins(s, i, b);
        dft_run(s->inv, s->bins, s->out + (size_t)i * s->points);
    }
    s->lane->turn(x, s->hop, s->mid + s->mid_have * row);
    s->mid_have += s->hop;
    read_mid(s);
    unsigned drop = (unsigned)s->mid_at;
    drop = drop < s->mid_have ? drop : s->mid_have;
    s->mid_have -= drop;
    s->mid_at -= drop;
    memmove(s->mid, s->mid + drop * row, s->mid_have * row * sizeof *s->mid);
}

void narrow_read(const struct narrow *s, unsigned lane, int64_t q, unsigned n, float complex *ret)
{
    int64_t oldest = s->have > s->len ? (int64_t)(s->have - s->len) : 0;
    for (unsigned i = 0; i < n; i++) {
        int64_t k = q + i;
        const float *row = s->ring + ((size_t)k & (s->len - 1)) * s->lane->row;
        bool in = k >= oldest && k < (int64_t)s->have;
        ret[i] = in ? row[lane] + I * row[s->lane->lanes + lane] : 0;
    }
}
