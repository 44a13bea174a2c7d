// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/floor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/front/gamma.h"
#include "dsp/kernel/band.h"

#define WINDOW_ROWS FLOOR_WINDOW
#define SPAN_S      0.100       // windows kept
#define SOLVE_EVERY 32          // windows between two solutions, once there are plenty
#define GROUP_MIN   4           // narrow channels in a group: 32 degrees of freedom in a window
#define GROUPS_MAX  128
#define QUANTILE    0.05        // share of the time a channel must be quiet to show its noise
// Rises of the profile from one group to the next, in dB per 1 % of the band.
#define GENTLE_DB   0.4         // over SPAN_GROUPS: the device's shape, whatever else it does
#define SPAN_GROUPS 6
#define RISE_MAX_DB 3.0         // in all, where the profile is not as steady as noise
#define SHARP_DB    2.2         // steeper than any anti-alias filter: a signal's edge
#define FALL_BACK_DB 0.7        // within so much of the held floor again: the signal has ended
#define STEADY      1.8         // spread over time, over what noise alone would show
#define STEADY_MIN  12          // windows from which the spread says anything
#define COMMON_SHARE 0.25      // so many channels at least share a rise of the noise
#define COMMON_MAX  1.5         // 1.8 dB: more is a signal
#define ABS_MIN     1e-14       // total power: the arithmetic's own noise is below

struct noise_floor {
    struct grid g;
    unsigned    group, groups;  // narrow channels in a group; how many groups
    double      dof;            // of one window of one group
    double      least;          // per narrow channel
    double      least_dc;       // around zero: half a step of offset is no signal
    float      *ring;           // [span][groups]: mean power per narrow channel
    float      *live;           // [span]: 1, or 0 where the window lay in digital silence
    uint64_t   *first;          // [span]: first row of the window, in its epoch
    uint64_t    row, epoch_windows;
    unsigned    span, have, at;
    const struct band_ops *ops;
    float      *acc, *last;     // [slow_n], the window being filled, the mean of the one before
    uint64_t    solved;
    unsigned    acc_rows, acc_dead;
    unsigned    news;
    float      *lively;         // [span][groups]: windows outside digital silence
    float      *rank_low, *rank_mid;    // [groups]
    double     *low, *spread, *shape;   // [groups], dB, ratio, dB
    float      *slow, *fast, *inv_slow, *inv_fast;
    float       least_of_all;
    bool        fresh;
    float      *inverse, *sort_groups;      // [groups]: 1 / shape, linear; scratch
    uint64_t    common_of;      // first row of the window that common belongs to, + 1
    uint64_t    common_to;      // and of the one after it; no more than common_of when none was
    float       common;
};

// Quantisation noise of both components, full scale 1: 2 * step^2 / 12.
static double quantisation(enum iq_format f)
{
    switch (f) {
    case IQ_CI16: return 2.0 / 12 / 32768 / 32768;
    case IQ_CI8:
    case IQ_CU8:  return 2.0 / 12 / 128 / 128;
    default:      return 0;
    }
}

struct noise_floor *floor_new(const struct grid *g, enum iq_format format)
{
    struct noise_floor *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    double q = quantisation(format);

    f->g = *g;
    f->group = g->slow_n / GROUPS_MAX > GROUP_MIN ? g->slow_n / GROUPS_MAX : GROUP_MIN;
    f->groups = g->slow_n / f->group;
    f->dof = 0.5 * WINDOW_ROWS * f->group;
    f->least = fmax(q, ABS_MIN) / g->slow_n;
    f->least_dc = q * 6;        // (step/2)^2 in both components is 3 q; twice that
    f->span = (unsigned)(SPAN_S / (g->row_s * WINDOW_ROWS));
    if (f->span < 16)
        f->span = 16;
    f->ring = calloc((size_t)f->span * f->groups, sizeof *f->ring);
    f->live = calloc(f->span, sizeof *f->live);
    f->first = calloc(f->span, sizeof *f->first);
    f->ops = band_ops();
    f->acc = calloc(g->slow_n, sizeof *f->acc);
    f->last = calloc(g->slow_n, sizeof *f->last);
    f->lively = calloc((size_t)f->span * f->groups, sizeof *f->lively);
    f->rank_low = calloc(f->groups, sizeof *f->rank_low);
    f->rank_mid = calloc(f->groups, sizeof *f->rank_mid);
    f->low = calloc(f->groups, sizeof *f->low);
    f->spread = calloc(f->groups, sizeof *f->spread);
    f->shape = calloc(f->groups, sizeof *f->shape);
    f->inverse = calloc(f->groups, sizeof *f->inverse);
    f->sort_groups = calloc(f->groups + BAND_READ, sizeof *f->sort_groups);
    f->slow = calloc(g->slow_n, sizeof *f->slow);
    f->fast = calloc(g->fast_n, sizeof *f->fast);
    f->inv_slow = calloc(g->slow_n, sizeof *f->inv_slow);
    f->inv_fast = calloc(g->fast_n, sizeof *f->inv_fast);
    if (!f->ring || !f->live || !f->first || !f->acc || !f->last || !f->lively ||
        !f->low || !f->spread || !f->shape || !f->rank_low || !f->rank_mid ||
        !f->inv_slow || !f->inv_fast || !f->inverse || !f->sort_groups || !f->slow || !f->fast) {
        floor_free(f);
        return NULL;
    }
    return f;
}

void floor_free(struct noise_floor *f)
{
    if (!f)
        return;
    free(f->ring);
    free(f->live);
    free(f->first);
    free(f->acc);
    free(f->last);
    free(f->lively);
    free(f->rank_low);
    free(f->rank_mid);
    free(f->low);
    free(f->spread);
    free(f->shape);
    free(f->inverse);
    free(f->sort_groups);
    free(f->slow);
    free(f->inv_slow);
    free(f->inv_fast);
    free(f->fast);
    free(f);
}

struct floor_view floor_now(const struct noise_floor *f)
{
    return (struct floor_view){ .slow = f->slow, .fast = f->fast, .inverse_slow = f->inv_slow,
                                .inverse_fast = f->inv_fast, .least = f->least_of_all };
}

uint64_t floor_solved(const struct noise_floor *f) { return f->solved; }

const float *floor_window(const struct noise_floor *f, uint64_t *ret_count)
{
    *ret_count = f->epoch_windows;
    return f->epoch_windows ? f->last : NULL;
}

// ---- Windows in -----------------------------------------------------------------------------

static void close_window(struct noise_floor *f)
{
    float *w = f->ring + (size_t)f->at * f->groups;

    f->ops->means_of(f->acc, f->groups, f->group, (float)f->acc_rows, w, f->last);
    memset(f->acc, 0, f->g.slow_n * sizeof *f->acc);
    f->live[f->at] = f->acc_dead == 0;
    f->first[f->at] = f->row - f->acc_rows;
    f->epoch_windows++;
    f->at = (f->at + 1) % f->span;
    f->have += f->have < f->span;
    f->acc_rows = f->acc_dead = 0;
    f->news++;
}

void floor_begin(struct noise_floor *f)
{
    f->row = f->epoch_windows = f->common_of = f->common_to = 0;
}

void floor_forget(struct noise_floor *f)
{
    f->have = f->at = f->news = f->fresh = 0;
    memset(f->slow, 0, f->g.slow_n * sizeof *f->slow);      // not known
}

void floor_row(struct noise_floor *f, const uint16_t *power, float cover, bool dead)
{
    f->row++;
    // A row less than half inside the epoch says little, and says it too low.
    if (cover < 0.5f)
        return;
    f->ops->add(f->acc, power, 1 / cover, f->g.slow_n);
    f->acc_dead += dead;
    if (++f->acc_rows == WINDOW_ROWS)
        close_window(f);
}

void floor_end(struct noise_floor *f)
{
    // Less than a quarter of a window is only worth keeping when there is nothing else.
    if (f->acc_rows >= WINDOW_ROWS / 4 || (f->acc_rows && !f->have))
        close_window(f);
    memset(f->acc, 0, f->g.slow_n * sizeof *f->acc);
    f->acc_rows = f->acc_dead = 0;
}

// ---- Quantiles over time --------------------------------------------------------------------

// The windows that say something of noise, or all where none does; how many.
static unsigned live_windows(struct noise_floor *f, const float **ret)
{
    unsigned live = 0;

    for (unsigned w = 0; w < f->have; w++)
        live += f->live[w] > 0;
    *ret = f->ring;
    if (!live || live == f->have)
        return f->have;
    for (unsigned w = 0, to = 0; w < f->have; w++)
        if (f->live[w] > 0)
            memcpy(f->lively + (size_t)to++ * f->groups, f->ring + (size_t)w * f->groups,
                   f->groups * sizeof *f->ring);
    *ret = f->lively;
    return live;
}

// Low quantile of each group, freed of the bias of being low, and how much it spreads.
static void quantiles(struct noise_floor *f)
{
    const float *window;
    unsigned n = live_windows(f, &window), k = (unsigned)(QUANTILE * n), mid = n / 2;
    const unsigned rank[2] = { k, mid };
    double low_bias = gamma_quantile((k + 0.6) / (n + 0.2), f->dof);
    double mid_bias = gamma_quantile((mid + 0.6) / (n + 0.2), f->dof);

    for (unsigned i = 0; i < f->groups; i += BAND_COLUMNS) {    // 32 groups at least, 2^n
        f->ops->ranks(window + i, f->groups, n, rank, f->rank_low + i, f->rank_mid + i);
    }
    for (unsigned i = 0; i < f->groups; i++) {
        double low = fmax(f->rank_low[i], f->least), median = fmax(f->rank_mid[i], f->least);
        f->low[i] = 10 * log10(low / low_bias);
        // 1 for noise: how far the median lies above the low quantile, over how far it should.
        f->spread[i] = n < STEADY_MIN ? -1
                     : log(median / low) / log(mid_bias / low_bias);
    }
}

// ---- Shape over frequency -------------------------------------------------------------------

static double smooth3(const double *x, unsigned n, unsigned i)
{
    double a = x[i ? i - 1 : 0], b = x[i], c = x[i + 1 < n ? i + 1 : n - 1];
    return fmax(fmin(a, b), fmin(fmax(a, b), c));      // median
}

// From the quietest group outwards: step is +1 or -1.
static void walk(struct noise_floor *f, unsigned from, int step)
{
    double per_group = 100.0 / f->groups;               // % of the band
    double noise = 3 * 4.34 / sqrt(f->dof * (f->have < 16 ? f->have : 16));
    double gentle = GENTLE_DB * per_group * SPAN_GROUPS + noise;
    double sharp = SHARP_DB * per_group + noise, s = f->shape[from], start = s;
    bool held = false;

    for (int i = (int)from + step; i >= 0 && i < (int)f->groups; i += step) {
        int back = i - step * SPAN_GROUPS;
        if ((back - (int)from) * step < 0)
            back = (int)from;
        double q = smooth3(f->low, f->groups, (unsigned)i);
        double last = smooth3(f->low, f->groups, (unsigned)(i - step));
        bool steady = f->spread[i] >= 0 && f->spread[i] < STEADY;
        bool rises = q - f->shape[back] > gentle || q - start > RISE_MAX_DB + noise;
        if (held)
            held = q > s + FALL_BACK_DB + noise;
        else
            held = q - last > sharp || q - s > sharp || (rises && !steady);
        if (!held)
            s += (q < s ? 0.7 : 0.5) * (q - s);
        f->shape[i] = s;
    }
}

static void make_shape(struct noise_floor *f)
{
    // The outermost 4 % lie in anti-alias filters and must not set the level.
    unsigned skip = f->groups / 25 + 1, best = f->groups / 2;
    double least = HUGE_VAL;

    for (unsigned i = skip; i < f->groups - skip; i++) {
        double q = smooth3(f->low, f->groups, i);
        if (q < least) {
            least = q;
            best = i;
        }
    }
    // The lowest of many is low by luck too: its neighbours, if they are alike, are the mean.
    double sum = 0, n = 0;
    for (unsigned i = 0; i < f->groups; i++)
        if (fabs((double)i - best) <= 4 && f->low[i] < least + 1.0) {
            sum += f->low[i];
            n++;
        }
    f->shape[best] = n > 0 ? sum / n : least;
    walk(f, best, +1);
    walk(f, best, -1);
}

static void spread_out(struct noise_floor *f)
{
    const struct grid *g = &f->g;

    for (unsigned i = 0; i < f->groups; i++)
        f->inverse[i] = (float)pow(10, -0.1 * f->shape[i]);
    // Straight in dB from the middle of each group to that of the next.
    for (int i = -1; i < (int)f->groups; i++) {
        int a = i < 0 ? 0 : i, b = i + 1 < (int)f->groups ? i + 1 : (int)f->groups - 1;
        double by = pow(10, 0.1 * (f->shape[b] - f->shape[a]) / f->group);
        double p = pow(10, 0.1 * f->shape[a]) * sqrt(by);   // half a channel from the middle
        int k = i * (int)f->group + (int)f->group / 2, end = k + (int)f->group;
        for (end = end < (int)g->slow_n ? end : (int)g->slow_n; k < end; k++, p *= by)
            if (k >= 0)
                f->slow[k] = (float)fmax(p, f->least);
    }
    for (unsigned k = g->slow_n / 2 - 2; k <= g->slow_n / 2 + 2; k++)
        f->slow[k] = (float)fmax(f->slow[k], f->least_dc);
    for (unsigned c = 0; c < g->fast_n; c++) {
        // Narrow channel 8c lies at the centre of fast channel c.
        double sum = 0;
        for (int k = -4; k < 4; k++) {
            int s = (int)(8 * c) + k;
            sum += f->slow[s < 0 ? 0 : s >= (int)g->slow_n ? (int)g->slow_n - 1 : s];
        }
        f->fast[c] = (float)sum;
        f->inv_fast[c] = 1 / f->fast[c];
    }
    f->least_of_all = f->slow[0];
    for (unsigned k = 0; k < g->slow_n; k++) {
        f->inv_slow[k] = 1 / f->slow[k];
        f->least_of_all = fminf(f->least_of_all, f->slow[k]);
    }
}

bool floor_solve(struct noise_floor *f)
{
    if (!f->have || (f->fresh && (!f->news || (f->have >= SOLVE_EVERY && f->news < SOLVE_EVERY))))
        return false;
    f->news = 0;
    f->fresh = true;
    f->solved++;
    quantiles(f);
    make_shape(f);
    spread_out(f);
    return true;
}

// Of one window, once.
static float common_of(struct noise_floor *f, unsigned at)
{
    unsigned n = f->groups;

    for (unsigned i = 0; i < n; i++)
        f->sort_groups[i] = f->ring[(size_t)at * n + i] * f->inverse[i];
    float q = f->ops->nth(f->sort_groups, n, (unsigned)(COMMON_SHARE * n));
    return q < 1 || q > (float)COMMON_MAX ? 1 : q;
}

float floor_common(struct noise_floor *f, uint64_t row)
{
    uint64_t n = f->have < f->epoch_windows ? f->have : f->epoch_windows;
    unsigned at = 0;

    if (!n)
        return 1;
    if (f->common_of && row + 1 >= f->common_of && row < f->common_to)
        return f->common;
    f->common_to = 0;
    for (unsigned i = 1; i <= n; i++) {
        at = (f->at + f->span - i) % f->span;
        if (f->first[at] <= row)
            break;
        f->common_to = f->first[at];
    }
    if (f->common_of != f->first[at] + 1) {
        f->common_of = f->first[at] + 1;
        f->common = common_of(f, at);
    }
    return f->common;
}
