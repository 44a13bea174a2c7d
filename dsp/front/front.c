// SPDX-License-Identifier: GPL-3.0-or-later
//
//   newest row                                                                        oldest kept
//     |  10 ms: floor looks ahead |  20 ms: the longest tile  |  rows final  ........  |
//     cells (banks)               tiles                       tracker, place
//
// Everything runs row by row on the front's thread; a gap in the samples drains the whole of it.
#include "dsp/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/front/cells.h"
#include "dsp/front/floor.h"
#include "dsp/front/place.h"
#include "dsp/front/tiles.h"
#include "dsp/front/track.h"
#include "dsp/kernel/band.h"
#include "dsp/kernel/tile.h"

#define AHEAD_S 0.010           // the floor knows so much of what comes
#define LATER_S 0.060           // kept behind the tiles: a run's first 40 ms, looked at every 8
#define PSD_S   0.5
#define PSD_ROWS 4              // every fourth row goes into the spectrum for display

struct front {
    struct iq_info      info;
    struct cells        cells;
    struct noise_floor *floor;
    struct tiles       *tiles;
    struct tracker     *tracker;
    uint64_t            judged, tracked;    // rows of this epoch through tiles, through the tracker
    uint64_t            ahead;      // rows
    uint64_t            end;        // index after the last sample seen
    uint64_t            done;       // told so far
    bool                begun;
    // spectrum
    float              *psd;        // [slow_n] sums
    uint64_t            psd_rows, psd_every, psd_marked, psd_told;
};

struct front *front_new(const struct iq_info *info)
{
    struct front *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->info = *info;
    bool ok = !cells_init(&f->cells, info->rate_hz, AHEAD_S + 0.022 + LATER_S);
    const struct grid *g = &f->cells.g;
    f->ahead = (uint64_t)(AHEAD_S / g->row_s) + 1;
    f->psd_every = (uint64_t)(PSD_S / g->row_s / PSD_ROWS);
    f->floor = floor_new(g, info->format);
    f->tiles = tiles_new(g);
    f->tracker = tracker_new(g);
    f->psd = calloc(g->slow_n, sizeof *f->psd);
    if (!ok || !f->floor || !f->tiles || !f->tracker || !f->psd) {
        front_free(f);
        return NULL;
    }
    return f;
}

void front_free(struct front *f)
{
    if (!f)
        return;
    cells_done(&f->cells);
    floor_free(f->floor);
    tiles_free(f->tiles);
    tracker_free(f->tracker);
    free(f->psd);
    free(f);
}

static struct place_in view(const struct front *f)
{
    return (struct place_in){ .cells = &f->cells, .floor_slow = floor_slow(f->floor),
                              .floor_fast = floor_fast(f->floor),
                              .inverse_slow = floor_inverse_slow(f->floor) };
}

// ---- Spectrum -------------------------------------------------------------------------------

static void tell_psd(struct front *f, struct front_out *out)
{
    const struct grid *g = &f->cells.g;
    unsigned bins = g->slow_n < 2048 ? g->slow_n : 2048, per = g->slow_n / bins;
    const float *fl = floor_slow(f->floor);
    double floor_sum = 0;

    for (unsigned i = 0; i < bins; i++) {
        double sum = 0;
        for (unsigned k = 0; k < per; k++) {
            sum += f->psd[i * per + k] / (float)f->psd_rows;
            floor_sum += fl[i * per + k];
        }
        out->psd_db[i] = (float)(10 * log10(fmax(sum, 1e-20)));
    }
    out->psd = (struct psd_frame){
        .t_s = (double)(f->cells.origin + f->cells.rows * g->row) / g->rate_hz,
        .centre_hz = f->info.centre_hz, .rate_hz = g->rate_hz, .bins = bins,
        .psd_db = out->psd_db, .floor_db = (float)(10 * log10(fmax(floor_sum / bins, 1e-20))),
        .occupancy = (float)f->psd_marked / (float)(f->psd_rows * g->slow_n),
    };
    out->has_psd = true;
    memset(f->psd, 0, g->slow_n * sizeof *f->psd);
    f->psd_rows = f->psd_marked = 0;
}

static void count_psd(struct front *f, uint64_t row)
{
    const uint16_t *x = cells_slow(&f->cells, row);
    const uint8_t *m = cells_mask(&f->cells, row);
    unsigned n = f->cells.g.slow_n;

    band_ops()->add(f->psd, x, 1, n);
    f->psd_marked += tile_ops()->count(m, n);
    f->psd_rows++;
}

// ---- Rows through the stages ----------------------------------------------------------------

static void tell_noise(struct front *f, struct front_out *out)
{
    const struct grid *g = &f->cells.g;
    const float *fl = floor_slow(f->floor);

    for (unsigned i = 0; i < NOISE_POINTS; i++) {
        unsigned k = (2 * i + 1) * g->slow_n / (2 * NOISE_POINTS);
        out->noise.dbfs_hz[i] = (float)(10 * log10(fmax(fl[k], 1e-25) / g->slow_hz));
    }
}

// The floor learns from a row as soon as it is there.
static void learn(struct front *f, uint64_t row)
{
    const struct cells *c = &f->cells;
    const struct grid *g = &c->g;
    // The window reaches from 1.5 rows before the row to 1.5 rows after it; most of its weight lies
    // within half of that.
    double from = fmax(0, ((double)row - 0.25) * g->row);
    double to = fmin((double)c->samples, ((double)row + 1.25) * g->row);

    bool dead = false;
    for (uint64_t r = row > 2 ? row - 2 : 0; r <= row; r++)
        dead = dead || c->dead[r & (g->ring - 1)];
    floor_row(f->floor, cells_slow(c, row), (float)((to - from) / (1.5 * g->row)), dead);
}

static void judge(struct front *f)
{
    floor_solve(f->floor);
    tiles_row(f->tiles, &f->cells, f->floor);
    f->judged++;
}

static void track(struct front *f, struct front_out *out)
{
    struct place_in in = view(f);

    while (f->tracked < tiles_final(f->tiles)) {
        if (f->tracked % PSD_ROWS == 0)
            count_psd(f, f->tracked);
        tracker_row(f->tracker, &in, &out->list);
        f->tracked++;
        if (f->psd_rows >= f->psd_every)
            tell_psd(f, out);
    }
}

static void drain(struct front *f, uint32_t flags, struct front_out *out)
{
    struct cells *c = &f->cells;

    while (cells_drain(c))
        learn(f, c->rows - 1);
    floor_end(f->floor);
    while (f->judged < c->rows) {
        judge(f);
        track(f, out);
    }
    tiles_end(f->tiles, c, f->floor);
    track(f, out);
    struct place_in in = view(f);
    tracker_end(f->tracker, &in, flags, &out->list);
}

static void begin(struct front *f, uint64_t origin, bool after_gap)
{
    cells_begin(&f->cells, origin);
    floor_begin(f->floor);
    tiles_begin(f->tiles);
    tracker_begin(f->tracker, after_gap);
    f->judged = f->tracked = 0;
    f->begun = true;
}

static void clear(struct front_out *out)
{
    out->list.n = 0;
    out->list.dropped = 0;
    out->has_psd = false;
}

void front_block(struct front *f, const struct iq_block *b, struct front_out *out)
{
    clear(out);
    if (!f->begun || b->lost) {
        if (f->begun)
            drain(f, BURST_TOUCHES_GAP, out);
        begin(f, b->n0, b->lost > 0);
    }
    for (uint32_t at = 0; at < b->n;) {
        bool row;
        at += cells_take(&f->cells, b, at, &row);
        if (!row)
            continue;
        learn(f, f->cells.rows - 1);
        if (f->cells.rows > f->ahead) {
            judge(f);
            track(f, out);
        }
    }
    f->end = b->n0 + b->n;
    tell_noise(f, out);
    uint64_t done = f->cells.origin + tracker_done(f->tracker) * f->cells.g.row;
    f->done = done > f->done ? done : f->done;
    out->list.done = f->done;
}

void front_flush(struct front *f, struct front_out *out)
{
    clear(out);
    if (f->begun)
        drain(f, BURST_AT_END, out);
    tell_noise(f, out);
    out->list.done = UINT64_MAX;
}
