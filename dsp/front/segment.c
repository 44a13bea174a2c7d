// SPDX-License-Identifier: GPL-3.0-or-later
// The marked cells of one row as segments.
#include <string.h>

#include "dsp/front/box.h"
#include "dsp/kernel/wola.h"

// What lies within SKIRT_WIDTH of its own widths beside something so much denser are its skirts;
// right beside it (a third of that) less will do: an OFDM signal that nobody filtered.
#define SKIRT_WIDTH 0.6
#define SKIRT_DB    20.0
#define SHOULDER_DB 13.0
#define SPLIT_DB     8.0        // a run with less on top is one segment
#define EMPTY        1.2        // mean over noise of a segment that is none ...
#define EMPTY_BINS   16         // ... where it is wide enough to tell: 64 degrees of freedom
#define STEP_DB      15.0       // below the top by so much, or half of it: another signal, skirts

static inline double from_db(double db) { return pow(10, 0.1 * db); }

// Bins of the run of marked cells [lo, hi); how many.
static int profile(struct tracker *t, const struct place_in *in, int lo, int hi)
{
    const uint16_t *x = cells_slow(in->cells, t->row);
    const float *f = in->floor_slow, *inv = in->inverse_slow;
    int n = (hi - lo) / BIN, rest = (hi - lo) % BIN;

    t->ops->bins(x + lo, f + lo, inv + lo, (size_t)n, t->power, t->density);
    if (rest) {
        float power = 0, density = 0;
        for (int k = hi - rest; k < hi; k++) {
            float p = wola_unpack(x[k]);
            power += p - f[k];
            density += p * inv[k];
        }
        t->power[n] = power;
        t->density[n++] = density / (float)rest;
    }
    memset(t->taken, 0, (size_t)n);
    return n;
}

// Bins [a, b) as one segment, without those taken.
static void add_segment(struct tracker *t, int lo, int hi, int a, int b, bool nested)
{
    int end = lo + b * BIN;
    if (t->n_seg == SEGMENTS)
        return;
    struct seg *s = &t->seg[t->n_seg++];

    *s = (struct seg){ .lo = lo + a * BIN, .hi = end < hi ? end : hi, .nested = nested };
    int n = 0;
    for (int j = a; j < b; j++)
        if (!t->taken[j]) {
            s->power += t->power[j];
            s->density += t->density[j];
            n++;
        }
    s->density /= n ? n : 1;
    // A wide tile that its neighbours' skirts lifted over the threshold: nothing there in this row.
    if (s->density < EMPTY && n >= EMPTY_BINS)
        t->n_seg--;
}

// Mean density over three bins each of [a, b), without those taken; the largest.
static float smooth_density(struct tracker *t, int a, int b)
{
    float top = 0;

    for (int j = a; j < b; j++) {
        float sum = 0, n = 0;
        for (int i = j > a ? j - 1 : a; i <= j + 1 && i < b; i++)
            if (!t->taken[i]) {
                sum += t->density[i];
                n++;
            }
        t->near[j] = n > 0 ? sum / n : 0;
        if (!t->taken[j])
            top = t->near[j] > top ? t->near[j] : top;
    }
    return top;
}

// One run of marked cells is one signal, or a strong one on a wide weak one, or one with skirts:
//
//        ___                     ________
//    ___|   |____________      _|        |_       a step of 15 dB tells them apart
//    ^ pedestal: own segment     ^ skirts: nobody's
static void split_run(struct tracker *t, int lo, int hi, int a, int b, int depth)
{
    // Nothing is taken yet of a whole run.
    float top = depth ? smooth_density(t, a, b)
                      : t->ops->means3(t->density, (size_t)(b - a), t->near);
    int n_strong = 0, n_weak = 0;

    if (top < from_db(SPLIT_DB) || depth == 3 || b - a < 4) {
        add_segment(t, lo, hi, a, b, depth > 0);
        return;
    }
    // In dB: the top less STEP_DB, or half of it.
    float cut = fmaxf(top * (float)from_db(-STEP_DB), sqrtf(top));
    for (int j = a; j < b; j++) {
        t->strong[j] = !t->taken[j] && t->near[j] >= cut;
        n_strong += t->strong[j];
        n_weak += !t->taken[j] && !t->strong[j];
    }
    if (n_weak < 2) {
        add_segment(t, lo, hi, a, b, depth > 0);
        return;
    }
    bool pedestal = n_weak > 2 * n_strong;
    int first = -1, last = -1, runs = 0;
    for (int j = a; j <= b; j++) {
        bool on = j < b && t->strong[j];
        if (on && first < 0)
            first = j;
        if (on)
            last = j;
        // A notch narrower than what lies left of it belongs to it.
        bool gap = j == b || j - last > (pedestal ? 1 : last - first + 1);
        if (first >= 0 && !on && gap) {
            add_segment(t, lo, hi, first, last + 1, pedestal);
            runs++;
            for (int i = first; i <= last; i++)
                t->taken[i] = 1;
            if (!pedestal && runs == 1 && first - a > n_strong)
                split_run(t, lo, hi, a, first, depth + 1);
            first = -1;
        }
    }
    if (pedestal)
        split_run(t, lo, hi, a, b, depth + 1);
    else if (b - last - 1 > n_strong)
        split_run(t, lo, hi, last + 1, b, depth + 1);
}

static void add_run(struct tracker *t, const struct place_in *in, int lo, int hi)
{
    split_run(t, lo, hi, 0, profile(t, in, lo, hi), 0);
}

// Narrow channels of [a, b) that lines may fill: what runs on beyond them runs under them.
static int lines_in(const struct place_in *in, int a, int b)
{
    int n = 0;

    for (unsigned i = 0; i < in->lines->n; i++) {
        int k0 = in->lines->s[i].k - LINE_REACH, k1 = in->lines->s[i].k + LINE_REACH + 1;
        k0 = k0 > a ? k0 : a;
        k1 = k1 < b ? k1 : b;
        n += k1 > k0 ? k1 - k0 : 0;
    }
    return n;
}

// Marked cells from..to: go on with the run [*lo, *hi), or end it and begin a new one.
static void extend(struct tracker *t, const struct place_in *in, int from, int to, int *lo, int *hi)
{
    if (*lo >= 0 && from - *hi > BRIDGE && from - *hi > BRIDGE + lines_in(in, *hi, from)) {
        add_run(t, in, *lo, *hi);
        *lo = -1;
    }
    if (*lo < 0)
        *lo = from;
    *hi = to;
}

void seg_find(struct tracker *t, const struct place_in *in)
{
    const uint8_t *m = cells_mask(in->cells, t->row);
    int n = (int)t->g.slow_n, lo = -1, hi = 0;

    t->n_seg = 0;
    if (!cells_marked(in->cells, t->row))
        return;
    for (int k = 0; k < n; k += 8) {    // slow_n is a multiple of 8
        uint64_t eight;
        memcpy(&eight, m + k, 8);
        if (eight == UINT64_C(0x0101010101010101)) {
            extend(t, in, k, k + 8, &lo, &hi);
            continue;
        }
        for (int i = k; eight && i < k + 8; i++)
            if (m[i])
                extend(t, in, i, i + 1, &lo, &hi);
    }
    if (lo >= 0)
        add_run(t, in, lo, hi);
}

// How many times denser y must be for x at distance d (narrow channels) to be its skirts.
static double skirt_ratio(const struct tracker *t, const struct seg *x, const struct seg *y,
                          double d)
{
    double w = y->hi - y->lo, hz = t->g.slow_hz;

    if (x->hi - x->lo < w && d > 0 && d < SKIRT_WIDTH * w)
        return d < SKIRT_WIDTH / 3 * w ? from_db(SHOULDER_DB) : from_db(SKIRT_DB);
    if (d * hz < 2 * w * hz + 300e3)
        return from_db(28);
    return d * hz < 10 * w * hz + 1e6 ? from_db(38) : from_db(60);
}

static bool is_skirt(const struct tracker *t, const struct seg *x)
{
    for (unsigned k = 0; k < t->n_seg; k++) {
        const struct seg *y = &t->seg[k];
        if (y->density <= x->density * from_db(SHOULDER_DB))    // the least it takes
            continue;
        if (y->density > x->density *
                         skirt_ratio(t, x, y, box_distance(x->lo, x->hi, y->lo, y->hi)))
            return true;
    }
    return false;
}

// Segments beside, or under, a stronger one in the same row.
void seg_skirts(struct tracker *t)
{
    double top = 0;

    for (unsigned i = 0; i < t->n_seg; i++)
        top = fmax(top, t->seg[i].density);
    for (unsigned i = 0; i < t->n_seg; i++)
        t->seg[i].skirt = top > t->seg[i].density * from_db(SHOULDER_DB) && is_skirt(t, &t->seg[i]);
}
