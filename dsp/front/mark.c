// SPDX-License-Identifier: GPL-3.0-or-later
// Which cells of a found tile hold its energy.
#include "dsp/front/mark.h"

#include <math.h>
#include <string.h>

#include "dsp/kernel/tile.h"
#include "dsp/kernel/wola.h"

#define SOLID        8          // fast tiles wider than so many channels are marked whole
// What a strong signal leaks into the next fast channel is not there in the slow cells of it.
#define LEAK_SHARE   0.1f
#define CELL_SHARE   0.1f       // of the tile's mean: cells of it that are worth marking
#define LINE_SHARE   4.0f       // of 8 cells the strongest over their mean: a line, not noise (2.7)
#define CELL_LEAST   2.5f       // over the floor

static void mark(const struct tiles *t, struct cells *c, uint64_t row, unsigned rows, int k0,
                 int k1)
{
    if (k0 < t->g.edge)
        k0 = t->g.edge;
    if (k1 > (int)t->g.slow_n - t->g.edge)
        k1 = (int)t->g.slow_n - t->g.edge;
    if (k1 <= k0)
        return;
    for (uint64_t r = row; r < row + rows && r < c->rows; r++) {
        uint8_t *m = cells_mark(c, r);
        if (k1 - k0 == 1)               // most often
            m[k0] = 1;
        else
            memset(m + k0, 1, (size_t)(k1 - k0));
    }
}

// Marks those of the cells of fast channel 0 that the capture has: its upper half.
static void hold_first(struct tiles *t, const uint16_t *const x[4], const float *inverse,
                       const struct hold *h)
{
    uint16_t y[4][8] = { 0 };
    const uint16_t *const z[4] = { y[0], y[1], y[2], y[3] };
    float inv[8];
    uint8_t hit[8];

    for (unsigned k = 0; k < 8; k++)
        inv[k] = k < 4 ? 0 : inverse[k - 4];
    for (unsigned i = 0; i < 4; i++)
        memcpy(y[i] + 4, x[i], 4 * sizeof **x);
    t->tile->hold(z, inv, h, 1, hit);
    memcpy(t->hit, hit + 4, 4);
}

void tiles_mark_fast(struct tiles *t, struct cells *c, const float *inverse, float least,
                     uint64_t row, unsigned rows, unsigned ch, unsigned n, unsigned width)
{
    uint64_t from = row > 1 ? row - 1 : 0, to = row + rows + 1;
    int k0 = (int)(8 * ch) - 4, k1 = k0 + (int)(8 * n), low = t->g.edge;
    const uint16_t *x[4];

    if (width > SOLID) {
        mark(t, c, row, rows, k0, k1);
        return;
    }
    if (to > c->rows)
        to = c->rows;
    // Many weak cells make a wide tile, each alone says little; but a line stands out.
    struct hold h = { .over = t->over_of + ch, .most = 1 / least, .per = 1 / (float)(to - from),
                      .leak = LEAK_SHARE, .share = CELL_SHARE, .from = CELL_LEAST,
                      .line = width > 1 ? LINE_SHARE : 0 };
    for (unsigned i = 0; i < 4; i++)
        x[i] = from + i < to ? cells_slow(c, from + i) : t->none;
    if (!ch) {
        hold_first(t, x, inverse, &h);
        h.over++;
        k0 += 8;
    }
    for (unsigned i = 0; i < 4; i++)
        x[i] += k0;
    t->tile->hold(x, inverse + k0, &h, (size_t)(k1 - k0) / 8, t->hit + k0);
    // Whole eights are marked, from the cell below the first channel's on.
    if (!ch)
        k0 = 0;
    for (int k = k0; k < low && k < k1; k++)
        t->hit[k] = 0;
    for (int k = (int)t->g.slow_n - low > k0 ? (int)t->g.slow_n - low : k0; k < k1; k++)
        t->hit[k] = 0;
    for (uint64_t r = row; r < row + rows && r < c->rows; r++) {
        uint8_t *m = cells_mark(c, r);
        if (!ch)
            for (int k = 0; k < 4; k++)
                m[k] |= t->hit[k];
        int at = ch ? k0 : 4;
        t->tile->mark(m + at, t->hit + at, (size_t)(k1 - at) / 8);
    }
}

// Mean over floor of those cells [k0, k1) of rows [row, row + rows) that the tile counted: not
// marked yet, nor beside marked ones in time.  1 where there are none.
static float mean_over(const struct cells *c, const float *floor_slow, uint64_t row, unsigned rows,
                       int k0, int k1)
{
    float sum = 0;
    unsigned n = 0;

    for (uint64_t r = row; r < row + rows && r < c->rows; r++) {
        const uint16_t *x = cells_slow(c, r);
        const uint8_t *m0 = cells_mask(c, r ? r - 1 : 0), *m1 = cells_mask(c, r);
        const uint8_t *m2 = cells_mask(c, r + 1 < c->rows ? r + 1 : r);
        for (int k = k0; k < k1; k++)
            if (!(m0[k] | m1[k] | m2[k])) {
                sum += wola_unpack(x[k]) / floor_slow[k];
                n++;
            }
    }
    return n ? sum / (float)n : 1;
}

// Marks a long tile where its energy lies, half by half as long as halves can be told apart: a
// burst that begins late in it, with a hole in its own marks, must not seem to begin with the tile.
void tiles_mark_slow(const struct tiles *t, struct cells *c, const float *floor_slow, uint64_t row,
                      unsigned rows, int k0, int k1, float over)
{
    float half_dof = (float)SLOW_DOF * (float)(k1 - k0) * (float)rows / 2;

    if (rows <= 4 || (over - 1) * sqrtf(half_dof) < HALF_SIGMAS) {
        mark(t, c, row, rows, k0, k1);
        return;
    }
    for (unsigned h = 0; h < 2; h++) {
        uint64_t from = row + h * (rows / 2);
        float m = mean_over(c, floor_slow, from, rows / 2, k0, k1);
        if (m - 1 > HALF_SHARE * (over - 1))
            tiles_mark_slow(t, c, floor_slow, from, rows / 2, k0, k1, m);
    }
}
