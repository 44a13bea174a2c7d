// SPDX-License-Identifier: GPL-3.0-or-later
//
//   newest row                                                                        oldest kept
//     |  17 ms: floor looks ahead |  20 ms: the longest tile  |  rows final  ........  |
//     cells (banks)               tiles                       tracker, place
//
// Everything runs row by row on the front's thread; a gap in the samples drains the whole of it.
// So does a new centre, behind which what was learnt of the band's noise is forgotten as well.
#include "dsp/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/front/cells.h"
#include "dsp/front/floor.h"
#include "dsp/front/line.h"
#include "dsp/front/place.h"
#include "dsp/front/tiles.h"
#include "dsp/front/track.h"
#include "dsp/kernel/band.h"
#include "dsp/kernel/tile.h"

#define AHEAD_S (LINE_S + 0.001) // so much of what comes is known to the floor and to the lines
#define LATER_S 0.057           // kept behind the tiles: a run's first 40 ms, looked at every 8
#define RAISE   2.0f            // a line may drift by 3 dB within a tile
#define GAIN_DB 0.25            // less changes no floor that is known to 0.3 dB
#define GAIN_MORE_DB 3.5        // without a gap: more than a step for products (self/step.h)
#define PSD_S   0.5
#define PSD_LEAST_S 0.02        // before a retune it is told early, of so much and more
#define PSD_ROWS 4              // every fourth row goes into the spectrum for display

struct front {
    struct iq_info      info;
    struct cells        cells;
    struct noise_floor *floor;
    struct lines       *lines;
    struct line_mask   *judging, *tracking;     // the floor as tiles, as the tracker sees it
    struct tiles       *tiles;
    struct tracker     *tracker;
    uint64_t            judged, tracked;    // rows of this epoch through tiles, through the tracker
    uint64_t            ahead;      // rows
    uint64_t            windows;    // of the floor's that the lines have
    uint64_t            end;        // index after the last sample seen
    uint64_t            done;       // told so far
    double              gain_db;    // of the block before
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
    f->cells.behind = f->ahead;
    f->psd_every = (uint64_t)(PSD_S / g->row_s / PSD_ROWS);
    f->floor = floor_new(g, info->format);
    f->lines = lines_new(g);
    f->judging = line_mask_new(g, RAISE);
    f->tracking = line_mask_new(g, 1);
    f->tiles = tiles_new(g);
    f->tracker = tracker_new(g);
    f->psd = calloc(g->slow_n, sizeof *f->psd);
    if (!ok || !f->floor || !f->lines || !f->judging || !f->tracking || !f->tiles ||
        !f->tracker || !f->psd) {
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
    lines_free(f->lines);
    line_mask_free(f->judging);
    line_mask_free(f->tracking);
    tiles_free(f->tiles);
    tracker_free(f->tracker);
    free(f->psd);
    free(f);
}

void front_set_pfa(struct front *f, double pfa) { tiles_set_pfa(f->tiles, pfa); }

static struct place_in view(struct front *f, uint64_t row)
{
    struct floor_view v = line_mask_at(f->tracking, f->lines, f->floor, row);

    return (struct place_in){ .cells = &f->cells, .floor_slow = v.slow, .floor_fast = v.fast,
                              .inverse_slow = v.inverse_slow, .bare = floor_now(f->floor),
                              .lines = lines_at(f->lines, row) };
}

// ---- Spectrum -------------------------------------------------------------------------------

static void tell_psd(struct front *f, struct front_out *out)
{
    const struct grid *g = &f->cells.g;
    unsigned bins = g->slow_n < 2048 ? g->slow_n : 2048, per = g->slow_n / bins;
    const float *fl = floor_now(f->floor).slow;
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
    if (cells_marked(&f->cells, row))
        f->psd_marked += tile_ops()->count(m, n);
    f->psd_rows++;
}

// ---- Rows through the stages ----------------------------------------------------------------

static void tell_noise(struct front *f, struct front_out *out)
{
    const struct grid *g = &f->cells.g;
    const float *fl = floor_now(f->floor).slow;

    for (unsigned i = 0; i < NOISE_POINTS; i++) {
        unsigned k = (2 * i + 1) * g->slow_n / (2 * NOISE_POINTS);
        out->noise.dbfs_hz[i] = (float)(10 * log10(fmax(fl[k], 1e-25) / g->slow_hz));
    }
}

static void learn_window(struct front *f)
{
    uint64_t count;
    const float *mean = floor_window(f->floor, &count);

    if (count == f->windows)
        return;
    lines_window(f->lines, mean);
    f->windows = count;
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
        dead = dead || c->dead[grid_slot(g, r)];
    floor_row(f->floor, cells_slow(c, row), (float)((to - from) / (1.5 * g->row)), dead);
    learn_window(f);
}

static void judge(struct front *f)
{
    floor_solve(f->floor);
    struct floor_view bare = floor_now(f->floor);
    lines_look(f->lines, &f->cells, &bare);
    struct floor_view v = line_mask_at(f->judging, f->lines, f->floor, f->judged);
    tiles_row(f->tiles, &f->cells, &v, floor_common(f->floor, f->judged));
    f->judged++;
}

static void track(struct front *f, struct front_out *out)
{
    while (f->tracked < tiles_final(f->tiles)) {
        if (f->tracked % PSD_ROWS == 0)
            count_psd(f, f->tracked);
        struct place_in in = view(f, f->tracked);
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
    learn_window(f);
    while (f->judged < c->rows) {
        judge(f);
        track(f, out);
    }
    struct floor_view v = line_mask_at(f->judging, f->lines, f->floor, f->judged);
    tiles_end(f->tiles, c, &v);
    track(f, out);
    struct place_in in = view(f, f->tracked ? f->tracked - 1 : 0);
    tracker_end(f->tracker, &in, flags, &out->list);
}

static void begin(struct front *f, uint64_t origin, bool after_gap)
{
    cells_begin(&f->cells, origin);
    floor_begin(f->floor);
    lines_begin(f->lines);
    f->windows = 0;
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

// What is known of one band says nothing of another.
static void retune(struct front *f, double centre_hz)
{
    f->info.centre_hz = centre_hz;
    floor_forget(f->floor);
    memset(f->psd, 0, f->cells.g.slow_n * sizeof *f->psd);
    f->psd_rows = f->psd_marked = 0;
}

void front_block(struct front *f, const struct iq_block *b, struct front_out *out)
{
    clear(out);
    bool tuned = b->centre_hz != f->info.centre_hz;
    bool gained = f->begun &&
                  fabs(b->gain_db - f->gain_db) > (b->lost ? GAIN_DB : GAIN_MORE_DB);
    f->gain_db = b->gain_db;
    if (!f->begun || b->lost || tuned || gained) {
        bool went_on = f->begun;
        if (went_on)
            drain(f, BURST_TOUCHES_GAP, out);
        if (tuned && went_on && !out->has_psd &&
            (double)f->psd_rows * PSD_ROWS * f->cells.g.row_s >= PSD_LEAST_S)
            tell_psd(f, out);           // a scan may stay nowhere for PSD_S
        if (tuned)
            retune(f, b->centre_hz);
        else if (gained)
            floor_forget(f->floor);     // louder or softer, and who knows by how much
        begin(f, b->n0, b->lost > 0 || (went_on && (tuned || gained)));
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
