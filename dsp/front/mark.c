// SPDX-License-Identifier: GPL-3.0-or-later
// Which cells of a found tile hold its energy.
#include "dsp/front/mark.h"

#include <math.h>
#include <string.h>

#include "dsp/kernel/wola.h"

#define SOLID        8          // fast tiles wider than so many channels are marked whole
// What a strong signal leaks into the next fast channel is not there in the slow cells of it.
#define LEAK_SHARE   0.1f
#define CELL_SHARE   0.1f       // of the tile's mean: cells of it that are worth marking
#define LINE_SHARE   4.0f       // of 8 cells the strongest over their mean: a line, not noise (2.7)
#define CELL_LEAST   2.5f       // over the floor
#define HALF_SHARE   0.5f       // of the whole's excess a half must hold to be marked
#define HALF_SIGMAS  6.0f       // excess of a half over its standard error that tells halves apart

// Mean over floor of the slow cells of fast channel ch in the four rows around row.
static float slow_around(struct tiles *t, const struct cells *c, const float *floor_slow,
                         float least, uint64_t row, unsigned rows, unsigned ch)
{
    int k0 = (int)(8 * ch) - 4;
    uint64_t from = row > 1 ? row - 1 : 0, to = row + rows + 1;
    float sum = 0;

    if (to > c->rows)
        to = c->rows;
    for (int k = k0 < 0 ? 0 : k0; k < k0 + 8; k++) {
        float s = 0;
        for (uint64_t r = from; r < to; r++)
            s += wola_unpack(cells_slow(c, r)[k]);
        float fl = floor_slow[k] > least ? floor_slow[k] : least;
        t->around[k] = s / (fl * (float)(to - from));
        sum += t->around[k];
    }
    return sum / 8;
}

static void mark(const struct tiles *t, struct cells *c, uint64_t row, unsigned rows, int k0,
                 int k1)
{
    if (k0 < t->edge)
        k0 = t->edge;
    if (k1 > (int)t->g.slow_n - t->edge)
        k1 = (int)t->g.slow_n - t->edge;
    if (k1 <= k0)
        return;
    for (uint64_t r = row; r < row + rows && r < c->rows; r++)
        memset(cells_mask(c, r) + k0, 1, (size_t)(k1 - k0));
}

bool tiles_mark_fast(struct tiles *t, struct cells *c, const float *floor_slow, float least,
                      uint64_t row, unsigned rows, unsigned ch, unsigned width, float over)
{
    bool any = false;

    if (width > SOLID) {
        mark(t, c, row, rows, (int)(8 * ch) - 4, (int)(8 * (ch + width)) - 4);
        return true;
    }
    for (unsigned i = ch; i < ch + width; i++) {
        float mean = slow_around(t, c, floor_slow, least, row, rows, i);
        if (mean - 1 < LEAK_SHARE * (over - 1))
            continue;
        int k0 = (int)(8 * i) - 4;
        float need = CELL_SHARE * mean > CELL_LEAST ? CELL_SHARE * mean : CELL_LEAST;
        float top = 0;
        for (int k = k0 < 0 ? 0 : k0; k < k0 + 8; k++)
            top = t->around[k] > top ? t->around[k] : top;
        // Many weak cells make a wide tile, each alone says little; but a line stands out.
        if (width > 1)
            need = top > LINE_SHARE * mean ? CELL_SHARE * top : 0;
        for (int k = k0 < 0 ? 0 : k0; k < k0 + 8; k++)
            if (t->around[k] > need) {
                mark(t, c, row, rows, k, k + 1);
                any = true;
            }
    }
    return any;
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
