// SPDX-License-Identifier: GPL-3.0-or-later
// LoRa preambles on their rasters: eight or more equal chirps.
//
//     stream   |<- preamble: N samples each ->|
//              /|/|/|/|/|/|/|/|                    critically sampled: see narrow.c
//     windows  [ ] [ ] [ ] [ ]                     every other symbol's length
//
// Step 1, every second window of N samples of each channel, spreading factor and direction:
// dechirp, transform, |X|^2 over the window's own energy (so neither a strong neighbour's level
// nor a short burst counts for more than one window).  A preamble stands in the same bin of every
// window, however it lies to them.  Sum of four: in noise a sum of four Beta laws (law.c).
// Step 2, what passes: the windows that were left out, at that bin only; all seven together.
// Step 3, what passes: the seven as amplitudes, roughly.
// Step 4 (judge.c), what passes: eight symbols as amplitudes, at every fraction of a sample and of
// a bin, wherever they begin.  Each step lets pass nearly all of what the last would.
#include "dsp/stand/lora.h"

#include <math.h>

#define LAST_HOPES   9.5f       // so much of the last two
#define LAST_HOPE    7.0f       // the last window is not looked at where it had to give so much

// A symbol's length from q, dechirped to the hit's bin: in QUARTERS sums, over the root of energy.
// A tone only moves the chirp.
static void take_window(struct lora *l, const struct narrow *s, const struct hit *h, int64_t q,
                        float complex u[QUARTERS])
{
    unsigned n = l->chirps[h->sf].n, turn = h->down ? n - h->bin : h->bin, len = n / QUARTERS;
    const float *ref = (const float *)l->chirps[h->sf].ref[h->down];
    size_t lanes = s->lane->lanes, next = s->lane->row;
    const float *row = s->ring + ((size_t)q & (s->len - 1)) * next + h->lane;
    const float *sums = s->energy + ((size_t)q & (s->len - 1)) / SUM_ROWS * lanes + h->lane;
    float e = 0, re[QUARTERS] = { 0 }, im[QUARTERS] = { 0 };
    for (unsigned k = 0; k < n / SUM_ROWS; k++)
        e += sums[k * lanes];
    for (unsigned i = 0; i < len; i++)              // the quarters side by side: no sum waits
        for (unsigned k = 0; k < QUARTERS; k++) {
            float x = row[(k * len + i) * next], y = row[(k * len + i) * next + lanes];
            const float *r = ref + 2 * ((k * len + i + turn) & (n - 1));
            re[k] += x * r[0] + y * r[1];
            im[k] += y * r[0] - x * r[1];
        }
    for (unsigned k = 0; k < QUARTERS; k++)
        u[k] = re[k] + I * im[k];
    float scale = e > 1e-30f ? 1 / sqrtf(e) : 0;
    for (unsigned k = 0; k < QUARTERS; k++)
        u[k] *= scale;
}

static float squared(float complex v) { return crealf(v) * crealf(v) + cimagf(v) * cimagf(v); }

// Step 3: windows turned back by phi within and by psi from one to the next.
static float together(const struct lora *l, const float complex u[WINDOWS][QUARTERS])
{
    // half a bin: an eighth of a turn from quarter to quarter
    static const float complex t[3][QUARTERS] = {
        { 1, M_SQRT1_2 + M_SQRT1_2 * I, I, -M_SQRT1_2 + M_SQRT1_2 * I }, { 1, 1, 1, 1 },
        { 1, M_SQRT1_2 - M_SQRT1_2 * I, -I, -M_SQRT1_2 - M_SQRT1_2 * I },
    };
    float best = 0;
    for (unsigned p = 0; p < 3; p++) {
        float complex a[WINDOWS];
        for (unsigned m = 0; m < WINDOWS; m++)
            a[m] = (u[m][0] * t[p][0] + u[m][1] * t[p][1]) +
                   (u[m][2] * t[p][2] + u[m][3] * t[p][3]);
        for (unsigned k = 0; k < ROUGH_PSIS; k++) {
            float complex sum = 0;
            for (unsigned m = 0; m < WINDOWS; m++)
                sum += a[m] * l->psi[k * m % ROUGH_PSIS];
            best = fmaxf(best, squared(sum));
        }
    }
    return best / WINDOWS;
}

// Steps 2 and 3.
static void lane_hit(struct lora *l, unsigned group, unsigned sf, unsigned d, unsigned lane,
                     unsigned row, float sum)
{
    const struct group *g = &l->group[group];
    const struct chirps *c = &l->chirps[sf];
    const struct screen *r = &g->screen[d][sf];
    float complex u[WINDOWS][QUARTERS];
    int64_t n = c->n, end = (int64_t)(r->windows - 1) * SCREEN_STEP * n + n;
    struct hit h = { group, lane, sf, d, c->bin[row], end, sum };
    if (end < WINDOWS * n)
        return;
    for (int k = 1; k < WINDOWS; k += 2) {
        if ((k == WINDOWS - 2 && h.sum < c->limit_all - LAST_HOPE) ||
            (k == WINDOWS - 4 && h.sum < c->limit_all - LAST_HOPES))
            return;
        take_window(l, &g->s, &h, end - (WINDOWS - k) * n, u[k]);
        h.sum += squared((u[k][0] + u[k][1]) + (u[k][2] + u[k][3]));
    }
    if (!(h.sum > c->limit_all))
        return;
    for (int k = 0; k < WINDOWS; k += 2)
        take_window(l, &g->s, &h, end - (WINDOWS - k) * n, u[k]);
    if (together(l, (const float complex (*)[QUARTERS])u) > c->rough)
        hit_wait(l, &h);
}

static void window(struct lora *l, unsigned group, unsigned sf, unsigned d)
{
    struct group *g = &l->group[group];
    const struct chirps *c = &l->chirps[sf];
    struct screen *r = &g->screen[d][sf];
    const struct lane_ops *op = g->s.lane;
    size_t rows = (size_t)c->n * op->lanes;
    size_t at = (size_t)(r->windows * SCREEN_STEP * c->n) & (g->s.len - 1);
    struct lane_sums sums = { r->p, r->p + (1 + r->windows % 2) * rows };
    float scale[LANES_MAX], top[LANES_MAX];
    int32_t most[LANES_MAX];
    op->scale(g->s.energy + at / SUM_ROWS * op->lanes, c->n / SUM_ROWS, scale);
    op->spread(g->s.ring + at * op->row, c->ref[d], c->turns, c->n, scale, l->w, &sums, top, most);
    r->windows++;
    for (unsigned k = 0; k < g->s.lanes; k++)
        if (top[k] > c->limit)
            lane_hit(l, group, sf, d, k, (unsigned)most[k], top[k]);
}

void screen_group(struct lora *l, unsigned group)
{
    struct group *g = &l->group[group];
    for (unsigned sf = RASTER_SF_MIN; sf <= RASTER_SF_MAX; sf++)
        for (unsigned d = 0; d < 2; d++)
            while ((g->use[d] >> sf & 1) &&
                   ((g->screen[d][sf].windows * SCREEN_STEP + 1) << sf) <= g->s.have)
                window(l, group, sf, d);
}
